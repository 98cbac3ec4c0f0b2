// Secrets that show by the word beside them: assignments, sentences, headers, URLs.

#include <optional>

#include "base/strings.h"
#include "signals/scan.h"
#include "signals/secret_text.h"
#include "signals/secret_value.h"

namespace vsr::signals {
namespace {

constexpr size_t kWifiBytes = 64;
constexpr size_t kPhraseBytesMax = 48;  // "the password of the staging box is"

// `at` ends a tag: <password>, <property name="password">.
bool in_tag(std::string_view text, size_t at) {
  constexpr size_t kTagBytesMax = 80;
  const size_t from = at > kTagBytesMax ? at - kTagBytesMax : 0;
  const std::string_view tag = text.substr(from, at - from);
  const size_t open = tag.find_last_of("<>\n");
  return open != std::string_view::npos && tag[open] == '<' && text[at - 1] != '-';
}

// Past the operator between a name and its value; npos if there is none.
size_t past_operator(std::string_view text, size_t at, bool& prose) {
  // What closes the name: password":  'token']  \"secret\":
  for (int i = 0; i < 4 && at < text.size(); ++i) {
    if (!is_quote(text[at]) && text[at] != ']' && text[at] != '\\') break;
    ++at;
  }
  const size_t closed = at;
  at = skip_blanks(text, at);
  prose = false;
  if (const size_t value = past(text, at, "value=");
      value != std::string_view::npos && at > closed) {
    return value;  // <add key="token" value="…">
  }
  if (closed < text.size() && text[closed] == '>' && in_tag(text, closed)) return closed + 1;
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

// Past the rest of a word whose ASCII letters end at `end`: "contrase" + "ña".
size_t past_accented_end(std::string_view text, size_t end) {
  while (end < text.size() && static_cast<uint8_t>(text[end]) >= 0xC3 &&
         static_cast<uint8_t>(text[end]) < 0xE0) {
    end += 2;
    while (end < text.size() && is_any(text[end], kLetterBits)) ++end;
  }
  return std::min(end, text.size());
}

bool is_setup_key(std::string_view qualifier) {
  return one_of(qualifier, {"setup", "authenticator", "totp", "2fa", "mfa", "otp"});
}

// "setup key JBSW Y3DP …": base32 in groups of four.
size_t read_setup_key(Scan& scan, size_t end) {
  constexpr size_t kGroupsMin = 4;
  const std::string_view text = scan.text;
  bool prose = false;
  const size_t op = past_operator(text, end, prose);
  const size_t start = skip_blanks(text, op == std::string_view::npos ? end : op);
  size_t stop = start;
  size_t groups = 0;
  for (size_t at = start;; at = stop + 1) {
    size_t group = at;
    while (group < text.size() &&
           (is_upper(text[group]) || (text[group] >= '2' && text[group] <= '7'))) {
      ++group;
    }
    if (group - at != 4 || is_word_char(scan.at(group))) break;
    stop = group;
    ++groups;
    if (scan.at(stop) != ' ' && scan.at(stop) != '-') break;
  }
  if (groups < kGroupsMin) return 0;
  scan.add(EntityType::kSecret, start, stop, 0.8);
  return stop;
}

size_t read_assigned_secret(Scan& scan, Topic topic, size_t run, size_t word, size_t end) {
  const std::string_view text = scan.text;
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
  // PASSWORD 'x', setx API_KEY "x", IDENTIFIED BY 'x'
  if (at == std::string_view::npos) {
    const size_t by = past(text, end, " by");
    const size_t quote = by == std::string_view::npos ? end : by;
    if (scan.at(quote) == ' ' && is_quote(scan.at(quote + 1))) at = quote;
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

}  // namespace

size_t read_secret_value(Scan& scan, Topic topic, size_t run, size_t word, size_t end) {
  const std::string_view text = scan.text;
  if (topic == Topic::kBearer || topic == Topic::kBasic)
    return read_authorization(scan, topic, end);
  if (topic == Topic::kPin) return read_pin(scan, word, end);

  end = past_accented_end(text, end);
  const std::string_view name = text.substr(word, end - word);
  if (iequals(name, "passe") && !text.substr(0, word).ends_with("ot de ")) return 0;
  const size_t found = read_assigned_secret(scan, topic, run, word, end);
  if (found != 0) return found;
  if (topic == Topic::kPassword) {
    // "pass" and "identified" are ordinary words.
    if (iequals(name, "pass") || iequals(name, "identified")) return 0;
    return is_any(scan.at(end), kWordBits) ? 0 : read_told_password(scan, word, end);
  }
  if (topic == Topic::kKey && is_setup_key(qualifier(text, word))) return read_setup_key(scan, end);
  if (topic == Topic::kKey && key_kind(qualifier(text, word)) == KeyKind::kHarmless) return 0;
  if (topic == Topic::kKey && scan.near(Topic::kWifi, word, kWifiBytes)) {
    return read_told_password(scan, word, end);
  }
  if (topic == Topic::kToken && harmless_token(qualifier(text, word))) return 0;
  return is_any(scan.at(end), kWordBits) ? 0 : read_told_key(scan, end);
}

}  // namespace vsr::signals
