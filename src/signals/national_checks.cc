#include "signals/national_checks.h"

#include <array>
#include <cstdint>
#include <initializer_list>

#include "base/strings.h"
#include "signals/checksum.h"

namespace vsr::signals {
namespace {

constexpr int digit(char c) { return c - '0'; }
// 0..35 of a digit or a letter.
constexpr int value36(char c) { return c <= '9' ? c - '0' : c - 'A' + 10; }

int64_t number(std::string_view digits) {
  int64_t value = 0;
  for (const char c : digits) value = value * 10 + digit(c);
  return value;
}

int two(std::string_view id, size_t at) { return static_cast<int>(number(id.substr(at, 2))); }

int weighted(std::string_view id, std::initializer_list<int> weights) {
  int sum = 0;
  size_t i = 0;
  for (const int weight : weights) sum += weight * digit(id[i++]);
  return sum;
}

// The usual digit of modulus 11: 11 less the rest, and 0 for what has no digit.
int eleven(int sum) {
  const int rest = sum % 11;
  return rest < 2 ? 0 : 11 - rest;
}

// "11111111111" passes many checks and belongs to nobody.
bool one_digit(std::string_view id) {
  return id.find_first_not_of(id[0]) == std::string_view::npos;
}

// The century is not told; every fourth year of two digits may be a leap year.
bool day_valid(int year, int month, int day) {
  return date_valid(2000, month, day) && (month != 2 || day < 29 || year % 4 == 0);
}

}  // namespace

bool ar_cuit_valid(std::string_view id) {
  const int kind = two(id, 0);
  if (kind != 20 && kind != 23 && kind != 24 && kind != 27 && kind != 30 && kind != 33 &&
      kind != 34) {
    return false;
  }
  const int rest = 11 - weighted(id, {5, 4, 3, 2, 7, 6, 5, 4, 3, 2}) % 11;
  return rest != 10 && rest % 11 == digit(id[10]);
}

bool au_medicare_valid(std::string_view id) {
  return id[0] >= '2' && id[0] <= '6' && id[9] != '0' &&
         weighted(id, {1, 3, 7, 9, 1, 3, 7, 9}) % 10 == digit(id[8]);
}

bool au_tfn_valid(std::string_view id) {
  return !one_digit(id) && weighted(id, {1, 4, 3, 7, 5, 8, 6, 9, 10}) % 11 == 0;
}

bool be_register_valid(std::string_view id) {
  // Foreigners have months from 20 or 40 on, and a date may be unknown.
  const int month = two(id, 2) % 20;
  if (month > 12 || two(id, 4) > 31) return false;
  const int check = two(id, 9);
  const int64_t front = number(id.substr(0, 9));
  return check == 97 - front % 97 || check == 97 - (2'000'000'000 + front) % 97;
}

bool br_cnpj_valid(std::string_view id) {
  return !one_digit(id) &&
         eleven(weighted(id, {5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2})) == digit(id[12]) &&
         eleven(weighted(id, {6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2})) == digit(id[13]);
}

bool br_cpf_valid(std::string_view id) {
  return !one_digit(id) && eleven(weighted(id, {10, 9, 8, 7, 6, 5, 4, 3, 2})) == digit(id[9]) &&
         eleven(weighted(id, {11, 10, 9, 8, 7, 6, 5, 4, 3, 2})) == digit(id[10]);
}

bool ch_ahv_valid(std::string_view id) {
  const int sum = weighted(id, {1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1});
  return id.starts_with("756") && sum % 10 == 0;
}

bool cl_rut_valid(std::string_view id) {
  int sum = 0;
  int weight = 2;
  for (size_t i = id.size() - 1; i-- > 0;) {
    if (!is_ascii_digit(id[i])) return false;
    sum += digit(id[i]) * weight;
    weight = weight == 7 ? 2 : weight + 1;
  }
  const int check = 11 - sum % 11;
  const char expected = check == 11 ? '0' : check == 10 ? 'K' : static_cast<char>('0' + check);
  return !one_digit(id) && id.back() == expected;
}

bool de_tax_valid(std::string_view id) {
  // Of the first ten digits one stands two or three times, all others once at most.
  std::array<int, 10> times{};
  for (size_t i = 0; i < 10; ++i) ++times[static_cast<size_t>(digit(id[i]))];
  int repeated = 0;
  for (const int n : times) {
    if (n > 3) return false;
    repeated += n > 1 ? 1 : 0;
  }
  if (id[0] == '0' || repeated != 1) return false;
  int product = 10;  // ISO 7064, MOD 11,10
  for (size_t i = 0; i < 10; ++i) {
    const int sum = (digit(id[i]) + product) % 10;
    product = (sum == 0 ? 10 : sum) * 2 % 11;
  }
  return (11 - product) % 10 == digit(id[10]);
}

bool dk_cpr_shaped(std::string_view id) { return day_valid(two(id, 4), two(id, 2), two(id, 0)); }

bool dk_cpr_valid(std::string_view id) {
  return dk_cpr_shaped(id) && weighted(id, {4, 3, 2, 7, 6, 5, 4, 3, 2, 1}) % 11 == 0;
}

bool es_dni_valid(std::string_view id) {
  constexpr std::string_view kLetters = "TRWAGMYFPDXBNJZSQVHLCKE";
  const int64_t lead = id[0] < 'X' ? 0 : (id[0] - 'X') * 10'000'000;  // NIE: X, Y or Z
  if (!is_ascii_digit(id[0]) && id[0] < 'X') return false;
  const std::string_view digits = id.substr(is_ascii_digit(id[0]) ? 0 : 1);
  const int64_t value = lead + number(digits.substr(0, digits.size() - 1));
  return value != 0 && id.back() == kLetters[static_cast<size_t>(value % 23)];
}

bool fi_henkilotunnus_valid(std::string_view id) {
  constexpr std::string_view kChecks = "0123456789ABCDEFHJKLMNPRSTUVWXY";
  if (!day_valid(two(id, 4), two(id, 2), two(id, 0)) || id.substr(6, 3) < "002") return false;
  const int64_t value = number(id.substr(0, 6)) * 1000 + number(id.substr(6, 3));
  return id[9] == kChecks[static_cast<size_t>(value % 31)];
}

bool fr_nir_valid(std::string_view id) {
  const int month = two(id, 3);
  if (std::string_view("1278").find(id[0]) == std::string_view::npos || month == 0) return false;
  // Corsica: 2A counts as 19, 2B as 18.
  int64_t front = 0;
  if (id[6] == 'A' || id[6] == 'B') {
    if (id[5] != '2') return false;
    front = number(id.substr(0, 5)) * 100 + (id[6] == 'A' ? 19 : 18);
  } else if (is_ascii_digit(id[6])) {
    front = number(id.substr(0, 7));
  } else {
    return false;
  }
  front = front * 1'000'000 + number(id.substr(7, 6));
  const bool month_known = month <= 12 || (month >= 20 && month <= 42) || month >= 50;
  return month_known && 97 - front % 97 == number(id.substr(13, 2));
}

bool gb_nino_valid(std::string_view id) {
  const std::string_view prefix = id.substr(0, 2);
  for (const std::string_view unused : {"BG", "GB", "NK", "KN", "NT", "TN", "ZZ"}) {
    if (prefix == unused) return false;
  }
  constexpr std::string_view kNever = "DFIQUV";
  return kNever.find(id[0]) == std::string_view::npos &&
         kNever.find(id[1]) == std::string_view::npos && id[1] != 'O' && id[8] >= 'A' &&
         id[8] <= 'D';
}

bool il_teudat_zehut_valid(std::string_view id) { return luhn_valid(id); }

bool in_aadhaar_valid(std::string_view id) {
  // Verhoeff: the symmetries of a pentagon.
  constexpr auto multiply = [](int a, int b) {
    if (a < 5) return b < 5 ? (a + b) % 5 : (a + b - 5) % 5 + 5;
    return b < 5 ? (a - 5 - b + 5) % 5 + 5 : (a - b + 5) % 5;
  };
  constexpr std::array<int, 10> kStep = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
  int check = 0;
  for (size_t i = 0; i < id.size(); ++i) {
    int value = digit(id[id.size() - 1 - i]);
    for (size_t times = i % 8; times > 0; --times) value = kStep[static_cast<size_t>(value)];
    check = multiply(check, value);
  }
  return check == 0 && id[0] >= '2' && !one_digit(id);
}

bool in_pan_valid(std::string_view id) {
  // The fourth letter is the kind of holder.
  return std::string_view("ABCFGHJLPT").find(id[3]) != std::string_view::npos &&
         id.substr(5, 4) != "0000";
}

bool it_codice_fiscale_valid(std::string_view id) {
  constexpr std::array<int, 26> kOdd = {1,  0,  5, 7, 9, 13, 15, 17, 19, 21, 2,  4,  18,
                                        20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
  constexpr std::string_view kMonths = "ABCDEHLMPRST";
  const int day = two(id, 9);
  if (kMonths.find(id[8]) == std::string_view::npos) return false;
  if (day < 1 || day > 71 || (day > 31 && day < 41)) return false;  // women: 40 more
  int sum = 0;
  for (size_t i = 0; i < 15; ++i) {
    const int value = is_ascii_digit(id[i]) ? digit(id[i]) : id[i] - 'A';
    sum += i % 2 == 0 ? kOdd[static_cast<size_t>(value)] : value;
  }
  return id[15] == 'A' + sum % 26;
}

bool jp_my_number_valid(std::string_view id) {
  return !one_digit(id) && eleven(weighted(id, {6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2})) == digit(id[11]);
}

bool kr_rrn_valid(std::string_view id) {
  const int sum = weighted(id, {2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5});
  return id[6] >= '1' && id[6] <= '8' && day_valid(two(id, 0), two(id, 2), two(id, 4)) &&
         (11 - sum % 11) % 10 == digit(id[12]);
}

bool mx_curp_valid(std::string_view id) {
  if (!day_valid(two(id, 4), two(id, 6), two(id, 8))) return false;
  if (id[10] != 'H' && id[10] != 'M' && id[10] != 'X') return false;
  int sum = 0;
  for (size_t i = 0; i < 17; ++i) {
    const int value = value36(id[i]);
    sum += (value > 23 ? value + 1 : value) * (18 - static_cast<int>(i));  // Ñ stands behind N
  }
  return (10 - sum % 10) % 10 == digit(id[17]);
}

bool mx_rfc_valid(std::string_view id) {
  const size_t letters = id.size() - 9;  // a company has one less
  if (!day_valid(two(id, letters), two(id, letters + 2), two(id, letters + 4))) return false;
  int sum = letters == 3 ? 37 * 13 : 0;  // a blank in front
  int weight = letters == 3 ? 12 : 13;
  for (const char c : id.substr(0, id.size() - 1)) {
    const int value = value36(c);
    sum += (value > 23 ? value + 1 : value) * weight--;  // & stands behind N
  }
  const int check = 11 - sum % 11;
  const char expected = check == 11 ? '0' : check == 10 ? 'A' : static_cast<char>('0' + check);
  return id.back() == expected;
}

bool nl_bsn_valid(std::string_view id) {
  return !one_digit(id) && (weighted(id, {9, 8, 7, 6, 5, 4, 3, 2}) - digit(id[8])) % 11 == 0;
}

bool no_fodselsnummer_valid(std::string_view id) {
  const int day = two(id, 0) > 40 ? two(id, 0) - 40 : two(id, 0);  // D numbers
  if (!day_valid(two(id, 4), two(id, 2), day)) return false;
  const auto check = [](int sum) { return (11 - sum % 11) % 11; };
  return check(weighted(id, {3, 7, 6, 1, 8, 9, 4, 5, 2})) == digit(id[9]) &&
         check(weighted(id, {5, 4, 3, 2, 7, 6, 5, 4, 3, 2})) == digit(id[10]);
}

bool pl_pesel_valid(std::string_view id) {
  // The century is told by what is added to the month.
  return day_valid(two(id, 0), two(id, 2) % 20, two(id, 4)) &&
         (10 - weighted(id, {1, 3, 7, 9, 1, 3, 7, 9, 1, 3}) % 10) % 10 == digit(id[10]);
}

bool pt_nif_valid(std::string_view id) {
  return id[0] != '0' && id[0] != '4' && id[0] != '7' && !one_digit(id) &&
         eleven(weighted(id, {9, 8, 7, 6, 5, 4, 3, 2})) == digit(id[8]);
}

bool ru_inn_valid(std::string_view id) {
  if (one_digit(id)) return false;
  const auto check = [](int sum) { return sum % 11 % 10; };
  if (id.size() == 10) return check(weighted(id, {2, 4, 10, 3, 5, 9, 4, 6, 8})) == digit(id[9]);
  return check(weighted(id, {7, 2, 4, 10, 3, 5, 9, 4, 6, 8})) == digit(id[10]) &&
         check(weighted(id, {3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8})) == digit(id[11]);
}

bool ru_snils_valid(std::string_view id) {
  return !one_digit(id) && weighted(id, {9, 8, 7, 6, 5, 4, 3, 2, 1}) % 101 % 100 == two(id, 9);
}

bool se_personnummer_valid(std::string_view id) {
  if (id.size() == 12 && !id.starts_with("19") && !id.starts_with("20")) return false;
  const std::string_view short_id = id.substr(id.size() - 10);
  // Foreigners: 60 more than the day.
  const int day = two(short_id, 4) > 60 ? two(short_id, 4) - 60 : two(short_id, 4);
  return day_valid(two(short_id, 0), two(short_id, 2), day) && luhn_valid(short_id);
}

bool tr_tckn_valid(std::string_view id) {
  if (id[0] == '0') return false;
  const int odd = weighted(id, {1, 0, 1, 0, 1, 0, 1, 0, 1});
  const int even = weighted(id, {0, 1, 0, 1, 0, 1, 0, 1});
  return ((odd * 7 - even) % 10 + 10) % 10 == digit(id[9]) &&
         (odd + even + digit(id[9])) % 10 == digit(id[10]);
}

bool za_id_valid(std::string_view id) {
  return day_valid(two(id, 0), two(id, 2), two(id, 4)) && id[10] <= '2' && luhn_valid(id);
}

}  // namespace vsr::signals
