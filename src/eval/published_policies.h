#pragma once

// Policies that were published with earlier recipes: acr-full of the published matrix, and the
// additive score keyed by conversation, as it was shipped. One thread.

#include "eval/economy.h"
#include "eval/lock_abiding.h"
#include "eval/serving_policy.h"

namespace vsr::eval {

// acr-full, with a gap of 300 s as idle and the prompt less its newest message
// as history.
class Published final : public LockAbiding {
 public:
  using LockAbiding::LockAbiding;

 private:
  Tier next(const Request& request, LineageState& state) override;
  double checkout(Tier tier) const { return economy_.prompt[tier] - economy_.cached[tier]; }
};

// learning/weighted_score.h as it was wired: no history reaches it, a free model's pressure is its
// quality score, and the last model of the conversation, whatever the lineage, holds every lock.
class ShippedJune final : public ServingPolicy {
 public:
  explicit ShippedJune(const Economy& economy);

  void begin_session() override;
  Tier serve(const Request& request, Tier owner) override;

 private:
  const Economy& economy_;
  std::array<double, kTiersMax> pressure_{};
  Tier last_ = kNoTier;
  int64_t last_t_ = 0;
  uint32_t turns_ = 0, switches_ = 0;
};

}  // namespace vsr::eval
