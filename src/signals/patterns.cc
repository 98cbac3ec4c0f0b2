#include "signals/patterns.h"

#include <fmt/format.h>
#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "signals/class_runs.h"
#include "text/normalize.h"
#include "text/script.h"
#include "text/utf8.h"

namespace vsr::signals {
namespace {

// Atoms shorter than this would make nearly every expression a candidate.
constexpr int kAtomBytesMin = 3;
constexpr int64_t kRegexMemoryMin = 1 << 20;
constexpr int64_t kRegexMemoryMax = 8 << 20;

RE2::Options regex_options(int64_t memory) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(memory);
  return options;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

// The alternatives of a pattern at the outermost level: each has atoms of its own, so that one
// costly alternative is not run for the sake of the others. A pattern with top-level flags stays
// whole, since they reach over alternatives.
std::vector<std::string> split_alternatives(const std::string& pattern) {
  std::vector<std::string> parts(1);
  int depth = 0;
  bool in_class = false;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\') {
      if (pattern.compare(i, 2, "\\Q") == 0) return {pattern};
      parts.back() += c;
      if (++i < pattern.size()) parts.back() += pattern[i];
      continue;
    }
    if (in_class) {
      in_class = c != ']' || pattern[i - 1] == '[' || pattern.compare(i - 2, 2, "[^") == 0;
      if (c == '[' && i + 1 < pattern.size() && pattern[i + 1] == ':') return {pattern};
    } else if (c == '[') {
      in_class = true;
    } else if (c == '(') {
      const bool flags = depth == 0 && pattern.compare(i, 2, "(?") == 0 &&
                         pattern.compare(i, 3, "(?:") != 0 && pattern.compare(i, 3, "(?P") != 0;
      if (flags) return {pattern};
      ++depth;
    } else if (c == ')') {
      --depth;
    } else if (c == '|' && depth == 0) {
      parts.emplace_back();
      continue;
    }
    parts.back() += c;
  }
  return parts;
}

// Lower-case ASCII, and the two other characters that RE2 takes for ASCII letters when it ignores
// case (K for kelvin, long s). True if one of those two was there.
bool fold(std::string_view text, std::string& out) {
  out.resize(text.size());
  std::transform(text.begin(), text.end(), out.begin(), ascii_lower);
  bool replaced = false;
  for (const auto& [from, to] :
       {std::pair<std::string_view, char>{"\xE2\x84\xAA", 'k'}, {"\xC5\xBF", 's'}}) {
    for (size_t at = out.find(from); at != std::string::npos; at = out.find(from, at)) {
      out.replace(at, from.size(), 1, to);
      replaced = true;
    }
  }
  return replaced;
}

// The longest part of an atom that reads the same in every case: ASCII (folded) and CJK. Any text
// that holds the atom holds this.
std::string caseless_part(std::string_view atom) {
  std::string best;
  std::string current;
  for (size_t at = 0; at < atom.size();) {
    const size_t begin = at;
    const char32_t c = text::next_code_point(atom, at);
    if (c < 0x80 || (c >= 0x2E80 && c < 0xFF00)) {
      current += atom.substr(begin, at - begin);
      if (current.size() > best.size()) best = current;
    } else {
      current.clear();
    }
  }
  return best;
}

char32_t code_point_before(std::string_view text, size_t at) {
  size_t begin = text::floor_code_point(text, at - 1);
  return text::next_code_point(text, begin);
}

bool needs_boundary(char32_t c) { return text::is_word(c) && !text::is_cjk(c); }

// A literal at [begin, end) stands as a word: an edge that is a word character has none beside it.
bool stands_alone(std::string_view text, size_t begin, size_t end) {
  size_t at = begin;
  if (begin > 0 && needs_boundary(text::next_code_point(text, at)) &&
      needs_boundary(code_point_before(text, begin))) {
    return false;
  }
  if (end == text.size() || !needs_boundary(code_point_before(text, end))) return true;
  at = end;
  return !needs_boundary(text::next_code_point(text, at));
}

size_t count_matches(const RE2& regex, std::string_view text) {
  size_t count = 0;
  size_t at = 0;
  re2::StringPiece match;
  while (at <= text.size() &&
         regex.Match(piece(text), at, text.size(), RE2::UNANCHORED, &match, 1)) {
    const size_t end = static_cast<size_t>(match.data() - text.data()) + match.size();
    if (match.empty()) {
      // An empty match says nothing; go on behind the next character.
      if (end >= text.size()) break;
      at = end;
      text::next_code_point(text, at);
      continue;
    }
    ++count;
    at = end;
  }
  return count;
}

}  // namespace

std::string regex_problem(const std::string& pattern) {
  const RE2 regex(pattern, regex_options(kRegexMemoryMax));
  return regex.ok() ? "" : regex.error();
}

