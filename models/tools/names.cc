// Fits the name tagger: a linear-chain CRF over hashed features, and a softmax over the same kind
// of rows for Chinese names. Driven by `models/train_names`, which prepares the files.
//
//   fit_names LEXICON ROWS OUT
//
// LEXICON holds lines `flags word`; ROWS lines `weight \t spans \t text`, where spans are
// `P|S|L|O:start:end` in bytes, separated by commas, and \\, \n and \t in the text are escaped.
// Everything is sequential and seeded, so the same files give the same weights.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "signals/name_model.h"
#include "signals/name_words.h"
#include "tools/lines.h"

namespace vsr::models {
namespace {

using namespace signals;

constexpr uint32_t kRowBits = 17;
constexpr int kEpochs = 8;
constexpr float kRate = 0.15F;
constexpr float kL2 = 1e-5F;
// Share of words whose flags as a name are hidden, and of features left out, at each step: what the
// model makes of a name that no list has must come from its letters and from what stands around it.
constexpr float kHidden = 0.3F;
constexpr float kDropped = 0.1F;
// Share of runs that are read without the words around and in them, and of those read without their
// letters: what is left must do for a sentence like none in the rows.
constexpr float kNoWords = 0.5F;
constexpr float kNoLetters = 0.15F;
constexpr float kNever = -1e4F;

struct GoldSpan {
  char type;
  size_t start;
  size_t end;
};

struct Row {
  float weight = 1;
  std::vector<GoldSpan> spans;
  std::string text;
};

std::vector<Row> read_rows(const std::string& path) {
  std::ifstream in(path);
  if (!in) give_up("cannot read " + path);
  std::vector<Row> rows;
  for (std::string line; std::getline(in, line);) {
    const size_t first = line.find('\t');
    const size_t second = line.find('\t', first + 1);
    if (second == std::string::npos) give_up("bad line in " + path);
    Row row;
    row.weight = std::strtof(line.c_str(), nullptr);
    const char* at = line.c_str() + first + 1;
    while (at < line.c_str() + second) {
      char* next = nullptr;
      GoldSpan span{at[0], std::strtoul(at + 2, &next, 10), 0};
      span.end = std::strtoul(next + 1, &next, 10);
      row.spans.push_back(span);
      at = next + 1;
    }
    row.text = unescape(std::string_view(line).substr(second + 1));
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<uint32_t> read_lexicon(const std::string& path) {
  std::ifstream in(path);
  if (!in) give_up("cannot read " + path);
  std::vector<std::pair<uint32_t, uint8_t>> words;
  int flags = 0;
  for (std::string word; in >> flags >> word;) {
    words.emplace_back(word_hash(word), static_cast<uint8_t>(flags));
  }
  size_t slots = 2;
  while (slots * 3 < words.size() * 4) slots *= 2;
  std::vector<uint32_t> lexicon(slots);
  const auto mask = static_cast<uint32_t>(slots - 1);
  for (const auto& [hash, flag] : words) {
    uint32_t slot = lexicon_slot(hash) & mask;
    while (lexicon[slot] != 0 && (lexicon[slot] ^ hash) >> 8 != 0) slot = (slot + 1) & mask;
    lexicon[slot] = lexicon_entry(hash, static_cast<uint8_t>(lexicon[slot]) | flag);
  }
  return lexicon;
}

// A weight with its AdaGrad sum.
struct Weight {
  float value = 0;
  float squares = 0;
  void step(float gradient) {
    gradient += kL2 * value;
    squares += gradient * gradient;
    value -= kRate * gradient / (std::sqrt(squares) + 1e-3F);
  }
};
using Lane = std::array<Weight, kLanes>;

class Trainer {
 public:
  explicit Trainer(std::vector<uint32_t> lexicon)
      : lexicon_(std::move(lexicon)), rows_(size_t{1} << kRowBits) {
    shape_.row_bits = kRowBits;
    shape_.lexicon = lexicon_;
  }

  void fit(std::vector<Row>& rows) {
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
      for (size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random_() % i]);
      loss_ = 0;
      for (const Row& row : rows) fit_row(row);
      fmt::print(stderr, "epoch {}: loss {:.4f} a row\n", epoch,
                 loss_ / static_cast<double>(rows.size()));
    }
  }

  std::string encode() const {
    float most = 0;
    std::vector<float> sizes;
    for (const Lane& lane : rows_) {
      for (const Weight& weight : lane) {
        if (weight.value != 0) sizes.push_back(std::abs(weight.value));
      }
    }
    std::ranges::sort(sizes);
    most = sizes.empty() ? 1 : sizes[sizes.size() * 9995 / 10000];
    NameModel model = shape_;
    model.scale = most / 127;
    std::vector<int8_t> quantised;
    quantised.reserve(rows_.size() * kLanes);
    for (const Lane& lane : rows_) {
      for (const Weight& weight : lane) {
        quantised.push_back(static_cast<int8_t>(
            std::lround(std::clamp(weight.value / model.scale, -127.0F, 127.0F))));
      }
    }
    model.rows = quantised;
    for (size_t t = 0; t < kLanes; ++t) {
      model.start[t] = start_[t].value;
      model.bias[t] = bias_[t].value;
      model.cjk_bias[t] = cjk_bias_[t].value;
      for (size_t u = 0; u < kLanes; ++u) model.transition[t][u] = transition_[t][u].value;
    }
    return encode_names(model);
  }

 private:
  float uniform() { return static_cast<float>(random_() >> 8) * 0x1p-24F; }

  void fit_row(const Row& row) {
    for (size_t start = 0; start < row.text.size();) {
      const size_t end = block_end(row.text, start);
      block_.read(row.text, start, end, shape_);
      for (NameWord& word : block_.words) {
        if (uniform() < kHidden) word.flags &= static_cast<uint8_t>(~(kGivenFlag | kFamilyFlag));
      }
      for (NameRun run = next_run(block_, 0); run.first < run.last;
           run = next_run(block_, run.last)) {
        fit_run(row, run);
      }
      start = end;
    }
    fit_cjk(row);
  }

  std::vector<size_t> gold_tags(const Row& row, const NameRun& run) const {
    std::vector<size_t> tags;
    const GoldSpan* last = nullptr;
    for (size_t i = run.first; i < run.last; ++i) {
      const NameWord& word = block_.words[i];
      const auto span = std::ranges::find_if(row.spans, [&](const GoldSpan& one) {
        return one.start <= word.start && word.end <= one.end;
      });
      Tag tag = Tag::kOutside;
      if (span != row.spans.end()) {
        const bool goes_on = last == &*span;
        if (span->type == 'P') tag = goes_on ? Tag::kPersonInside : Tag::kPersonBegin;
        if (span->type == 'S') tag = goes_on ? Tag::kStreetInside : Tag::kStreetBegin;
        if (span->type == 'L') tag = Tag::kPlace;
        if (span->type == 'O') tag = Tag::kOrganisation;
        last = &*span;
      } else {
        last = nullptr;
      }
      auto number = static_cast<size_t>(tag);
      const size_t from = tags.empty() ? kLanes : tags.back();
      if (!tag_allowed(block_, i, from, number)) --number;  // begins anew
      tags.push_back(number);
    }
    return tags;
  }

  float step(const NameRun& run, size_t i, size_t from, size_t to) const {
    if (!tag_allowed(block_, run.first + i, i == 0 ? kLanes : from, to)) return kNever;
    return i == 0 ? start_[to].value : transition_[from][to].value;
  }

  void fit_run(const Row& row, const NameRun& run) {
    const size_t count = run.last - run.first;
    const std::vector<size_t> gold = gold_tags(row, run);
    std::vector<FeatureRows> features(count);
    std::vector<TagScores> scores(count);
    uint32_t left_out = 0;
    if (uniform() < kNoWords) left_out |= kNeighbourFeatures;
    if (uniform() < kNoLetters) left_out |= kLetterFeatures;
    for (size_t i = 0; i < count; ++i) {
      word_features(row.text, block_, run, run.first + i, kRowBits, features[i], left_out);
      drop(features[i]);
      for (size_t t = 0; t < kTags; ++t) {
        scores[i][t] = bias_[t].value;
        for (size_t f = 0; f < features[i].count; ++f) {
          scores[i][t] += rows_[features[i].rows[f]][t].value;
        }
      }
    }
    // Forward and backward in logarithms.
    const auto log_sum = [](const TagScores& values) {
      const float top = *std::max_element(values.begin(), values.begin() + kTags);
      float sum = 0;
      for (size_t t = 0; t < kTags; ++t) sum += std::exp(values[t] - top);
      return top + std::log(sum);
    };
    std::vector<TagScores> forward(count);
    std::vector<TagScores> backward(count);
    for (size_t i = 0; i < count; ++i) {
      for (size_t t = 0; t < kTags; ++t) {
        TagScores in;
        for (size_t f = 0; f < kTags; ++f) {
          in[f] = i == 0 ? step(run, i, f, t) : forward[i - 1][f] + step(run, i, f, t);
        }
        forward[i][t] = scores[i][t] + (i == 0 ? in[0] : log_sum(in));
      }
    }
    backward[count - 1].fill(0);
    for (size_t i = count - 1; i > 0; --i) {
      for (size_t f = 0; f < kTags; ++f) {
        TagScores in;
        for (size_t t = 0; t < kTags; ++t) {
          in[t] = step(run, i, f, t) + scores[i][t] + backward[i][t];
        }
        backward[i - 1][f] = log_sum(in);
      }
    }
    const float all = log_sum(forward[count - 1]);
    for (size_t i = 0; i < count; ++i) {
      TagScores gradient{};
      for (size_t t = 0; t < kTags; ++t) {
        gradient[t] = std::exp(forward[i][t] + backward[i][t] - all) - (gold[i] == t ? 1.0F : 0.0F);
        gradient[t] *= row.weight;
      }
      if (i == 0) {
        for (size_t t = 0; t < kTags; ++t) start_[t].step(gradient[t]);
      } else {
        for (size_t f = 0; f < kTags; ++f) {
          for (size_t t = 0; t < kTags; ++t) {
            const float move = step(run, i, f, t);
            if (move <= kNever) continue;
            const float share =
                std::exp(forward[i - 1][f] + move + scores[i][t] + backward[i][t] - all);
            transition_[f][t].step(row.weight *
                                   (share - (gold[i - 1] == f && gold[i] == t ? 1.0F : 0.0F)));
          }
        }
      }
      if (gold[i] < kTags) {
        loss_ -= std::log(std::max(1e-9F, 1 + gradient[gold[i]] / row.weight));
      }
      apply(features[i], gradient, kTags, bias_);
    }
  }

  void drop(FeatureRows& features) {
    size_t kept = 0;
    for (size_t f = 0; f < features.count; ++f) {
      if (uniform() >= kDropped) features.rows[kept++] = features.rows[f];
    }
    features.count = kept;
  }

  void apply(const FeatureRows& features, const TagScores& gradient, size_t lanes, Lane& bias) {
    for (size_t t = 0; t < lanes; ++t) {
      if (std::abs(gradient[t]) < 1e-4F) continue;
      bias[t].step(gradient[t]);
      for (size_t f = 0; f < features.count; ++f) rows_[features.rows[f]][t].step(gradient[t]);
    }
  }

  void fit_cjk(const Row& row) {
    size_t at = 0;
    while (at < row.text.size()) {
      const auto lead = static_cast<uint8_t>(row.text[at]);
      CjkCandidate candidate;
      if (lead < 0xE4 || lead > 0xE9 || !read_cjk_candidate(row.text, at, candidate)) {
        ++at;
        continue;
      }
      size_t gold = 0;
      const auto span = std::ranges::find_if(row.spans, [&](const GoldSpan& one) {
        return one.type == 'P' && one.start == candidate.start;
      });
      size_t next = candidate.surname_end;
      if (span != row.spans.end()) {
        next = span->end;
        for (size_t k = 1; k < kCjkOutcomes; ++k) {
          if (candidate.end[k] == span->end) gold = k;
        }
        if (gold == 0) {
          at = next;
          continue;
        }
      }
      fit_cjk_candidate(row, candidate, gold);
      at = next;
    }
  }

  void fit_cjk_candidate(const Row& row, const CjkCandidate& candidate, size_t gold) {
    FeatureRows features;
    cjk_features(row.text, candidate, kRowBits, features,
                 uniform() < kNoWords ? kNeighbourFeatures : 0);
    drop(features);
    TagScores p{};
    float top = kNever;
    for (size_t k = 0; k < kCjkOutcomes; ++k) {
      p[k] = cjk_bias_[k].value;
      for (size_t f = 0; f < features.count; ++f) p[k] += rows_[features.rows[f]][k].value;
      if (k > 0 && candidate.end[k] == 0) p[k] = kNever;
      top = std::max(top, p[k]);
    }
    float sum = 0;
    for (size_t k = 0; k < kCjkOutcomes; ++k) sum += p[k] = std::exp(p[k] - top);
    for (size_t k = 0; k < kCjkOutcomes; ++k) {
      p[k] = row.weight * (p[k] / sum - (k == gold ? 1.0F : 0.0F));
    }
    apply(features, p, kCjkOutcomes, cjk_bias_);
  }

  const std::vector<uint32_t> lexicon_;
  NameModel shape_;  // only the word list and the number of rows
  std::vector<Lane> rows_;
  Lane start_;
  Lane bias_;
  Lane cjk_bias_;
  std::array<Lane, kLanes> transition_;
  NameBlock block_;
  std::mt19937 random_{1};
  double loss_ = 0;
};

int run(int argc, char** argv) {
  if (argc != 4) give_up("usage: fit_names LEXICON ROWS OUT");
  std::vector<Row> rows = read_rows(argv[2]);
  Trainer trainer(read_lexicon(argv[1]));
  trainer.fit(rows);
  const std::string file = trainer.encode();
  std::ofstream out(argv[3], std::ios::binary);
  out.write(file.data(), static_cast<std::streamsize>(file.size()));
  out.close();
  if (!out) give_up(fmt::format("cannot write {}", argv[3]));
  return 0;
}

}  // namespace
}  // namespace vsr::models

int main(int argc, char** argv) { return vsr::models::run(argc, argv); }
