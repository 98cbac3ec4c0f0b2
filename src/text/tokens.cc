#include "text/tokens.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

namespace vsr::text {
namespace {

constexpr double kUnit = 256;  // table entries are tokens in 1/256

// Tokens per character by the character's first byte; continuation bytes add nothing. The figures
// are averages of byte-pair vocabularies of 100,000 to 200,000 entries: an English word with its
// space is about 5.2 bytes and 1.25 tokens, a digit group holds up to three digits, a Chinese
// character is about two thirds of a token.
constexpr std::array<uint16_t, 256> make_table() {
  std::array<uint16_t, 256> table{};
  const auto fill = [&](int first, int last, double tokens) {
    for (int byte = first; byte <= last; ++byte) {
      table[byte] = static_cast<uint16_t>(tokens * kUnit + 0.5);
    }
  };
  fill(0x00, 0x20, 0.05);  // a space belongs to the word behind it
  fill(0x21, 0x7F, 0.85);  // punctuation
  fill('0', '9', 0.42);
  fill('A', 'Z', 0.34);
  fill('a', 'z', 0.22);
  fill('\n', '\n', 0.5);
  fill(0xC2, 0xCD, 0.75);  // accented Latin: the word breaks around it
  fill(0xCE, 0xCF, 0.55);  // Greek
  fill(0xD0, 0xD4, 0.33);  // Cyrillic
  fill(0xD5, 0xD7, 0.55);  // Armenian, Hebrew
  fill(0xD8, 0xDB, 0.40);  // Arabic
  fill(0xDC, 0xDF, 0.9);
  fill(0xE0, 0xE0, 0.62);  // Indic, Thai
  fill(0xE1, 0xE1, 0.9);
  fill(0xE2, 0xE2, 1.0);   // typographic and mathematical signs
  fill(0xE3, 0xE3, 0.75);  // kana, CJK punctuation
  fill(0xE4, 0xE9, 0.68);  // Han
  fill(0xEA, 0xED, 0.75);  // Hangul
  fill(0xEE, 0xEF, 0.9);   // full-width forms
  fill(0xF0, 0xF4, 2.0);   // emoji and rare characters
  return table;
}

constexpr std::array<uint16_t, 256> kTokens = make_table();

}  // namespace

uint32_t estimate_tokens(std::string_view text) {
  uint64_t sum = 0;
  for (const char c : text) sum += kTokens[static_cast<uint8_t>(c)];
  const uint64_t tokens = (sum + static_cast<uint64_t>(kUnit) - 1) / static_cast<uint64_t>(kUnit);
  return static_cast<uint32_t>(std::min<uint64_t>(tokens, std::numeric_limits<uint32_t>::max()));
}

}  // namespace vsr::text
