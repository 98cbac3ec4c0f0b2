// Street addresses as other countries write them: the word for "street" before the name, after it
// or grown together with it, the house number on either side, the code before or after the town.

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "signals/address_parts.h"
#include "signals/scan.h"

namespace vsr::signals {
namespace {

bool one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view known) { return iequals(word, known); });
}

constexpr size_t kWordsBackMax = 6;

// A word that makes a street of what stands beside it, on either side.
bool is_street_word(std::string_view word) {
  return one_of(
      word, {"rue",     "avenue",  "av",       "ave",      "boulevard",  "bd",         "chemin",
             "impasse", "allée",   "quai",     "cours",    "place",      "route",      "passage",
             "via",     "viale",   "piazza",   "piazzale", "corso",      "largo",      "vicolo",
             "calle",   "avenida", "avda",     "paseo",    "plaza",      "camino",     "ronda",
             "carrer",  "carrera", "cra",      "rua",      "travessa",   "praça",      "alameda",
             "estrada", "rodovia", "ul",       "ulica",    "aleja",      "al",         "aleje",
             "plac",    "pl",      "os",       "osiedle",  "utca",       "út",         "tér",
             "ulice",   "náměstí", "třída",    "strada",   "str",        "bulevardul", "cad",
             "caddesi", "sok",     "sokak",    "jl",       "jalan",      "straße",     "strasse",
             "platz",   "weg",     "allee",    "gata",     "vej",        "ул",         "улица",
             "улице",   "улицы",   "проспект", "просп",    "пр",         "пр-т",       "переулок",
             "пер",     "бульвар", "б-р",      "наб",      "набережная", "шоссе",      "площадь",
             "проезд",  "вул",     "вулиця",   "οδός"});
}

// The word for "street" is the end of the name: "Hauptstraße", "Kalverstraat", "Storgatan".
bool is_compound_street(std::string_view word) {
  constexpr size_t kStemBytesMin = 3;
  for (const std::string_view suffix :
       {"straße",   "strasse", "str",    "gasse",  "platz", "allee", "weg",   "ufer",     "damm",
        "chaussee", "straat",  "laan",   "gracht", "kade",  "plein", "dreef", "steeg",    "singel",
        "gatan",    "vägen",   "gränd",  "torget", "gata",  "veien", "vegen", "gate",     "gade",
        "vej",      "allé",    "stræde", "katu",   "tie",   "kuja",  "ring",  "promenade"}) {
    if (word.size() >= suffix.size() + kStemBytesMin &&
        iequals(word.substr(word.size() - suffix.size()), suffix)) {
      return true;
    }
  }
  return false;
}
// Suffixes that end ordinary words as well ("Spring 3", "Investigate 5", "Monitoring 24").
bool is_weak_compound(std::string_view word) {
  for (const std::string_view suffix :
       {"gate", "ring", "tie", "gata", "weg", "str", "damm", "kade"}) {
    if (word.ends_with(suffix)) return true;
  }
  return false;
}

// Names whose street word comes first may be a number: "Calle 10", "Carrera 7".
bool is_numbered_street(std::string_view word) {
  return one_of(word, {"calle", "carrera", "cra", "diagonal", "transversal"});
}

// "1052 Budapest, ", "г. Москва, ", "101000, Москва, " in front of the street.
size_t back_over_town(const Scan& scan, size_t start, bool town_first) {
  size_t best = start;
  size_t at = start;
  for (int segment = 0; segment < 3; ++segment) {
    if (at < 3 || scan.text[at - 1] != ' ' || scan.text[at - 2] != ',') break;
    size_t end = at - 2;
    size_t begin = word_start(scan.text, end);
    if (begin == end) {
      size_t code = end;
      while (code > 0 && is_any(scan.text[code - 1], kDigitBit)) --code;
      if (end - code == 6 && town_first) best = code;
      break;
    }
    if (!is_capital(scan.text.substr(begin, end - begin))) break;
    // "г. " in front of the town, or its code
    size_t lead = begin;
    if (lead > 1 && scan.text[lead - 1] == ' ') {
      size_t word_end = lead - 1;
      if (scan.text[word_end - 1] == '.') --word_end;
      const size_t word = word_start(scan.text, word_end);
      if (one_of(scan.text.substr(word, word_end - word), {"г", "город", "м", "місто", "обл"})) {
        begin = word;
        best = begin;
      } else {
        size_t code = lead - 1;
        while (code > 0 && is_any(scan.text[code - 1], kDigitBit)) --code;
        if (lead - 1 - code >= 4 && lead - 1 - code <= 6) return code;
      }
    }
    if (town_first && best > begin) best = begin;
    at = begin;
  }
  return best;
}

