// Secrets that show by the word beside them: assignments, sentences, headers, URLs.

#include <optional>

#include "base/strings.h"
#include "signals/scan.h"
#include "signals/secret_text.h"

namespace vsr::signals {
namespace {

constexpr size_t kValueBytesMax = 512;
constexpr size_t kPhraseBytesMax = 48;  // "the password of the staging box is"

struct Value {
  size_t start = 0;
  size_t end = 0;
  bool quoted = false;
  bool prose = false;  // said in a sentence, not assigned
};

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

// Past the operator between a name and its value; npos if there is none.
size_t past_operator(std::string_view text, size_t at, bool& prose) {
  // What closes the name: password":  'token']  \"secret\":
  for (int i = 0; i < 4 && at < text.size(); ++i) {
    if (!is_quote(text[at]) && text[at] != ']' && text[at] != '\\') break;
    ++at;
  }
  at = skip_blanks(text, at);
  prose = false;
  for (const std::string_view op : {":=", "=>", "->", "===", "==", "=", ":", "\xEF\xBC\x9A"}) {
    if (const size_t end = past(text, at, op); end != std::string_view::npos) return end;
  }
  prose = true;
  for (const std::string_view word :
       {"is ", "as ", "was ", "are ", "equals ", "is: ", "\xE8\xAE\xBE\xE7\xBD\xAE\xE4\xB8\xBA",
        "\xE8\xAE\xBE\xE4\xB8\xBA", "\xE6\x94\xB9\xE6\x88\x90", "\xE6\x94\xB9\xE4\xB8\xBA",
        "\xE6\x98\xAF", "\xE4\xB8\xBA"}) {
    if (const size_t end = past(text, at, word); end != std::string_view::npos) return end;
  }
  return std::string_view::npos;
}

// "the wifi password at our office is X": the operator behind a prepositional phrase.
size_t past_phrase(std::string_view text, size_t at) {
  at = skip_blanks(text, at);
  bool preposition = false;
  for (const std::string_view word : {"for ", "of ", "at ", "to ", "on ", "in "}) {
    preposition = preposition || past(text, at, word) != std::string_view::npos;
  }
  if (!preposition) return std::string_view::npos;
  const std::string_view phrase = text.substr(at, kPhraseBytesMax);
  const size_t stop = phrase.find_first_of(".,;?!\n\"'");
  const size_t is = phrase.find(" is ");
  if (is == std::string_view::npos || is > stop) return std::string_view::npos;
  return at + is + 4;
}

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

std::optional<Value> value_at(std::string_view text, size_t at, bool prose, bool token) {
  Value value;
  value.prose = prose;
  at = skip_blanks(text, at);
  if (at < text.size() && text[at] == '\\') ++at;
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

struct Kinds {
  int digits = 0, lower = 0, upper = 0, symbols = 0, spaces = 0, dashes = 0;
};
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

// Confidence that `text` is a password; 0 if it is none.
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
  return special && text.size() >= 6 && text[0] != '/' && text[0] != '@' && text[0] != '-' ? 0.7
                                                                                           : 0;
}

// The component before `word` in a name: "page" of "page_token", "api" of "api-key", "" if none.
std::string_view qualifier(std::string_view text, size_t word) {
  size_t end = word;
  if (end > 0 && (text[end - 1] == '_' || text[end - 1] == '-' || text[end - 1] == ' ')) --end;
  size_t start = end;
  while (start > 0 && is_alnum(text[start - 1]) && end - start < 16) {
    --start;
    if (is_upper(text[start]) && start > 0 && is_any(text[start - 1], kLowerBit)) break;
  }
  return text.substr(start, end - start);
}

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  for (const std::string_view known : words) {
    if (iequals(word, known)) return true;
  }
  return false;
}

// Tokens that are positions, counts or public by design.
bool harmless_token(std::string_view qualifier) {
  return one_of(qualifier, {"page",    "next", "continuation", "sync",  "cursor", "max",
                            "count",   "num",  "stop",         "eos",   "bos",    "pad",
                            "special", "unk",  "cancellation", "first", "last",   "previous",
                            "prev",    "new",  "output",       "input"});
}

enum class KeyKind : uint8_t { kHarmless, kUnknown, kCredential };
KeyKind key_kind(std::string_view qualifier) {
  if (one_of(qualifier,
             {"api",     "access",   "secret",  "private", "auth",         "account", "encryption",
              "signing", "master",   "service", "admin",   "deploy",       "app",     "application",
              "client",  "consumer", "session", "storage", "subscription", "hmac",    "jwt",
              "webhook", "bot",      "ssh",     "license"})) {
    return KeyKind::kCredential;
  }
  if (one_of(qualifier, {"primary",     "foreign", "public",  "partition", "sort",     "cache",
                         "idempotency", "routing", "product", "row",       "object",   "hash",
                         "dedup",       "group",   "index",   "registry",  "shortcut", "hot",
                         "translation", "i18n",    "join",    "unique"})) {
    return KeyKind::kHarmless;
  }
  return KeyKind::kUnknown;
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

// A chosen secret rather than a generated one: JWT_SECRET=Blue-Horse-92.
double chosen_secret_confidence(std::string_view text, const Value& value) {
  constexpr size_t kBytesMin = 8;
  if (value.prose || text.size() < kBytesMin || is_placeholder(text) || is_code_path(text))
    return 0;
  const Kinds kinds = kinds_of(text);
  if (kinds.spaces > 0 || text[0] == '/' || text[0] == '.') return 0;
  const bool varied = kinds.upper > 0 || kinds.symbols > 0;
  return kinds.digits > 0 && kinds.lower > 0 && varied ? 0.6 : 0;
}

// What `Basic` announces: base64 of "user:password".
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

size_t read_authorization(Scan& scan, Topic topic, size_t end) {
  const std::string_view text = scan.text;
  size_t at = skip_blanks(text, end);
  if (at == end) return 0;
  size_t stop = at;
  while (stop < text.size() && is_any(text[stop], kWordBits | kDashBit | kTokenBit)) ++stop;
  while (stop > at && text[stop - 1] == '.') --stop;
  const std::string_view value = text.substr(at, stop - at);
  if (topic == Topic::kBasic) {
    if (!is_basic_credential(value)) return 0;
  } else if (!is_generated(value) || value.find('%') != std::string_view::npos) {
    return 0;
  }
  // A key with a prefix of its own is reported as what it is.
  size_t run = at;
  while (run < stop && is_word_char(text[run])) ++run;
  if (const size_t key = read_key(scan, at, run, kDigitBit); key != 0) return key;
  scan.add(EntityType::kAccessToken, at, stop, 0.9);
  return stop;
}

// "PIN 4402-8813", "CVV 321", "pin code: 1234".
size_t read_pin(Scan& scan, size_t word, size_t end) {
  const std::string_view text = scan.text;
  bool prose = false;
  size_t at = end;
  const bool upper = is_upper(text[word]);
  if (const size_t code = past(text, at, " code"); code != std::string_view::npos) at = code;
  const size_t op = past_operator(text, at, prose);
  if (op == std::string_view::npos && !upper) return 0;
  at = skip_blanks(text, op == std::string_view::npos ? at : op);
  size_t stop = at;
  int digits = 0;
  while (stop < text.size() &&
         (is_any(text[stop], kDigitBit) || (text[stop] == '-' && digits > 0))) {
    digits += text[stop] == '-' ? 0 : 1;
    ++stop;
  }
  const bool verification = ascii_lower(text[word]) == 'c';
  if (digits > 12 || is_word_char(scan.at(stop))) return 0;
  if (verification ? digits != 3 && digits != 4 : digits < 4) return 0;
  scan.add(EntityType::kPassword, at, stop, 0.7);
  return stop;
}

}  // namespace

size_t read_secret_value(Scan& scan, Topic topic, size_t run, size_t word, size_t end) {
  const std::string_view text = scan.text;
  if (topic == Topic::kBearer || topic == Topic::kBasic)
    return read_authorization(scan, topic, end);
  if (topic == Topic::kPin) return read_pin(scan, word, end);

  const std::string_view name = text.substr(word, end - word);
  KeyKind kind = KeyKind::kCredential;
  if (topic == Topic::kKey) kind = key_kind(qualifier(text, word));
  if (kind == KeyKind::kHarmless) return 0;
  if (topic == Topic::kToken && harmless_token(qualifier(text, word))) return 0;

  bool prose = false;
  size_t at = past_operator(text, end, prose);
  if (at == std::string_view::npos && scan.before(run) == '-' && end < text.size() &&
      text[end] == ' ') {
    at = end + 1;  // --password VALUE
    prose = false;
  }
  if (at == std::string_view::npos) {
    at = past_phrase(text, end);
    prose = true;
  }
  if (at == std::string_view::npos) return 0;
  const bool token = topic != Topic::kPassword;
  const std::optional<Value> value = value_at(text, at, prose, token);
  if (!value || value->end <= value->start) return 0;
  const std::string_view secret = text.substr(value->start, value->end - value->start);

  // A key with a prefix of its own, a URL or a bearer token is read where the scan meets it.
  if (secret.find("://") != std::string_view::npos || iequals(secret, "bearer")) return 0;
  double confidence = 0;
  EntityType type = EntityType::kSecret;
  if (iequals(name, "sig") || iequals(name, "sas")) {
    // Only the signature of a signed URL is as long as a hash.
    constexpr size_t kSignatureBytesMin = 40;
    if (secret.size() >= kSignatureBytesMin && is_generated(secret)) confidence = 0.85;
    type = EntityType::kAccessToken;
  } else if (topic == Topic::kPassword) {
    confidence = password_confidence(secret, *value);
    type = EntityType::kPassword;
    // "pass: 1204" counts tests.
    if (iequals(name, "pass") && run == word &&
        kinds_of(secret).lower + kinds_of(secret).upper == 0) {
      confidence = 0;
    }
  } else {
    confidence = token_confidence(secret, *value, kind == KeyKind::kUnknown);
    if (confidence == 0 && kind == KeyKind::kCredential && topic == Topic::kToken && run != word) {
      confidence = chosen_secret_confidence(secret, *value);
    }
  }
  if (confidence == 0) return 0;
  size_t value_run = value->start;
  while (value_run < value->end && is_word_char(text[value_run])) ++value_run;
  if (const size_t key = read_key(scan, value->start, value_run, kDigitBit); key != 0) return key;
  scan.add(type, value->start, value->end, confidence);
  return value->end;
}

size_t read_flag_password(Scan& scan, size_t run, size_t end) {
  constexpr size_t kCommandBytesMax = 64;
  const std::string_view text = scan.text;
  if (scan.before(run) != '-' || scan.before(run - 1) != ' ') return 0;
  const size_t line = text.rfind('\n', run) + 1;
  const size_t from = run - line > kCommandBytesMax ? run - kCommandBytesMax : line;
  const std::string_view command = text.substr(from, run - from);
  const bool mysql = command.find("mysql") != std::string_view::npos;
  if (!mysql && command.find("sshpass") == std::string_view::npos) return 0;
  if (mysql && scan.at(end) == ' ') return 0;  // -p alone asks for the password
  const std::optional<Value> value = value_at(text, end, false, false);
  if (!value || value->end <= value->start) return 0;
  const std::string_view secret = text.substr(value->start, value->end - value->start);
  const double confidence = password_confidence(secret, *value);
  if (confidence == 0) return 0;
  scan.add(EntityType::kPassword, value->start, value->end, confidence);
  return value->end;
}

size_t read_login(Scan& scan, size_t end) {
  constexpr size_t kUserBytesMax = 40;
  const std::string_view text = scan.text;
  size_t at = end;
  if (scan.at(at) == ':') ++at;
  if (scan.at(at) != ' ') return 0;
  size_t user_end = ++at;
  while (user_end - at < kUserBytesMax && user_end < text.size() &&
         (is_any(text[user_end], kWordBits | kDashBit) || text[user_end] == '.' ||
          text[user_end] == '@')) {
    ++user_end;
  }
  const size_t slash = past(text, user_end, " / ");
  if (user_end == at || slash == std::string_view::npos) return 0;
  const std::optional<Value> value = value_at(text, slash, true, false);
  if (!value || value->end <= value->start) return 0;
  const double confidence =
      password_confidence(text.substr(value->start, value->end - value->start), *value);
  if (confidence == 0) return 0;
  scan.add(EntityType::kPassword, value->start, value->end, confidence);
  return value->end;
}

// A value beside 密码 and its like: behind 是, 为, 成 or a colon, or written straight after the
// word.
size_t read_cjk_value(Scan& scan, Topic topic, size_t end) {
  constexpr size_t kBetweenBytesMax = 21;  // seven characters: 已经重置成了
  const std::string_view text = scan.text;
  size_t at = end;
  bool linked = false;
  while (at < text.size() && at - end < kBetweenBytesMax) {
    const char c = text[at];
    if (c == ' ' || c == '"' || c == '\'') {
      if (c != ' ') break;
      ++at;
      continue;
    }
    if (c == ':' || c == '=') {
      linked = true;
      ++at;
      continue;
    }
    if (static_cast<uint8_t>(c) < 0xE2 || at + 3 > text.size()) break;
    const std::string_view character = text.substr(at, 3);
    // A pause ends the clause; a full-width colon, a quote and a linking word lead to the value.
    if (character == "，" || character == "。" || character == "？" || character == "、" ||
        character == "；" || character == "！") {
      return 0;
    }
    linked = linked || character == "是" || character == "为" || character == "成" ||
             character == "：" || character == "“" || character == "「";
    at += 3;
  }
  if (at != end && !linked &&
      scan.text.substr(end, at - end).find_first_not_of(' ') != std::string_view::npos) {
    return 0;
  }
  const std::optional<Value> value = value_at(text, at, !linked, topic == Topic::kToken);
  if (!value || value->end <= value->start) return 0;
  const std::string_view secret = text.substr(value->start, value->end - value->start);
  if (secret.find("://") != std::string_view::npos) return 0;
  size_t run = value->start;
  while (run < value->end && is_word_char(text[run])) ++run;
  if (const size_t key = read_key(scan, value->start, run, kDigitBit); key != 0) return key;
  double confidence = topic == Topic::kToken ? token_confidence(secret, *value, false)
                                             : password_confidence(secret, *value);
  const Kinds kinds = kinds_of(secret);
  if (!linked && kinds.lower + kinds.upper == 0) confidence = 0;  // 密码6位
  if (confidence == 0) return 0;
  scan.add(topic == Topic::kToken ? EntityType::kSecret : EntityType::kPassword, value->start,
           value->end, confidence);
  return value->end;
}

}  // namespace vsr::signals
