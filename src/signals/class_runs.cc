#include "signals/class_runs.h"

#include <re2/re2.h>

#include <algorithm>

#include "text/utf8.h"

namespace vsr::signals {
namespace {

constexpr size_t kAlternativesMax = 16;
// Characters up to here are asked about when compiling, those beyond (rare in any text) when met.
constexpr char32_t kTabledMax = 0xFFFF;

// Whether `part` is one class: `[…]`, `\pL`, `\p{Han}`, `\w` and the like, or a plain character.
bool is_one_class(std::string_view part) {
  if (part.empty()) return false;
  if (part[0] == '[') {
    // One closing bracket, at the end: those inside that are escaped or named are left to RE2.
    size_t at = 1;
    if (part.substr(at).starts_with('^')) ++at;
    for (bool first = true; at < part.size(); ++at, first = false) {
      if (part[at] == '\\') {
        ++at;
      } else if (part[at] == '[') {
        return false;
      } else if (part[at] == ']' && !first) {
        return at + 1 == part.size();
      }
    }
    return false;
  }
  if (part[0] == '\\') {
    if (part.size() == 2) return std::string_view("dDwWsS").find(part[1]) != std::string_view::npos;
    if (part[1] != 'p' && part[1] != 'P') return false;
    return part.size() == 3 || (part[2] == '{' && part.find('}') + 1 == part.size());
  }
  if (std::string_view(".^$*+?()|{}").find(part[0]) != std::string_view::npos) return false;
  size_t at = 0;
  text::next_code_point(part, at);
  return at == part.size();
}

// Every code point up to kTabledMax in order, as one text.
std::string tabled_code_points() {
  std::string text;
  for (char32_t c = 0; c <= kTabledMax; ++c) {
    if (c < 0xD800 || c > 0xDFFF) text::append_utf8(c, text);
  }
  return text;
}

}  // namespace

bool ClassRuns::Alternative::has(char32_t c) const {
  if (c < kAscii) return ascii[c];
  if (c > kTabledMax) {
    std::string one;
    text::append_utf8(c, one);
    return RE2::FullMatch(one, *regex);
  }
  const auto after = std::ranges::upper_bound(ranges, c, {}, &Range::first);
  return after != ranges.begin() && c <= std::prev(after)->last;
}

std::optional<ClassRuns> ClassRuns::compile(const std::vector<std::string>& alternatives,
                                            bool case_sensitive) {
  if (alternatives.size() > kAlternativesMax) return std::nullopt;
  ClassRuns runs;
  std::vector<std::string> classes;
  for (const std::string& part : alternatives) {
    const bool run = part.size() > 1 && part.back() == '+' && part[part.size() - 2] != '\\';
    classes.push_back(run ? part.substr(0, part.size() - 1) : part);
    if (!is_one_class(classes.back())) return std::nullopt;
    runs.alternatives_.push_back({.run = run});
  }
  const std::string universe = tabled_code_points();
  for (size_t i = 0; i < classes.size(); ++i) {
    auto regex = std::make_shared<const RE2>(
        (case_sensitive ? "((?:" : "((?i:") + classes[i] + ")+)", RE2::Quiet);
    if (!regex->ok()) return std::nullopt;
    // Neighbours in the text are neighbours in the order of code points: a match is a range.
    re2::StringPiece rest(universe);
    re2::StringPiece match;
    while (RE2::FindAndConsume(&rest, *regex, &match)) {
      const std::string_view found(match.data(), match.size());
      size_t at = 0;
      const char32_t first = text::next_code_point(found, at);
      at = text::floor_code_point(found, found.size() - 1);
      runs.alternatives_[i].ranges.push_back({first, text::next_code_point(found, at)});
    }
    runs.alternatives_[i].regex = std::move(regex);
  }
  for (Alternative& alternative : runs.alternatives_) {
    for (const Range& range : alternative.ranges) {
      for (char32_t c = range.first; c <= range.last && c < kAscii; ++c)
        alternative.ascii[c] = true;
    }
  }
  return runs;
}

size_t ClassRuns::alternative_of(char32_t c) const {
  size_t i = 0;
  while (i < alternatives_.size() && !alternatives_[i].has(c)) ++i;
  return i;
}

size_t ClassRuns::count(std::string_view text) const {
  size_t count = 0;
  // The alternative whose run the position is inside of.
  const Alternative* open = nullptr;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const char32_t c = text::next_code_point(text, at);
    // Bytes that are not UTF-8 match nothing.
    const bool bad = c == text::kReplacement && at - begin == 1;
    if (open != nullptr && !bad && open->has(c)) continue;
    open = nullptr;
    const size_t i = bad ? alternatives_.size() : alternative_of(c);
    if (i == alternatives_.size()) continue;
    ++count;
    if (alternatives_[i].run) open = &alternatives_[i];
  }
  return count;
}

}  // namespace vsr::signals
