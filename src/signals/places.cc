// Street addresses and number plates.

#include <algorithm>

#include "base/strings.h"
#include "signals/scan.h"
#include "text/utf8.h"

namespace vsr::signals {
namespace {

constexpr size_t kNearBytes = 40;

size_t past_digits(const Scan& scan, size_t at) {
  while (is_any(scan.at(at), kDigitBit)) ++at;
  return at;
}

size_t past_letters(const Scan& scan, size_t at) {
  while (is_any(scan.at(at), kLetterBits) ||
         (scan.at(at) == '\'' && is_any(scan.at(at + 1), kLetterBits))) {
    ++at;
  }
  return at;
}

// Suffixes that are everyday words as well ("3 Google Drive folders").
bool is_ambiguous_suffix(std::string_view word) {
  for (const std::string_view known :
       {"drive", "way", "place", "court", "square", "close", "circle", "row", "grove", "dr", "st",
        "ct", "pl", "gardens", "highway", "terrace"}) {
    if (iequals(word, known)) return true;
  }
  return false;
}

// "Flat 24, " before the house number: where the address begins.
size_t back_over_unit(const Scan& scan, size_t start) {
  size_t at = start;
  if (at < 2 || scan.text[at - 1] != ' ' || scan.text[at - 2] != ',') return start;
  at -= 2;
  const size_t number_end = at;
  while (at > 0 && is_alnum(scan.text[at - 1])) --at;
  if (at == number_end || number_end - at > 5 || at == 0 || scan.text[at - 1] != ' ') return start;
  size_t word = at - 1;
  const size_t word_end = word;
  while (word > 0 && is_any(scan.text[word - 1], kLetterBits)) --word;
  return topic_of_word(scan.text.substr(word, word_end - word)) == Topic::kUnit ? word : start;
}

// ", Unit C", " Apt. 12"
size_t past_unit(const Scan& scan, size_t end) {
  size_t word = end;
  while (scan.at(word) == ',' || scan.at(word) == ' ') ++word;
  if (word == end || word - end > 2) return end;
  const size_t word_end = past_letters(scan, word);
  if (topic_of_word(scan.text.substr(word, word_end - word)) != Topic::kUnit) return end;
  size_t at = word_end;
  if (scan.at(at) == '.') ++at;
  if (scan.at(at) != ' ') return end;
  const size_t start = at + 1;
  at = start;
  while (is_alnum(scan.at(at))) ++at;
  return at > start && at - start <= 5 ? at : end;
}

// "LS1 4AB" at `at`, 0 if there is none.
size_t past_uk_postcode(const Scan& scan, size_t at) {
  size_t end = at;
  while (is_upper(scan.at(end))) ++end;
  if (end == at || end - at > 2 || !is_any(scan.at(end), kDigitBit)) return 0;
  while (is_any(scan.at(end), kUpperBit | kDigitBit) && end - at < 5) ++end;
  if (scan.at(end) != ' ' || !is_any(scan.at(end + 1), kDigitBit) || !is_upper(scan.at(end + 2)) ||
      !is_upper(scan.at(end + 3)) || is_word_char(scan.at(end + 4))) {
    return 0;
  }
  return end + 4;
}

// ", Osaka 32572", ", Leeds LS1 4AB", ", Austin, TX 78701": only with a code at the end.
size_t past_town(const Scan& scan, size_t end) {
  if (!scan.from(end).starts_with(", ")) return end;
  size_t at = end + 2;
  for (int words = 0; words < 3; ++words) {
    if (!is_upper(scan.at(at))) return end;
    if (const size_t code = past_uk_postcode(scan, at); code != 0 && words > 0) return code;
    const size_t word_end = past_letters(scan, at);
    if (word_end == at) return end;
    at = word_end;
    if (scan.at(at) == ',') ++at;
    if (scan.at(at) != ' ') return end;
    ++at;
    const size_t code = past_digits(scan, at);
    if (code - at >= 4 && code - at <= 6 && !is_word_char(scan.at(code))) return code;
  }
  return end;
}

}  // namespace

size_t read_address(Scan& scan, size_t start, size_t digits_end) {
  constexpr int kStreetWordsMax = 5;
  size_t at = digits_end;
  size_t end = 0;
  bool ambiguous = false;
  for (int words = 0; words < kStreetWordsMax && scan.at(at) == ' ' && is_upper(scan.at(at + 1));
       ++words) {
    const size_t word = at + 1;
    at = past_letters(scan, word);
    const std::string_view text = scan.text.substr(word, at - word);
    if (words > 0 && topic_of_word(text) == Topic::kStreet) {
      end = at;
      ambiguous = is_ambiguous_suffix(text);
      break;
    }
    if (scan.at(at) == '.') ++at;  // "St. James Road"
  }
  if (end == 0) return read_foreign_address(scan, start, digits_end);
  const size_t from = back_over_unit(scan, start);
  const size_t number_bytes = digits_end - start;
  const size_t unit = past_unit(scan, end);
  const size_t full = std::max(past_town(scan, unit), past_place(scan, unit));
  const bool certain = !ambiguous || full != end || from != start || number_bytes >= 3 ||
                       scan.near(Topic::kAddress, start, kNearBytes);
  // "Is 10 Long Lane a sequel?": a film; people live at a number.
  const bool bare = full == end && from == start && number_bytes < 3;
  if (bare && ends_any(scan.text.substr(0, start), {" in ", "In ", "Is "})) return 0;
  const bool goes_on = scan.at(full) == ' ' && is_any(scan.at(full + 1), kLowerBit);
  if (!certain && goes_on) return 0;
  scan.add(EntityType::kAddress, from, full, 0.85);
  return full;
}

size_t read_cjk_address(Scan& scan, size_t digits, size_t hao) {
  constexpr size_t kBackBytesMax = 90;  // thirty characters
  constexpr std::string_view kHao = "号";
  const std::string_view text = scan.text;
  if (!ends_any(text.substr(0, digits), {"路", "街", "道", "巷", "弄", "胡同", "里", "村", "段"})) {
    return 0;
  }
  // Back over the characters in front of the number, to a mark or a word that announces an address.
  size_t start = digits;
  while (start >= 3 && digits - start < kBackBytesMax) {
    size_t next = start - 3;
    const char32_t c = text::next_code_point(text, next);
    if (next != start || c < 0x4E00 || c > 0x9FFF) break;
    if (ends_any(text.substr(0, start),
                 {"地址", "住址", "住在", "寄到", "送到", "寄给", "停在", "位于", "家住", "地址是",
                  "地址为", "是", "到", "在", "住"})) {
      break;
    }
    start -= 3;
  }
  if (digits - start < 9) return 0;
  size_t end = hao + kHao.size();
  // 院, 11栋, 1584室, 4单元561
  size_t used = 0;
  if (starts_any(text.substr(end), {"院", "楼", "大院"}, used)) end += used;
  for (int parts = 0; parts < 4; ++parts) {
    const size_t number = past_digits(scan, end);
    if (number == end) break;
    if (starts_any(
            text.substr(number),
            {"号楼", "单元", "栋", "幢", "楼", "层", "室", "号", "座", "房", "樓", "號", "棟"},
            used)) {
      end = number + used;
    } else if (parts > 0) {
      end = number;
      break;
    } else {
      break;
    }
  }
  scan.add(EntityType::kAddress, start, end, 0.85);
  return end;
}

size_t read_cjk_plate(Scan& scan, size_t start) {
  size_t used = 0;
  if (!starts_any(scan.from(start),
                  {"京", "沪", "津", "渝", "冀", "豫", "云", "辽", "黑", "湘", "皖",
                   "鲁", "新", "苏", "浙", "赣", "鄂", "桂", "甘", "晋", "蒙", "陕",
                   "吉", "闽", "贵", "粤", "青", "藏", "川", "宁", "琼"},
                  used) ||
      !is_upper(scan.at(start + used))) {
    return 0;
  }
  size_t end = start + used + 1;
  if (scan.from(end).starts_with("·")) end += 2;
  const size_t code = end;
  size_t digits = 0;
  while (is_any(scan.at(end), kUpperBit | kDigitBit)) {
    digits += is_any(scan.text[end], kDigitBit) ? 1 : 0;
    ++end;
  }
  if (end - code < 5 || end - code > 6 || digits == 0 || is_word_char(scan.at(end))) return 0;
  scan.add(EntityType::kPlate, start, end, 0.85);
  return end;
}

}  // namespace vsr::signals
