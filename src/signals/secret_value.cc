#include "signals/secret_value.h"

#include <algorithm>
#include <string>

#include "base/strings.h"
#include "signals/lexis.h"
#include "signals/secret_text.h"

namespace vsr::signals {
namespace {

constexpr size_t kValueBytesMax = 512;

// "&name=": the next parameter of a query.
bool next_parameter(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && is_word_char(text[end])) ++end;
  return end > at + 1 && end < text.size() && text[end] == '=';
}

bool ends_value(char c, bool assigned_token) {
  if (is_any(c, kSpaceBit) || static_cast<uint8_t>(c) >= 0x80) return true;
  switch (c) {
    case '"':
    case '\'':
    case '`':
    case ',':
    case ';':
    case '<':
    case '>':
    case '(':
    case ')':
    case '[':
    case ']':
    case '{':
    case '}':
    case '|':
    case '\\':
      return true;
    case '&':
      return assigned_token;
    default:
      return false;
  }
}

// "Windows11", "sha256", "iPhone15": a word and a number.
bool is_word_and_number(std::string_view text) {
  size_t letters = 0;
  while (letters < text.size() && is_any(text[letters], kLetterBits)) ++letters;
  size_t digits = letters;
  while (digits < text.size() && is_any(text[digits], kDigitBit)) ++digits;
  return letters > 0 && digits > letters && digits == text.size();
}

// Beginnings of names that end in a number.
bool is_known_term(std::string_view text) {
  const std::string lower = to_lower(text.substr(0, 16));
  for (const std::string_view known :
       {"sha",    "aes",         "rsa",      "utf",    "base",    "argon",   "pbkdf",  "windows",
        "iphone", "ipad",        "galaxy",   "pixel",  "iso",     "outlook", "office", "mysql",
        "python", "oauth",       "postgres", "http",   "ipv",     "rfc",     "cve-",   "nist",
        "bcrypt", "scrypt",      "blake",    "chacha", "ed25519", "curve",   "secp",   "x509",
        "pkcs",   "log4j",       "mongodb",  "java",   "android", "macos",   "ubuntu", "debian",
        "xbox",   "playstation", "ps"}) {
    if (lower.starts_with(known)) return true;
  }
  return false;
}

}  // namespace

size_t skip_blanks(std::string_view text, size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return at;
}

// Past a literal at `at`, npos if it is not there. ASCII case is ignored.
size_t past(std::string_view text, size_t at, std::string_view literal) {
  if (text.size() - at < literal.size() || !iequals(text.substr(at, literal.size()), literal)) {
    return std::string_view::npos;
  }
  return at + literal.size();
}

bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }

Kinds kinds_of(std::string_view value) {
  Kinds kinds;
  for (const char c : value) {
    const uint8_t cls = class_of(c);
    if (cls & kDigitBit)
      ++kinds.digits;
    else if (cls & kLowerBit)
      ++kinds.lower;
    else if (cls & kUpperBit)
      ++kinds.upper;
    else if (cls & kSpaceBit)
      ++kinds.spaces;
    else if (c == '-' || c == '_' || c == '.')
      ++kinds.dashes;
    else
      ++kinds.symbols;
  }
  return kinds;
}

std::optional<Value> value_at(std::string_view text, size_t at, bool prose, bool token) {
  Value value;
  value.prose = prose;
  at = skip_blanks(text, at);
  if (at < text.size() && text[at] == '\\') ++at;
  // b'…' and f"…" of Python
  if (at + 1 < text.size() && is_any(text[at], kLetterBits) &&
      (text[at + 1] == '"' || text[at + 1] == '\'')) {
    ++at;
  }
  if (at < text.size() && is_quote(text[at])) {
    const char quote = text[at];
    value.quoted = true;
    value.start = at + 1;
    const size_t limit = std::min(text.size(), value.start + kValueBytesMax);
    size_t end = value.start;
    while (end < limit && text[end] != quote && text[end] != '\n' && text[end] != '\\') ++end;
    if (end == limit || text[end] == '\n') return std::nullopt;
    value.end = end;
    return value;
  }
  value.start = at;
  const size_t limit = std::min(text.size(), at + kValueBytesMax);
  size_t end = at;
  while (end < limit && !ends_value(text[end], token) &&
         !(text[end] == '&' && next_parameter(text, end))) {
    ++end;
  }
  // A call or an index: code that fetches the value.
  if (end < text.size() && (text[end] == '(' || text[end] == '[' || text[end] == '{')) {
    return std::nullopt;
  }
  while (end > at && (text[end - 1] == '.' || text[end - 1] == '?' || text[end - 1] == ':')) --end;
  value.end = end;
  return value;
}