std::string_view first_match(std::string_view pattern, std::string_view text, bool case_sensitive) {
  RE2::Options options = regex_options(kRegexMemoryMax);
  options.set_case_sensitive(case_sensitive);
  const RE2 regex(piece(pattern), options);
  re2::StringPiece found;
  if (!regex.ok() || !regex.Match(piece(text), 0, text.size(), RE2::UNANCHORED, &found, 1)) {
    return {};
  }
  return {found.data(), found.size()};
}

size_t find_word(std::string_view text, std::string_view literal, size_t from) {
  if (literal.empty()) return from;
  for (size_t at = text.find(literal, from); at != std::string_view::npos;
       at = text.find(literal, at + 1)) {
    if (stands_alone(text, at, at + literal.size())) return at;
  }
  return std::string_view::npos;
}

struct PatternSet::Pattern {
  bool literal = false;
  bool case_sensitive = false;
  std::string text;                // literal only: as it is searched
  std::string source;              // expression only
  uint32_t first_alternative = 0;  // expression only: its alternatives in Regexes::filtered
  uint32_t alternatives = 0;
  bool counted = false;  // then one of these two
  std::optional<ClassRuns> runs;
  std::unique_ptr<RE2> whole;
};

struct PatternSet::Regexes {
  bool add(Pattern& pattern, const std::string& prefix, const std::vector<std::string>& parts,
           const RE2::Options& options);

  re2::FilteredRE2 filtered{kAtomBytesMin};
  std::vector<uint32_t> atom_strings;      // by atom: id in strings_ behind the literals
  std::vector<int> always_atoms;           // atoms of which no part is caseless: taken as found
  std::vector<std::vector<int>> atoms_of;  // by id in strings_ behind the literals
  size_t alternatives = 0;
};

PatternSet::PatternSet() : regexes_(std::make_unique<Regexes>()) {}
PatternSet::~PatternSet() = default;
size_t PatternSet::size() const { return patterns_.size(); }

PatternId PatternSet::add(Pattern pattern) {
  VSR_CHECK(patterns_.size() < kPatternsMax);
  patterns_.push_back(std::move(pattern));
  return static_cast<PatternId>(patterns_.size() - 1);
}

PatternId PatternSet::add_regex(const std::string& pattern, bool case_sensitive, bool counted) {
  Pattern entry;
  entry.case_sensitive = case_sensitive;
  entry.counted = counted;
  entry.source = (case_sensitive ? "(?:" : "(?i:") + pattern + ")";
  return add(std::move(entry));
}

PatternId PatternSet::add_literal(const std::string& literal, bool case_sensitive) {
  Pattern entry;
  entry.literal = true;
  entry.case_sensitive = case_sensitive;
  entry.text = case_sensitive ? literal : text::normalized(literal);
  return add(std::move(entry));
}

void PatternSet::build() {
  size_t regexes = 0;
  for (const Pattern& pattern : patterns_) regexes += pattern.literal ? 0 : 1;
  const RE2::Options options = regex_options(
      std::clamp(kPatternMemoryMax / static_cast<int64_t>(std::max<size_t>(1, regexes)),
                 kRegexMemoryMin, kRegexMemoryMax));
  for (size_t i = 0; i < patterns_.size(); ++i) {
    Pattern& pattern = patterns_[i];
    if (pattern.literal) {
      std::string folded;
      fold(pattern.text, folded);
      strings_.add(folded);
      literal_ids_.push_back(static_cast<PatternId>(i));
      continue;
    }
    const size_t head = pattern.source.find(':') + 1;
    const std::string prefix = pattern.source.substr(0, head);
    const std::string body = pattern.source.substr(head, pattern.source.size() - head - 1);
    std::vector<std::string> parts = split_alternatives(body);
    if (!regexes_->add(pattern, prefix, parts, options)) {
      // A part that does not stand by itself (an odd class the splitter does not know): all of it.
      parts = {body};
      VSR_CHECK(regexes_->add(pattern, prefix, parts, options), "{}", body);
    }
    if (!pattern.counted) continue;
    pattern.runs = ClassRuns::compile(parts, pattern.case_sensitive);
    if (!pattern.runs) pattern.whole = std::make_unique<RE2>(pattern.source, options);
  }
  add_atoms();
  strings_.build();
}

// False if one of them is no expression by itself; those before it stay, and nobody asks for them.
bool PatternSet::Regexes::add(Pattern& pattern, const std::string& prefix,
                              const std::vector<std::string>& parts, const RE2::Options& options) {
  pattern.first_alternative = static_cast<uint32_t>(alternatives);
  pattern.alternatives = 0;
  for (const std::string& part : parts) {
    int id = 0;
    if (filtered.Add(prefix + part + ")", options, &id) != RE2::NoError) return false;
    ++alternatives;
    ++pattern.alternatives;
  }
  return true;
}

