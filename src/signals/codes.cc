// Identifiers of letters and digits: IBANs, passports, licences, plates, hosts, e-mail addresses.

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "signals/checksum.h"
#include "signals/scan.h"

namespace vsr::signals {
namespace {

constexpr size_t kNearBytes = 40;

size_t read_iban(Scan& scan, size_t start) {
  const std::string_view text = scan.text;
  if (!is_any(scan.at(start + 1), kLetterBits) || !is_any(scan.at(start + 2), kDigitBit) ||
      !is_any(scan.at(start + 3), kDigitBit)) {
    return 0;
  }
  const int length = iban_length(text.substr(start, 2));
  if (length == 0) return 0;
  std::array<char, 34> compact;
  size_t count = 0;
  size_t at = start;
  while (at < text.size() && count < static_cast<size_t>(length)) {
    if (is_alnum(text[at])) {
      compact[count++] = text[at++];
    } else if (text[at] == ' ' && count > 0 && count % 4 == 0) {
      ++at;
    } else {
      break;
    }
  }
  if (count != static_cast<size_t>(length) || is_word_char(scan.at(at))) return 0;
  if (!iban_valid({compact.data(), count})) return 0;
  scan.add(EntityType::kIban, start, at, 0.98);
  return at;
}

bool all_upper_or_digit(std::string_view text) {
  for (const char c : text) {
    if (!is_any(c, kUpperBit | kDigitBit)) return false;
  }
  return true;
}

size_t read_passport(Scan& scan, size_t start, size_t end) {
  const std::string_view code = scan.text.substr(start, end - start);
  if (!scan.near(Topic::kPassport, start, kNearBytes) || code.size() < 7 || code.size() > 9 ||
      !all_upper_or_digit(code)) {
    return 0;
  }
  scan.add(EntityType::kPassport, start, end, 0.9);
  return end;
}

size_t read_licence(Scan& scan, size_t start, size_t end) {
  constexpr size_t kDigitsMin = 4;
  if (!licence_near(scan, start)) return 0;
  size_t at = end;
  while (is_any(scan.at(at), kUpperBit | kDigitBit) ||
         (scan.at(at) == '-' && is_any(scan.at(at + 1), kDigitBit))) {
    ++at;
  }
  size_t digits = 0;
  for (size_t i = start; i < at; ++i) {
    if (is_any(scan.text[i], kDigitBit)) ++digits;
  }
  if (digits < kDigitsMin || at - start > 20 || !is_upper(scan.text[start])) return 0;
  scan.add(EntityType::kLicence, start, at, 0.85);
  return at;
}

size_t read_plate(Scan& scan, size_t start, size_t end) {
  if (!scan.near(Topic::kPlate, start, 12)) return 0;
  size_t at = end;
  const std::string_view first = scan.text.substr(start, end - start);
  if (!all_upper_or_digit(first)) return 0;
  // BN29 CEB
  if (first.size() == 4 && scan.at(at) == ' ') {
    size_t stop = at + 1;
    while (is_upper(scan.at(stop))) ++stop;
    if (stop - at - 1 == 3 && !is_word_char(scan.at(stop))) at = stop;
  }
  if (at - start < 6 || at - start > 8) return 0;
  scan.add(EntityType::kPlate, start, at, 0.85);
  return at;
}

// "scheme://user:" stands in front of a password and not of an address.
bool is_user_of_url(std::string_view before) {
  constexpr size_t kUserBytesMax = 128;
  before = before.substr(before.size() - std::min(before.size(), kUserBytesMax));
  const size_t word = before.find_last_of(" \t\n\r\"'<>(,;");
  return before.find("://", word == std::string_view::npos ? 0 : word) != std::string_view::npos;
}

// "support@example.com": a reserved domain (RFC 2606) and a name for anybody. A person's name at
// such a domain is read: whoever writes it stands for a person, as in tests of what is found.
bool is_placeholder_mail(std::string_view local, std::string_view domain) {
  if (!iequals(domain, "example.com") && !iequals(domain, "example.org") &&
      !iequals(domain, "example.net")) {
    return false;
  }
  constexpr std::string_view kAnybody[] = {
      "admin",     "contact", "email",      "foo",       "first.last", "hello",      "help",
      "info",      "mail",    "name",       "no-reply",  "noreply",    "postmaster", "sales",
      "someone",   "support", "test",       "user",      "user1",      "user2",      "username",
      "webmaster", "you",     "your.email", "your.name", "youremail",  "your-email", "yourname"};
  return std::ranges::any_of(kAnybody,
                             [&](std::string_view known) { return iequals(known, local); });
}

}  // namespace

bool licence_near(const Scan& scan, size_t at) {
  if (!scan.near(Topic::kLicence, at, kNearBytes)) return false;
  const size_t driver = scan.last[static_cast<size_t>(Topic::kLicence)];
  // The Chinese words name the licence itself.
  if (static_cast<uint8_t>(scan.before(driver)) >= 0x80) return true;
  const std::string_view between = scan.text.substr(driver, at - driver);
  return between.find("icen") != std::string_view::npos ||
         between.find("ICEN") != std::string_view::npos;
}

size_t read_code(Scan& scan, size_t start, size_t run_end) {
  if (const size_t end = read_iban(scan, start); end != 0) return end;
  if (const size_t end = read_passport(scan, start, run_end); end != 0) return end;
  if (const size_t end = read_plate(scan, start, run_end); end != 0) return end;
  return read_licence(scan, start, run_end);
}

size_t read_email(Scan& scan, size_t at_sign) {
  constexpr size_t kLocalBytesMax = 64;
  constexpr size_t kDomainBytesMax = 253;
  const std::string_view text = scan.text;
  size_t start = at_sign;
  const auto is_local = [](char c) {
    return is_any(c, kWordBits | kDashBit) || c == '.' || c == '%' || c == '+' || c == '\'';
  };
  while (start > 0 && at_sign - start < kLocalBytesMax && is_local(text[start - 1])) --start;
  while (start < at_sign && !is_alnum(text[start])) ++start;
  if (start == at_sign || scan.before(start) == '/') return 0;  // a path
  if (scan.before(start) == ':' && is_user_of_url(text.substr(0, start))) return 0;
  size_t end = at_sign + 1;
  size_t label = end;
  size_t last_dot = 0;
  while (end < text.size() && end - at_sign < kDomainBytesMax) {
    const char c = text[end];
    if (c == '.') {
      if (end == label || !is_alnum(scan.at(end + 1))) break;
      last_dot = end;
      label = end + 1;
    } else if (!is_any(c, kAlnumBits | kDashBit)) {
      break;
    }
    ++end;
  }
  if (last_dot == 0 || end == label) return 0;
  const std::string_view top = text.substr(label, end - label);
  if (top.size() < 2 || top.size() > 24) return 0;
  for (const char c : top) {
    if (!is_any(c, kLetterBits)) return 0;
  }
  // Images at double density, source files, scp targets.
  for (const std::string_view file :
       {"png", "jpg", "jpeg", "gif", "svg", "webp", "js", "ts", "css"}) {
    if (iequals(top, file)) return 0;
  }
  const std::string_view local = text.substr(start, at_sign - start);
  if (local == "git" && scan.at(end) == ':') return 0;
  if (is_placeholder_mail(local, text.substr(at_sign + 1, end - at_sign - 1))) return 0;
  scan.add(EntityType::kEmail, start, end, 0.95);
  return end;
}

size_t read_ipv6(Scan& scan, size_t start) {
  const std::string_view text = scan.text;
  if (is_word_char(scan.before(start)) || scan.before(start) == ':' || scan.before(start) == '.') {
    return 0;
  }
  size_t at = start;
  int groups = 0;
  bool gap = false;
  bool full = false;  // a group of four digits or with a letter
  while (at < text.size()) {
    size_t end = at;
    while (end < text.size() && is_any(text[end], kDigitBit | kHexLetterBit)) ++end;
    if (end - at > 4 || end == at) break;
    ++groups;
    full = full || end - at == 4 || is_any(text[at], kHexLetterBit);
    at = end;
    if (scan.at(at) != ':') break;
    if (scan.at(at + 1) == ':') {
      if (gap) return 0;
      gap = true;
      at += 2;
      if (!is_any(scan.at(at), kDigitBit | kHexLetterBit)) break;
    } else if (is_any(scan.at(at + 1), kDigitBit | kHexLetterBit)) {
      ++at;
    } else {
      break;
    }
  }
  // Times, ratios and scopes of C++ look alike: three groups around the gap, or all eight.
  if (is_word_char(scan.at(at)) || !full || (gap ? groups < 3 || groups > 7 : groups != 8))
    return 0;
  scan.add(EntityType::kIp, start, at, 0.85);
  return at;
}

}  // namespace vsr::signals