double password_confidence(std::string_view text, const Value& value) {
  constexpr size_t kBytesMin = 4;
  constexpr size_t kBytesMax = 128;
  if (text.size() < kBytesMin || text.size() > kBytesMax || is_placeholder(text)) return 0;
  const Kinds kinds = kinds_of(text);
  const int letters = kinds.lower + kinds.upper;
  if (kinds.spaces > 0 || (!value.quoted && is_code_path(text))) return 0;
  if (letters == 0) {
    const bool plain = kinds.symbols == 0 && kinds.dashes == 0;
    return kinds.digits >= 4 && plain ? 0.6 : 0;
  }
  if (value.prose && text.size() < 6) return 0;
  // "hunter2": in a sentence one digit behind a few letters is enough.
  if (value.prose && kinds.symbols == 0 && (kinds.digits == 0 || letters + kinds.digits < 6))
    return 0;
  if (kinds.digits > 0) return 0.85;
  // Letters and symbols: not a path, a type or a flag.
  const bool special = text.find_first_of("!@#$^*%+=~&") != std::string_view::npos;
  return special && text.size() >= 6 && text.substr(0, 1).find_first_of("/@-!") != 0 ? 0.7 : 0;
}

double token_confidence(std::string_view text, const Value& value, bool unknown_kind) {
  constexpr size_t kUnknownBytesMin = 24;
  if (is_generated(text) && !(!value.quoted && is_code_path(text))) {
    const Kinds kinds = kinds_of(text);
    if (!unknown_kind) return 0.85;
    const bool mixed = kinds.digits > 0 && kinds.lower > 0 && kinds.upper > 0;
    return mixed && text.size() >= kUnknownBytesMin ? 0.6 : 0;
  }
  return 0;
}

double chosen_secret_confidence(std::string_view text, const Value& value) {
  constexpr size_t kBytesMin = 8;
  if (value.prose || text.size() < kBytesMin || is_placeholder(text) || is_code_path(text))
    return 0;
  const Kinds kinds = kinds_of(text);
  if (kinds.spaces > 0 || text[0] == '/' || text[0] == '.') return 0;
  const bool varied = kinds.upper > 0 || kinds.symbols > 0;
  return kinds.digits > 0 && kinds.lower > 0 && varied ? 0.6 : 0;
}

bool is_obvious_password(std::string_view text) {
  constexpr size_t kBytesMin = 7;
  constexpr size_t kBytesMax = 64;
  if (text.size() < kBytesMin || text.size() > kBytesMax || is_placeholder(text) ||
      is_code_path(text) || text.find_first_of("/\\<>()[]{}\"'`|,;") != std::string_view::npos) {
    return false;
  }
  const Kinds kinds = kinds_of(text);
  if (kinds.digits == 0 || kinds.letters() < 3 || kinds.spaces > 0) return false;
  if (text.find("://") != std::string_view::npos || is_known_term(text)) return false;
  // user@host, 5%, C++17, key=value
  if (text.find('@') != std::string_view::npos && text.find('.') != std::string_view::npos) {
    return false;
  }
  const size_t sign = text.find_first_of("!#$&*^@%?~+");
  if (sign != std::string_view::npos) return sign > 0 && text.size() >= kBytesMin;
  return kinds.lower > 1 && kinds.upper > 0 && text.size() > kBytesMin && kinds.symbols == 0 &&
         !is_word_and_number(text);
}

bool is_likely_password(std::string_view text) {
  constexpr size_t kBytesMin = 7;
  if (is_obvious_password(text)) return true;
  if (text.size() < kBytesMin || is_known_term(text) || is_placeholder(text)) return false;
  for (const char c : text) {
    if (!is_any(c, kAlnumBits) && c != '-' && c != '_' && c != '.') return false;
  }
  const Kinds kinds = kinds_of(text);
  return kinds.digits > 1 && kinds.lower > 2 && kinds.letters() > 3;
}

bool is_basic_credential(std::string_view value) {
  constexpr size_t kBytesMin = 8;
  if (value.size() < kBytesMin) return false;
  uint32_t bits = 0;
  int count = 0;
  bool colon = false;
  for (const char c : value) {
    if (c == '=') break;
    uint32_t six = 0;
    if (is_upper(c))
      six = static_cast<uint32_t>(c - 'A');
    else if (is_any(c, kLowerBit))
      six = static_cast<uint32_t>(c - 'a') + 26;
    else if (is_any(c, kDigitBit))
      six = static_cast<uint32_t>(c - '0') + 52;
    else if (c == '+' || c == '-')
      six = 62;
    else if (c == '/' || c == '_')
      six = 63;
    else
      return false;
    bits = bits << 6 | six;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    const auto byte = static_cast<uint8_t>(bits >> count & 0xFF);
    if (byte < 0x20 || byte > 0x7E) return false;
    colon = colon || byte == ':';
  }
  return colon;
}

}  // namespace vsr::signals
