#include "signals/address_parts.h"

#include <algorithm>

#include "base/strings.h"

namespace vsr::signals {
namespace {

constexpr size_t kSegmentsMax = 4;
constexpr size_t kTownWordsMax = 4;

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view known) { return iequals(word, known); });
}

// Codes of letters and digits: "M5V 2T6", "LS1 4AB", "D02 AF30", "NSW 2000", "TX 78701".
size_t past_mixed_code(const Scan& scan, size_t at) {
  size_t end = at;
  while (is_any(scan.at(end), kUpperBit | kDigitBit) && end - at < 4) ++end;
  const size_t first = end - at;
  if (first < 2 || !is_upper(scan.at(at)) || scan.at(end) != ' ') return 0;
  size_t stop = end + 1;
  size_t letters = 0, digits = 0;
  while (is_any(scan.at(stop), kUpperBit | kDigitBit)) {
    (is_upper(scan.at(stop)) ? letters : digits) += 1;
    ++stop;
  }
  if (is_word_char(scan.at(stop)) || digits == 0) return 0;
  const bool state = past_number(scan, at) == at &&
                     std::ranges::none_of(scan.text.substr(at, first),
                                          [](char c) { return is_any(c, kDigitBit); });
  if (state) {
    if (letters == 0 && (digits == 4 || digits == 5)) return stop;
    // "ON M5V 2T6"
    return past_mixed_code(scan, end + 1);
  }
  return stop - end - 1 == 3 || stop - end - 1 == 4 ? stop : 0;
}

// What may stand behind a town: " Cedex 08", " (MI)", " - SP", " 1" of a district.
size_t past_town_tail(const Scan& scan, size_t end) {
  const std::string_view rest = scan.from(end);
  if (rest.starts_with(" Cedex") || rest.starts_with(" CEDEX")) {
    size_t at = end + 6;
    if (scan.at(at) == ' ' && is_any(scan.at(at + 1), kDigitBit)) at = past_number(scan, at + 1);
    return at;
  }
  if (rest.starts_with(" (")) {
    size_t at = end + 2;
    while (is_upper(scan.at(at))) ++at;
    if (scan.at(at) == ')' && at - end <= 5 && at - end > 3) return at + 1;
  }
  for (const std::string_view joint : {" - ", " – ", "/", "-", ", "}) {
    if (!rest.starts_with(joint)) continue;
    const size_t at = end + joint.size();
    if (is_upper(scan.at(at)) && is_upper(scan.at(at + 1)) && !is_word_char(scan.at(at + 2)) &&
        joint != "-") {
      return at + 2;
    }
  }
  if (scan.at(end) == ' ' && is_any(scan.at(end + 1), kDigitBit)) {
    const size_t at = past_number(scan, end + 1);
    if (at - end <= 3 && !is_word_char(scan.at(at)) && scan.at(at) != '.' && scan.at(at) != '-' &&
        scan.at(at) != ':') {
      return at;
    }
  }
  return end;
}

size_t past_joint(const Scan& scan, size_t end) {
  for (const std::string_view joint : {", ", "\n", " - ", " – ", " "}) {
    if (scan.from(end).starts_with(joint)) return end + joint.size();
  }
  return end;
}

}  // namespace

// Letters of any alphabet; marks of the general punctuation block and no-break spaces are none.
bool is_letter_at(std::string_view text, size_t at) {
  if (at >= text.size()) return false;
  const auto c = static_cast<uint8_t>(text[at]);
  if (c < 0x80) return is_any(text[at], kLetterBits);
  if (c == 0xC2) return false;
  if (c == 0xE2 && at + 1 < text.size() && static_cast<uint8_t>(text[at + 1]) == 0x80) return false;
  return true;
}

size_t past_word(std::string_view text, size_t at) {
  while (at < text.size()) {
    if (is_letter_at(text, at)) {
      const auto c = static_cast<uint8_t>(text[at]);
      at += c < 0xC0 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
      continue;
    }
    const bool joins = text[at] == '-' || text[at] == '\'';
    const size_t mark = joins ? 1 : text.substr(at).starts_with("’") ? 3 : 0;
    if (mark == 0 || !is_letter_at(text, at + mark)) break;
    at += mark;
  }
  return std::min(at, text.size());
}

// Where the word that ends at `end` begins; `end` if there is none.
size_t word_start(std::string_view text, size_t end) {
  size_t at = end;
  while (at > 0) {
    const auto c = static_cast<uint8_t>(text[at - 1]);
    if (c < 0x80) {
      const bool joins = (c == '-' || c == '\'') && at < end;
      if (!is_any(text[at - 1], kLetterBits) && !joins) break;
      --at;
      continue;
    }
    size_t first = at - 1;
    while (first > 0 && at - first < 4 && (static_cast<uint8_t>(text[first]) & 0xC0) == 0x80)
      --first;
    if (!is_letter_at(text, first) && !text.substr(first).starts_with("’")) break;
    at = first;
  }
  while (at < end && (text[at] == '-' || text[at] == '\'')) ++at;
  return at;
}