void PatternSet::add_atoms() {
  if (regexes_->alternatives == 0) return;
  std::vector<std::string> atoms;
  regexes_->filtered.Compile(&atoms);
  for (size_t atom = 0; atom < atoms.size(); ++atom) {
    const std::string part = caseless_part(atoms[atom]);
    if (part.empty()) {
      regexes_->always_atoms.push_back(static_cast<int>(atom));
      continue;
    }
    std::string folded;
    fold(part, folded);
    strings_.add(folded);
    regexes_->atoms_of.push_back({static_cast<int>(atom)});
  }
}

void TextPatterns::reset(const PatternSet& set, std::string_view text) {
  set_ = &set;
  text_ = text;
  scanned_ = normalized_done_ = differs_ = false;
  known_.assign(set.patterns_.size(), Known::kNot);
}

std::string_view TextPatterns::normalized() {
  if (!normalized_done_) {
    normalized_done_ = true;
    text::normalize(text_, normalized_);
  }
  return normalized_;
}

void TextPatterns::scan() {
  scanned_ = true;
  literals_.assign(set_->patterns_.size(), 0);
  ends_.assign(set_->patterns_.size(), 0);
  atom_seen_.assign(set_->strings_.size(), 0);
  candidate_.assign(set_->regexes_->alternatives, 0);
  atoms_ = set_->regexes_->always_atoms;
  const bool replaced = fold(text_, folded_);
  const std::string_view normal = normalized();
  differs_ = replaced || normal != folded_;
  scan_strings(normal, true, true);
  if (differs_) scan_strings(folded_, false, true);
  if (set_->regexes_->alternatives == 0) return;
  std::ranges::sort(atoms_);
  potentials_.clear();
  set_->regexes_->filtered.AllPotentials(atoms_, &potentials_);
  for (const int alternative : potentials_) candidate_[static_cast<size_t>(alternative)] = 1;
}

void TextPatterns::scan_strings(std::string_view folded, bool literals, bool atoms) {
  const size_t literal_count = set_->literal_ids_.size();
  set_->strings_.find(folded, [&](uint32_t id, size_t begin) {
    if (id < literal_count) {
      if (literals) note_literal(set_->literal_ids_[id], begin, folded);
    } else if (atoms && !atom_seen_[id]) {
      atom_seen_[id] = 1;
      const std::vector<int>& found = set_->regexes_->atoms_of[id - literal_count];
      atoms_.insert(atoms_.end(), found.begin(), found.end());
    }
  });
}

void TextPatterns::note_literal(PatternId id, size_t begin, std::string_view folded) {
  const PatternSet::Pattern& pattern = set_->patterns_[id];
  if (pattern.case_sensitive) {
    literals_[id] = 1;  // a candidate: count() looks at the text itself
    return;
  }
  const size_t end = begin + pattern.text.size();
  if (begin < ends_[id] || !stands_alone(folded, begin, end)) return;
  ends_[id] = static_cast<uint32_t>(end);
  ++literals_[id];
}

bool TextPatterns::matches(PatternId id) {
  if (known_[id] == Known::kNot) known_[id] = run(id) ? Known::kYes : Known::kNo;
  return known_[id] == Known::kYes;
}

bool TextPatterns::run(PatternId id) {
  const PatternSet::Pattern& pattern = set_->patterns_[id];
  if (pattern.literal) return count(id) > 0;
  if (!scanned_) scan();
  for (uint32_t i = 0; i < pattern.alternatives; ++i) {
    const uint32_t alternative = pattern.first_alternative + i;
    if (!candidate_[alternative]) continue;
    const RE2& regex = set_->regexes_->filtered.GetRE2(static_cast<int>(alternative));
    if (RE2::PartialMatch(piece(text_), regex)) return true;
    if (differs_ && !pattern.case_sensitive && RE2::PartialMatch(piece(normalized_), regex)) {
      return true;
    }
  }
  return false;
}

size_t TextPatterns::count(PatternId id) {
  if (!scanned_) scan();
  const PatternSet::Pattern& pattern = set_->patterns_[id];
  if (!pattern.literal) {
    if (pattern.runs) return pattern.runs->count(text_);
    const auto first = candidate_.begin() + pattern.first_alternative;
    if (std::find(first, first + pattern.alternatives, 1) == first + pattern.alternatives) return 0;
    return pattern.whole ? count_matches(*pattern.whole, text_) : matches(id) ? 1 : 0;
  }
  if (!pattern.case_sensitive || literals_[id] == 0) return literals_[id];
  size_t count = 0;
  for (size_t at = find_word(text_, pattern.text, 0); at != std::string_view::npos;
       at = find_word(text_, pattern.text, at + pattern.text.size())) {
    ++count;
  }
  return count;
}

}  // namespace vsr::signals
