#include "signals/name_words.h"

#include <algorithm>

#include "signals/lexis.h"
#include "text/utf8.h"

namespace vsr::signals {
namespace {

// U+00C0..U+017F and U+1E00..U+1EFF without accents; '?' is no letter.
constexpr std::string_view kLatin =
    "aaaaaaaceeeeiiiidnooooo?ouuuuytsaaaaaaaceeeeiiiidnooooo?ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnn"
    "oooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
constexpr std::string_view kLatinMore =
    "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooopppp"
    "rrrrrrrrssssssssssttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzzhtwy??????"
    "aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy"
    "??????";
static_assert(kLatin.size() == 0x180 - 0xC0);

struct Letter {
  char32_t folded = 0;  // 0: no letter
  bool upper = false;
};

Letter letter_of(char32_t c) {
  if (c < 0x80) {
    const char ascii = static_cast<char>(c);
    if (!is_any(ascii, kLetterBits)) return {};
    return {c | 0x20, is_upper(ascii)};
  }
  if (c >= 0xC0 && c < 0x180) {
    const char folded = kLatin[c - 0xC0];
    if (folded == '?') return {};
    const bool odd = (c & 1) != 0;
    const bool upper = c < 0x100   ? c < 0xDF
                       : c < 0x138 ? !odd
                       : c < 0x149 ? odd
                       : c < 0x178 ? !odd
                                   : c == 0x178 || (c < 0x17E && odd);
    return {static_cast<char32_t>(folded), upper};
  }
  if (c >= 0x1E00 && c < 0x1E00 + kLatinMore.size()) {
    const char folded = kLatinMore[c - 0x1E00];
    if (folded == '?') return {};
    return {static_cast<char32_t>(folded), (c & 1) == 0};
  }
  if (c >= 0x391 && c <= 0x3A9) return {c + 32, true};
  if (c >= 0x386 && c <= 0x3CE) return {c, c < 0x390};
  if (c >= 0x410 && c <= 0x42F) return {c + 32, true};
  if (c >= 0x400 && c <= 0x40F) return {c + 80, true};
  if (c >= 0x430 && c <= 0x4FF) return {c, false};
  return {};
}

constexpr uint32_t kHashSeed = 0x811C9DC5;
constexpr uint32_t hash_step(uint32_t hash, char32_t folded) {
  return (hash ^ static_cast<uint32_t>(folded)) * 0x01000193U;
}
constexpr uint32_t hash_end(uint32_t hash) {
  hash ^= hash >> 15;
  hash *= 0x85EBCA6BU;
  return hash ^ (hash >> 13);
}
constexpr uint32_t ascii_hash(std::string_view word) {
  uint32_t hash = kHashSeed;
  for (const char c : word) hash = hash_step(hash, static_cast<uint8_t>(c));
  return hash_end(hash);
}

// The letter at `at`, which moves behind it only if there is one.
Letter next_letter(std::string_view text, size_t& at) {
  if (at >= text.size()) return {};
  const auto byte = static_cast<uint8_t>(text[at]);
  if (byte < 0x80) {
    const Letter letter = letter_of(byte);
    at += letter.folded != 0 ? 1 : 0;
    return letter;
  }
  if (byte < 0xC3 || byte > 0xE1) return {};
  size_t next = at;
  const Letter letter = letter_of(text::next_code_point(text, next));
  if (letter.folded != 0) at = next;
  return letter;
}

// Bytes of an apostrophe at `at`, 0 if there is none.
size_t apostrophe_at(std::string_view text, size_t at) {
  if (at < text.size() && text[at] == '\'') return 1;
  return text.substr(std::min(at, text.size())).starts_with("’") ? 3 : 0;
}

// Reads the word that starts at `at`: letters, with inner hyphens and apostrophes.
NameWord read_word(std::string_view text, size_t at, size_t limit) {
  NameWord word;
  word.start = static_cast<uint32_t>(at);
  uint32_t hash = kHashSeed;
  size_t letters = 0;
  size_t uppers = 0;
  size_t inner_uppers = 0;
  bool first_upper = false;
  bool after_break = true;
  size_t since_break = 0;  // letters
  while (at < limit) {
    if (is_any(text[at], kLowerBit) && letters != 0) {  // most of all text
      hash = hash_step(hash, static_cast<uint8_t>(text[at]));
      ++at;
      ++letters;
      ++since_break;
      after_break = false;
      continue;
    }
    const Letter letter = next_letter(text, at);
    if (letter.folded != 0) {
      if (letters == 0) first_upper = letter.upper;
      uppers += letter.upper ? 1 : 0;
      inner_uppers += letter.upper && !after_break ? 1 : 0;
      after_break = false;
      ++letters;
      ++since_break;
      hash = hash_step(hash, letter.folded);
      continue;
    }
    size_t next = at;
    if (text[at] == '-') {
      next = at + 1;
    } else if (const size_t mark = apostrophe_at(text, at); mark != 0 && since_break <= 2) {
      next = at + mark;
      size_t peek = next;
      if (since_break == 2 && !next_letter(text, peek).upper) break;  // "it's", but "Al'Amin"
    }
    size_t peek = next;
    if (next == at || letters == 0 || next_letter(text, peek).folded == 0) break;
    if (text[at] == '-') hash = hash_step(hash, '-');
    at = next;
    after_break = true;
    since_break = 0;
  }
  word.end = static_cast<uint32_t>(at);
  word.hash = hash_end(hash);
  if (uppers == 0 || (!first_upper && uppers == inner_uppers)) {
    word.shape = uppers == 0 ? Shape::kLower : Shape::kCode;
  } else if (letters == 1) {
    word.shape = Shape::kInitial;
  } else if (uppers == letters) {
    word.shape = Shape::kUpper;
  } else if (inner_uppers == 0) {
    word.shape = Shape::kCapital;
  } else {
    // "McDonald", "DeShawn"; more capitals are an identifier.
    word.shape = inner_uppers == 1 && uppers == 2 && letters >= 5 ? Shape::kMixed : Shape::kCode;
  }
  return word;
}

bool is_number_char(std::string_view text, size_t at) {
  return at < text.size() && is_any(text[at], kDigitBit);
}

Gap gap_of(std::string_view gap) {
  if (gap.empty()) return Gap::kNone;
  if (gap == " ") return Gap::kSpace;
  bool line = false;
  bool space = false;
  char mark = '\0';
  for (const char c : gap) {
    if (c == '\n') line = true;
    if (is_any(c, kSpaceBit)) {
      space = true;
    } else if (mark == '\0') {
      mark = c;
    }
  }
  if (line) return Gap::kLine;
  switch (mark) {
    case '\0':
      return Gap::kSpace;
    case ',':
      return Gap::kComma;
    case '.':
      return space ? Gap::kStop : Gap::kDot;
    case '?':
    case '!':
    case ';':
      return Gap::kStop;
    case ':':
      return Gap::kColon;
    case '-':
      return Gap::kDash;
    case '(':
    case '[':
    case '{':
      return Gap::kOpen;
    case ')':
    case ']':
    case '}':
      return Gap::kClose;
    case '"':
    case '\'':
    case '`':
      return Gap::kQuote;
    case '/':
    case '\\':
      return Gap::kSlash;
    case '@':
      return Gap::kAt;
    case '=':
    case '>':
    case '<':
      return Gap::kEquals;
    default:
      return Gap::kOther;
  }
}

bool is_name_shape(Shape shape) {
  return shape == Shape::kCapital || shape == Shape::kInitial || shape == Shape::kUpper ||
         shape == Shape::kMixed;
}

bool bridges(Gap gap) {
  return gap == Gap::kSpace || gap == Gap::kComma || gap == Gap::kLine || gap == Gap::kStop ||
         gap == Gap::kDot;
}

enum Cue : uint8_t { kExerciseCue = 1, kQuestionCue = 2, kIdentifierCue = 4, kCultureCue = 8 };

constexpr uint32_t kHow = ascii_hash("how");
constexpr std::array kQuantities = {ascii_hash("many"), ascii_hash("much"), ascii_hash("long"),
                                    ascii_hash("far"),  ascii_hash("old"),  ascii_hash("tall")};

// Words of texts that speak of people everybody knows: what they say about somebody is no secret.
constexpr auto kCulture = std::to_array<uint32_t>({
    ascii_hash("movie"),       ascii_hash("movies"),       ascii_hash("film"),
    ascii_hash("films"),       ascii_hash("song"),         ascii_hash("songs"),
    ascii_hash("album"),       ascii_hash("albums"),       ascii_hash("band"),
    ascii_hash("sitcom"),      ascii_hash("episode"),      ascii_hash("tv"),
    ascii_hash("actor"),       ascii_hash("actress"),      ascii_hash("singer"),
    ascii_hash("novel"),       ascii_hash("novels"),       ascii_hash("poem"),
    ascii_hash("poet"),        ascii_hash("playwright"),   ascii_hash("emperor"),
    ascii_hash("king"),        ascii_hash("queen"),        ascii_hash("empire"),
    ascii_hash("dynasty"),     ascii_hash("century"),      ascii_hash("war"),
    ascii_hash("league"),      ascii_hash("championship"), ascii_hash("olympics"),
    ascii_hash("medal"),       ascii_hash("oscar"),        ascii_hash("grammy"),
    ascii_hash("character"),   ascii_hash("characters"),   ascii_hash("cartoon"),
    ascii_hash("animated"),    ascii_hash("disney"),       ascii_hash("broadway"),
    ascii_hash("musical"),     ascii_hash("painter"),      ascii_hash("composer"),
    ascii_hash("philosopher"), ascii_hash("nba"),          ascii_hash("nfl"),
    ascii_hash("baseball"),    ascii_hash("sequel"),       ascii_hash("starred"),
    ascii_hash("starring"),    ascii_hash("portrayed"),    ascii_hash("fictional"),
    ascii_hash("lyrics"),      ascii_hash("theorem"),      ascii_hash("trilogy"),
    ascii_hash("soundtrack"),  ascii_hash("comedian"),
});
constexpr size_t kCultureBits = 1024;
constexpr std::array<uint64_t, kCultureBits / 64> kCultureFilter = [] {
  std::array<uint64_t, kCultureBits / 64> bits{};
  for (const uint32_t hash : kCulture) bits[hash % kCultureBits / 64] |= uint64_t{1} << hash % 64;
  return bits;
}();

bool is_culture(uint32_t hash) {
  return (kCultureFilter[hash % kCultureBits / 64] >> hash % 64 & 1) != 0 &&
         std::ranges::find(kCulture, hash) != kCulture.end();
}

uint8_t cues_of(std::string_view text, std::span<const NameWord> words) {
  uint8_t cues = 0;
  if (text.find('?') != std::string_view::npos) cues |= kQuestionCue;
  if (text.find('@') != std::string_view::npos) cues |= kIdentifierCue;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].shape == Shape::kNumber && words[i].end - words[i].start >= 7)
      cues |= kIdentifierCue;
    if (is_culture(words[i].hash)) cues |= kCultureCue;
    if (i > 0 && words[i - 1].hash == kHow &&
        std::ranges::find(kQuantities, words[i].hash) != kQuantities.end()) {
      cues |= kExerciseCue;
    }
  }
  return cues;
}

