// Views of text that is English by ROT13 or backwards.

#include <algorithm>
#include <string>
#include <vector>

#include "text/common_words.h"
#include "text/unmask_view.h"
#include "text/utf8.h"

namespace vsr::text {
namespace {

enum class Alien { kRot13, kReversed };

struct WordAt {
  size_t begin;
  size_t end;
  int score;  // > 0 a common word once decoded, < 0 a common word as it is
};

std::vector<WordAt> scored_words(std::string_view text, Alien alien) {
  std::vector<WordAt> words;
  for (size_t at = 0; at < text.size();) {
    if (!is_letter(text[at])) {
      ++at;
      continue;
    }
    const size_t begin = at;
    uint64_t plain = 0;
    uint64_t other = 0;
    for (; at < text.size() && is_letter(text[at]); ++at) {
      const size_t i = at - begin;
      if (i >= kWordKeyLettersMax) continue;
      const uint64_t letter = letter_number(text[at]);
      plain = plain << 5 | letter;
      other =
          alien == Alien::kRot13 ? other << 5 | rot13_number(letter) : other | letter << (5 * i);
    }
    const size_t length = at - begin;
    int score = -1;
    if (length > kWordKeyLettersMax) {
      score = -1;
    } else if (is_common_word(plain)) {
      score = length > 1 ? -8 : 0;
    } else if (is_common_word(other)) {
      score = length >= 5 ? 12 : length == 4 ? 8 : length == 3 ? 4 : length == 2 ? 3 : 0;
    } else if (length == 1) {
      score = 0;
    }
    words.push_back({begin, at, score});
  }
  return words;
}

// Where the decoded text has clearly more common words than the text, as widely as no common word
// and no colon, quote or line end stands against it.
std::vector<Range> alien_ranges(std::string_view text, Alien alien) {
  constexpr int kScoreMin = 14;  // two long words, or several short ones
  constexpr int kDropMax = 16;   // two common words end a range
  const std::vector<WordAt> words = scored_words(text, alien);
  const auto is_parted = [&](size_t left) {
    const std::string_view gap =
        text.substr(words[left].end, words[left + 1].begin - words[left].end);
    return gap.find_first_of(":\"`\n<>") != std::string_view::npos;
  };
  std::vector<Range> out;
  size_t floor = 0;
  for (size_t i = 0; i < words.size();) {
    if (words[i].score <= 0) {
      ++i;
      continue;
    }
    int score = 0;
    int best = 0;
    size_t first = i;
    size_t last = i;
    size_t j = i;
    for (; j < words.size() && score >= 0 && best - score < kDropMax; ++j) {
      score += words[j].score;
      if (score > best) {
        best = score;
        last = j;
      }
    }
    i = j;
    const bool is_one_word = std::ranges::all_of(
        words.begin() + static_cast<ptrdiff_t>(first),
        words.begin() + static_cast<ptrdiff_t>(last) + 1, [&](const WordAt& w) {
          return w.score <= 0 ||
                 text.substr(w.begin, w.end - w.begin) ==
                     text.substr(words[first].begin, words[first].end - words[first].begin);
        });
    if (best < kScoreMin || is_one_word) continue;
    while (first > floor && words[first - 1].score >= -1 && !is_parted(first - 1)) --first;
    while (last + 1 < words.size() && words[last + 1].score >= -1 && !is_parted(last)) ++last;
    out.push_back({words[first].begin, words[last].end});
    floor = last + 1;
    i = std::max(i, floor);
  }
  return out;
}

}  // namespace

std::optional<View> rot13_decoded(std::string_view text) {
  ViewBuilder view(text);
  std::string out;
  for (const Range& range : alien_ranges(text, Alien::kRot13)) {
    out = text.substr(range.begin, range.end - range.begin);
    for (char& c : out) {
      if (is_letter(c)) {
        c = static_cast<char>((c & ~0x1F) | static_cast<char>(rot13_number(letter_number(c))));
      }
    }
    view.replace(range.begin, range.end, out, true);
  }
  return std::move(view).finish(Technique::kRot13);
}

std::optional<View> reversed(std::string_view text) {
  ViewBuilder view(text);
  size_t floor = 0;
  for (Range range : alien_ranges(text, Alien::kReversed)) {
    // The full stop or question mark of a sentence turned round stands before it.
    constexpr std::string_view marks = "?!.,;";
    while (range.begin > floor && marks.find(text[range.begin - 1]) != std::string_view::npos) {
      --range.begin;
    }
    view.replace(range.begin, range.begin, {});
    for (size_t end = range.end; end > range.begin;) {
      const size_t begin = std::max(range.begin, floor_code_point(text, end - 1));
      view.put(begin, end, text.substr(begin, end - begin), true);
      end = begin;
    }
    view.skip_to(range.end);
    floor = range.end;
  }
  return std::move(view).finish(Technique::kReversed);
}

}  // namespace vsr::text