bool is_capital(std::string_view word) {
  if (word.empty()) return false;
  const auto first = static_cast<uint8_t>(word[0]);
  if (first < 0x80) return is_upper(word[0]);
  if (word.size() < 2) return false;
  const auto second = static_cast<uint8_t>(word[1]);
  if (first == 0xC3) return second < 0x9F;
  if (first == 0xC4 || first == 0xC5)
    return (second & 1) == (first == 0xC5 && second > 0xB8 ? 1 : 0);
  if (first == 0xCE) return second < 0xAA;
  return first == 0xD0 && second < 0xB0;
}

bool is_name_particle(std::string_view word) {
  return one_of(word,
                {"de",  "la",   "du",  "des",  "del",  "della", "dei", "degli", "delle", "dello",
                 "di",  "da",   "do",  "das",  "dos",  "von",   "der", "den",   "dem",   "van",
                 "zur", "zum",  "am",  "an",   "im",   "le",    "les", "los",   "las",   "el",
                 "y",   "e",    "und", "sur",  "sous", "aux",   "in",  "ob",    "nad",   "św",
                 "gen", "kard", "ks",  "prof", "dr",   "im",    "von", "op",    "het",   "'t",
                 "à",   "na",   "al",  "i",    "saint"}) ||
         word.starts_with("d'") || word.starts_with("l'") || word.starts_with("dell'") ||
         word.starts_with("d’") || word.starts_with("l’") || word.starts_with("dell’");
}

size_t past_number(const Scan& scan, size_t at) {
  while (is_any(scan.at(at), kDigitBit)) ++at;
  return at;
}

// "12b", "12 bis", "12-14", "12/3", "12 B", " # 71-21" behind the first digits of a house number.
size_t past_house_number(const Scan& scan, size_t end) {
  size_t at = end;
  if (is_any(scan.at(at), kLetterBits) && !is_word_char(scan.at(at + 1))) ++at;
  for (int part = 0; part < 3; ++part) {
    if ((scan.at(at) == '-' || scan.at(at) == '/') && is_any(scan.at(at + 1), kAlnumBits)) {
      size_t stop = past_number(scan, at + 1);
      if (is_any(scan.at(stop), kLetterBits) && !is_word_char(scan.at(stop + 1))) ++stop;
      if (stop == at + 1 || is_word_char(scan.at(stop)) || stop - at > 6) break;
      at = stop;
    }
  }
  for (const std::string_view more : {" bis", " ter", " quater"}) {
    if (scan.from(at).starts_with(more) && !is_word_char(scan.at(at + more.size())))
      return at + more.size();
  }
  if (scan.at(at) == ' ' && is_upper(scan.at(at + 1)) &&
      (scan.at(at + 2) == ',' || scan.at(at + 2) == '\n' || scan.at(at + 2) == '\0')) {
    return at + 2;
  }
  return at;
}

// A postal code at `at`, 0 if there is none; `alone` if it tells by itself that an address ends.
size_t past_code(const Scan& scan, size_t at) {
  size_t start = at;
  // D-10115, CH-8001
  for (const std::string_view country : {"D-", "A-", "CH-", "F-", "B-", "L-", "I-", "E-", "SE-",
                                         "DK-", "FI-", "LT-", "LV-", "HR-"}) {
    if (scan.from(at).starts_with(country)) start = at + country.size();
  }
  size_t end = past_number(scan, start);
  const size_t digits = end - start;
  const auto more = [&](size_t from, size_t count) {
    const size_t stop = past_number(scan, from);
    return stop - from == count && !is_word_char(scan.at(stop)) ? stop : 0;
  };
  const char mark = scan.at(end);
  if (mark == '-') {
    if (digits == 2 || digits == 5 || digits == 4) {  // 00-950, 01310-100, 1200-109
      if (const size_t stop = more(end + 1, 3); stop != 0) return stop;
    }
    if (digits == 3) {
      if (const size_t stop = more(end + 1, 4); stop != 0) return stop;  // 150-0001
    }
    return 0;
  }
  if (digits == 3 && mark == ' ') {  // 111 22
    if (const size_t stop = more(end + 1, 2); stop != 0) return stop;
    if (const size_t stop = more(end + 1, 3); stop != 0) return stop;  // 560 001
  }
  if (digits == 4 && mark == ' ' && is_upper(scan.at(end + 1)) && is_upper(scan.at(end + 2)) &&
      !is_word_char(scan.at(end + 3))) {  // 1012 AB
    return end + 3;
  }
  return digits >= 4 && digits <= 6 && !is_word_char(mark) ? end : 0;
}