struct Street {
  size_t start = 0;
  bool found = false;
  bool certain = false;  // reads as an address even without a town behind it
  bool cyrillic = false;
};

// The street whose house number begins at `number`: "Via Roma 12", "ul. Długa 5", "Hauptstraße 1".
Street street_before(const Scan& scan, size_t number) {
  const std::string_view text = scan.text;
  size_t at = number;
  // What announces the number: "n° ", "No. ", "nr ", "д. "
  const auto skip_joint = [&] {
    if (at > 0 && text[at - 1] == ' ') --at;
    if (at > 0 && text[at - 1] == ',') --at;
  };
  if (at < 2) return {};
  if (text[at - 1] != ' ' && text[at - 1] != '#' && text[at - 1] != ':') return {};
  if (text[at - 1] == '#' || text[at - 1] == ':') --at;
  skip_joint();
  for (const std::string_view mark :
       {"n°",  "nº", "n.º", "N°", "No.", "No:",  "No", "no.", "nr.",  "nr",
        "Nr.", "Nr", "n.",  "д.", "дом", "буд.", "č.", "#",   "num.", "núm."}) {
    if (!text.substr(0, at).ends_with(mark)) continue;
    const size_t before = at - mark.size();
    if (before == 0 || (text[before - 1] != ' ' && text[before - 1] != ',')) continue;
    at = before;
    skip_joint();
    break;
  }
  Street street;
  bool capital = false;
  bool named_by_number = false;
  size_t words = 0;
  for (; words < kWordsBackMax; ++words) {
    size_t end = at;
    const bool dot = end > 0 && text[end - 1] == '.';
    if (dot) --end;
    size_t start = word_start(text, end);
    if (start == end) {
      // "Calle 10 # 5-23": the name is a number
      size_t digits = end;
      while (digits > 0 && is_any(text[digits - 1], kDigitBit)) --digits;
      if (digits == end || words != 0 || digits == 0 || text[digits - 1] != ' ') break;
      at = digits - 1;
      named_by_number = true;
      continue;
    }
    const std::string_view word = text.substr(start, end - start);
    if (words == 0 && is_capital(word) && is_compound_street(word)) {
      street.start = start;
      street.found = true;
      street.certain = !is_weak_compound(word) || dot;
      // "Karl-Marx-Straße" is one word; "Unter den Linden" is none of these; "Lange Straße" below.
      return street;
    }
    if (is_street_word(word)) {
      if (capital || is_numbered_street(word)) {
        street.start = start;
        street.found = true;
        street.certain = capital || named_by_number;
        street.cyrillic = static_cast<uint8_t>(word[0]) >= 0xCE;
        return street;
      }
      // The name stands in front: "Váci utca 12", "Невский проспект, 12", "Lange Straße 4"
      if (words == 0 && start > 1 && text[start - 1] == ' ') {
        size_t name = start;
        size_t begin = start;
        for (int i = 0; i < 3 && name > 1 && text[name - 1] == ' '; ++i) {
          const size_t previous = word_start(text, name - 1);
          const std::string_view one = text.substr(previous, name - 1 - previous);
          if (previous == name - 1 || !is_capital(one)) break;
          name = previous;
          begin = previous;
        }
        if (begin != start) {
          street.start = begin;
          street.found = true;
          street.cyrillic = static_cast<uint8_t>(word[0]) >= 0xCE;
          street.certain = street.cyrillic || static_cast<uint8_t>(word[0]) >= 0x80;
          return street;
        }
      }
    }
    if (is_capital(word)) {
      capital = true;
    } else if (!is_name_particle(word)) {
      break;
    }
    if (start == 0 || text[start - 1] != ' ') break;
    at = start - 1;
    if (at > 0 && text[at - 1] == ',') break;
  }
  return {};
}

// Past "rue de la Paix" behind a house number that ends at `end`; 0 if there is no such street.
size_t past_street_behind(const Scan& scan, size_t end) {
  size_t at = end;
  if (scan.at(at) == ',') ++at;
  if (scan.at(at) != ' ') return 0;
  ++at;
  size_t stop = past_word(scan.text, at);
  const std::string_view word = scan.text.substr(at, stop - at);
  if (!one_of(word, {"rue", "avenue", "av", "boulevard", "bd", "chemin", "impasse", "allée", "quai",
                     "cours", "place", "route", "passage", "square", "via", "calle", "rua", "улица",
                     "ул"})) {
    return 0;
  }
  if (scan.at(stop) == '.') ++stop;
  size_t last = 0;
  bool capital = false;
  for (int words = 0; words < 7 && scan.at(stop) == ' '; ++words) {
    const size_t start = stop + 1;
    const size_t next = past_word(scan.text, start);
    const std::string_view name = scan.text.substr(start, next - start);
    if (name.empty()) {
      const size_t digits = past_number(scan, start);  // "rue du 8 Mai 1945"
      if (digits == start || last == 0) break;
      stop = digits;
      if (digits - start == 4) last = stop;
      continue;
    }
    const bool upper = is_capital(name) || name.starts_with("l'") || name.starts_with("d'") ||
                       name.starts_with("l’") || name.starts_with("d’");
    if (!upper && !is_name_particle(name)) break;
    stop = next;
    if (upper) {
      last = stop;
      capital = true;
    }
  }
  // "12 avenue" of English text goes on otherwise.
  return capital ? last : 0;
}

