#include "signals/name_tagger.h"

#include <algorithm>
#include <cmath>

#include "signals/lexis.h"
#include "signals/name_words.h"

namespace vsr::signals {
namespace {

// A tag below this is not worth reporting at any threshold in use.
constexpr double kConfidenceMin = 0.3;

// A word behind a title or a label begins a name, unless the text speaks of nobody: what was
// learned from exercises, where titles belong to invented patients and teachers, does not outweigh
// it.
constexpr float kAnnouncedLead = 3;
constexpr float kNever = -1e4F;

constexpr size_t kInside = static_cast<size_t>(Tag::kPersonInside);

class Tagger {
 public:
  Tagger(std::string_view text, const NameModel& model, std::vector<Entity>& out)
      : text_(text), model_(model), out_(out), moves_(model.transition) {
    for (const Tag inside : {Tag::kPersonInside, Tag::kStreetInside}) {
      const auto to = static_cast<size_t>(inside);
      for (size_t from = 0; from < kTags; ++from) {
        if (from != to && from != to - 1) moves_[from][to] = kNever;
      }
    }
  }

  void run() {
    for (size_t start = 0; start < text_.size();) {
      const size_t end = block_end(text_, start);
      block_.read(text_, start, end, model_);
      for (NameRun run = next_run(block_, 0); run.first < run.last;
           run = next_run(block_, run.last)) {
        tag(run);
      }
      start = end;
    }
  }

 private:
  void score(const NameRun& run) {
    const size_t count = run.last - run.first;
    for (size_t i = 0; i < count; ++i) {
      FeatureRows features;
      word_features(text_, block_, run, run.first + i, model_.row_bits, features);
      std::array<int32_t, kLanes> sums{};
      for (size_t f = 0; f < features.count; ++f) {
        const int8_t* const row = model_.rows.data() + size_t{features.rows[f]} * kLanes;
        for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += row[lane];
      }
      for (size_t t = 0; t < kTags; ++t) {
        scores_[i][t] = model_.bias[t] + model_.scale * static_cast<float>(sums[t]);
      }
      const NameWord& word = block_.words[run.first + i];
      float& person = scores_[i][static_cast<size_t>(Tag::kPersonBegin)];
      if ((word.titled && !block_.impersonal()) || word.labelled) {
        person = std::max(person, kAnnouncedLead + *std::max_element(scores_[i].begin(),
                                                                     scores_[i].begin() + kTags));
      }
    }
  }

  // A tag that cannot stand at word `i` of the run costs kNever.
  float step(size_t i, size_t from, size_t to) const {
    return to == kInside && !joined_[i] ? kNever : moves_[from][to];
  }
  float start(size_t to) const {
    return tag_allowed(block_, first_, kLanes, to) ? model_.start[to] : kNever;
  }

  // True if no word of the run can begin a name or an address: most runs end here.
  bool hopeless(size_t count) const {
    constexpr float kMargin = 7;  // more than the moves between tags can make up for
    for (size_t i = 0; i < count; ++i) {
      const TagScores& score = scores_[i];
      const float begin = std::max(score[static_cast<size_t>(Tag::kPersonBegin)],
                                   score[static_cast<size_t>(Tag::kStreetBegin)]);
      if (begin > score[static_cast<size_t>(Tag::kOutside)] - kMargin) return false;
    }
    return true;
  }

  // The best tags of a run, into tags_.
  void decode(size_t count) {
    std::array<std::array<uint8_t, kLanes>, kRunWordsMax> back;
    TagScores best;
    for (size_t t = 0; t < kTags; ++t) {
      best[t] = scores_[0][t] + start(t);
    }
    for (size_t i = 1; i < count; ++i) {
      TagScores next;
      for (size_t t = 0; t < kTags; ++t) {
        size_t from = 0;
        float top = -1e9F;
        for (size_t f = 0; f < kTags; ++f) {
          const float value = best[f] + step(i, f, t);
          if (value > top) {
            top = value;
            from = f;
          }
        }
        next[t] = top + scores_[i][t];
        back[i][t] = static_cast<uint8_t>(from);
      }
      best = next;
    }
    size_t tag =
        static_cast<size_t>(std::max_element(best.begin(), best.begin() + kTags) - best.begin());
    for (size_t i = count; i-- > 0;) {
      tags_[i] = static_cast<uint8_t>(tag);
      if (i > 0) tag = back[i][tag];
    }
  }

