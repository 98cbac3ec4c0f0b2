#include <cstdint>
#include <cstring>
#include <string_view>

#include "json/reader.h"

namespace vsr::json {
namespace {

constexpr uint32_t kReplacement = 0xFFFD;

// The value of four hex digits, or -1.
int32_t hex4(std::string_view digits) {
  if (digits.size() < 4) return -1;
  int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = digits[i];
    int digit = 0;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
      digit = (c | 32) - 'a' + 10;
    } else {
      return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

char* put_utf8(uint32_t c, char* out) {
  if (c < 0x80) {
    *out++ = static_cast<char>(c);
  } else if (c < 0x800) {
    *out++ = static_cast<char>(0xC0 | c >> 6);
    *out++ = static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    *out++ = static_cast<char>(0xE0 | c >> 12);
    *out++ = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (c & 0x3F));
  } else {
    *out++ = static_cast<char>(0xF0 | c >> 18);
    *out++ = static_cast<char>(0x80 | (c >> 12 & 0x3F));
    *out++ = static_cast<char>(0x80 | (c >> 6 & 0x3F));
    *out++ = static_cast<char>(0x80 | (c & 0x3F));
  }
  return out;
}

// Reads what follows "\u" and moves `raw` past it.
char* unescape_unicode(std::string_view& raw, char* out) {
  const int32_t high = hex4(raw);
  if (high < 0) return nullptr;
  raw.remove_prefix(4);
  if (high < 0xD800 || high > 0xDFFF) return put_utf8(static_cast<uint32_t>(high), out);
  if (high <= 0xDBFF && raw.starts_with("\\u")) {
    const int32_t low = hex4(raw.substr(2));
    if (low >= 0xDC00 && low <= 0xDFFF) {
      raw.remove_prefix(6);
      return put_utf8(0x10000u + ((high - 0xD800u) << 10) + (low - 0xDC00u), out);
    }
  }
  return put_utf8(kReplacement, out);
}

// The byte that "\c" means, or 0.
char simple_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

}  // namespace

char* unescape(std::string_view raw, char* out) {
  while (!raw.empty()) {
    const void* const found = std::memchr(raw.data(), '\\', raw.size());
    const size_t plain =
        found == nullptr ? raw.size() : static_cast<const char*>(found) - raw.data();
    std::memcpy(out, raw.data(), plain);
    out += plain;
    raw.remove_prefix(plain);
    // Escapes come in clusters (quotes and newlines of code), so stay here while they do.
    while (!raw.empty() && raw.front() == '\\') {
      if (raw.size() < 2) return nullptr;
      const char c = raw[1];
      raw.remove_prefix(2);
      if (c == 'u') {
        out = unescape_unicode(raw, out);
        if (out == nullptr) return nullptr;
        continue;
      }
      const char plain_byte = simple_escape(c);
      if (plain_byte == 0) return nullptr;
      *out++ = plain_byte;
    }
  }
  return out;
}

}  // namespace vsr::json
