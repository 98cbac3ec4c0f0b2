#pragma once

// All literals and regular expressions of a recipe, searched together: one pass over the text finds
// every literal and every string that a regular expression cannot match without (its atoms); only
// expressions whose atoms occur are run, when somebody asks, and once. A single automaton of all
// expressions would need a state for every combination of their gaps (`a.{0,80}b`): milliseconds
// for each new kilobyte, and hundreds of megabytes.
//
// PatternSet is made once and immutable; a TextPatterns belongs to one thread and one text at a
// time. Literals match the normalised text (NFKC, case folded) unless they are case sensitive;
// expressions match the text as it is and, if they ignore case, its normalised form too (full-width
// letters). Limit: kPatternMemoryMax for the automata of all expressions.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "signals/literal_index.h"

namespace vsr::signals {

constexpr int64_t kPatternMemoryMax = 256LL << 20;

using PatternId = uint16_t;
constexpr size_t kPatternsMax = 0xffff;

// RE2's message if `pattern` is no regular expression, "" if it is one.
std::string regex_problem(const std::string& pattern);

// What `pattern` matches first in `text`; empty if it does not.
std::string_view first_match(std::string_view pattern, std::string_view text, bool case_sensitive);

// Where `literal` stands in `text` as a word, from `from` on; npos if it does not. Both normalised
// alike.
size_t find_word(std::string_view text, std::string_view literal, size_t from);

class TextPatterns;

class PatternSet {
 public:
  PatternSet();
  ~PatternSet();

  // `pattern` has no regex_problem(). `counted`: count() will be asked for, not only matches().
  PatternId add_regex(const std::string& pattern, bool case_sensitive, bool counted);
  // Word boundaries at an edge that is a word character, none at a CJK one.
  PatternId add_literal(const std::string& literal, bool case_sensitive);
  void build();
  size_t size() const;

 private:
  friend class TextPatterns;
  struct Pattern;
  struct Regexes;

  PatternId add(Pattern pattern);
  void add_atoms();

  std::vector<Pattern> patterns_;
  std::unique_ptr<Regexes> regexes_;
  LiteralIndex strings_;                // literals, then atoms
  std::vector<PatternId> literal_ids_;  // by id in strings_; atoms begin behind them
};

// The patterns of a set in one text. reset() for the next one; memory is kept.
class TextPatterns {
 public:
  // `text` must outlive the use.
  void reset(const PatternSet& set, std::string_view text);
  bool matches(PatternId id);
  // Occurrences that do not overlap.
  size_t count(PatternId id);
  // NFKC, case folded; made when first asked for.
  std::string_view normalized();

 private:
  enum class Known : uint8_t { kNot, kNo, kYes };
  void scan();
  void scan_strings(std::string_view folded, bool literals, bool atoms);
  void note_literal(PatternId id, size_t begin, std::string_view folded);
  bool run(PatternId id);

  const PatternSet* set_ = nullptr;
  std::string_view text_;
  bool scanned_ = false;
  bool normalized_done_ = false;
  bool differs_ = false;  // the normalised text is more than case folding
  std::string folded_;
  std::string normalized_;
  std::vector<Known> known_;        // by PatternId
  std::vector<uint32_t> literals_;  // by PatternId: occurrences
  std::vector<uint32_t> ends_;      // by PatternId: end of the last occurrence counted
  std::vector<char> candidate_;     // by alternative of an expression
  std::vector<char> atom_seen_;
  std::vector<int> atoms_;  // found, each once
  std::vector<int> potentials_;
};

}  // namespace vsr::signals