  // Probabilities of the decoded tags, into sure_: forward and backward sums, scaled word by word.
  void weigh(size_t count) {
    std::array<TagScores, kRunWordsMax> forward;
    std::array<TagScores, kRunWordsMax> local;
    for (size_t i = 0; i < count; ++i) {
      const float top = *std::max_element(scores_[i].begin(), scores_[i].begin() + kTags);
      float sum = 0;
      for (size_t t = 0; t < kTags; ++t) {
        local[i][t] = std::exp(scores_[i][t] - top);
        float in = 0;
        if (i == 0) {
          in = std::exp(start(t));
        } else {
          for (size_t f = 0; f < kTags; ++f) in += forward[i - 1][f] * std::exp(step(i, f, t));
        }
        forward[i][t] = in * local[i][t];
        sum += forward[i][t];
      }
      for (size_t t = 0; t < kTags; ++t) forward[i][t] /= sum;
    }
    TagScores backward;
    backward.fill(1);
    for (size_t i = count; i-- > 0;) {
      float all = 0;
      for (size_t t = 0; t < kTags; ++t) all += forward[i][t] * backward[t];
      sure_[i] = forward[i][tags_[i]] * backward[tags_[i]] / all;
      if (i == 0) break;
      TagScores next{};
      float sum = 0;
      for (size_t f = 0; f < kTags; ++f) {
        for (size_t t = 0; t < kTags; ++t) {
          next[f] += std::exp(step(i, f, t)) * local[i][t] * backward[t];
        }
        sum += next[f];
      }
      for (size_t t = 0; t < kTags; ++t) backward[t] = next[t] / sum;
    }
  }

  void tag(const NameRun& run) {
    const size_t count = run.last - run.first;
    first_ = run.first;
    score(run);
    if (hopeless(count)) return;
    for (size_t i = 1; i < count; ++i) {
      joined_[i] = tag_allowed(block_, first_ + i, static_cast<size_t>(Tag::kPersonBegin), kInside);
    }
    decode(count);
    const auto reported = [](uint8_t tag) {
      return tag == static_cast<uint8_t>(Tag::kPersonBegin) ||
             tag == static_cast<uint8_t>(Tag::kStreetBegin);
    };
    if (std::none_of(tags_.begin(), tags_.begin() + static_cast<ptrdiff_t>(count), reported))
      return;
    weigh(count);
    for (size_t i = 0; i < count; ++i) {
      if (!reported(tags_[i])) continue;
      size_t last = i;
      float sure = sure_[i];
      while (last + 1 < count && tags_[last + 1] == tags_[i] + 1)
        sure = std::min(sure, sure_[++last]);
      if (sure < kConfidenceMin || is_product(i, last)) continue;
      out_.push_back({tags_[i] == static_cast<uint8_t>(Tag::kPersonBegin) ? EntityType::kPerson
                                                                          : EntityType::kAddress,
                      block_.words[run.first + i].start, block_.words[run.first + last].end, sure});
    }
  }

  // "Debian 12", "Chrome 118": one word and a number is more often a version than an address; with
  // a word for "street" in it, the rules for addresses have found it.
  bool is_product(size_t first, size_t last) const {
    if (tags_[first] != static_cast<uint8_t>(Tag::kStreetBegin) || last != first + 1) return false;
    const NameWord& number = block_.words[first_ + last];
    return is_any(text_[number.start], kDigitBit);
  }

  const std::string_view text_;
  const NameModel& model_;
  std::vector<Entity>& out_;
  NameBlock block_;
  size_t first_ = 0;  // of the run at hand
  std::array<TagScores, kRunWordsMax> scores_{};
  std::array<TagScores, kLanes> moves_;
  std::array<bool, kRunWordsMax> joined_{};
  std::array<uint8_t, kRunWordsMax> tags_{};
  std::array<float, kRunWordsMax> sure_{};
};

// The likeliest of the outcomes for a Chinese surname, and its probability.
size_t weigh_cjk(std::string_view text, const CjkCandidate& candidate, const NameModel& model,
                 float& sure) {
  FeatureRows features;
  cjk_features(text, candidate, model.row_bits, features);
  std::array<int32_t, kCjkOutcomes> sums{};
  for (size_t f = 0; f < features.count; ++f) {
    const int8_t* const row = model.rows.data() + size_t{features.rows[f]} * kLanes;
    for (size_t k = 0; k < kCjkOutcomes; ++k) sums[k] += row[k];
  }
  std::array<float, kCjkOutcomes> scores{};
  size_t best = 0;
  for (size_t k = 0; k < kCjkOutcomes; ++k) {
    const bool possible = k == 0 || candidate.end[k] != 0;
    scores[k] = possible ? model.cjk_bias[k] + model.scale * static_cast<float>(sums[k]) : kNever;
    if (scores[k] > scores[best]) best = k;
  }
  float sum = 0;
  for (const float score : scores) sum += std::exp(score - scores[best]);
  sure = 1 / sum;
  return best;
}

void tag_cjk_names(std::string_view text, const NameModel& model, std::vector<Entity>& out) {
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<uint8_t>(text[at]);
    CjkCandidate candidate;
    if (lead < 0xE4 || lead > 0xE9 || !read_cjk_candidate(text, at, candidate)) {
      ++at;
      continue;
    }
    float sure = 0;
    const size_t outcome = weigh_cjk(text, candidate, model, sure);
    at = outcome == 0 ? candidate.surname_end : candidate.end[outcome];
    if (outcome == 0 || sure < kConfidenceMin) continue;
    out.push_back({EntityType::kPerson, candidate.start, candidate.end[outcome], sure});
  }
}

}  // namespace

void tag_names(std::string_view text, const NameModel& model, std::vector<Entity>& out) {
  Tagger(text, model, out).run();
  tag_cjk_names(text, model, out);
}

}  // namespace vsr::signals
