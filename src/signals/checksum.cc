#include "signals/checksum.h"

#include <array>

#include "base/strings.h"

namespace vsr::signals {
namespace {

int digit(char c) { return c - '0'; }

int number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + digit(c);
  return value;
}

bool all_digits(std::string_view text) {
  for (const char c : text) {
    if (!is_ascii_digit(c)) return false;
  }
  return !text.empty();
}

struct CountryLength {
  std::string_view country;
  int length;
};
// The IBAN registry's lengths.
constexpr CountryLength kIbanLengths[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
    {"BH", 22}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22},
    {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FO", 18}, {"FR", 27},
    {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HR", 21}, {"HU", 28},
    {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20},
    {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27},
    {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NL", 18}, {"NO", 15},
    {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"SA", 24},
    {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"ST", 25}, {"SV", 28},
    {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
};

}  // namespace

bool luhn_valid(std::string_view digits) {
  int sum = 0;
  bool twice = false;
  bool only_zeros = true;
  for (auto it = digits.rbegin(); it != digits.rend(); ++it) {
    int d = digit(*it);
    only_zeros = only_zeros && d == 0;
    if (twice) d = d > 4 ? d * 2 - 9 : d * 2;
    sum += d;
    twice = !twice;
  }
  return sum % 10 == 0 && !only_zeros;
}

bool card_range_valid(std::string_view digits) {
  const size_t n = digits.size();
  if (n < 13 || n > 19) return false;
  const int two = number(digits.substr(0, 2));
  const int four = number(digits.substr(0, 4));
  if (digits[0] == '4') return n == 13 || n == 16 || n == 19;                       // Visa
  if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720)) return n == 16;   // Mastercard
  if (two == 34 || two == 37) return n == 15;                                       // Amex
  if (four == 6011 || two == 65 || (four >= 6440 && four <= 6499)) return n == 16;  // Discover
  if (four >= 3528 && four <= 3589) return n == 16;                                 // JCB
  if (four == 2131 || four == 1800) return n == 15;                                 // JCB, old
  if (two == 36 || two == 38 || two == 39 || (four >= 3000 && four <= 3059))
    return n == 14;               // Diners
  if (two == 62) return n >= 16;  // UnionPay
  return false;
}

int iban_length(std::string_view country) {
  for (const CountryLength& known : kIbanLengths) {
    if (iequals(known.country, country)) return known.length;
  }
  return 0;
}

bool iban_valid(std::string_view text) {
  if (text.size() < 5 || iban_length(text.substr(0, 2)) != static_cast<int>(text.size())) {
    return false;
  }
  int rest = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = ascii_lower(text[(i + 4) % text.size()]);
    if (is_ascii_digit(c)) {
      rest = (rest * 10 + digit(c)) % 97;
    } else if (c >= 'a' && c <= 'z') {
      rest = (rest * 100 + (c - 'a' + 10)) % 97;
    } else {
      return false;
    }
  }
  return rest == 1;
}

bool date_valid(int year, int month, int day) {
  constexpr std::array<int, 12> kDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1900 || year > 2099 || month < 1 || month > 12) return false;
  return day >= 1 && day <= kDays[static_cast<size_t>(month - 1)];
}

bool cn_id_shaped(std::string_view text) {
  if (text.size() != 18 || !all_digits(text.substr(0, 17))) return false;
  const char check = text[17];
  if (!is_ascii_digit(check) && check != 'X' && check != 'x') return false;
  const int province = number(text.substr(0, 2));
  return province >= 11 && province <= 82 &&
         date_valid(number(text.substr(6, 4)), number(text.substr(10, 2)),
                    number(text.substr(12, 2)));
}

bool cn_id_valid(std::string_view text) {
  if (!cn_id_shaped(text)) return false;
  constexpr std::array<int, 17> kWeights = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  constexpr std::string_view kChecks = "10X98765432";
  int sum = 0;
  for (size_t i = 0; i < 17; ++i) sum += digit(text[i]) * kWeights[i];
  const char given = text[17] == 'x' ? 'X' : text[17];
  return given == kChecks[static_cast<size_t>(sum % 11)];
}

bool nhs_valid(std::string_view digits) {
  if (digits.size() != 10) return false;
  int sum = 0;
  for (int i = 0; i < 9; ++i) sum += digit(digits[static_cast<size_t>(i)]) * (10 - i);
  const int check = 11 - sum % 11;
  return check != 10 && check % 11 == digit(digits[9]);
}

bool ssn_valid(std::string_view digits) {
  if (digits.size() != 9) return false;
  const std::string_view area = digits.substr(0, 3);
  return area != "000" && area != "666" && area[0] != '9' && digits.substr(3, 2) != "00" &&
         digits.substr(5) != "0000";
}

}  // namespace vsr::signals