// Of a word or, if the list does not have it, of the parts that a hyphen joins.
uint8_t flags_of(std::string_view text, const NameWord& word, const NameModel& model) {
  const uint8_t whole = model.flags_of(word.hash);
  if (whole != 0) return whole;
  const std::string_view spelled = text.substr(word.start, word.end - word.start);
  const size_t hyphen = spelled.find('-');
  if (hyphen == std::string_view::npos) return 0;
  return model.flags_of(word_hash(spelled.substr(0, hyphen))) |
         model.flags_of(word_hash(spelled.substr(hyphen + 1)));
}

void mark_candidates(std::string_view text, std::vector<NameWord>& words, const NameModel& model) {
  const size_t count = words.size();
  for (NameWord& word : words) word.candidate = is_name_shape(word.shape);
  for (size_t i = count; i-- > 0;) {
    NameWord& word = words[i];
    if (word.candidate) {
      word.flags = flags_of(text, word, model);
      continue;
    }
    const bool leads = i + 1 < count && words[i + 1].candidate && bridges(words[i + 1].before);
    const bool follows = i > 0 && (words[i - 1].candidate || words[i - 1].shape == Shape::kNumber);
    if (word.shape == Shape::kNumber || (!leads && !follows)) continue;
    word.flags = flags_of(text, word, model);
    word.candidate = leads && (word.flags & (kParticleFlag | kStreetFlag)) != 0;
  }
  for (size_t i = 1; i < count; ++i) {
    const NameWord& last = words[i - 1];
    NameWord& word = words[i];
    if (!word.candidate || last.end - last.start > 12) continue;
    const Topic topic = topic_of_word(text.substr(last.start, last.end - last.start));
    word.titled = topic == Topic::kHonorific && last.shape == Shape::kCapital &&
                  (word.before == Gap::kSpace || word.before == Gap::kStop);
    word.labelled =
        topic == Topic::kName && i + 1 < count && words[i + 1].candidate &&
        words[i + 1].before == Gap::kSpace &&
        (word.before == Gap::kColon || word.before == Gap::kQuote || word.before == Gap::kEquals);
  }
  for (size_t i = 0; i < count; ++i) {
    if (words[i].shape != Shape::kNumber) continue;
    const bool leads = i + 1 < count && words[i + 1].candidate && bridges(words[i + 1].before);
    const bool follows = i > 0 && words[i - 1].candidate && bridges(words[i].before);
    words[i].candidate = leads || follows;
  }
}

}  // namespace

