#pragma once

// Counting matches of expressions that are alternatives of single characters or runs of them, such
// as `[\p{L}\p{N}]+` or `\w+|\p{Han}`: measures of length that recipes use, with a match per word.
// A table lookup per character instead of a search per match. Counts exactly what the expression
// counts. Immutable; thread-safe.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace vsr::signals {

class ClassRuns {
 public:
  // `alternatives` are those of the expression; none if one of them is more than a class or a run
  // of one. Takes a millisecond: it asks RE2 about every character of the first plane.
  static std::optional<ClassRuns> compile(const std::vector<std::string>& alternatives,
                                          bool case_sensitive);

  size_t count(std::string_view text) const;

 private:
  static constexpr size_t kAscii = 128;
  struct Range {
    char32_t first;
    char32_t last;
  };
  struct Alternative {
    bool run = false;
    std::vector<Range> ranges;  // ascending, of the first plane
    std::shared_ptr<const re2::RE2> regex;
    std::array<bool, kAscii> ascii{};
    bool has(char32_t c) const;
  };
  // The first alternative that a character belongs to; alternatives_.size() for none.
  size_t alternative_of(char32_t c) const;

  std::vector<Alternative> alternatives_;
};

}  // namespace vsr::signals
