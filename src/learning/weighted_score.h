#pragma once

// The additive score of earlier recipes, kept to compare with: what the selection scored, a bonus
// for the current model that grows with what its cache holds, and penalties for every other one.
// Bonus and penalties vanish once the conversation was idle. Scores have no unit. Pure: no clock,
// no allocation.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "config/config.h"
#include "learning/tables.h"

namespace vsr::learning {

struct WeightedCandidate {
  Tier tier = kNoTier;
  double base_score = 0;  // what the selection scored; 0 for the current model if it is not listed
  double pressure = 0;    // 0…1, what a lost cache of it costs; see cache_pressures()
};

struct WeightedInput {
  std::span<const WeightedCandidate> candidates;  // at most kTiersMax, in the order of the refs
  Tier current = kNoTier;     // one of the candidates, or kNoTier: the highest base is taken
  double history_tokens = 0;  // of this request, before its newest message
  double context_tokens = 0;  // of the whole request
  uint32_t turns = 0;         // of the conversation so far
  uint32_t switches = 0;
  double warmth = 0;  // 0…1, how much of the prompt the current model should have cached
  bool idle = false;  // longer than the idle timeout
};

struct WeightedScore {
  Tier tier = kNoTier;
  double base_score = 0;
  double final_score = 0;
  double handoff_penalty = 0;
  double cache_benefit = 0;  // the current model's
  double cache_penalty = 0;  // of leaving the current model's cache
};

struct WeightedChoice {
  Tier tier = kNoTier;
  Tier previous = kNoTier;
  std::string_view reason;
  std::array<WeightedScore, kTiersMax> scores{};  // in the order of the candidates
  size_t score_count = 0;
};

// By tier: prompt price less cached price (the prompt price where that is not above 0), over the
// largest of them; 0 for free models.
std::array<double, kTiersMax> cache_pressures(const Tables& tables);

// Highest score wins, the earlier candidate on a tie.
WeightedChoice choose_weighted(const config::Tuning& tuning, const WeightedInput& input);

}  // namespace vsr::learning
