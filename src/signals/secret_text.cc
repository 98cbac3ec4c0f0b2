#include "signals/secret_text.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <string>

#include "base/strings.h"
#include "signals/lexis.h"

namespace vsr::signals {
namespace {

bool contains_any(std::string_view lower, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (lower.find(word) != std::string_view::npos) return true;
  }
  return false;
}

bool equals_any(std::string_view lower, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (lower == word) return true;
  }
  return false;
}

// "xxxx", "****", "0000": one character and separators.
bool one_character(std::string_view value) {
  char only = '\0';
  for (const char c : value) {
    if (c == '-' || c == '_' || c == '.') continue;
    if (only != '\0' && ascii_lower(c) != only) return false;
    only = ascii_lower(c);
  }
  return true;
}

bool has(std::string_view value, uint8_t bits) {
  for (const char c : value) {
    if (is_any(c, bits)) return true;
  }
  return false;
}

}  // namespace

double entropy(std::string_view value) {
  std::array<uint32_t, 256> counts{};
  for (const char c : value) ++counts[static_cast<uint8_t>(c)];
  double bits = 0;
  for (const uint32_t count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(value.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

bool is_key_placeholder(std::string_view value) {
  // "111111" may be a key, "xxxxxx" and "******" are none.
  if ((ascii_lower(value[0]) == 'x' || value[0] == '*') && one_character(value)) return true;
  const std::string lower = to_lower(value.substr(0, 64));
  if (contains_any(lower, {"xxxx", "****"})) return true;
  return !has(value, kDigitBit) && contains_any(lower, {"your", "placeholder", "redacted", "_here",
                                                        "-here", "replace", "insert", "example"});
}

bool is_placeholder(std::string_view value) {
  if (value.empty() || one_character(value)) return true;
  const char first = value[0];
  if (first == '<' || first == '{' || first == '[' || first == '`') return true;
  if (value.size() > 1 && (first == '$' || first == '%')) {
    const char next = value[1];
    if (next == '{' || next == '(' || next == '_' || is_upper(next)) return true;
  }
  const std::string lower = to_lower(value.substr(0, 64));
  if (contains_any(lower, {"xxxx", "****", "your", "placeholder", "changeme", "change_me",
                           "change-me", "redacted", "environ", "getenv", "process.env", "${", "{{",
                           "example", "dummy", "_here", "...", "\xE2\x80\xA6"})) {
    return true;
  }
  return equals_any(lower,
                    {"password", "passwd",    "pass",    "secret", "token",    "string",   "null",
                     "none",     "undefined", "true",    "false",  "required", "optional", "user",
                     "guest",    "test",      "key",     "pwd",    "pw",       "value",    "hidden",
                     "todo",     "password1", "pass123", "str",    "text"});
}

bool is_code_path(std::string_view value) {
  if (value.find_first_of("([{") != std::string_view::npos) return true;
  if (value.find('.') == std::string_view::npos && value.find("->") == std::string_view::npos) {
    return false;
  }
  for (const std::string_view part : split(value, '.')) {
    if (part.empty() || !is_any(part[0], kLetterBits | kUnderscoreBit)) return false;
    for (const char c : part) {
      if (!is_word_char(c)) return false;
    }
  }
  const std::string_view first = split(value, '.').front();
  return !has(value, kDigitBit) ||
         equals_any(to_lower(first),
                    {"self",    "this",    "os",     "process",     "config", "settings", "user",
                     "request", "req",     "args",   "env",         "ctx",    "data",     "app",
                     "opts",    "options", "params", "credentials", "event",  "context"});
}

bool is_generated(std::string_view value) {
  constexpr size_t kBytesMin = 16;
  constexpr double kBitsMin = 3.0;
  if (value.size() < kBytesMin || is_placeholder(value)) return false;
  if (!has(value, kDigitBit) && !(has(value, kLowerBit) && has(value, kUpperBit))) return false;
  if (!has(value, kLetterBits)) return false;
  constexpr size_t kPathBytesMax = 40;
  if ((value[0] == '/' && value.size() < kPathBytesMax) || value.starts_with("./") ||
      value.starts_with("~/") || value.find("://") != std::string_view::npos) {
    return false;
  }
  if (entropy(value) < kBitsMin) return false;
  // Words and short numbers joined by dashes are a name.
  bool words_only = true;
  size_t part = 0;
  bool letters = false, digits = false, letters_after_digits = false;
  const auto close = [&] {
    // "v2" and "db1" are words too; "2fa9" is not.
    const bool mixed = letters && digits && (letters_after_digits || part > 6);
    words_only = words_only && !mixed && (letters || part <= 4) && part <= 14;
    part = 0;
    letters = digits = letters_after_digits = false;
  };
  for (const char c : value) {
    if (c == '-' || c == '_' || c == '.' || c == '/') {
      close();
      continue;
    }
    ++part;
    letters_after_digits = letters_after_digits || (digits && is_any(c, kLetterBits));
    letters = letters || is_any(c, kLetterBits);
    digits = digits || is_any(c, kDigitBit);
  }
  close();
  return !words_only;
}

}  // namespace vsr::signals
