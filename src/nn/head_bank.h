#pragma once

// The trained linear heads of the router: domain, jailbreak, harmful and difficulty, all read from
// one hashing pass over the text. Immutable after load and safe to call from many threads; a call
// allocates little and takes about 30 µs per KB of text. The weights are mapped, not copied.

#include <array>
#include <string>
#include <string_view>

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
  // P(COMPLEX or REASONING), what a complexity rule without candidates compares.
  float hard() const { return tier[2] + tier[3]; }
};

// Before calibration; what the trainer fits temperatures and slopes on.
struct HeadLogits {
  Columns whole{};  // domain, tiers, difficulty: over the whole text
  float jailbreak = 0;
  float harmful = 0;
};

class HeadBank {
 public:
  // Maps and validates the file; the error names what is wrong with it.
  static Result<HeadBank> load(const std::string& path);
  // Takes the bytes of a file.
  static Result<HeadBank> from_bytes(std::string bytes);

  // A text without words scores by the biases alone.
  void score(std::string_view text, HeadScores& out) const;
  HeadLogits logits(std::string_view text) const;
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