// Capitalised words in front of a number: "Am Alten Markt 3", "Meir 50".
size_t plain_name_before(const Scan& scan, size_t number) {
  const std::string_view text = scan.text;
  size_t start = number;
  for (size_t words = 0; words < 4 && start > 1 && text[start - 1] == ' '; ++words) {
    const size_t word = word_start(text, start - 1);
    const std::string_view name = text.substr(word, start - 1 - word);
    const Topic topic = topic_of_word(name);
    if (name.empty() || topic == Topic::kMonth || topic == Topic::kUnit ||
        topic == Topic::kSerial) {
      break;
    }
    if (!is_capital(name) && (words == 0 || !is_name_particle(name) || word < 2)) break;
    start = word;
  }
  // A particle in lower case begins no name.
  while (start < number && !is_capital(text.substr(start, 4))) {
    start = past_word(text, start) + 1;
  }
  return std::min(start, number);
}

// ", 50667 Köln": a code that is no year, and a town.
bool code_follows(const Scan& scan, size_t end) {
  if (!scan.from(end).starts_with(", ")) return false;
  const size_t at = end + 2;
  const size_t code = past_code(scan, at);
  if (code == 0 || scan.at(code) != ' ') return false;
  const size_t town = past_town_words(scan, code + 1);
  if (town == code + 1) return false;
  // "Flat 3, 2439 Willow Road": a house number and its street
  const size_t last = word_start(scan.text, scan.text[town - 1] == '.' ? town - 1 : town);
  if (topic_of_word(scan.text.substr(last, past_word(scan.text, last) - last)) == Topic::kStreet) {
    return false;
  }
  const std::string_view digits = scan.text.substr(at, code - at);
  return digits.size() != 4 || (!digits.starts_with("19") && !digits.starts_with("20"));
}

// Most numbers stand among words in lower case, and no street does.
bool name_near(const Scan& scan, size_t start, size_t digits_end) {
  constexpr size_t kBytes = 24;
  const size_t from = start > kBytes ? start - kBytes : 0;
  const std::string_view before = scan.text.substr(from, start - from);
  const std::string_view behind = scan.from(digits_end).substr(0, kBytes);
  const auto names = [](char c) { return is_upper(c) || static_cast<uint8_t>(c) >= 0x80; };
  return std::ranges::any_of(before, names) || std::ranges::any_of(behind, names);
}

}  // namespace

size_t read_foreign_address(Scan& scan, size_t start, size_t digits_end) {
  if (!name_near(scan, start, digits_end)) return 0;
  const size_t number_end = past_house_number(scan, digits_end);
  if (is_word_char(scan.at(number_end))) return 0;
  size_t from = start;
  size_t end = 0;
  bool certain = true;
  if (const size_t street = past_street_behind(scan, number_end); street != 0) {
    end = street;
  } else if (const Street before = street_before(scan, start); before.found) {
    from = back_over_town(scan, before.start, before.cyrillic);
    certain = before.certain || from != before.start;
    end = number_end;
    // "Carrera 7 # 71-21", "Calle 10 No. 5-23"
    for (const std::string_view mark : {" # ", " #", " No. ", " No ", " N° "}) {
      if (!scan.from(end).starts_with(mark) || !is_any(scan.at(end + mark.size()), kDigitBit))
        continue;
      end = past_house_number(scan, past_number(scan, end + mark.size()));
      certain = true;
      break;
    }
  } else if (const size_t name = plain_name_before(scan, start); name != start) {
    from = name;
    end = number_end;
    if (!code_follows(scan, end)) return 0;
  } else {
    return 0;
  }
  size_t unit = past_foreign_unit(scan, end);
  for (int more = 0; more < 3 && unit != end; ++more) {
    end = unit;
    unit = past_foreign_unit(scan, end);
  }
  const size_t full = past_place(scan, end);
  if (!certain && full == end) return 0;
  scan.add(EntityType::kAddress, from, full, full != end ? 0.9 : 0.8);
  return full;
}

}  // namespace vsr::signals
