// Views with what is encoded decoded in its place.

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "text/script.h"
#include "text/unmask_view.h"
#include "text/utf8.h"

namespace vsr::text {
namespace {

bool is_printable(char32_t c) {
  if (c < 0x80) return (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\t' || c == '\r';
  if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return false;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category != UTF8PROC_CATEGORY_CN && category != UTF8PROC_CATEGORY_CC &&
         category != UTF8PROC_CATEGORY_CO;
}

// Bytes that came out of a decoder and look like text rather than like chance. Chance makes short
// text easily, so that there more is asked.
bool is_text(std::string_view bytes) {
  constexpr size_t kShort = 32;
  const size_t size = bytes.size();
  const size_t bad_max = size < kShort ? size / 20 : size * 3 / 10;
  size_t bad = 0;
  size_t letters = 0;
  for (size_t at = 0; at < size;) {
    const size_t begin = at;
    const char32_t c = next_code_point(bytes, at);
    if (c == kReplacement || !is_printable(c)) {
      bad += at - begin;
      if (bad > bad_max) return false;
    } else if (c == ' ' || (is_word(c) && c != '_')) {
      letters += at - begin;
    }
  }
  return size < kShort ? 4 * letters >= 3 * size : 2 * letters >= size;
}

// Puts decoded bytes where they were encoded. `source_of(i)` is where byte i comes from; code
// points that share a source are put together, and what stands between sources is dropped.
template <typename F>
void put_decoded(std::string_view bytes, F source_of, ViewBuilder& view) {
  std::string part;
  Range source = {source_of(0).begin, source_of(0).begin};
  for (size_t at = 0; at < bytes.size();) {
    const size_t begin = at;
    const char32_t c = next_code_point(bytes, at);
    const Range from = {source_of(begin).begin, source_of(at - 1).end};
    if (from.begin >= source.end) {
      view.replace(source.begin, source.end, part);
      view.drop(source.end, from.begin);
      part.clear();
      source = from;
    }
    source.end = std::max(source.end, from.end);
    append_utf8(is_printable(c) ? c : kReplacement, part);
  }
  view.replace(source.begin, source.end, part);
}

constexpr size_t kEncodedMin = 16;  // base64 characters or hex digits

constexpr auto kBase64Values = [] {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<uint8_t>(digits[i])] = static_cast<int8_t>(i);
  }
  values['-'] = 62;
  values['_'] = 63;
  return values;
}();

int base64_value(char c) { return kBase64Values[static_cast<uint8_t>(c)]; }

size_t base64_run_end(std::string_view text, size_t at) {
  while (at < text.size() && base64_value(text[at]) >= 0) ++at;
  return at;
}

// Where what starts with the run [begin, end) ends: lines of mail follow, equally long but for the
// last.
size_t base64_end(std::string_view text, size_t begin, size_t end) {
  constexpr size_t kLineMin = 48;
  const size_t line = end - begin;
  while (line >= kLineMin && end < text.size()) {
    size_t next = end;
    if (text[next] == '\r') ++next;
    if (next == text.size() || text[next] != '\n') break;
    ++next;
    const size_t next_end = base64_run_end(text, next);
    const size_t size = next_end - next;
    const bool is_alone = next_end == text.size() || text[next_end] == '\r' ||
                          text[next_end] == '\n' || text[next_end] == '=';
    if (size == 0 || size > line || !is_alone) break;
    end = next_end;
    if (size < line) break;
  }
  return end;
}

std::string base64_bytes(std::string_view run) {
  std::string bytes;
  bytes.reserve(run.size() / 4 * 3 + 3);
  uint32_t bits = 0;
  size_t digits = 0;
  for (const char c : run) {
    const int value = base64_value(c);
    if (value < 0) continue;
    bits = bits << 6 | static_cast<uint32_t>(value);
    // The second, third and fourth digit of a group each complete a byte.
    if (const size_t place = digits++ % 4; place > 0) {
      bytes.push_back(static_cast<char>(bits >> (6 - 2 * place)));
    }
  }
  return bytes;
}

// Hex digits from `begin` on, by themselves or in pairs with one blank, comma or colon between.
size_t hex_digits(std::string_view text, size_t begin, std::vector<uint32_t>& places) {
  places.clear();
  size_t at = begin;
  while (at < text.size() && hex_value(text[at]) >= 0)
    places.push_back(static_cast<uint32_t>(at++));
  if (places.size() != 2) return at;
  size_t end = at;
  while (true) {
    size_t next = end;
    while (next < text.size() && next - end < 2 &&
           std::string_view(" ,:-\n").find(text[next]) != std::string_view::npos) {
      ++next;
    }
    if (text.substr(next).starts_with("0x")) next += 2;
    if (next == end || next + 2 > text.size() || hex_value(text[next]) < 0 ||
        hex_value(text[next + 1]) < 0 ||
        (next + 2 < text.size() && (is_letter(text[next + 2]) || is_digit(text[next + 2])))) {
      return end;
    }
    places.push_back(static_cast<uint32_t>(next));
    places.push_back(static_cast<uint32_t>(next + 1));
    end = next + 2;
  }
}

struct Escape {
  size_t length = 0;  // 0: there is none
  char32_t value = 0;
  bool is_byte = false;  // of UTF-8, rather than a code point
};

size_t hex_number(std::string_view text, size_t at, size_t digits_max, char32_t& value) {
  size_t digits = 0;
  value = 0;
  for (; digits < digits_max && at + digits < text.size(); ++digits) {
    const int digit = hex_value(text[at + digits]);
    if (digit < 0) break;
    value = value << 4 | static_cast<char32_t>(digit);
  }
  return digits;
}

Escape percent_escape(std::string_view text, size_t at) {
  char32_t value = 0;
  if (text[at] != '%' || hex_number(text, at + 1, 2, value) != 2) return {};
  return {3, value, true};
}

Escape unicode_escape(std::string_view text, size_t at, size_t digits) {
  char32_t value = 0;
  if (hex_number(text, at + 2, digits, value) != digits) return {};
  return {2 + digits, value};
}

Escape backslash_escape(std::string_view text, size_t at) {
  if (text[at] != '\\' || at + 3 >= text.size()) return {};
  char32_t value = 0;
  switch (text[at + 1]) {
    case 'x':
      return hex_number(text, at + 2, 2, value) == 2 ? Escape{4, value, true} : Escape{};
    case 'U':
      return unicode_escape(text, at, 8);
    case 'u':
      break;
    default:
      return {};
  }
  if (text[at + 2] == '{') {
    const size_t digits = hex_number(text, at + 3, 6, value);
    const size_t end = at + 3 + digits;
    return digits > 0 && end < text.size() && text[end] == '}' ? Escape{digits + 4, value}
                                                               : Escape{};
  }
  const Escape high = unicode_escape(text, at, 4);
  if (high.length == 0 || high.value < 0xD800 || high.value >= 0xDC00) return high;
  if (!text.substr(at + 6).starts_with("\\u")) return high;
  const Escape low = unicode_escape(text, at + 6, 4);
  if (low.length == 0 || low.value < 0xDC00 || low.value >= 0xE000) return high;
  return {12, 0x10000 + ((high.value - 0xD800) << 10) + (low.value - 0xDC00)};
}

struct Entity {
  std::string_view name;
  char32_t value;
};

constexpr Entity kEntities[] = {
    {"amp", '&'},
    {"apos", '\''},
    {"bsol", '\\'},
    {"colon", ':'},
    {"comma", ','},
    {"excl", '!'},
    {"gt", '>'},
    {"hyphen", '-'},
    {"lowbar", '_'},
    {"lpar", '('},
    {"lt", '<'},
    {"nbsp", ' '},
    {"NewLine", '\n'},
    {"num", '#'},
    {"period", '.'},
    {"quest", '?'},
    {"quot", '"'},
    {"rpar", ')'},
    {"semi", ';'},
    {"shy", 0xAD},
    {"sol", '/'},
    {"Tab", '\t'},
    {"ZeroWidthSpace", 0x200B},
    {"zwj", 0x200D},
    {"zwnj", 0x200C},
};

Escape entity(std::string_view text, size_t at) {
  if (text[at] != '&' || at + 2 >= text.size()) return {};
  if (text[at + 1] == '#') {
    char32_t value = 0;
    size_t end = at + 2;
    if ((text[end] | 0x20) == 'x') {
      const size_t digits = hex_number(text, end + 1, 6, value);
      if (digits == 0) return {};
      end += 1 + digits;
    } else {
      for (; end < text.size() && end - at < 9 && is_digit(text[end]); ++end) {
        value = value * 10 + static_cast<char32_t>(text[end] - '0');
      }
      if (end == at + 2) return {};
    }
    if (end < text.size() && text[end] == ';') ++end;
    return {end - at, value};
  }
  const std::string_view rest = text.substr(at + 1, 16);
  const size_t length = rest.find(';');
  if (length == std::string_view::npos) return {};
  for (const Entity& e : kEntities) {
    if (rest.substr(0, length) == e.name) return {length + 2, e.value};
  }
  return {};
}

// One code point: an escape, or as many escapes of bytes as UTF-8 needs.
Escape whole_escape(std::string_view text, size_t at, Escape (*parse)(std::string_view, size_t)) {
  Escape first = parse(text, at);
  if (first.length == 0) return {};
  if (first.is_byte && first.value >= 0x80) {
    std::string bytes;
    size_t end = at;
    for (Escape next = first; bytes.size() < 4; next = parse(text, end)) {
      bytes.push_back(static_cast<char>(next.value));
      end += next.length;
      if (end >= text.size()) break;
      if (const Escape behind = parse(text, end); behind.length == 0 || !behind.is_byte) break;
    }
    size_t used = 0;
    first.value = next_code_point(bytes, used);
    if (used == 1) return {};
    first.length *= used;
  }
  return is_printable(first.value) ? first : Escape{};
}

std::optional<View> escaped_decoded(std::string_view text, char mark, size_t count_min,
                                    Escape (*parse)(std::string_view, size_t),
                                    Technique technique) {
  ViewBuilder view(text);
  size_t count = 0;
  std::string out;
  for (size_t at = text.find(mark); at < text.size(); at = text.find(mark, at)) {
    const Escape escape = whole_escape(text, at, parse);
    if (escape.length == 0) {
      ++at;
      continue;
    }
    out.clear();
    append_utf8(escape.value, out);
    view.replace(at, at + escape.length, out);
    at += escape.length;
    ++count;
  }
  if (count < count_min) return std::nullopt;
  return std::move(view).finish(technique);
}

}  // namespace

