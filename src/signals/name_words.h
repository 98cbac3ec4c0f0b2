#pragma once

// A text as the name tagger sees it: words with a case-folded hash, grouped into runs in which
// names or addresses may stand, and the features of a word. The trainer and the tagger share this
// file, so a change here asks for new weights. Pure; no allocation once the vectors have grown.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "signals/name_model.h"

namespace vsr::signals {

// What stands between two words.
enum class Gap : uint8_t {
  kNone,
  kSpace,
  kComma,
  kLine,
  kStop,  // full stop, question or exclamation mark, and a space
  kDot,   // without a space behind it
  kColon,
  kDash,
  kOpen,
  kClose,
  kQuote,
  kSlash,
  kAt,
  kEquals,
  kOther,
};

enum class Shape : uint8_t { kLower, kCapital, kInitial, kUpper, kMixed, kNumber, kCode };

struct NameWord {
  uint32_t start = 0;
  uint32_t end = 0;
  uint32_t hash = 0;
  Shape shape = Shape::kLower;
  Gap before = Gap::kNone;
  uint8_t flags = 0;  // WordFlag
  bool possessive = false;
  bool titled = false;     // behind "Mr", "Dr"
  bool labelled = false;   // the first of two behind "name:", "customer="
  bool candidate = false;  // stands in a run
};

// A block: a paragraph, or kBlockBytes of one, cut where no name is likely to go on. Nothing
// outside of it counts, so what is found does not depend on where in a long text it stands.
constexpr size_t kBlockBytes = 4096;
// The end of the block that starts at `start`.
size_t block_end(std::string_view text, size_t start);

struct NameBlock {
  std::vector<NameWord> words;
  uint8_t cues = 0;        // what kind of text this is: exercise, question, identifiers, culture
  Gap after = Gap::kNone;  // behind the last word

  // Replaces the words by those of text[start, end). Offsets of words are into `text`.
  void read(std::string_view text, size_t start, size_t end, const NameModel& model);
  // Texts in which names stand for nobody, or for somebody everybody knows.
  bool impersonal() const;
  Gap gap_after(size_t i) const { return i + 1 < words.size() ? words[i + 1].before : after; }
};

// A run of candidates, [first, last).
struct NameRun {
  size_t first = 0;
  size_t last = 0;
};
constexpr size_t kRunWordsMax = 64;
// The next run at or behind word `from`; first == words.size() at the end.
NameRun next_run(const NameBlock& block, size_t from);

// Kinds of features that the trainer leaves out at times.
constexpr uint32_t kNeighbourFeatures = 1;
constexpr uint32_t kLetterFeatures = 2;

// Rows of the features of one word.
constexpr size_t kFeaturesMax = 48;
struct FeatureRows {
  std::array<uint32_t, kFeaturesMax> rows;
  size_t count = 0;
};
void word_features(std::string_view text, const NameBlock& block, const NameRun& run, size_t i,
                   uint32_t row_bits, FeatureRows& out, uint32_t left_out = 0);

// False if the tag cannot stand at word `i`: what goes on must have begun, and a name does not go
// on over a comma. `from` is the tag before it, kLanes at the start of a run.
bool tag_allowed(const NameBlock& block, size_t i, size_t from, size_t to);

// The case- and accent-folded hash of a word, as in NameWord.
uint32_t word_hash(std::string_view word);

// ---- Chinese names: a surname and one or two characters -----------------------------------------

struct CjkCandidate {
  uint32_t start = 0;
  uint32_t surname_end = 0;
  uint32_t end[kCjkOutcomes] = {};  // behind the name of each outcome; 0 if it is impossible
};
// True if a surname starts at `at`.
bool read_cjk_candidate(std::string_view text, size_t at, CjkCandidate& out);
void cjk_features(std::string_view text, const CjkCandidate& candidate, uint32_t row_bits,
                  FeatureRows& out, uint32_t left_out = 0);

}  // namespace vsr::signals
