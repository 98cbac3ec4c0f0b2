#pragma once

// Keywords that need not be spelled as in the recipe: by edit distance, or by the n-grams that two
// words share. A keyword of several words is compared word by word with as many neighbouring words
// of the text; the worst pair counts. CJK keywords are compared with every stretch of as many
// characters. Pure; a WordList belongs to one text.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vsr::signals {

// Longer keywords and words do not take part.
constexpr size_t kSimilarCharactersMax = 64;

struct TextWord {
  std::u32string characters;
  bool cjk = false;
};
using WordList = std::vector<TextWord>;

// Words of a normalised text.
void split_words(std::string_view normalized, WordList& out);

class SimilarKeyword {
 public:
  enum class Method : uint8_t { kEdits, kNgrams };

  // `edits_max` bounds the edits per word; short words allow fewer, a third of their length, so
  // that "api" does not match every word of three letters. `arity` is the n of n-grams.
  static SimilarKeyword with_edits(std::string_view keyword, size_t edits_max);
  static SimilarKeyword with_ngrams(std::string_view keyword, size_t arity);

  // 0..1: for edits 1 if the keyword occurs; for n-grams the best similarity,
  // |common| / |either| of the n-grams with a mark at both ends of the word.
  double best(const WordList& words) const;

 private:
  SimilarKeyword(std::string_view keyword, Method method, size_t parameter);
  double word_similarity(const TextWord& mine, std::u32string_view other) const;

  Method method_;
  size_t parameter_;
  WordList words_;
};

}  // namespace vsr::signals
