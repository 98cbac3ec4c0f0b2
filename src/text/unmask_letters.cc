// Views of words that are written with marks between their letters or with digits for letters.

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <vector>

#include "text/common_words.h"
#include "text/script.h"
#include "text/unmask_view.h"
#include "text/utf8.h"

namespace vsr::text {
namespace {

// One letter or Han character that stands alone, and the gap before it.
struct Unit {
  size_t begin;
  size_t end;
  bool opens_word;
};

constexpr size_t kGapBytesMax = 6;
constexpr size_t kUnitsMax = 512;

bool is_alnum(char c) { return is_letter(c) || is_digit(c); }

// A letter alone at `at`: its end, or 0.
size_t unit_end(std::string_view text, size_t at, bool& is_han) {
  size_t end = at;
  const char32_t c = next_code_point(text, end);
  is_han = c >= 0x4E00 && c <= 0x9FFF;
  if (!is_han && !(c < 0x80 && is_letter(static_cast<char>(c)))) return 0;
  if (end == text.size()) return end;
  size_t next = end;
  const char32_t behind = next_code_point(text, next);
  return behind == '_' || behind == '\'' || !is_word(behind) ? end : 0;
}

bool is_gap(std::string_view gap) {
  if (gap.empty() || gap.size() > kGapBytesMax) return false;
  constexpr std::string_view marks = " .-_*/|~+'\t\n";
  if (gap.find_first_not_of(marks) == std::string_view::npos) return true;
  return gap == "·" || gap == "•" || gap == "　" || gap == "・";
}

// The letters from `at` on that stand alone with the same mark between them; another gap parts
// words. Returns where the last one ends.
size_t collect_units(std::string_view text, size_t at, std::vector<Unit>& units) {
  units.clear();
  bool is_han = false;
  size_t end = unit_end(text, at, is_han);
  if (end == 0) return 0;
  units.push_back({at, end, true});
  std::string_view first_gap;
  while (units.size() < kUnitsMax) {
    size_t next = end;
    while (next < text.size() && next - end <= kGapBytesMax && !is_alnum(text[next])) {
      size_t after = next;
      const char32_t c = next_code_point(text, after);
      if (c >= 0x80 && is_word(c)) break;
      next = after;
    }
    const std::string_view gap = text.substr(end, next - end);
    if (next >= text.size() || !is_gap(gap)) break;
    if (first_gap.empty()) {
      if (gap == "'" || (gap.size() != 1 && static_cast<uint8_t>(gap[0]) < 0x80)) break;
      first_gap = gap;
    }
    // The run proper begins behind a letter that stands alone by chance.
    const bool is_blank = gap.find_first_not_of(" \t\n") == std::string_view::npos;
    if (units.size() == 2 && gap != first_gap && !is_blank) break;
    bool and_han = false;
    const size_t next_end = unit_end(text, next, and_han);
    if (next_end == 0 || and_han != is_han) break;
    const bool opens_word = gap != first_gap && gap.find('\'') == std::string_view::npos;
    units.push_back({next, next_end, opens_word});
    end = next_end;
  }
  return end;
}

struct Cover {
  size_t all = 0;      // letters that common words cover
  size_t in_long = 0;  // those of three letters or more
};

// Cuts a run of letters into common words, preferring long ones: `cuts` gets where they begin.
Cover segment(std::string_view letters, std::vector<bool>& cuts) {
  struct Best {
    size_t value = 0;
    size_t from = 0;
  };
  std::vector<Best> best(letters.size() + 1);
  for (size_t end = 1; end <= letters.size(); ++end) {
    best[end] = {best[end - 1].value, end - 1};
    uint64_t key = 0;
    for (size_t length = 1; length <= std::min<size_t>(end, kWordKeyLettersMax); ++length) {
      key |= letter_number(letters[end - length]) << (5 * (length - 1));
      if (length < 2 || !is_common_word(key)) continue;
      const size_t value = best[end - length].value + length * length;
      if (value > best[end].value) best[end] = {value, end - length};
    }
  }
  cuts.assign(letters.size(), false);
  Cover cover;
  for (size_t end = letters.size(); end > 0; end = best[end].from) {
    const size_t from = best[end].from;
    const size_t length = end - from;
    if (length > 1) cover.all += length;
    if (length > 2) cover.in_long += length;
    // Letters that belong to no word stay together; one of them alone is the end of the word before
    // it, unless it is a word itself.
    const bool is_alone = end == letters.size() || cuts[end];
    const bool is_word = std::string_view("aAiI").find(letters[from]) != std::string_view::npos;
    if (length > 1 || from == 0 || (from - best[from].from > 1 && (!is_alone || is_word))) {
      cuts[from] = true;
    }
  }
  return cover;
}

// The order of the alphabet, as in a list of points.
bool is_alphabetical(std::string_view letters) {
  size_t steps = 0;
  for (size_t i = 1; i < letters.size(); ++i) steps += letters[i] - letters[i - 1] == 1;
  return 2 * steps >= letters.size();
}

bool is_pronounceable(std::string_view letters) {
  const auto vowels = static_cast<size_t>(std::ranges::count_if(letters, is_vowel));
  return 5 * vowels >= letters.size() && 3 * vowels <= 2 * letters.size();
}

// Few letters in any order, as in a sequence of bases.
bool is_monotonous(std::string_view letters) {
  constexpr int kLettersMax = 4;
  uint32_t seen = 0;
  for (const char c : letters) seen |= 1u << letter_number(c);
  return std::popcount(seen) <= kLettersMax;
}

bool join_latin(std::string_view text, const std::vector<Unit>& units, ViewBuilder& view) {
  std::string letters;
  std::vector<bool> cuts(units.size());
  std::vector<bool> word_cuts;
  Cover covered;
  for (size_t begin = 0; begin < units.size();) {
    size_t end = begin + 1;
    while (end < units.size() && !units[end].opens_word) ++end;
    std::string word;
    for (size_t i = begin; i < end; ++i) word.push_back(text[units[i].begin]);
    const Cover known = segment(word, word_cuts);
    const bool is_cut = 5 * known.all >= 3 * word.size() && 5 * known.in_long >= 2 * word.size();
    cuts[begin] = true;
    for (size_t i = begin; i < end && is_cut; ++i) cuts[i] = cuts[i] || word_cuts[i - begin];
    covered.all += known.all;
    covered.in_long += known.in_long;
    letters += word;
    begin = end;
  }
  const bool is_known = letters.size() >= 4 && 5 * covered.all >= 3 * letters.size() &&
                        5 * covered.in_long >= 2 * letters.size();
  if (is_alphabetical(letters)) return false;
  if (!is_known && (letters.size() < 6 || !is_pronounceable(letters) || is_monotonous(letters))) {
    return false;
  }
  for (size_t i = 1; i < units.size(); ++i) {
    const std::string_view gap = text.substr(units[i - 1].end, units[i].begin - units[i - 1].end);
    const bool has_apostrophe = gap.find('\'') != std::string_view::npos;
    view.replace(units[i - 1].end, units[i].begin, has_apostrophe ? "'" : cuts[i] ? " " : "");
  }
  return true;
}

bool join_han(const std::vector<Unit>& units, ViewBuilder& view) {
  constexpr size_t kHanMin = 5;
  if (units.size() < kHanMin) return false;
  for (size_t i = 1; i < units.size(); ++i) view.drop(units[i - 1].end, units[i].begin);
  return true;
}

// ig-nore, ig.no.re, ig-⏎nore: a common word with marks inside whose parts are no words. Returns
// where it ends, or 0.
size_t join_parts(std::string_view text, size_t at, ViewBuilder& view) {
  constexpr size_t kJoinedMin = 5;
  constexpr std::string_view marks = "-._*|~+";
  std::array<Range, kWordKeyLettersMax> parts;
  size_t count = 0;
  size_t letters = 0;
  uint64_t key = 0;
  bool are_words = true;
  bool has_single = false;
  Range best;
  while (at < text.size() && count < parts.size()) {
    size_t end = at;
    while (end < text.size() && is_letter(text[end])) ++end;
    letters += end - at;
    if (end == at || letters > kWordKeyLettersMax) break;
    uint64_t own = 0;
    for (size_t i = at; i < end; ++i) {
      own = own << 5 | letter_number(text[i]);
      key = key << 5 | letter_number(text[i]);
    }
    are_words &= is_common_word(own);
    has_single |= end - at == 1;
    parts[count++] = {at, end};
    const bool goes_on = end < text.size() && marks.find(text[end]) != std::string_view::npos;
    const bool is_whole = end == text.size() || !is_digit(text[end]);
    // e-mail is no mask.
    if (count > (has_single ? 2 : 1) && is_whole && letters >= kJoinedMin && !are_words &&
        is_common_word(key)) {
      best = {count, end};
    }
    if (!goes_on) break;
    at = end + 1;
    if (text[end] == '-' && at < text.size() && text[at] == '\n') ++at;
  }
  for (size_t i = 1; i < best.begin; ++i) view.drop(parts[i - 1].end, parts[i].begin);
  return best.end;
}

char leet_letter(char c, char one) {
  switch (c) {
    case '0':
      return 'o';
    case '1':
      return one;
    case '3':
      return 'e';
    case '4':
    case '@':
      return 'a';
    case '5':
    case '$':
      return 's';
    case '7':
      return 't';
    default:
      return is_letter(c) ? c : '\0';
  }
}

bool is_leet_char(char c) { return is_alnum(c) || c == '@' || c == '$'; }

// What a token with digits reads as, empty if it is none; `weight` tells how sure that is.
std::string leet_word(std::string_view token, int& weight) {
  constexpr size_t kTokenMax = 24;
  weight = 0;
  if (token.size() < 3 || token.size() > kTokenMax) return {};
  size_t letters = 0;
  size_t inside = 0;  // digits between letters
  size_t last_letter = 0;
  size_t marks = 0;
  for (size_t i = 0; i < token.size(); ++i) {
    if (leet_letter(token[i], 'i') == 0) return {};
    if (is_letter(token[i])) {
      ++letters;
      last_letter = i;
    } else {
      marks += !is_digit(token[i]);
      inside += i > 0 && is_letter(token[i - 1]) && i + 1 < token.size() && is_letter(token[i + 1]);
    }
  }
  const size_t digits = token.size() - letters;
  if (letters < digits || digits == 0) return {};
  // user5 is a name with a number, $end is a variable and @nd a handle.
  if (last_letter + digits + 1 == token.size() || last_letter + 1 == letters) return {};
  if (marks == digits && !is_letter(token[0]) && digits == 1) return {};
  constexpr std::string_view ordinals[] = {"st", "nd", "rd", "th"};
  if (letters == 2 && std::ranges::find(ordinals, token.substr(digits)) != std::end(ordinals)) {
    return {};
  }
  std::string word;
  for (const char one : {'i', 'l'}) {
    std::string reading;
    for (const char c : token) reading.push_back(leet_letter(c, one));
    if (is_common_word(word_key(reading))) {
      weight = token.size() >= 4 ? 3 : 2;
      return reading;
    }
    if (word.empty()) word = std::move(reading);
  }
  const bool is_hex = std::ranges::all_of(token, [](char c) { return hex_value(c) >= 0; });
  const bool is_lower =
      std::ranges::none_of(token.substr(1), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (token.size() >= 5 && inside > 0 && marks == 0 && letters >= 2 && !is_hex && is_lower &&
      is_pronounceable(word)) {
    weight = 1;
    return word;
  }
  return {};
}

}  // namespace

std::optional<View> letters_joined(std::string_view text) {
  ViewBuilder view(text);
  std::vector<Unit> units;
  for (size_t at = 0; at < text.size();) {
    const bool is_ascii = static_cast<uint8_t>(text[at]) < 0x80;
    if (is_ascii && !is_letter(text[at])) {
      ++at;
      continue;
    }
    size_t end = collect_units(text, at, units);
    if (units.size() >= 4 && end != 0) {
      if (is_ascii ? join_latin(text, units, view) : join_han(units, view)) {
        at = end;
        continue;
      }
    }
    if (!is_ascii) {
      next_code_point(text, at);
      continue;
    }
    end = join_parts(text, at, view);
    if (end == 0) {
      for (end = at; end < text.size() && is_alnum(text[end]);) ++end;
      // The parts of one chain are tried once.
      if (units.size() >= 4) end = std::max(end, units.back().end);
    }
    at = end;
  }
  return std::move(view).finish(Technique::kSpaced);
}

std::optional<View> leet_replaced(std::string_view text) {
  constexpr int kWeightMin = 3;
  ViewBuilder view(text);
  int sum = 0;
  std::string last;
  for (size_t at = 0; at < text.size();) {
    if (!is_leet_char(text[at])) {
      ++at;
      continue;
    }
    const size_t begin = at;
    bool has_letter = false;
    bool has_other = false;
    for (; at < text.size() && is_leet_char(text[at]); ++at) {
      has_letter |= is_letter(text[at]);
      has_other |= !is_letter(text[at]);
    }
    if (!has_letter || !has_other || (begin > 0 && text[begin - 1] == '\\')) continue;
    int weight = 0;
    const std::string word = leet_word(text.substr(begin, at - begin), weight);
    if (word.empty()) continue;
    if (word != last) sum += weight;
    last = word;
    view.replace(begin, at, word, true);
  }
  if (sum < kWeightMin) return std::nullopt;
  return std::move(view).finish(Technique::kLeet);
}

}  // namespace vsr::text
