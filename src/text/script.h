#pragma once

// Which script a code point is written in, as far as tokenizing and language identification need
// to know, and whether it can be part of a word. Pure.

#include <cstdint>

namespace vsr::text {

enum class Script : uint8_t {
  kCommon,  // digits, punctuation, symbols, everything not named below
  kLatin,
  kGreek,
  kCyrillic,
  kHebrew,
  kArabic,
  kDevanagari,
  kThai,
  kHan,
  kKana,
  kHangul,
};
inline constexpr int kScripts = 11;

Script script_of(char32_t code_point);

// Written without spaces between words, so that characters rather than runs are the unit.
constexpr bool is_cjk(Script script) { return script >= Script::kHan; }
inline bool is_cjk(char32_t code_point) {
  return code_point >= 0x1100 && is_cjk(script_of(code_point));
}

// Letters, marks, digits and the underscore.
bool is_word(char32_t code_point);

}  // namespace vsr::text
