// Words in two or three parts with a space between: ig nore pre vious in struct ions. A part alone
// may be a word of its own ("in put"), so joins count as evidence only where a part is none.

#include <vector>

#include "text/common_words.h"
#include "text/unmask_view.h"

namespace vsr::text {
namespace {

constexpr size_t kPartsMax = 3;

struct Part {
  size_t begin;
  size_t end;
  uint64_t key;  // 0 if it is too long
  bool is_word;
  size_t length() const { return end - begin; }
};

std::vector<Part> parts_of(std::string_view text) {
  std::vector<Part> parts;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && is_letter(text[end])) ++end;
    if (end == at) {
      ++at;
      continue;
    }
    const uint64_t key = word_key(text.substr(at, end - at));
    parts.push_back({at, end, key, is_common_word(key)});
    at = end;
  }
  return parts;
}

// With one space between, and without a capital letter behind a small one.
bool follows(std::string_view text, const Part& before, const Part& part) {
  if (part.begin != before.end + 1 || !is_split(text[before.end])) return false;
  const auto is_capital = [&](size_t at) { return text[at] >= 'A' && text[at] <= 'Z'; };
  return !is_capital(part.begin) || is_capital(before.end - 1);
}

// How many parts from `first` on are one word; 1 if it stands alone. `is_sure`: one of them is no
// word by itself.
size_t joined_at(std::string_view text, const std::vector<Part>& parts, size_t first,
                 bool& is_sure) {
  size_t best = 1;
  uint64_t key = parts[first].key;
  size_t letters = parts[first].length();
  bool are_words = parts[first].is_word;
  for (size_t count = 2; count <= kPartsMax && first + count <= parts.size(); ++count) {
    const Part& part = parts[first + count - 1];
    letters += part.length();
    if (letters > kWordKeyLettersMax || !follows(text, parts[first + count - 2], part)) break;
    key = key << (5 * part.length()) | part.key;
    are_words &= part.is_word;
    // Three words in a row are an accident more often than one word.
    if (letters < kSplitLettersMin || (count > 2 && are_words)) continue;
    // "The ser vice" is no "theser".
    if (!(parts[first].is_word ? is_common_word(key) : is_common_form(key))) continue;
    best = count;
    is_sure = !are_words;
  }
  return best;
}

}  // namespace

std::optional<View> splits_joined(std::string_view text) {
  const std::vector<Part> parts = parts_of(text);
  ViewBuilder view(text);
  int sure = 0;
  for (size_t i = 0; i < parts.size();) {
    bool is_sure = false;
    const size_t count = joined_at(text, parts, i, is_sure);
    for (size_t k = 1; k < count; ++k) view.drop(parts[i + k - 1].end, parts[i + k].begin);
    sure += is_sure;
    i += count;
  }
  if (sure < kSplitsMin) return std::nullopt;
  return std::move(view).finish(Technique::kSplit);
}

}  // namespace vsr::text
