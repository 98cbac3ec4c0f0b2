#pragma once

// Base of the baselines that obey ownership and keep lineages apart: owners serve what they own,
// the first free request of a lineage takes first(), later ones take next(). One thread.

#include <vector>

#include "eval/economy.h"
#include "eval/serving_policy.h"

namespace vsr::eval {

// What is remembered of a lineage.
struct LineageState {
  Tier current = kNoTier;
  int turns = 0;  // requests served
  int switches = 0;
  double demand = 0;  // ewma: what the task needs, on the scale of x
  double regret = 0;  // ski_rental: what staying has cost, USD·1e6
};

class LockAbiding : public ServingPolicy {
 public:
  explicit LockAbiding(const Economy& economy) : economy_(economy) {}

  void begin_session() override { lineages_.clear(); }

  Tier serve(const Request& request, Tier owner) final {
    LineageState& state = lineage(request);
    Tier tier = owner;
    if (tier == kNoTier) {
      tier = state.current == kNoTier ? first(request, state) : next(request, state);
    }
    state.switches += state.current != kNoTier && state.current != tier;
    state.current = tier;
    state.turns += 1;
    return tier;
  }

 protected:
  virtual Tier first(const Request& request, LineageState&) { return request.proposed; }
  // `state.current` is set.
  virtual Tier next(const Request& request, LineageState& state) = 0;

  LineageState& lineage(const Request& request) {
    const size_t index = static_cast<size_t>(request.lineage);
    if (lineages_.size() <= index) lineages_.resize(index + 1);
    return lineages_[index];
  }

  const Economy& economy_;

 private:
  std::vector<LineageState> lineages_;
};

}  // namespace vsr::eval
