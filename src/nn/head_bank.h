#pragma once

// The linear heads on n-grams: domain, jailbreak, harmful and difficulty, all read from one hashing
// pass over the text. TextClassifier adds what the encoder says. Immutable after load and safe to
// call from many threads; a call allocates little and takes about 30 µs per KB of text. The weights
// are mapped, not copied.

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "nn/head_file.h"
#include "nn/heads.h"
#include "nn/mapped_file.h"

namespace vsr::nn {

// All in 0..1 and calibrated.
struct HeadScores {
  std::array<float, kDomains> domain{};  // sums to 1, order of kDomainLabels
  float jailbreak = 0;                   // P(attack), maximum over overlapping windows
  float harmful = 0;                     // P(harmful request), likewise
  std::array<float, kTiers> tier{};      // sums to 1, order of kTierLabels
  float difficulty = 0;                  // 0 easy, 1 hard: expected failure rate of a model
  // Sums to 1, order of kFeedbackLabels. Only the encoder tells it.
  std::optional<std::array<float, kFeedbacks>> feedback;
  // P(COMPLEX or REASONING), what a complexity rule without candidates compares.
  float hard() const { return tier[2] + tier[3]; }
};

// A stretch of a text, one or two blocks of n-grams long: up to about 128 tokens of English.
struct Window {
  uint32_t begin = 0;
  uint32_t end = 0;
  float attack = 0;        // logit of its n-grams
  bool is_english = true;  // told by TextClassifier
  std::string_view of(std::string_view text) const { return text.substr(begin, end - begin); }
};

// Before calibration; what the trainer fits temperatures and slopes on.
struct HeadLogits {
  Columns whole{};      // domain, tiers, difficulty: over the whole text
  float jailbreak = 0;  // the highest of all windows
  float harmful = 0;
  float cjk = 0;  // share of Chinese, Japanese and Korean among the characters
  // The first and the last two blocks, and between them in order of position the windows with the
  // highest `attack` that do not overlap each other. Not more than asked for.
  std::vector<Window> windows;
  size_t windows_total = 0;  // from which these were chosen
  size_t views = 0;          // how many of `windows`, at the end, TextClassifier added
};

inline float logistic(float logit) { return 1 / (1 + std::exp(-logit)); }

template <size_t n>
void softmax(std::span<const float, n> logits, std::array<float, n>& out, float temperature = 1) {
  float top = logits[0];
  for (const float z : logits) top = std::max(top, z);
  float total = 0;
  for (size_t i = 0; i < n; ++i) total += out[i] = std::exp((logits[i] - top) / temperature);
  for (float& p : out) p /= total;
}

class HeadBank {
 public:
  // Maps and validates the file; the error names what is wrong with it.
  static Result<HeadBank> load(const std::string& path);
  // Takes the bytes of a file.
  static Result<HeadBank> from_bytes(std::string bytes);

  // A text without words scores by the biases alone.
  void score(std::string_view text, HeadScores& out) const;
  HeadLogits logits(std::string_view text, size_t windows_max = 0) const;
  float attack(float logit) const;  // calibrated
  HeadScores calibrate(const HeadLogits& logits) const;

  // Thresholds the shipped heads were calibrated for.
  float jailbreak_threshold() const { return view_.parameters.jailbreak_threshold; }
  float harmful_threshold() const { return view_.parameters.harmful_threshold; }
  // 16 hex digits: the checksum of the weights.
  const std::string& version() const { return version_; }

 private:
  static Result<HeadBank> make(MappedFile file);
  HeadBank(MappedFile file, HeadView view);

  MappedFile file_;  // what view_.rows points into
  HeadView view_;
  std::string version_;
};

}  // namespace vsr::nn
