// Secrets by the place they have in commands, headers, files and calls: flags, cookies, .pgpass,
// Wi-Fi codes.

#include <array>
#include <optional>

#include "base/strings.h"
#include "signals/key_shapes.h"
#include "signals/scan.h"
#include "signals/secret_text.h"
#include "signals/secret_value.h"

namespace vsr::signals {
namespace {

constexpr size_t kCommandBytesMax = 160;

bool contains(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

// The line up to `at`, the last kCommandBytesMax of it.
std::string_view line_before(const Scan& scan, size_t at) {
  const size_t from = at > kCommandBytesMax ? at - kCommandBytesMax : 0;
  const std::string_view window = scan.text.substr(from, at - from);
  const size_t line = window.rfind('\n');
  return line == std::string_view::npos ? window : window.substr(line + 1);
}

// Adds the password at `at`; 0 if there is none.
size_t add_password(Scan& scan, size_t at) {
  const std::optional<Value> value = value_at(scan.text, at, false, false);
  if (!value || value->end <= value->start) return 0;
  const std::string_view secret = scan.text.substr(value->start, value->end - value->start);
  const double confidence = password_confidence(secret, *value);
  if (confidence == 0) return 0;
  scan.add(EntityType::kPassword, value->start, value->end, confidence);
  return value->end;
}

// "user:password", "user%password" at `at`.
size_t add_user_and_password(Scan& scan, size_t at, char separator) {
  const std::optional<Value> value = value_at(scan.text, at, false, false);
  if (!value || value->end <= value->start) return 0;
  const std::string_view both = scan.text.substr(value->start, value->end - value->start);
  const size_t mark = both.find(separator);
  if (mark == std::string_view::npos || both[0] == '$') return 0;
  const std::string_view secret = both.substr(mark + 1);
  // "secret" and "pass" as they stand in manuals have no digit.
  if (password_confidence(secret, *value) == 0) return 0;
  scan.add(EntityType::kPassword, value->start + mark + 1, value->end, 0.85);
  return value->end;
}

struct Flag {
  char letter;
  std::string_view program;
  bool attached = false;  // -pVALUE; with a blank it means something else
  char separator = '\0';  // of a user and a password
};
constexpr Flag kFlags[] = {
    {'p', "mysql", true},
    {'p', "mariadb", true},
    {'p', "7z", true},
    {'p', "sshpass"},
    {'p', "docker"},
    {'p', "podman"},
    {'p', "helm"},
    {'p', "mongo"},
    {'p', "az "},
    {'p', "oc login"},
    {'p', "skopeo"},
    {'p', "cf login"},
    {'a', "redis-cli"},
    {'k', "openssl"},
    {'w', "ldap"},
    {'P', "sqlcmd"},
    {'P', "zip"},
    {'P', "bcp"},
    {'P', "isql"},
    {'p', "psexec"},
    {'u', "curl", false, ':'},
    {'U', "curl", false, ':'},
    {'a', "http", false, ':'},
    {'U', "smbclient", false, '%'},
};

// The second of two quoted strings in the call whose parenthesis is at `at`: ("jo", "…").
size_t add_second_string(Scan& scan, size_t at) {
  constexpr size_t kFirstBytesMax = 64;
  const std::string_view text = scan.text;
  at = skip_blanks(text, at + 1);
  if (!is_quote(scan.at(at))) return 0;
  const size_t close = text.substr(0, at + kFirstBytesMax).find(text[at], at + 1);
  if (close == std::string_view::npos || scan.at(close + 1) != ',') return 0;
  const size_t second = skip_blanks(text, close + 2);
  return is_quote(scan.at(second)) ? add_password(scan, second) : 0;
}

size_t add_token(Scan& scan, size_t at, size_t end) {
  size_t run = at;
  while (run < end && is_word_char(scan.text[run])) ++run;
  if (const size_t key = read_key(scan, at, run, kDigitBit); key != 0) return key;
  scan.add(EntityType::kAccessToken, at, end, 0.9);
  return end;
}

}  // namespace

size_t read_flag_password(Scan& scan, size_t run) {
  const std::string_view text = scan.text;
  if (scan.before(run) != '-' || run < 3) return 0;
  if (text.substr(run - 2).starts_with("--user") && contains(line_before(scan, run), "curl")) {
    return add_user_and_password(scan, run + std::string_view("user=").size(), ':');
  }
  if (!is_any(scan.before(run - 1), kSpaceBit)) return 0;
  const std::string_view command = line_before(scan, run - 1);
  for (const Flag& flag : kFlags) {
    if (flag.letter != text[run] || !contains(command, flag.program)) continue;
    const bool blank = scan.at(run + 1) == ' ';
    if (flag.attached == blank) continue;
    const size_t at = run + 1;
    const size_t end = flag.separator == '\0' ? add_password(scan, at)
                                              : add_user_and_password(scan, at, flag.separator);
    if (end != 0) return end;
  }
  return 0;
}

size_t read_login(Scan& scan, size_t end) {
  constexpr size_t kUserBytesMax = 40;
  const std::string_view text = scan.text;
  size_t at = end;
  if (scan.at(at) == '(') return add_second_string(scan, at);
  if (scan.at(at) == ':') ++at;
  if (scan.at(at) != ' ') return 0;
  ++at;
  for (const std::string_view word : {"are ", "is ", "as "}) {
    if (const size_t behind = past(text, at, word); behind != std::string_view::npos) at = behind;
  }
  size_t user_end = at;
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

size_t read_auth(Scan& scan, size_t end) {
  const std::string_view text = scan.text;
  size_t at = end;
  while (is_quote(scan.at(at))) ++at;
  at = skip_blanks(text, at);
  if (scan.at(at) != '=' && scan.at(at) != ':' && scan.at(at) != '(') return 0;
  if (scan.at(at) != '(') at = skip_blanks(text, at + 1);
  if (scan.at(at) == '(' || scan.at(at) == '[') return add_second_string(scan, at);
  const std::optional<Value> value = value_at(text, at, false, true);
  if (!value || !is_basic_credential(text.substr(value->start, value->end - value->start))) {
    return 0;
  }
  scan.add(EntityType::kAccessToken, value->start, value->end, 0.9);
  return value->end;
}

size_t read_authorization_header(Scan& scan, size_t end) {
  constexpr size_t kSchemeBytesMax = 24;
  constexpr size_t kTokenBytesMin = 16;
  const std::string_view text = scan.text;
  size_t at = end;
  while (is_quote(scan.at(at))) ++at;
  if (scan.at(at) != ':' && scan.at(at) != '=') return 0;
  at = skip_blanks(text, at + 1);
  while (is_quote(scan.at(at))) ++at;
  for (int word = 0; word < 2; ++word) {
    size_t stop = at;
    while (stop < text.size() && is_any(text[stop], kWordBits | kDashBit | kTokenBit)) ++stop;
    const std::string_view value = text.substr(at, stop - at);
    if (value.size() >= kTokenBytesMin && is_generated(value)) return add_token(scan, at, stop);
    if (word > 0 || value.empty() || value.size() > kSchemeBytesMax || scan.at(stop) != ' ') break;
    if (iequals(value, "bearer") || iequals(value, "basic")) break;  // read where they stand
    at = stop + 1;
  }
  return 0;
}

size_t read_signature(Scan& scan, size_t word, size_t end) {
  constexpr size_t kSignatureBytesMin = 40;
  const std::string_view text = scan.text;
  if (scan.at(end) != '=') return 0;
  // Of a URL or of a signed request, not of a file.
  const char before = scan.before(word);
  const std::string_view line = line_before(scan, word);
  if (before != '&' && before != '?' && before != '-' && !contains(line, "Credential=")) return 0;
  const std::optional<Value> value = value_at(text, end + 1, false, true);
  if (!value || value->end < value->start + kSignatureBytesMin) return 0;
  if (!is_generated(text.substr(value->start, value->end - value->start))) return 0;
  scan.add(EntityType::kAccessToken, value->start, value->end, 0.85);
  return value->end;
}

size_t read_session(Scan& scan, size_t word, size_t end) {
  constexpr size_t kNearBytes = 300;
  const std::string_view text = scan.text;
  if (scan.at(end) != '=') return 0;
  const std::string_view name = text.substr(word, end - word);
  // "session" and "sid" name much else.
  const bool plain =
      iequals(name, "session") || iequals(name, "sid") || iequals(name, "session_id");
  if (plain && !scan.near(Topic::kCookie, word, kNearBytes)) return 0;
  const std::optional<Value> value = value_at(text, end + 1, false, true);
  if (!value || !is_generated(text.substr(value->start, value->end - value->start))) return 0;
  return add_token(scan, value->start, value->end);
}

size_t read_wifi_code(Scan& scan, size_t end) {
  constexpr size_t kCodeBytesMax = 200;
  const std::string_view text = scan.text.substr(0, end + kCodeBytesMax);
  if (scan.at(end) != ':' || text.substr(end).starts_with(":T:nopass")) return 0;
  size_t at = text.find("P:", end);
  while (at != std::string_view::npos && text[at - 1] != ';' && text[at - 1] != ':') {
    at = text.find("P:", at + 1);
  }
  if (at == std::string_view::npos) return 0;
  const size_t stop = text.find(';', at);
  if (stop == std::string_view::npos || stop < at + 2 + 4) return 0;
  const std::string_view secret = text.substr(at + 2, stop - at - 2);
  if (secret.find_first_of(" \n") != std::string_view::npos || is_placeholder(secret)) return 0;
  scan.add(EntityType::kPassword, at + 2, stop, 0.85);
  return stop;
}

size_t read_pgpass(Scan& scan, size_t start, size_t end) {
  const std::string_view text = scan.text;
  if (scan.before(start) != ':' || scan.at(end) != ':' || end - start > 5) return 0;
  const std::string_view host = line_before(scan, start - 1);
  if (host.empty() || host.find_first_of(" :\t\"") != std::string_view::npos) return 0;
  size_t at = end + 1;
  for (int field = 0; field < 2; ++field) {
    const size_t begin = at;
    while (is_any(scan.at(at), kWordBits | kDashBit) || scan.at(at) == '*' || scan.at(at) == '.') {
      ++at;
    }
    if (at == begin || scan.at(at) != ':') return 0;
    ++at;
  }
  size_t stop = at;
  while (stop < text.size() && !is_any(text[stop], kSpaceBit)) ++stop;
  if (stop - at < 4 || is_placeholder(text.substr(at, stop - at))) return 0;
  scan.add(EntityType::kPassword, at, stop, 0.85);
  return stop;
}

size_t read_echo(Scan& scan, size_t end) {
  const std::string_view text = scan.text;
  if (scan.at(end) != ' ') return 0;
  const std::optional<Value> value = value_at(text, end + 1, false, false);
  if (!value || value->end <= value->start) return 0;
  const size_t behind = value->end + (value->quoted ? 1 : 0);
  const std::string_view rest = text.substr(behind, kCommandBytesMax);
  const std::string_view line = rest.substr(0, rest.find('\n'));
  if (!line.starts_with(" |") ||
      (!contains(line, "sudo -S") && !contains(line, "--password-stdin") &&
       !contains(line, "--stdin") && !contains(line, "chpasswd"))) {
    return 0;
  }
  const std::string_view secret = text.substr(value->start, value->end - value->start);
  // "jo:…" for chpasswd
  if (const size_t colon = secret.find(':'); colon != std::string_view::npos) {
    return add_user_and_password(scan, end + 1, ':');
  }
  return add_password(scan, end + 1);
}

size_t read_user_command(Scan& scan, size_t word, size_t end) {
  const std::string_view text = scan.text;
  const std::string_view name = text.substr(word, end - word);
  size_t at = end;
  size_t skip = 0;  // words before the password
  if (iequals(name, "net")) {
    at = past(text, end, " user ");
    skip = 1;
  } else if (scan.at(end) == ' ') {  // htpasswd -b FILE USER PASSWORD
    at = past(text, end, " -b");
    while (at != std::string_view::npos && is_any(scan.at(at), kLetterBits)) ++at;
    skip = 2;
    if (at != std::string_view::npos) ++at;
  } else {
    return 0;
  }
  if (at == std::string_view::npos || at > text.size()) return 0;
  for (; skip > 0; --skip) {
    const size_t begin = at;
    while (at < text.size() && !is_any(text[at], kSpaceBit)) ++at;
    if (at == begin || scan.at(at) != ' ') return 0;
    ++at;
  }
  return scan.at(at) == '/' ? 0 : add_password(scan, at);
}

size_t read_password_behind(Scan& scan, size_t end) {
  const std::string_view text = scan.text;
  size_t at = end;
  if (scan.at(at) == ':') {
    ++at;
  } else if (const size_t slash = past(text, at, " / "); slash != std::string_view::npos) {
    at = slash;
  } else if (const size_t pipe = past(text, at, " | "); pipe != std::string_view::npos) {
    at = pipe;
  } else {
    return 0;
  }
  size_t stop = at;
  while (stop < text.size() && !is_any(text[stop], kSpaceBit) &&
         static_cast<uint8_t>(text[stop]) < 0x80) {
    ++stop;
  }
  while (stop > at && (text[stop - 1] == '.' || text[stop - 1] == ',')) --stop;
  if (!is_obvious_password(text.substr(at, stop - at))) return 0;
  scan.add(EntityType::kPassword, at, stop, 0.8);
  return stop;
}

}  // namespace vsr::signals
