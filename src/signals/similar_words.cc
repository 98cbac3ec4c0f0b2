#include "signals/similar_words.h"

#include <algorithm>
#include <array>

#include "text/normalize.h"
#include "text/utf8.h"
#include "text/words.h"

namespace vsr::signals {
namespace {

// Insert, delete, replace and swap of neighbours count 1 each. Stops above `limit`.
size_t edits_between(std::u32string_view a, std::u32string_view b, size_t limit) {
  if (a.size() > b.size()) std::swap(a, b);
  if (b.size() - a.size() > limit) return limit + 1;
  std::array<std::array<uint8_t, kSimilarCharactersMax + 1>, 3> rows;
  for (size_t j = 0; j <= b.size(); ++j) rows[0][j] = static_cast<uint8_t>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    const auto& two_above = rows[(i + 1) % 3];
    row[0] = static_cast<uint8_t>(i);
    uint8_t least = row[0];
    for (size_t j = 1; j <= b.size(); ++j) {
      const uint8_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min(
          {replace, static_cast<uint8_t>(above[j] + 1), static_cast<uint8_t>(row[j - 1] + 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], static_cast<uint8_t>(two_above[j - 2] + 1));
      }
      least = std::min(least, row[j]);
    }
    if (least > limit) return limit + 1;
  }
  return rows[a.size() % 3][b.size()];
}

using Grams = std::vector<uint64_t>;

// Sorted, each once. Characters have 21 bits; longer n-grams are hashed down by mixing.
Grams grams_of(std::u32string_view word, size_t arity) {
  std::u32string marked(1, U'\0');
  marked += word;
  marked += U'\0';
  Grams grams;
  const size_t length = std::min(arity, marked.size());
  for (size_t i = 0; i + length <= marked.size(); ++i) {
    uint64_t gram = 0;
    for (size_t k = 0; k < length; ++k) {
      gram = (gram << 21 | gram >> 43) ^ static_cast<uint64_t>(marked[i + k] + 1);
    }
    grams.push_back(gram);
  }
  std::ranges::sort(grams);
  grams.erase(std::unique(grams.begin(), grams.end()), grams.end());
  return grams;
}

double shared_part(const Grams& a, const Grams& b) {
  size_t common = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (*i == *j) {
      ++common;
      ++i;
      ++j;
    } else if (*i < *j) {
      ++i;
    } else {
      ++j;
    }
  }
  return static_cast<double>(common) / static_cast<double>(a.size() + b.size() - common);
}

}  // namespace

void split_words(std::string_view normalized, WordList& out) {
  out.clear();
  text::for_each_word(normalized, [&](const text::Word& word) {
    TextWord entry;
    entry.cjk = word.cjk;
    for (size_t at = 0; at < word.text.size();) {
      entry.characters += text::next_code_point(word.text, at);
    }
    out.push_back(std::move(entry));
  });
}

SimilarKeyword::SimilarKeyword(std::string_view keyword, Method method, size_t parameter)
    : method_(method), parameter_(parameter) {
  split_words(text::normalized(keyword), words_);
}

SimilarKeyword SimilarKeyword::with_edits(std::string_view keyword, size_t edits_max) {
  return {keyword, Method::kEdits, edits_max};
}
SimilarKeyword SimilarKeyword::with_ngrams(std::string_view keyword, size_t arity) {
  return {keyword, Method::kNgrams, std::max<size_t>(1, arity)};
}

double SimilarKeyword::word_similarity(const TextWord& mine, std::u32string_view other) const {
  const std::u32string_view word = mine.characters;
  if (word == other) return 1;
  if (word.size() > kSimilarCharactersMax || other.size() > kSimilarCharactersMax) return 0;
  if (method_ == Method::kEdits) {
    const size_t limit = std::min(parameter_, word.size() / 3);
    return edits_between(word, other, limit) <= limit ? 1 : 0;
  }
  return shared_part(grams_of(word, parameter_), grams_of(other, parameter_));
}

double SimilarKeyword::best(const WordList& words) const {
  if (words_.empty() || words.size() < words_.size()) return 0;
  double best = 0;
  for (size_t at = 0; at + words_.size() <= words.size() && best < 1; ++at) {
    double worst = 1;
    for (size_t i = 0; i < words_.size() && worst > best; ++i) {
      const TextWord& mine = words_[i];
      const TextWord& other = words[at + i];
      if (mine.cjk != other.cjk) {
        worst = 0;
        break;
      }
      const size_t length = mine.characters.size();
      if (!mine.cjk || other.characters.size() <= length) {
        worst = std::min(worst, word_similarity(mine, other.characters));
        continue;
      }
      double within = 0;
      const std::u32string_view run = other.characters;
      for (size_t begin = 0; begin + length <= run.size() && within < 1; ++begin) {
        within = std::max(within, word_similarity(mine, run.substr(begin, length)));
      }
      worst = std::min(worst, within);
    }
    best = std::max(best, worst);
  }
  return best;
}

}  // namespace vsr::signals
