// Cards and social security numbers whose digits stand alone: "4 5 3 9 …", "4-5-3-9-…".

#include <array>

#include "signals/checksum.h"
#include "signals/scan.h"

namespace vsr::signals {

size_t read_spaced_digits(Scan& scan, size_t start) {
  constexpr size_t kCardDigitsMax = 19;
  constexpr size_t kCardDigitsMin = 13;
  constexpr size_t kSsnDigits = 9;
  constexpr size_t kNearBytes = 40;
  const char separator = scan.at(start + 1);
  if (separator != ' ' && separator != '-' && separator != '.') return 0;
  std::array<char, kCardDigitsMax> digits;
  size_t count = 0;
  size_t at = start;
  while (is_any(scan.at(at), kDigitBit) && !is_word_char(scan.at(at + 1))) {
    if (count == digits.size()) return 0;
    digits[count++] = scan.at(at);
    // Groups may stand further apart than digits: "4 5 3 9  1 4 …", "4 5 3 9 - 1 4 …".
    size_t next = at + 1;
    while (next - at <= 3 &&
           (scan.at(next) == separator || scan.at(next) == ' ' || scan.at(next) == '-')) {
      ++next;
    }
    if (next == at + 1 || !is_any(scan.at(next), kDigitBit)) break;
    at = next;
  }
  const std::string_view all(digits.data(), count);
  const size_t end = at + 1;
  if (is_word_char(scan.at(end))) return 0;
  if (count >= kCardDigitsMin && card_range_valid(all) && luhn_valid(all)) {
    scan.add(EntityType::kCard, start, end,
             scan.near(Topic::kCard, start, kNearBytes) ? 0.95 : 0.8);
    return end;
  }
  if (count == kSsnDigits && ssn_valid(all) && scan.near(Topic::kSsn, start, kNearBytes)) {
    scan.add(EntityType::kSsn, start, end, 0.9);
    return end;
  }
  return 0;
}

}  // namespace vsr::signals
