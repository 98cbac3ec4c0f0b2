#pragma once

// One text on its way through the recognisers: what was seen last of each topic, and what was
// found. Recognisers are plain functions that look at one place and report how far they read; 0
// means that nothing is there. Lives for one detect() call.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "signals/entity.h"
#include "signals/lexis.h"

namespace vsr::signals {

// `used`: the bytes of the word that the text starts with.
inline bool starts_any(std::string_view text, std::initializer_list<std::string_view> words,
                       size_t& used) {
  for (const std::string_view word : words) {
    if (!text.starts_with(word)) continue;
    used = word.size();
    return true;
  }
  return false;
}

inline bool ends_any(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text.ends_with(word)) return true;
  }
  return false;
}

struct Scan {
  explicit Scan(std::string_view text_in) : text(text_in) { last.fill(kNever); }

  // True if a word of the topic ended at most `window` bytes before `at`.
  bool near(Topic topic, size_t at, size_t window) const {
    const size_t end = last[static_cast<size_t>(topic)];
    return end != kNever && end <= at && at - end <= window;
  }
  // True if the latest word of `topic` is at most `window` bytes before `at` and no word of `other`
  // stands between them.
  bool nearer(Topic topic, Topic other, size_t at, size_t window) const {
    const size_t end = last[static_cast<size_t>(other)];
    return near(topic, at, window) &&
           (end == kNever || end > at || end <= last[static_cast<size_t>(topic)]);
  }
  void note(Topic topic, size_t end) { last[static_cast<size_t>(topic)] = end; }
  void add(EntityType type, size_t start, size_t end, double confidence) {
    found.push_back({type, static_cast<uint32_t>(start), static_cast<uint32_t>(end),
                     static_cast<float>(confidence)});
  }
  char at(size_t i) const { return i < text.size() ? text[i] : '\0'; }
  // '\0' before the start.
  char before(size_t i) const { return i > 0 ? text[i - 1] : '\0'; }
  std::string_view from(size_t i) const { return i < text.size() ? text.substr(i) : ""; }

  static constexpr size_t kNever = SIZE_MAX;
  const std::string_view text;
  std::array<size_t, kTopics> last;  // end of the latest word of each topic
  std::vector<Entity> found;
};

// ---- secrets (keys.cc, urls.cc) ---------------------------------------------------------

// A key with a provider's prefix or shape, at the start of a run of word characters.
size_t read_key(Scan& scan, size_t start, size_t run_end, uint8_t seen);
// "-----BEGIN … PRIVATE KEY-----" and its like, at the first dash.
size_t read_private_key(Scan& scan, size_t start);
// A key file of PuTTY, at its first word.
size_t read_putty_key(Scan& scan, size_t start);
// A password hash of crypt(3) at the dollar sign, of LDAP at the brace.
size_t read_password_hash(Scan& scan, size_t start);
// Credentials in a URL; `colon` is that of "://".
size_t read_url(Scan& scan, size_t colon);
// Credentials in a connection string without a scheme of its own: user:password@tcp(host).
size_t read_dsn(Scan& scan, size_t at_sign);

// ---- secrets beside a word (secret_values.cc, secret_cjk.cc, secret_prose.cc) -------------

// The value beside a secret word that ends at `end`; the word starts at `word`, its run at `run`.
size_t read_secret_value(Scan& scan, Topic topic, size_t run, size_t word, size_t end);
// The value beside a Chinese secret word that ends at `end`.
size_t read_cjk_value(Scan& scan, Topic topic, size_t end);
// A password that the clause behind the word tells, or that stands before "as the password".
size_t read_told_password(Scan& scan, size_t word, size_t end);
size_t read_told_key(Scan& scan, size_t end);
// A key behind "clave", "キー": of an API, or none.
size_t read_foreign_key(Scan& scan, size_t word, size_t end);
// Twelve words or more behind "seed phrase".
size_t read_seed_phrase(Scan& scan, size_t word, size_t end);
size_t read_backup_codes(Scan& scan, size_t word, size_t end);

// ---- secrets by their place in commands, headers and files (secret_commands.cc) -----------

// mysql -pVALUE, curl -u user:VALUE: the password behind the flag of one letter at `run`.
size_t read_flag_password(Scan& scan, size_t run);
// "login admin / …", login("admin", "…")
size_t read_login(Scan& scan, size_t end);
// auth=("admin", "…"), "auth": "base64"
size_t read_auth(Scan& scan, size_t end);
size_t read_authorization_header(Scan& scan, size_t end);
// The signature of a signed URL or request.
size_t read_signature(Scan& scan, size_t word, size_t end);
// A session cookie.
size_t read_session(Scan& scan, size_t word, size_t end);
// WIFI:T:WPA;S:name;P:…;;
size_t read_wifi_code(Scan& scan, size_t end);
// host:port:base:user:password, at the port.
size_t read_pgpass(Scan& scan, size_t start, size_t end);
// echo … | sudo -S
size_t read_echo(Scan& scan, size_t end);
// net user NAME …, htpasswd -b FILE NAME …
size_t read_user_command(Scan& scan, size_t word, size_t end);
// "jo@example.com:…", at the end of the address.
size_t read_password_behind(Scan& scan, size_t end);

// ---- personal data (numbers.cc, spaced_digits.cc, national_ids.cc, codes.cc, places.cc) ----

// Digits with a separator between each of them, at the first.
size_t read_spaced_digits(Scan& scan, size_t start);
// A national id whose first run with a digit is [start, run_end).
size_t read_national_id(Scan& scan, size_t start, size_t run_end);

// A number that starts at a digit, '+' or '('.
size_t read_number(Scan& scan, size_t start);
// A run that begins with a letter and holds digits: IBAN, passport, licence, plate.
size_t read_code(Scan& scan, size_t start, size_t run_end);
// "March 12, 1965" after a word of birth, at the month.
size_t read_month_date(Scan& scan, size_t start, size_t end);
// A driver's licence is spoken of just before `at`; software has licences too.
bool licence_near(const Scan& scan, size_t at);
size_t read_email(Scan& scan, size_t at_sign);
size_t read_ipv6(Scan& scan, size_t start);
// A street address at its house number of `digits_end - start` digits.
size_t read_address(Scan& scan, size_t start, size_t digits_end);
// The same as other countries write it, with the street on either side of the number.
size_t read_foreign_address(Scan& scan, size_t start, size_t digits_end);
// Past the code and the town behind a street that ends at `end`; `end` if no code follows.
size_t past_place(const Scan& scan, size_t end);
// A Chinese street address whose house number stands before the 号 at `hao`.
size_t read_cjk_address(Scan& scan, size_t digits, size_t hao);
size_t read_cjk_plate(Scan& scan, size_t start);

// A name in lower case behind "my name is", "me llamo" (told_names.cc).
size_t read_lower_case_name(Scan& scan, size_t end);

// ---- scripts without capitals (natives.cc) ------------------------------------------------

// A Japanese, Korean or Indian address at its first number.
size_t read_native_address(Scan& scan, size_t digits);
// An Arabic address at the word for "street".
size_t read_arabic_address(Scan& scan, size_t at);
// A name behind 私は, 제 이름은, اسمي, मेरा नाम, or before さん, 씨.
size_t read_told_name(Scan& scan, size_t at);

}  // namespace vsr::signals
