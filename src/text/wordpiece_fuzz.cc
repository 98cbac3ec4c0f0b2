// Any bytes: words are UTF-8 without spaces, a tokenizer that tries every piece of a word agrees on
// the ids, and a limit gives the beginning of the same ids.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "text/utf8.h"
#include "text/wordpiece.h"

namespace {

using vsr::text::WordPiece;

const std::vector<std::string_view>& vocabulary() {
  static const std::vector<std::string_view> tokens = {
      "[UNK]", "[CLS]", "[SEP]",  "a",  "b",   "ab",  "##a", "##b", "##ab", "##aba",
      "un",    "##aff", "##able", "e",  "##e", "##s", "1",   "##1", ".",    "'",
      "[",     "]",     "unk",    "数", "据",  "ß",   "ss",  "##ß", "한",   "##한"};
  return tokens;
}

size_t count_characters(std::string_view word) {
  size_t count = 0;
  for (size_t at = 0; at < word.size(); ++count) {
    const size_t begin = at;
    const char32_t c = vsr::text::next_code_point(word, at);
    VSR_CHECK(c != vsr::text::kReplacement || at - begin == 3, "a word is not UTF-8");
    VSR_CHECK(c != ' ' && c != 0, "a word has a space");
  }
  return count;
}

void add_word(std::string_view word, std::vector<uint32_t>& ids) {
  const auto& tokens = vocabulary();
  std::vector<uint32_t> pieces;
  const bool is_long = count_characters(word) > WordPiece::kWordCharsMax;
  for (size_t start = 0; start < word.size() && !is_long;) {
    size_t end = word.size();
    auto found = tokens.end();
    for (; end > start; --end) {
      const std::string piece =
          (start == 0 ? "" : "##") + std::string(word.substr(start, end - start));
      found = std::find(tokens.begin(), tokens.end(), piece);
      if (found != tokens.end()) break;
    }
    if (found == tokens.end()) {
      pieces.clear();
      break;
    }
    pieces.push_back(static_cast<uint32_t>(found - tokens.begin()));
    start = end;
  }
  if (pieces.empty()) pieces.push_back(0);
  ids.insert(ids.end(), pieces.begin(), pieces.end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const WordPiece tokenizer = *WordPiece::make(vocabulary());
  std::vector<uint32_t> expected;
  for (const std::string& word : vsr::text::basic_words(text)) {
    VSR_CHECK(!word.empty());
    add_word(word, expected);
  }
  std::vector<uint32_t> ids;
  tokenizer.encode(text, ids);
  VSR_CHECK(ids == expected, "{} ids, expected {}", ids.size(), expected.size());

  std::vector<uint32_t> first;
  const size_t ids_max = 1 + size % 8;
  tokenizer.encode(text, first, ids_max);
  VSR_CHECK(first.size() >= std::min(ids_max, ids.size()) &&
            first.size() <= ids_max + WordPiece::kWordCharsMax);
  VSR_CHECK(std::equal(first.begin(), first.end(), ids.begin()));
  return 0;
}