std::optional<View> base64_decoded(std::string_view text) {
  ViewBuilder view(text);
  std::vector<uint32_t> places;  // of the digits in the text
  for (size_t at = 0; at < text.size(); ++at) {
    if (base64_value(text[at]) < 0) continue;
    const size_t begin = at;
    bool has_upper = false;
    bool has_lower = false;
    for (; at < text.size() && base64_value(text[at]) >= 0; ++at) {
      has_upper |= text[at] >= 'A' && text[at] <= 'Z';
      has_lower |= text[at] >= 'a' && text[at] <= 'z';
    }
    // Encoded text has letters of both cases; paths and long words mostly have not.
    if (at - begin < kEncodedMin || !has_upper || !has_lower) continue;
    at = base64_end(text, begin, at);
    const std::string bytes = base64_bytes(text.substr(begin, at - begin));
    if (!is_text(bytes)) continue;
    places.clear();
    for (size_t i = begin; i < at; ++i) {
      if (base64_value(text[i]) >= 0) places.push_back(static_cast<uint32_t>(i));
    }
    while (at < text.size() && text[at] == '=') ++at;
    put_decoded(
        bytes,
        [&](size_t byte) {
          const size_t group = byte / 3 * 4;
          const bool is_last = group + 4 >= places.size();
          return Range{places[group], is_last ? at : places[group + 3] + 1};
        },
        view);
  }
  return std::move(view).finish(Technique::kBase64);
}

