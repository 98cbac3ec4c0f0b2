// Numbers that belong to a person: phones, cards, ids, accounts, dates of birth, addresses of
// hosts.

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/strings.h"
#include "signals/checksum.h"
#include "signals/scan.h"

namespace vsr::signals {
namespace {

constexpr size_t kGroupsMax = 10;
constexpr size_t kDigitsMax = 24;
constexpr size_t kNearBytes = 40;   // a word this close says what a number is
constexpr size_t kCloseBytes = 16;  // for words that speak against it

// A number as written: groups of digits with at most two separating characters between them.
struct Number {
  struct Group {
    size_t start;
    size_t end;
    char separator;  // before this group; '\0' for the first
    size_t length() const { return end - start; }
  };
  std::array<Group, kGroupsMax> groups;
  size_t count = 0;
  std::array<char, kDigitsMax> digits;  // of all groups
  std::array<size_t, kGroupsMax + 1> digits_before{};

  size_t end(size_t groups_used) const { return groups[groups_used - 1].end; }
  std::string_view first(size_t groups_used) const {
    return {digits.data(), digits_before[groups_used]};
  }
  bool separated_by(size_t groups_used, char separator) const {
    for (size_t i = 1; i < groups_used; ++i) {
      if (groups[i].separator != separator) return false;
    }
    return true;
  }
  // The lengths of the first groups are exactly these.
  bool has_lengths(std::initializer_list<size_t> lengths) const {
    if (count < lengths.size()) return false;
    size_t i = 0;
    for (const size_t length : lengths) {
      if (groups[i++].length() != length) return false;
    }
    return true;
  }
};

bool is_separator(char c) { return c == ' ' || c == '-' || c == '.' || c == '/'; }

Number read_groups(std::string_view text, size_t start) {
  Number number;
  size_t at = start;
  char separator = '\0';
  while (number.count < kGroupsMax) {
    size_t end = at;
    while (end < text.size() && is_any(text[end], kDigitBit)) ++end;
    const size_t digits = number.digits_before[number.count];
    if (end == at || digits + (end - at) > kDigitsMax) break;
    std::copy(text.begin() + static_cast<std::ptrdiff_t>(at),
              text.begin() + static_cast<std::ptrdiff_t>(end),
              number.digits.begin() + static_cast<std::ptrdiff_t>(digits));
    number.groups[number.count++] = {at, end, separator};
    number.digits_before[number.count] = digits + (end - at);
    if (end >= text.size()) break;
    size_t next = end;
    if (text[next] == ')') ++next;  // (0)8, (202) 555
    if (next < text.size() && is_separator(text[next])) ++next;
    if (next < text.size() && text[next] == '(') ++next;
    if (next == end || next >= text.size() || !is_any(text[next], kDigitBit)) break;
    separator = text[end];
    at = next;
  }
  return number;
}

// The digit run goes on as a word ("12ab"), so that it is no number.
bool glued(const Scan& scan, size_t end) { return is_word_char(scan.at(end)); }

bool starts_free(const Scan& scan, size_t start) {
  const char previous = scan.before(start);
  if (previous == ',' && start > 1 && is_any(scan.text[start - 2], kDigitBit)) return false;
  return !is_word_char(previous) && previous != '.' && previous != '#';
}

bool serial_near(const Scan& scan, size_t start) {
  return scan.near(Topic::kSerial, start, kCloseBytes) ||
         scan.near(Topic::kVersion, start, kCloseBytes);
}

size_t read_cn_id(Scan& scan, const Number& number) {
  const Number::Group& group = number.groups[0];
  size_t end = group.end;
  if (group.length() == 17 && (scan.at(end) == 'X' || scan.at(end) == 'x')) ++end;
  const std::string_view id = scan.text.substr(group.start, end - group.start);
  if (id.size() != 18 || glued(scan, end)) return 0;
  if (cn_id_valid(id)) {
    scan.add(EntityType::kCnId, group.start, end, 0.98);
  } else if (cn_id_shaped(id) && scan.near(Topic::kCnId, group.start, kNearBytes)) {
    scan.add(EntityType::kCnId, group.start, end, 0.6);
  } else {
    return 0;
  }
  return end;
}

size_t read_bank_account(Scan& scan, const Number& number) {
  const size_t start = number.groups[0].start;
  if (!scan.nearer(Topic::kAccount, Topic::kPhone, start, kNearBytes)) return 0;
  // An amount of money in the account.
  const char sign = scan.before(start);
  if (sign == '$' || static_cast<uint8_t>(sign) >= 0x80) {
    for (const std::string_view money : {"$", "€", "£", "¥", "￥"}) {
      if (scan.text.substr(0, start).ends_with(money)) return 0;
    }
  }
  for (size_t used = number.count; used > 0; --used) {
    const size_t digits = number.first(used).size();
    if (digits < 6 || digits > 19 || glued(scan, number.end(used))) continue;
    if (used > 1 && !number.separated_by(used, '-') && !number.separated_by(used, ' ')) continue;
    if (scan.at(number.end(used)) == '.' && is_any(scan.at(number.end(used) + 1), kDigitBit))
      continue;
    if (number.first(used).find_first_not_of(number.digits[0]) == std::string_view::npos) continue;
    scan.add(EntityType::kBankAccount, start, number.end(used), 0.8);
    return number.end(used);
  }
  return 0;
}

size_t read_card(Scan& scan, const Number& number) {
  const size_t start = number.groups[0].start;
  const bool named = scan.near(Topic::kCard, start, kNearBytes);
  // Named as an account, a UnionPay number is one.
  if (number.first(1).starts_with("62") && scan.near(Topic::kAccount, start, kNearBytes)) return 0;
  for (size_t used = number.count; used > 0; --used) {
    const std::string_view digits = number.first(used);
    if (digits.size() < 12 || digits.size() > 19 || glued(scan, number.end(used))) continue;
    const bool dotted = used > 1 && number.separated_by(used, '.');
    if (used > 1 && !dotted && !number.separated_by(used, ' ') && !number.separated_by(used, '-'))
      continue;
    if (used > 1 && number.groups[0].length() != 4) continue;
    if (!luhn_valid(digits)) continue;
    const bool issued = card_range_valid(digits);
    if (dotted && !issued) continue;
    if (!issued && !named) continue;
    // One bare number in ten passes Luhn; long ones are more often ids.
    if (!named && used == 1 && (digits.size() > 16 || serial_near(scan, start))) continue;
    scan.add(EntityType::kCard, start, number.end(used), named ? 0.98 : used > 1 ? 0.9 : 0.75);
    return number.end(used);
  }
  return 0;
}

size_t read_ssn(Scan& scan, const Number& number) {
  const size_t start = number.groups[0].start;
  const bool named = scan.near(Topic::kSsn, start, kNearBytes);
  if (number.has_lengths({3, 2, 4}) &&
      (number.separated_by(3, '-') || (named && number.separated_by(3, ' ')))) {
    if (glued(scan, number.end(3)) || !ssn_valid(number.first(3))) return 0;
    if (number.count > 3 && number.groups[3].separator == '-') return 0;
    scan.add(EntityType::kSsn, start, number.end(3), named ? 0.95 : 0.7);
    return number.end(3);
  }
  if (named && number.has_lengths({9}) && ssn_valid(number.first(1)) &&
      !glued(scan, number.end(1))) {
    scan.add(EntityType::kSsn, start, number.end(1), 0.85);
    return number.end(1);
  }
  return 0;
}

size_t read_named_id(Scan& scan, const Number& number) {
  const size_t start = number.groups[0].start;
  if (scan.near(Topic::kNhs, start, kNearBytes)) {
    const size_t used = number.has_lengths({3, 3, 4}) ? 3 : 1;
    if (nhs_valid(number.first(used)) && !glued(scan, number.end(used))) {
      scan.add(EntityType::kNhsNumber, start, number.end(used), 0.95);
      return number.end(used);
    }
  }
  if (scan.near(Topic::kTax, start, kNearBytes) && number.has_lengths({2, 7}) &&
      number.separated_by(2, '-') && !glued(scan, number.end(2))) {
    scan.add(EntityType::kTaxId, start, number.end(2), 0.85);
    return number.end(2);
  }
  const Number::Group& group = number.groups[0];
  if (glued(scan, group.end)) return 0;
  if (scan.near(Topic::kPassport, start, kNearBytes) && group.length() == 9) {
    scan.add(EntityType::kPassport, start, group.end, 0.85);
    return group.end;
  }
  if (licence_near(scan, start) && group.length() >= 6 && group.length() <= 13) {
    scan.add(EntityType::kLicence, start, group.end, 0.8);
    return group.end;
  }
  const size_t record = scan.last[static_cast<size_t>(Topic::kMedicalRecord)];
  if (record != Scan::kNever && start > record && start - record <= 6 && group.length() >= 5 &&
      group.length() <= 10) {
    // The label is part of what identifies the record.
    scan.add(EntityType::kMedicalRecord, record - 3, group.end, 0.9);
    return group.end;
  }
  return 0;
}

// "-rc2" behind 10.0.0.1 makes a version of it.
bool is_prerelease(std::string_view behind) {
  if (!behind.starts_with('-')) return false;
  for (const std::string_view mark : {"rc", "r", "alpha", "beta", "pre", "dev", "snapshot",
                                      "nightly", "build", "post", "hotfix", "preview"}) {
    if (!iequals(behind.substr(1, mark.size()), mark)) continue;
    const std::string_view rest = behind.substr(1 + mark.size());
    if (rest.empty() || !is_any(rest[0], kLetterBits)) return true;
  }
  return false;
}

size_t read_ipv4(Scan& scan, const Number& number) {
  if (number.count < 4 || !number.separated_by(4, '.')) return 0;
  const size_t start = number.groups[0].start;
  const size_t end = number.end(4);
  if (number.count > 4 && number.groups[4].separator == '.') return 0;
  if (glued(scan, end) || scan.near(Topic::kVersion, start, kCloseBytes)) return 0;
  if (is_prerelease(scan.from(end))) return 0;
  bool loopback = false;
  for (size_t i = 0; i < 4; ++i) {
    const Number::Group& group = number.groups[i];
    if (group.length() > 3 || (group.length() > 1 && scan.text[group.start] == '0')) return 0;
    int value = 0;
    for (size_t k = group.start; k < group.end; ++k) value = value * 10 + (scan.text[k] - '0');
    if (value > 255) return 0;
    if (i == 0) loopback = value == 127 || value == 0;
  }
  if (loopback || scan.from(end).starts_with("\xE7\x89\x88\xE6\x9C\xAC")) return 0;  // 版本
  // The last group ends where the address does: 10.0.0.1/24 keeps its mask out.
  scan.add(EntityType::kIp, start, end, 0.85);
  return end;
}

int value_of(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// 1965年3月12日 and the like; 0 if the text is no such date.
size_t cjk_date_end(const Scan& scan, size_t year_end) {
  constexpr std::array<std::string_view, 3> kUnits = {"\xE5\xB9\xB4", "\xE6\x9C\x88",
                                                      "\xE6\x97\xA5"};
  size_t at = year_end;
  for (size_t i = 0; i < kUnits.size(); ++i) {
    if (!scan.from(at).starts_with(kUnits[i])) return 0;
    at += 3;
    if (i + 1 == kUnits.size()) return at;
    size_t digits = 0;
    while (digits < 2 && is_any(scan.at(at), kDigitBit)) ++at, ++digits;
    if (digits == 0) return 0;
  }
  return 0;
}

// The end of a date that starts at the number, 0 if it is none.
size_t date_end(const Scan& scan, const Number& number) {
  const Number::Group& first = number.groups[0];
  if (first.length() == 4) {
    if (const size_t end = cjk_date_end(scan, first.end); end != 0) return end;
  }
  if (number.count >= 3) {
    const char separator = number.groups[1].separator;
    if (number.groups[2].separator == separator && separator != ' ' &&
        !glued(scan, number.end(3)) && number.groups[1].length() <= 2) {
      const auto part = [&](size_t i) {
        return value_of(scan.text.substr(number.groups[i].start, number.groups[i].length()));
      };
      if (first.length() == 4 && number.groups[2].length() <= 2 &&
          date_valid(part(0), part(1), part(2))) {
        return number.end(3);
      }
      if (first.length() <= 2 && number.groups[2].length() == 4 &&
          (date_valid(part(2), part(1), part(0)) || date_valid(part(2), part(0), part(1)))) {
        return number.end(3);
      }
    }
  }
  // 22 April 1965
  if (first.length() > 2 || scan.at(first.end) != ' ') return 0;
  size_t at = first.end + 1;
  size_t end = at;
  while (is_any(scan.at(end), kLetterBits)) ++end;
  if (month_of(scan.text.substr(at, end - at)) == 0) return 0;
  while (scan.at(end) == ' ' || scan.at(end) == ',' || scan.at(end) == '.') ++end;
  at = end;
  while (is_any(scan.at(end), kDigitBit)) ++end;
  return end - at == 4 ? end : 0;
}

size_t read_birth_date(Scan& scan, const Number& number) {
  const size_t start = number.groups[0].start;
  const bool before = scan.near(Topic::kBirth, start, kNearBytes - 8);
  const size_t end = date_end(scan, number);
  if (end == 0) return 0;
  const bool after = scan.from(end).starts_with("\xE5\x87\xBA\xE7\x94\x9F") ||  // 出生
                     scan.from(end).starts_with("\xE7\x94\x9F");                // 生
  if (!before && !after) return end;  // a date of something else, and no phone
  scan.add(EntityType::kDateOfBirth, start, end, 0.9);
  return end;
}

// " ext. 123", "x45"
size_t past_extension(const Scan& scan, size_t end) {
  size_t at = end;
  if (scan.at(at) == ' ') ++at;
  const std::string_view rest = scan.from(at);
  for (const std::string_view mark : {"ext. ", "ext.", "ext ", "x"}) {
    if (rest.size() <= mark.size() || !iequals(rest.substr(0, mark.size()), mark)) continue;
    size_t stop = at + mark.size();
    size_t digits = 0;
    while (is_any(scan.at(stop), kDigitBit)) ++stop, ++digits;
    if (digits >= 1 && digits <= 6 && !glued(scan, stop)) return stop;
  }
  return end;
}

bool cn_mobile(std::string_view digits) {
  return digits.size() == 11 && digits[0] == '1' && digits[1] >= '3';
}

bool us_number(std::string_view digits) {
  return digits.size() == 10 && digits[0] >= '2' && digits[3] >= '2';
}

struct Phone {
  size_t groups = 0;
  double confidence = 0;
};

// Shapes that are phone numbers wherever they stand.
Phone phone_shape(const Scan& scan, const Number& number, bool parenthesis) {
  const std::string_view all(number.digits.data(), number.digits.size());
  const auto dashed = [&](size_t used) {
    return number.separated_by(used, '-') || number.separated_by(used, '.');
  };
  const auto spaced = [&](size_t used) {
    return number.separated_by(used, ' ') || number.separated_by(used, '-');
  };
  if (parenthesis && number.has_lengths({3, 3, 4}) && us_number(all.substr(0, 10))) return {3, 0.9};
  if (number.has_lengths({3, 3, 4}) && us_number(all.substr(0, 10)) && dashed(3)) return {3, 0.75};
  if (number.has_lengths({1, 3, 3, 4}) && all[0] == '1' && us_number(all.substr(1, 10)) &&
      dashed(4)) {
    return {4, 0.85};
  }
  if (number.has_lengths({3, 4, 4}) && cn_mobile(all.substr(0, 11)) && spaced(3)) return {3, 0.8};
  if (number.has_lengths({11}) && cn_mobile(all.substr(0, 11))) {
    const bool round = all.substr(0, 11).ends_with("00000");
    const bool serial = serial_near(scan, number.groups[0].start);
    if (round || serial) return {};
    return {1, 0.65};
  }
  if (all[0] == '0' && all[1] != '0' &&
      (number.has_lengths({3, 8}) || number.has_lengths({4, 8}) || number.has_lengths({4, 7})) &&
      dashed(2)) {
    return {2, 0.8};
  }
  // German and Dutch mobiles: "0171 5567812", "0171/5567812", "06-12345678".
  const bool mobile_de = all.starts_with("015") || all.starts_with("016") || all.starts_with("017");
  const bool split = number.count == 2 && number.groups[1].separator != '.';
  if (split && !serial_near(scan, number.groups[0].start) &&
      ((mobile_de && (number.has_lengths({4, 7}) || number.has_lengths({4, 8}))) ||
       (all.starts_with("06") && number.has_lengths({2, 8})))) {
    return {2, 0.7};
  }
  // An international call from most countries: "0049 171 5567812".
  if (all.starts_with("00") && all[2] != '0' && number.count >= 2 && number.count <= 5 &&
      number.groups[0].length() <= 5 && number.first(number.count).size() >= 11 &&
      number.first(number.count).size() <= 15 && number.separated_by(number.count, ' ') &&
      !serial_near(scan, number.groups[0].start)) {
    return {number.count, 0.7};
  }
  if (number.has_lengths({5, 6}) && all.starts_with("07") && spaced(2)) return {2, 0.8};
  if (number.has_lengths({3, 4, 4}) && all.starts_with("02") && spaced(3)) return {3, 0.75};
  if (number.has_lengths({2, 2, 2, 2, 2}) && all[0] == '0' &&
      (number.separated_by(5, ' ') || number.separated_by(5, '.'))) {
    return {5, 0.7};
  }
  // National numbers with their trunk 0: "0489 25 37 29", "085 175 7641".
  if (all[0] == '0' && all[1] != '0' && number.groups[0].length() >= 3 &&
      number.groups[0].length() <= 4) {
    for (size_t used = 3; used <= std::min<size_t>(number.count, 5); ++used) {
      const size_t digits = number.first(used).size();
      const bool whole = used == number.count && digits >= 9 && digits <= 11;
      if (whole && number.separated_by(used, ' ') && !serial_near(scan, number.groups[0].start)) {
        return {used, 0.6};
      }
    }
  }
  return {};
}

size_t read_phone(Scan& scan, const Number& number, size_t start, bool plus, bool parenthesis) {
  const bool named = scan.near(Topic::kPhone, start, kNearBytes);
  Phone phone;
  if (plus) {
    // A country code and the rest: as many groups as an E.164 number can have.
    size_t used = number.count;
    while (used > 0 && (number.first(used).size() > 15 || glued(scan, number.end(used)))) --used;
    if (used == 0 || number.first(used).size() < 8 || number.digits[0] == '0') return 0;
    phone = {used, used > 1 || named ? 0.9 : 0.7};
  } else {
    phone = phone_shape(scan, number, parenthesis);
    if (phone.groups != 0 && named) phone.confidence = 0.95;
    if (phone.groups == 0 && named && !serial_near(scan, start)) {
      size_t used = number.count;
      while (used > 0 && (number.first(used).size() > 12 || glued(scan, number.end(used)))) --used;
      if (used == 0 || number.first(used).size() < 7) return 0;
      phone = {used, 0.75};
    }
  }
  if (phone.groups == 0 || glued(scan, number.end(phone.groups))) {
    // "555-0143x12" glues its extension.
    if (phone.groups == 0 ||
        past_extension(scan, number.end(phone.groups)) == number.end(phone.groups)) {
      return 0;
    }
  }
  const size_t end = past_extension(scan, number.end(phone.groups));
  scan.add(EntityType::kPhone, start, end, phone.confidence);
  return end;
}

// Past "号": a Chinese house number.
size_t read_house_number(Scan& scan, const Number& number) {
  const Number::Group& group = number.groups[0];
  const std::string_view behind = scan.from(group.end);
  if (group.length() > 5 || (!behind.starts_with("号") && !behind.starts_with("號"))) return 0;
  return read_cjk_address(scan, group.start, group.end);
}

}  // namespace

size_t read_number(Scan& scan, size_t start) {
  using Reader = size_t (*)(Scan&, const Number&);
  const char first = scan.at(start);
  size_t digits = start;
  const bool plus = first == '+';
  const bool parenthesis = scan.at(plus ? start + 1 : start) == '(';
  digits += (plus ? 1 : 0) + (parenthesis ? 1 : 0);
  if (!is_any(scan.at(digits), kDigitBit) || is_word_char(scan.before(start))) return 0;
  if (!plus && !parenthesis && starts_free(scan, start)) {
    if (const size_t end = read_spaced_digits(scan, start); end != 0) return end;
  }
  const Number number = read_groups(scan.text, digits);
  if (number.count == 0) return 0;
  if (plus) {
    // The mark of an added line, in a diff, or more digits than a telephone number can have.
    const bool added = start == 0 || scan.before(start) == '\n';
    for (const Reader read : {read_cn_id, read_ssn, read_card}) {
      if (!added && read != read_card) continue;
      if (const size_t end = read(scan, number); end != 0) return end;
    }
    return read_phone(scan, number, start, true, parenthesis);
  }
  if (scan.before(start) == '#' &&
      (scan.near(Topic::kSsn, start, kCloseBytes) || scan.near(Topic::kCard, start, kCloseBytes))) {
    for (const Reader read : {read_ssn, read_card}) {
      if (const size_t end = read(scan, number); end != 0) return end;
    }
  }
  if (!starts_free(scan, start)) return 0;

  if (start > 2 && (static_cast<uint8_t>(scan.text[start - 1]) >= 0x80 ||
                    static_cast<uint8_t>(scan.text[start - 2]) >= 0x80)) {
    if (const size_t end = read_native_address(scan, start); end != 0) return end;
  }
  if (const size_t end = read_house_number(scan, number); end != 0) return end;
  constexpr Reader kReaders[] = {read_cn_id, read_ipv4,       read_ssn,         read_named_id,
                                 read_card,  read_birth_date, read_bank_account};
  for (const Reader read : kReaders) {
    if (const size_t end = read(scan, number); end != 0) return end;
  }
  if (const size_t end = read_phone(scan, number, start, false, parenthesis); end != 0) return end;
  const Number::Group& group = number.groups[0];
  if (group.length() <= 5) return read_address(scan, group.start, group.end);
  return 0;
}

size_t read_month_date(Scan& scan, size_t start, size_t end) {
  if (!scan.near(Topic::kBirth, start, kNearBytes - 8)) return 0;
  size_t at = end;
  if (scan.at(at) == '.') ++at;
  if (scan.at(at) != ' ') return 0;
  ++at;
  size_t digits = 0;
  while (is_any(scan.at(at), kDigitBit)) ++at, ++digits;
  if (digits == 0 || digits > 2) return 0;
  for (const char c : {'s', 't', 'n', 'd', 'r', 'h'}) {
    if (scan.at(at) == c) ++at;
  }
  if (scan.at(at) == ',') ++at;
  if (scan.at(at) != ' ') return 0;
  ++at;
  digits = 0;
  while (is_any(scan.at(at), kDigitBit)) ++at, ++digits;
  if (digits != 4 || glued(scan, at)) return 0;
  scan.add(EntityType::kDateOfBirth, start, at, 0.9);
  return at;
}

}  // namespace vsr::signals
