#include "signals/plain_text.h"

#include <algorithm>

#include "signals/lexis.h"

namespace vsr::signals {
namespace {

// What stands for a character that is not plain: nothing, or one byte of ASCII.
struct Plain {
  size_t length = 0;   // bytes of the original; 0: it is plain
  char narrow = '\0';  // '\0': dropped
};

uint8_t byte_at(std::string_view text, size_t at) {
  return at < text.size() ? static_cast<uint8_t>(text[at]) : 0;
}

enum class Kind : uint8_t { kNone, kInvisible, kHyphen, kDash, kBlank };

struct Mark {
  Kind kind = Kind::kNone;
  size_t length = 0;
};

Mark mark_at(std::string_view text, size_t at) {
  const uint8_t first = byte_at(text, at);
  const uint8_t second = byte_at(text, at + 1);
  const uint8_t third = byte_at(text, at + 2);
  if (first == 0xC2) {
    if (second == 0xA0) return {Kind::kBlank, 2};      // no-break space
    if (second == 0xAD) return {Kind::kInvisible, 2};  // soft hyphen
  } else if (first == 0xE2 && second == 0x80) {
    if (third <= 0x8A || third == 0xAF) return {Kind::kBlank, 3};      // U+2000..200A, 202F
    if (third <= 0x8F) return {Kind::kInvisible, 3};                   // U+200B..200F
    if (third <= 0x91) return {Kind::kHyphen, 3};                      // U+2010, 2011
    if (third <= 0x95) return {Kind::kDash, 3};                        // U+2012..2015
    if (third >= 0xAA && third <= 0xAE) return {Kind::kInvisible, 3};  // U+202A..202E
  } else if (first == 0xE2 && second == 0x81) {
    if (third >= 0xA0 && third <= 0xA4) return {Kind::kInvisible, 3};  // U+2060..2064
  } else if (first == 0xE2 && second == 0x88 && third == 0x92) {
    return {Kind::kDash, 3};  // minus sign
  } else if (first == 0xEF && second == 0xBB && third == 0xBF) {
    return {Kind::kInvisible, 3};  // U+FEFF
  }
  return {};
}

// Full-width letters and digits: EF BC 90-99, EF BC A1-BA, EF BD 81-9A, and the signs that
// addresses and numbers need.
char narrow_of(std::string_view text, size_t at) {
  const uint8_t second = byte_at(text, at + 1);
  if (byte_at(text, at) != 0xEF || at + 3 > text.size() || (second != 0xBC && second != 0xBD)) {
    return '\0';
  }
  // FF01..FF5E stand for 21..7E; punctuation stays, since Chinese text is full of it.
  const int code = (second - 0xBC) * 64 + byte_at(text, at + 2) - 0x80 + 0x20;
  if (code <= 0x20 || code > 0x7E) return '\0';
  const char narrow = static_cast<char>(code);
  return is_word_char(narrow) || narrow == '-' || narrow == '@' || narrow == '+' || narrow == '.'
             ? narrow
             : '\0';
}

bool is_visible_ascii(char c) { return c > ' ' && c <= '~'; }

// Of the character at `at`, behind the plain byte `before`.
Plain plain_of(std::string_view text, size_t at, char before) {
  if (const char narrow = narrow_of(text, at); narrow != '\0') return {3, narrow};
  const Mark mark = mark_at(text, at);
  if (mark.kind == Kind::kNone) return {};
  // Also keeps a long row of them from being read again at each.
  if (mark.kind == Kind::kInvisible && !is_visible_ascii(before) && before != ' ') return {};
  size_t behind = at + mark.length;
  if (mark.kind == Kind::kInvisible) {
    while (mark_at(text, behind).kind == Kind::kInvisible) behind += mark_at(text, behind).length;
  }
  const char wide = narrow_of(text, behind);
  const char next = wide != '\0' ? wide : behind < text.size() ? text[behind] : '\0';
  const auto both = [&](uint8_t bits) { return is_any(before, bits) && is_any(next, bits); };
  switch (mark.kind) {
    case Kind::kInvisible: {
      // Scripts and emoji that need joiners keep them.
      const bool within = is_visible_ascii(before) && is_visible_ascii(next);
      const bool beside_blank =
          (before == ' ' && is_any(next, kDigitBit)) || (next == ' ' && is_any(before, kDigitBit));
      return within || beside_blank ? Plain{behind - at, '\0'} : Plain{};
    }
    case Kind::kHyphen:
      return both(kAlnumBits) ? Plain{mark.length, '-'} : Plain{};
    case Kind::kDash:
      return both(kDigitBit) ? Plain{mark.length, '-'} : Plain{};
    case Kind::kBlank:
      return both(kDigitBit) ? Plain{mark.length, ' '} : Plain{};
    case Kind::kNone:
      break;
  }
  return {};
}

}  // namespace

bool PlainText::needed(std::string_view text) {
  for (const char first : {'\xEF', '\xE2', '\xC2'}) {
    for (size_t at = text.find(first); at != std::string_view::npos;
         at = text.find(first, at + 1)) {
      if (plain_of(text, at, at > 0 ? text[at - 1] : '\0').length != 0) return true;
    }
  }
  return false;
}

PlainText::PlainText(std::string_view original) {
  text_.reserve(original.size());
  starts_.reserve(original.size() + 1);
  ends_.reserve(original.size());
  for (size_t at = 0; at < original.size();) {
    const Plain plain = plain_of(original, at, text_.empty() ? '\0' : text_.back());
    const size_t length = std::max<size_t>(plain.length, 1);
    if (plain.length == 0 || plain.narrow != '\0') {
      text_.push_back(plain.length == 0 ? original[at] : plain.narrow);
      starts_.push_back(static_cast<uint32_t>(at));
      ends_.push_back(static_cast<uint32_t>(at + length));
    }
    at += length;
  }
}

bool is_encoded_text(std::string_view run) {
  uint32_t bits = 0;
  for (size_t i = 0; i < kEncodedRunMin; ++i) {
    const char c = run[i];
    if (c == '_') return false;
    const int value = is_upper(c) ? c - 'A' : is_any(c, kLowerBit) ? c - 'a' + 26 : c - '0' + 52;
    bits = bits << 6 | static_cast<uint32_t>(value);
    if (i % 4 != 3) continue;
    for (const int shift : {16, 8, 0}) {
      const char decoded = static_cast<char>(bits >> shift & 0xFF);
      if ((decoded < ' ' && decoded != '\n' && decoded != '\t' && decoded != '\r') ||
          decoded > '~') {
        return false;
      }
    }
    bits = 0;
  }
  return true;
}

}  // namespace vsr::signals
