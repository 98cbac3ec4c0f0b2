#pragma once

// UTF-8, one code point at a time. Input may be any bytes: what is not well-formed UTF-8 reads as
// U+FFFD, one per bad byte, so that a reader always advances. Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace vsr::text {

inline constexpr char32_t kReplacement = 0xFFFD;

// The code point at `at`, which must be below text.size(); moves `at` behind it. Overlong forms,
// surrogates and values above U+10FFFF are bad bytes.
inline char32_t next_code_point(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(at);
  if (lead < 0x80) return text[at++];
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + length > text.size()) {
    ++at;
    return kReplacement;
  }
  char32_t value = lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) {
      ++at;
      return kReplacement;
    }
    value = (value << 6) | (byte(at + i) & 0x3F);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
    ++at;
    return kReplacement;
  }
  at += length;
  return value;
}

void append_utf8(char32_t code_point, std::string& out);

// The largest index ≤ `at` that does not stand inside a code point.
size_t floor_code_point(std::string_view text, size_t at);

}  // namespace vsr::text
