#include "text/normalize.h"

#include <utf8proc.h>

#include <array>
#include <cstring>
#include <span>

#include "base/check.h"
#include "base/strings.h"
#include "text/utf8.h"

namespace vsr::text {
namespace {

constexpr auto kOptions = static_cast<utf8proc_option_t>(
    UTF8PROC_STABLE | UTF8PROC_COMPAT | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);

// Code points of one slow run that are worked on at a time. A run is cut only where nothing can
// combine across the cut, unless it is longer than this (text written to be awkward).
constexpr size_t kRunMax = 512;
// The longest decomposition of one code point is 18 (U+FDFA).
constexpr size_t kDecomposedMax = 18;

// Unchanged by NFKC_Casefold and never the second half of a composition.
bool is_unchanged(char32_t code_point) {
  return (code_point >= 0x4E00 && code_point <= 0x9FFF) ||  // Han
         (code_point >= 0xAC00 && code_point <= 0xD7A3) ||  // Hangul syllables
         (code_point >= 0x3041 && code_point <= 0x3096) ||  // Hiragana
         (code_point >= 0x30A1 && code_point <= 0x30FA) ||  // Katakana
         (code_point >= 0x3001 && code_point <= 0x3003) ||  // 、。〃
         (code_point >= 0x3008 && code_point <= 0x3011);    // CJK brackets
}

void append_normalized_run(std::span<const char32_t> run, std::string& out) {
  std::array<utf8proc_int32_t, kRunMax * kDecomposedMax> buffer;
  size_t used = 0;
  int last_boundclass = 0;
  for (const char32_t code_point : run) {
    const utf8proc_ssize_t added = utf8proc_decompose_char(
        static_cast<utf8proc_int32_t>(code_point), buffer.data() + used,
        static_cast<utf8proc_ssize_t>(buffer.size() - used), kOptions, &last_boundclass);
    VSR_CHECK(added >= 0 && used + added <= buffer.size(), "decomposition of U+{:04X}: {}",
              static_cast<uint32_t>(code_point), added);
    used += added;
  }
  // Canonical ordering of combining marks: stable insertion by class, starters stand still.
  const auto combining_class = [](utf8proc_int32_t c) {
    return utf8proc_get_property(c)->combining_class;
  };
  for (size_t i = 1; i < used; ++i) {
    const auto own = combining_class(buffer[i]);
    if (own == 0) continue;
    const utf8proc_int32_t moved = buffer[i];
    size_t to = i;
    while (to > 0 && combining_class(buffer[to - 1]) > own) {
      buffer[to] = buffer[to - 1];
      --to;
    }
    buffer[to] = moved;
  }
  const utf8proc_ssize_t composed =
      utf8proc_normalize_utf32(buffer.data(), static_cast<utf8proc_ssize_t>(used), kOptions);
  VSR_CHECK(composed >= 0);
  for (utf8proc_ssize_t i = 0; i < composed; ++i) append_utf8(buffer[i], out);
}

// Copies ASCII from `at` on, lower-cased, eight bytes at a time; returns where it stopped.
size_t append_ascii(std::string_view in, size_t at, std::string& out) {
  const size_t begin = at;
  while (at + 8 <= in.size()) {
    uint64_t word;
    std::memcpy(&word, in.data() + at, 8);
    if (word & 0x8080808080808080ull) break;
    at += 8;
  }
  while (at < in.size() && static_cast<uint8_t>(in[at]) < 0x80) ++at;
  const size_t old = out.size();
  out.append(in.substr(begin, at - begin));
  for (size_t i = old; i < out.size(); ++i) out[i] = ascii_lower(out[i]);
  return at;
}

}  // namespace

void normalize(std::string_view in, std::string& out) {
  out.clear();
  out.reserve(in.size() + in.size() / 8);
  std::array<char32_t, kRunMax> run;
  size_t last_begin = 0;  // where the last code point begins in `out`; it may combine
  size_t at = 0;
  while (at < in.size()) {
    if (static_cast<uint8_t>(in[at]) < 0x80) {
      at = append_ascii(in, at, out);
      last_begin = out.size() - 1;
      continue;
    }
    const size_t begin = at;
    char32_t code_point = next_code_point(in, at);
    if (is_unchanged(code_point)) {
      last_begin = out.size();
      out.append(in.substr(begin, at - begin));
      continue;
    }
    // A slow run: what stands before it (a base letter) up to the next character that is copied.
    size_t length = 0;
    if (last_begin < out.size()) {
      size_t previous = last_begin;
      run[length++] = next_code_point(out, previous);
      out.resize(last_begin);
    }
    run[length++] = code_point;
    while (at < in.size() && length < kRunMax && static_cast<uint8_t>(in[at]) >= 0x80) {
      size_t next = at;
      code_point = next_code_point(in, next);
      if (is_unchanged(code_point)) break;
      run[length++] = code_point;
      at = next;
    }
    append_normalized_run(std::span(run).first(length), out);
    last_begin = out.size();
  }
}

std::string normalized(std::string_view in) {
  std::string out;
  normalize(in, out);
  return out;
}

}  // namespace vsr::text
