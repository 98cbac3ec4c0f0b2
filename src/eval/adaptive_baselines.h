#pragma once

// Baselines that weigh a proposal: by its price, a budget, a smoothed demand, or the regret of
// staying. All obey ownership and keep lineages apart. One thread.

#include "eval/cache_model.h"
#include "eval/lock_abiding.h"
#include "eval/split_mix.h"

namespace vsr::eval {

// Accepts a differing proposal with chance .3.
class RandomAcceptance final : public LockAbiding {
 public:
  using LockAbiding::LockAbiding;

 private:
  Tier next(const Request& request, LineageState& state) override;
  SplitMix random_{77};
};

// Up freely; down when eight requests' cached reads save more than a cold start costs.
class ExpectedValueGate final : public LockAbiding {
 public:
  using LockAbiding::LockAbiding;

 private:
  Tier next(const Request& request, LineageState& state) override;
};

// Accepts while the conversation's extra prompt cost is within a fifth of what staying had cost.
class BudgetCap final : public LockAbiding {
 public:
  explicit BudgetCap(const Economy& economy) : LockAbiding(economy), cache_(economy, 0) {}

  void begin_session() override;
  void answered(const Request& request, Tier tier) override;

 private:
  Tier next(const Request& request, LineageState& state) override;
  double prompt_cost(const Request& request, Tier tier);

  CacheModel cache_;
  double extra_ = 0, stay_ = 0;  // USD
};

// Smooths the proposals' x, upwards faster; the lowest tier that is within .12 of it serves.
class Smoothed final : public LockAbiding {
 public:
  using LockAbiding::LockAbiding;

 private:
  Tier first(const Request& request, LineageState& state) override;
  Tier next(const Request& request, LineageState& state) override;
  Tier tier_for(double demand) const;
};

// Up at once; down when what staying has cost would have paid for the switch.
class SkiRental final : public LockAbiding {
 public:
  using LockAbiding::LockAbiding;

 private:
  Tier next(const Request& request, LineageState& state) override;
};

// One tier up on each complaint; follows proposals of messages that say something.
class Cascade final : public LockAbiding {
 public:
  using LockAbiding::LockAbiding;

 private:
  Tier next(const Request& request, LineageState& state) override;
};

}  // namespace vsr::eval
