#pragma once

// The uncased WordPiece tokenizer of BERT models: text to the ids of a vocabulary, exactly as the
// reference tokenizer splits it (its Unicode tables are those of version 8, see wordpiece.cc).
// Immutable after construction, thread-safe. Time is linear in the text; a word longer than
// kWordCharsMax characters is one unknown token.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vsr::text {

class WordPiece {
 public:
  static constexpr size_t kWordCharsMax = 100;

  // `tokens` by id; the strings must outlive the tokenizer. Pieces that continue a word begin with
  // "##". Error: kCorrupt without "[UNK]", "[CLS]" and "[SEP]".
  static Result<WordPiece> make(std::vector<std::string_view> tokens);

  // Appends the ids of the text's pieces, without [CLS] and [SEP]; stops once `ids_max` of them
  // were appended or a few more.
  void encode(std::string_view text, std::vector<uint32_t>& ids, size_t ids_max = SIZE_MAX) const;

  uint32_t unknown() const { return unknown_; }
  uint32_t cls() const { return cls_; }
  uint32_t sep() const { return sep_; }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  uint32_t find(std::string_view token) const;
  void add_word(std::string_view word, size_t chars, std::vector<uint32_t>& ids) const;

  std::vector<std::string_view> tokens_;
  std::vector<uint32_t> table_;  // open addressing by hash64; kNone: free
  size_t token_bytes_max_ = 0;
  uint32_t unknown_ = kNone;
  uint32_t cls_ = kNone;
  uint32_t sep_ = kNone;
};

// The words of a text as the tokenizer sees them before it looks for pieces; for tests.
std::vector<std::string> basic_words(std::string_view text);

}  // namespace vsr::text
