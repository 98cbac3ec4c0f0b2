#include "learning/weighted_score.h"

#include <algorithm>

#include "base/check.h"

namespace vsr::learning {

namespace {

constexpr double kStayBonus = .10;
constexpr double kNoBetterPenalty = .10;  // for a switch to a model that was not scored higher
constexpr double kHistoryTokens = 8192;   // a history that counts in full
constexpr double kManyTurns = 8;
constexpr double kManySwitches = 8;

// How much there is to lose, 0…1: by the share of history in the prompt, its length and the turns.
double continuation_mass(const WeightedInput& input) {
  const double share = std::min(input.history_tokens / std::max(input.context_tokens, 1.0), 1.0);
  const double length = std::min(input.history_tokens / kHistoryTokens, 1.0);
  const double turns = std::min(input.turns / kManyTurns, 1.0);
  return std::clamp(.45 * share + .35 * length + .20 * turns, 0.0, 1.0);
}

const WeightedScore* best_of(const WeightedChoice& choice) {
  const auto scores = std::span(choice.scores).first(choice.score_count);
  return &*std::ranges::max_element(scores, {}, &WeightedScore::final_score);
}

// Why the current model stays although another may have been proposed: what would have won without
// the margin, or without the cache?
std::string_view reason_to_stay(const config::Tuning& tuning, const WeightedChoice& choice,
                                const WeightedScore& current, bool idle) {
  if (idle) return "stay_has_best_adjusted_score";
  bool margin = false;
  bool cache = false;
  for (size_t i = 0; i < choice.score_count; ++i) {
    const WeightedScore& other = choice.scores[i];
    if (&other == &current || other.base_score <= current.base_score) continue;
    margin |= other.final_score + tuning.switch_margin > current.final_score;
    cache |= other.final_score + other.cache_penalty > current.final_score - current.cache_benefit;
  }
  return margin  ? "switch_margin_not_met"
         : cache ? "cache_protected"
                 : "stay_has_best_adjusted_score";
}

}  // namespace

std::array<double, kTiersMax> cache_pressures(const Tables& tables) {
  std::array<double, kTiersMax> out{};
  double most = 0;
  for (size_t i = 0; i < tables.k; ++i) {
    const double lost = tables.prompt[i] - tables.cached[i];
    out[i] = lost > 0 ? lost : tables.prompt[i];
    most = std::max(most, out[i]);
  }
  if (most > 0) {
    for (double& pressure : out) pressure /= most;
  }
  return out;
}

WeightedChoice choose_weighted(const config::Tuning& tuning, const WeightedInput& input) {
  VSR_CHECK(!input.candidates.empty() && input.candidates.size() <= kTiersMax);
  WeightedChoice out;
  out.previous = input.current;
  const auto current = std::ranges::find(input.candidates, input.current, &WeightedCandidate::tier);
  const bool fresh = input.current == kNoTier;
  VSR_CHECK(fresh || current != input.candidates.end());
  const double cache = tuning.cache_weight * continuation_mass(input) * input.warmth;
  const double history =
      tuning.switch_history_weight * std::clamp(input.switches / kManySwitches, 0.0, 1.0);
  for (const WeightedCandidate& candidate : input.candidates) {
    WeightedScore& score = out.scores[out.score_count++];
    score.tier = candidate.tier;
    score.base_score = score.final_score = candidate.base_score;
    if (fresh || input.idle) continue;
    const double multiplier = 1 + (tuning.max_cache_cost_multiplier - 1) *
                                      std::max(current->pressure, candidate.pressure);
    if (candidate.tier == input.current) {
      score.cache_benefit = cache * multiplier;
      score.final_score += kStayBonus + score.cache_benefit;
      continue;
    }
    score.handoff_penalty = tuning.handoff_penalty_weight * tuning.handoff_penalty;
    score.cache_penalty = cache * multiplier;
    score.final_score -= score.handoff_penalty + score.cache_penalty + history +
                         tuning.switch_margin +
                         (candidate.base_score <= current->base_score ? kNoBetterPenalty : 0);
  }
  const WeightedScore* best = best_of(out);
  out.tier = best->tier;
  out.reason = fresh                         ? "missing_previous_model"
               : best->tier != input.current ? "switch_allowed"
                                             : reason_to_stay(tuning, out, *best, input.idle);
  return out;
}

}  // namespace vsr::learning
