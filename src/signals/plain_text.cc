#include "signals/plain_text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "signals/lexis.h"
#include "text/utf8.h"

namespace vsr::signals {
namespace {

// What stands for what is not plain: nothing, or a character in UTF-8.
struct Plain {
  size_t length = 0;  // bytes of the original; 0: it is plain
  std::array<char, 4> bytes{};
  size_t count = 0;  // of `bytes`; 0: dropped

  static Plain dropped(size_t length) { return {.length = length}; }
  static Plain byte(size_t length, char c) { return {.length = length, .bytes = {c}, .count = 1}; }
  static Plain character(size_t length, char32_t code) {
    Plain out{.length = length};
    std::string utf8;
    text::append_utf8(code, utf8);
    out.count = std::min(utf8.size(), out.bytes.size());
    std::copy_n(utf8.begin(), out.count, out.bytes.begin());
    return out;
  }
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
  } else if (first == 0xE3 && second == 0x80 && third == 0x80) {
    return {Kind::kBlank, 3};  // as wide as a letter
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

// Hexadecimal digits at `at`, at least `least` and at most `most`, as a number.
struct Hex {
  uint32_t value = 0;
  size_t length = 0;  // 0: none, or too few
};
Hex hex_at(std::string_view text, size_t at, size_t least, size_t most) {
  const std::string_view digits = text.substr(std::min(at, text.size()), most);
  Hex out;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out.value, 16);
  const auto length = static_cast<size_t>(end - digits.data());
  if (error != std::errc() || length < least) return {};
  out.length = length;
  return out;
}

// Behind "[31m", as it follows the escape character in a terminal's colours; 0 if it does not.
size_t past_colour(std::string_view text, size_t at) {
  constexpr size_t kColourBytesMax = 24;
  if (at >= text.size() || text[at] != '[') return 0;
  size_t end = at + 1;
  while (end < text.size() && end - at < kColourBytesMax &&
         (is_any(text[end], kDigitBit) || text[end] == ';')) {
    ++end;
  }
  return end < text.size() && is_any(text[end], kLetterBits) ? end + 1 : 0;
}

bool is_character(uint32_t code) {
  return code >= ' ' && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
}

// \u0041, \ud83d\ude00; `at` is that of the u, `begin` of the first backslash.
Plain unicode_escape(std::string_view text, size_t begin, size_t at) {
  const Hex first = hex_at(text, at + 1, 4, 4);
  if (first.length == 0) return {};
  size_t end = at + 1 + first.length;
  if (first.value == 0x1B) {
    const size_t behind = past_colour(text, end);
    return behind != 0 ? Plain::dropped(behind - begin) : Plain{};
  }
  if (first.value == '\n' || first.value == '\t' || first.value == '\r') {
    return Plain::byte(end - begin, static_cast<char>(first.value));
  }
  uint32_t code = first.value;
  if (code >= 0xD800 && code < 0xDC00) {
    size_t next = end;
    while (byte_at(text, next) == '\\') ++next;
    const Hex second = byte_at(text, next) == 'u' ? hex_at(text, next + 1, 4, 4) : Hex{};
    if (second.value < 0xDC00 || second.value > 0xDFFF) return {};
    code = 0x10000 + ((code - 0xD800) << 10) + (second.value - 0xDC00);
    end = next + 1 + second.length;
  }
  return is_character(code) ? Plain::character(end - begin, code) : Plain{};
}

// At a backslash: of JSON within a text, however often it was escaped again.
Plain escape_at(std::string_view text, size_t at) {
  constexpr size_t kBackslashesMax = 16;
  size_t letter = at;
  while (byte_at(text, letter) == '\\' && letter - at < kBackslashesMax) ++letter;
  if (letter >= text.size()) return {};
  const size_t length = letter + 1 - at;
  // C:\new is a folder.
  const bool drive = at > 1 && text[at - 1] == ':' && is_any(text[at - 2], kLetterBits) &&
                     (at == 2 || !is_word_char(text[at - 3]));
  switch (text[letter]) {
    case 'n':
      return drive ? Plain{} : Plain::byte(length, '\n');
    case 'r':
      return drive ? Plain{} : Plain::byte(length, '\r');
    case 't':
      return drive ? Plain{} : Plain::byte(length, '\t');
    case '"':
    case '/':
      return Plain::byte(length, text[letter]);
    case 'u':
      return unicode_escape(text, at, letter);
    case 'e':
    case 'x':
    case '0': {
      for (const std::string_view escape : {"e", "x1b", "x1B", "033"}) {
        if (!text.substr(letter).starts_with(escape)) continue;
        const size_t end = past_colour(text, letter + escape.size());
        return end != 0 ? Plain::dropped(end - at) : Plain{};
      }
      return {};
    }
    default:
      return {};
  }
}

// At an ampersand: a character of HTML that has a sign of its own.
Plain entity_at(std::string_view text, size_t at) {
  const std::string_view rest = text.substr(at);
  struct Named {
    std::string_view name;
    char sign;
  };
  for (const Named& known : {Named{"&quot;", '"'}, Named{"&amp;", '&'}, Named{"&lt;", '<'},
                             Named{"&gt;", '>'}, Named{"&apos;", '\''}, Named{"&nbsp;", ' '}}) {
    if (rest.starts_with(known.name)) return Plain::byte(known.name.size(), known.sign);
  }
  if (!rest.starts_with("&#")) return {};
  const bool hex = byte_at(rest, 2) == 'x' || byte_at(rest, 2) == 'X';
  uint32_t code = 0;
  const std::string_view digits = rest.substr(std::min<size_t>(hex ? 3 : 2, rest.size()), 7);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
  const auto behind = static_cast<size_t>(end - rest.data());
  if (error != std::errc() || byte_at(rest, behind) != ';' || !is_character(code)) return {};
  return Plain::character(behind + 1, code);
}

// Of the character at `at`, behind the plain byte `before`.
Plain plain_of(std::string_view text, size_t at, char before) {
  if (text[at] == '\\') return escape_at(text, at);
  if (text[at] == '&') return entity_at(text, at);
  if (text[at] == '\x1B') {
    const size_t end = past_colour(text, at + 1);
    return end != 0 ? Plain::dropped(end - at) : Plain{};
  }
  if (const char narrow = narrow_of(text, at); narrow != '\0') return Plain::byte(3, narrow);
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
      return within || beside_blank ? Plain::dropped(behind - at) : Plain{};
    }
    case Kind::kHyphen:
      return both(kAlnumBits) ? Plain::byte(mark.length, '-') : Plain{};
    case Kind::kDash:
      return both(kDigitBit) ? Plain::byte(mark.length, '-') : Plain{};
    case Kind::kBlank:
      return both(kDigitBit) ? Plain::byte(mark.length, ' ') : Plain{};
    case Kind::kNone:
      break;
  }
  return {};
}

}  // namespace

bool PlainText::needed(std::string_view text) {
  for (const char first : {'\xEF', '\xE2', '\xE3', '\xC2', '\x1B', '\\', '&'}) {
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
    const size_t count = plain.length == 0 ? 1 : plain.count;
    text_.append(plain.length == 0 ? &original[at] : plain.bytes.data(), count);
    starts_.insert(starts_.end(), count, static_cast<uint32_t>(at));
    ends_.insert(ends_.end(), count, static_cast<uint32_t>(at + length));
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
