#include "eval/published_policies.h"

#include <algorithm>

#include "learning/weighted_score.h"

namespace vsr::eval {

namespace {

constexpr double kIdleSeconds = 300;

}  // namespace

Tier Published::next(const Request& request, LineageState& state) {
  const Tier current = state.current;
  const Tier base = request.proposed;
  if (request.drift || request.gap >= kIdleSeconds || base == current) return base;
  const double history = request.length - request.user_tokens;
  const double mass = std::max(
      std::min(1.0, history / 16'000),
      std::min(1.0, std::max(0.0, static_cast<double>(request.expected_turns) - state.turns) / 8));
  const bool frontier = static_cast<size_t>(current) + 1 == economy_.k;
  const double warmth = std::clamp(
      std::max(0.5, std::min(0.72, history / 48'000)) + (frontier ? 0.06 : 0), 0.0, 0.85);
  double largest = 0;
  for (size_t m = 0; m < economy_.k; ++m) {
    largest = std::max(largest, checkout(static_cast<Tier>(m)));
  }
  const double pressure = largest > 0 ? std::max(checkout(current), checkout(base)) / largest : 0;
  const double bar = 0.05 + 0.20 * mass * warmth * (1 + 1.6 * pressure) +
                     0.04 * std::min(state.switches / 8.0, 1.0);
  return economy_.quality[base] - economy_.quality[current] > bar ? base : current;
}

ShippedJune::ShippedJune(const Economy& economy) : economy_(economy) {
  double most = 0;
  for (size_t i = 0; i < economy.k; ++i) {
    pressure_[i] = economy.prompt[i] - economy.cached[i];
    most = std::max(most, pressure_[i]);
  }
  for (size_t i = 0; i < economy.k; ++i) {
    pressure_[i] = pressure_[i] > 0 ? pressure_[i] / most : economy.quality[i];
  }
}

void ShippedJune::begin_session() {
  last_ = kNoTier;
  turns_ = switches_ = 0;
}

Tier ShippedJune::serve(const Request& request, Tier) {
  Tier tier = request.proposed;
  if (last_ != kNoTier && request.owned()) {
    tier = last_;
  } else if (last_ != kNoTier && last_ != tier) {
    const learning::WeightedCandidate candidates[] = {
        {tier, economy_.quality[tier], pressure_[tier]},
        {last_, 0, pressure_[last_]}};  // the decision does not list it
    learning::WeightedInput input;
    input.candidates = candidates;
    input.current = last_;
    input.context_tokens = request.length;
    input.turns = turns_;
    input.switches = switches_;
    input.warmth = 0.5;
    input.idle = static_cast<double>(request.t - last_t_) > kIdleSeconds;
    tier = learning::choose_weighted(config::Tuning{}, input).tier;
  }
  switches_ += last_ != kNoTier && last_ != tier;
  turns_ += 1;
  last_ = tier;
  last_t_ = request.t;
  return tier;
}

}  // namespace vsr::eval