// Past the capitalised words of a town at `at`; `at` if there are none.
size_t past_town_words(const Scan& scan, size_t at) {
  size_t end = at;
  for (size_t words = 0; words < kTownWordsMax; ++words) {
    const size_t start = end == at ? at : end + 1;
    if (end != at && scan.at(end) != ' ') break;
    size_t stop = past_word(scan.text, start);
    const std::string_view word = scan.text.substr(start, stop - start);
    if (word.empty()) break;
    if (is_capital(word)) {
      end = stop;
      if (scan.at(end) == '.' && word.size() <= 3) ++end;  // "St. Gallen", "Co. Cork"
      continue;
    }
    // "Frankfurt am Main", "Rio de Janeiro"
    if (end == at || !is_name_particle(word) || scan.at(stop) != ' ' ||
        !is_capital(scan.text.substr(stop + 1, 4))) {
      break;
    }
    const size_t name = past_word(scan.text, stop + 1);
    end = name;
  }
  return end;
}

// ", 3º B", ", Apto 45", ", Top 5", ", кв. 12", ", 2. tv": short and with a digit or a word for it.
size_t past_foreign_unit(const Scan& scan, size_t end) {
  constexpr size_t kUnitBytesMax = 20;
  const std::string_view rest = scan.from(end);
  if (!rest.starts_with(", ") && !rest.starts_with(" ")) return end;
  const size_t start = end + (rest[0] == ',' ? 2 : 1);
  const size_t word_end = past_word(scan.text, start);
  const std::string_view word = scan.text.substr(start, word_end - start);
  size_t at = start;
  const bool named = one_of(
      word,
      {"appt",  "appartement", "apt",    "apto",      "ap",       "apartamento", "piso",  "puerta",
       "esc",   "escalera",    "bât",    "bat",       "bâtiment", "étage",       "int",   "interno",
       "scala", "lok",         "m",      "kv",        "кв",       "квартира",    "д",     "дом",
       "корп",  "корпус",      "к",      "стр",       "строение", "офис",        "эт",    "wohnung",
       "whg",   "top",         "stiege", "unit",      "suite",    "flat",        "floor", "bloco",
       "bl",    "sala",        "andar",  "casa",      "depto",    "dpto",        "dep",   "int",
       "буд",   "no",          "nr",     "apartment", "lgh",      "bus",         "daire", "kat"});
  if (named) {
    at = word_end;
    if (scan.at(at) == '.') ++at;
    if (scan.at(at) == ' ' || scan.at(at) == ':') ++at;
    const size_t value = at;
    while (is_alnum(scan.at(at))) ++at;
    return at > value && at - value <= 5 ? past_house_number(scan, at) : end;
  }
  if (rest[0] != ',' || !is_any(scan.at(start), kDigitBit)) return end;
  // "3º B", "2. tv", "1. OG", "4th floor": up to the next comma
  at = past_number(scan, start);
  if (at - start > 2) return end;
  const std::string_view behind = scan.from(at);
  if (!behind.starts_with("º") && !behind.starts_with("ª") && !behind.starts_with("°") &&
      !behind.starts_with(".") && !behind.starts_with("e ") && !behind.starts_with("er ") &&
      !behind.starts_with("th ") && !behind.starts_with("nd ")) {
    return end;
  }
  size_t stop = at;
  while (stop < scan.text.size() && stop - start < kUnitBytesMax && scan.text[stop] != ',' &&
         scan.text[stop] != '\n') {
    if (scan.text[stop] == '.' && stop != at && scan.at(stop + 1) == ' ') break;
    ++stop;
  }
  return scan.at(stop) == ',' ? stop : end;
}

size_t past_place(const Scan& scan, size_t end) {
  // Code first.
  const size_t first = past_joint(scan, end);
  if (first != end) {
    if (const size_t code = past_code(scan, first); code != 0 && scan.at(code) == ' ') {
      const size_t town = past_town_words(scan, code + 1);
      if (town != code + 1) return past_town_tail(scan, town);
    }
  }
  // Towns and districts, as long as a code ends them.
  size_t at = end;
  for (size_t segment = 0; segment < kSegmentsMax; ++segment) {
    const size_t start = past_joint(scan, at);
    if (start == at) break;
    const bool blank = start == at + 1 && scan.at(at) == ' ';
    if (blank && segment == 0) break;
    if (segment > 0) {
      if (const size_t code = past_mixed_code(scan, start); code != 0) return code;
      if (const size_t code = past_code(scan, start); code != 0) {
        // The code of the next town: "…, Bela Vista, 01310-100 São Paulo"
        const size_t town = scan.at(code) == ' ' ? past_town_words(scan, code + 1) : code;
        return town != code + 1 && scan.at(code) == ' ' ? past_town_tail(scan, town) : code;
      }
    }
    size_t town = past_town_words(scan, start);
    if (town == start || blank) break;
    // "Dublin 2", "Austin TX 78701", "Mumbai 400053"
    if (scan.at(town) == ' ') {
      if (const size_t code = past_code(scan, town + 1); code != 0) return code;
      if (const size_t code = past_mixed_code(scan, town + 1); code != 0) return code;
    }
    for (size_t back = town; back > start;) {  // a state that was read as a word of the town
      const size_t state = word_start(scan.text, back);
      if (state == back || state <= start) break;
      if (const size_t code = past_mixed_code(scan, state); code != 0) return code;
      break;
    }
    at = past_town_tail(scan, town);
  }
  return end;
}

}  // namespace vsr::signals