std::optional<View> hex_decoded(std::string_view text) {
  ViewBuilder view(text);
  std::vector<uint32_t> places;
  for (size_t at = 0; at < text.size();) {
    if (!is_letter(text[at]) && !is_digit(text[at])) {
      ++at;
      continue;
    }
    size_t begin = at;
    if (text.substr(begin).starts_with("0x")) begin += 2;
    at = std::max(begin, hex_digits(text, begin, places));
    const bool is_whole = at == text.size() || (!is_letter(text[at]) && !is_digit(text[at]));
    // The number of a card or an account is longer than a few letters in hex.
    constexpr size_t kDecimalMin = 32;
    const bool has_letter =
        std::ranges::any_of(places, [&](uint32_t place) { return is_letter(text[place]); });
    if (is_whole && places.size() >= (has_letter ? kEncodedMin : kDecimalMin) &&
        places.size() % 2 == 0) {
      std::string bytes;
      for (size_t i = 0; i < places.size(); i += 2) {
        bytes.push_back(
            static_cast<char>(hex_value(text[places[i]]) << 4 | hex_value(text[places[i + 1]])));
      }
      if (is_text(bytes)) {
        const auto source_of = [&](size_t byte) {
          return Range{places[2 * byte], places[2 * byte + 1] + 1};
        };
        put_decoded(bytes, source_of, view);
      }
    }
    while (at < text.size() && (is_letter(text[at]) || is_digit(text[at]))) ++at;
  }
  return std::move(view).finish(Technique::kHex);
}

std::optional<View> percent_decoded(std::string_view text) {
  return escaped_decoded(text, '%', 2, percent_escape, Technique::kPercent);
}

std::optional<View> entities_decoded(std::string_view text) {
  return escaped_decoded(text, '&', 1, entity, Technique::kEntities);
}

std::optional<View> escapes_decoded(std::string_view text) {
  return escaped_decoded(text, '\\', 2, backslash_escape, Technique::kEscapes);
}

}  // namespace vsr::text
