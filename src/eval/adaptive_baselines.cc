#include "eval/adaptive_baselines.h"

#include <algorithm>

namespace vsr::eval {

Tier RandomAcceptance::next(const Request& request, LineageState& state) {
  if (request.proposed == state.current) return state.current;
  return random_.unit() < 0.3 ? request.proposed : state.current;
}

Tier ExpectedValueGate::next(const Request& request, LineageState& state) {
  constexpr double kRequestsAhead = 8;
  constexpr int32_t kCacheSeconds = 300;
  const Tier current = state.current;
  const Tier proposed = request.proposed;
  if (proposed >= current) return proposed;
  const double length = request.length;
  const double saved =
      kRequestsAhead * length * (economy_.cached[current] - economy_.cached[proposed]);
  const double lost = request.gap < kCacheSeconds
                          ? length * (economy_.write[proposed] - economy_.cached[proposed])
                          : 0;
  return saved > lost ? proposed : current;
}

void BudgetCap::begin_session() {
  LockAbiding::begin_session();
  cache_ = CacheModel(economy_, 0);
  extra_ = stay_ = 0;
}

double BudgetCap::prompt_cost(const Request& request, Tier tier) {
  cache_.ensure(request.lineage + 1);
  Request prompt = request;
  prompt.completion = 0;
  return request_cost(economy_, prompt, tier, cache_.hit(request, tier));
}

Tier BudgetCap::next(const Request& request, LineageState& state) {
  constexpr double kShare = 0.2;
  const double stay = prompt_cost(request, state.current);
  stay_ += stay;
  if (request.proposed == state.current) return state.current;
  const double extra = std::max(0.0, prompt_cost(request, request.proposed) - stay);
  if (extra_ + extra > kShare * stay_) return state.current;
  extra_ += extra;
  return request.proposed;
}

void BudgetCap::answered(const Request& request, Tier tier) {
  cache_.ensure(request.lineage + 1);
  cache_.answered(request, tier);
}

Tier Smoothed::tier_for(double demand) const {
  constexpr double kTolerance = 0.12;
  for (size_t i = 0; i < economy_.k; ++i) {
    if (economy_.x[i] >= demand - kTolerance) return static_cast<Tier>(i);
  }
  return static_cast<Tier>(economy_.k - 1);
}

Tier Smoothed::first(const Request& request, LineageState& state) {
  state.demand = economy_.x[request.proposed];
  return tier_for(state.demand);
}

Tier Smoothed::next(const Request& request, LineageState& state) {
  const double x = economy_.x[request.proposed];
  const double tokens = request.user_tokens;
  state.demand += (x > state.demand ? 0.9 : 0.35) * tokens / (tokens + 6) * (x - state.demand);
  return tier_for(state.demand);
}

Tier SkiRental::next(const Request& request, LineageState& state) {
  constexpr int32_t kSubstantial = 8;  // tokens of a message that may lead down
  const Tier current = state.current;
  const Tier proposed = request.proposed;
  if (proposed >= current) {
    if (proposed > current) state.regret = 0;
    return proposed;
  }
  const double length = request.length;
  state.regret += std::max(
      0.0, length * (economy_.cached[current] - economy_.cached[proposed]) +
               request.completion * (economy_.completion[current] - economy_.completion[proposed]));
  const double switching = length * (economy_.write[proposed] - economy_.cached[proposed]);
  if (state.regret < switching || request.user_tokens <= kSubstantial) return current;
  state.regret = 0;
  return proposed;
}

Tier Cascade::next(const Request& request, LineageState& state) {
  constexpr int32_t kSubstantial = 10;
  if (request.failure_feedback) {
    return std::min(static_cast<Tier>(state.current + 1), static_cast<Tier>(economy_.k - 1));
  }
  return request.user_tokens > kSubstantial ? request.proposed : state.current;
}

}  // namespace vsr::eval