uint32_t word_hash(std::string_view word) {
  uint32_t hash = kHashSeed;
  for (size_t at = 0; at < word.size();) {
    const Letter letter = next_letter(word, at);
    if (letter.folded != 0) {
      hash = hash_step(hash, letter.folded);
    } else {
      if (word[at] == '-') hash = hash_step(hash, '-');
      ++at;
    }
  }
  return hash_end(hash);
}

size_t block_end(std::string_view text, size_t start) {
  const std::string_view block = text.substr(start, kBlockBytes);
  if (const size_t blank = block.find("\n\n"); blank != std::string_view::npos) {
    return start + blank + 2;
  }
  if (block.size() < kBlockBytes) return text.size();
  for (const std::string_view cut : {"\n", ". ", " "}) {
    const size_t at = block.rfind(cut);
    if (at != std::string_view::npos && at > kBlockBytes / 2) return start + at + cut.size();
  }
  return std::max(text::floor_code_point(text, start + kBlockBytes), start + 1);
}

void NameBlock::read(std::string_view text, size_t start, size_t end, const NameModel& model) {
  words.clear();
  // A paragraph reads the same alone and among others.
  while (start < end && is_any(text[start], kSpaceBit)) ++start;
  while (end > start && is_any(text[end - 1], kSpaceBit)) --end;
  size_t gap = start;
  for (size_t at = start; at < end;) {
    const auto byte = static_cast<uint8_t>(text[at]);
    NameWord word;
    if (is_any(text[at], kDigitBit)) {
      size_t stop = at;
      while (stop < end && is_any(text[stop], kAlnumBits)) ++stop;
      word.start = static_cast<uint32_t>(at);
      word.end = static_cast<uint32_t>(stop);
      word.shape = Shape::kNumber;
      word.hash = ascii_hash("0") + static_cast<uint32_t>(std::min<size_t>(stop - at, 8));
    } else if (is_any(text[at], kLetterBits) || (byte >= 0xC3 && byte <= 0xE1)) {
      word = read_word(text, at, end);
      if (word.start == word.end) {
        ++at;
        continue;
      }
      // "utf8", "user_id": parts of an identifier.
      if (is_number_char(text, word.end) || (word.end < text.size() && text[word.end] == '_') ||
          (at > start && text[at - 1] == '_')) {
        word.shape = Shape::kCode;
      }
    } else {
      ++at;
      continue;
    }
    word.before = gap_of(text.substr(gap, at - gap));
    if (words.empty() && at == gap) word.before = Gap::kLine;
    at = word.end;
    if (word.shape != Shape::kNumber) {
      if (const size_t mark = apostrophe_at(text, at);
          mark != 0 && at + mark < end && text[at + mark] == 's' &&
          (at + mark + 1 >= text.size() || !is_word_char(text[at + mark + 1]))) {
        word.possessive = true;
        at += mark + 1;
      }
    }
    words.push_back(word);
    gap = at;
  }
  after = gap_of(text.substr(gap, end - gap));
  if (gap == end) after = Gap::kLine;
  cues = cues_of(text.substr(start, end - start), words);
  mark_candidates(text, words, model);
}

bool NameBlock::impersonal() const { return (cues & (kExerciseCue | kCultureCue)) != 0; }

NameRun next_run(const NameBlock& block, size_t from) {
  const std::vector<NameWord>& words = block.words;
  while (from < words.size() && !words[from].candidate) ++from;
  size_t last = from;
  while (last < words.size() && words[last].candidate && last - from < kRunWordsMax) ++last;
  return {from, last};
}

bool tag_allowed(const NameBlock& block, size_t i, size_t from, size_t to) {
  const bool person = to == static_cast<size_t>(Tag::kPersonInside);
  if (!person && to != static_cast<size_t>(Tag::kStreetInside)) return true;
  if (from != to && from != to - 1) return false;
  if (!person) return true;
  const NameWord& last = block.words[i - 1];
  const Gap gap = block.words[i].before;
  if (last.possessive) return false;
  return gap == Gap::kSpace ||
         ((gap == Gap::kStop || gap == Gap::kDot) && last.end - last.start <= 3);  // an initial
}

}  // namespace vsr::signals
