#pragma once

// Check digits and other arithmetic by which an identifier proves to be one. Pure.

#include <string_view>

namespace vsr::signals {

// All take digits only (letters where said), without separators.
bool luhn_valid(std::string_view digits);
// A length and a leading range that a card network issues; Luhn is checked apart.
bool card_range_valid(std::string_view digits);
// Letters in any case; the length of the country, if known, and mod 97 = 1.
bool iban_valid(std::string_view text);
// The length of an IBAN of that country, 0 if there is none.
int iban_length(std::string_view country);
// 17 digits and a check character 0-9 or X (GB 11643): region, date and check.
bool cn_id_valid(std::string_view text);
// The same without the check character: for numbers named as ids that were mistyped.
bool cn_id_shaped(std::string_view text);
bool nhs_valid(std::string_view digits);
// Nine digits that the United States may issue as a social security number.
bool ssn_valid(std::string_view digits);
bool date_valid(int year, int month, int day);

}  // namespace vsr::signals
