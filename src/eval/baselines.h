#pragma once

// The policies that learning is compared with. All but single_turn and shipped_june let the owner
// of a tool loop or of provider state serve, and keep lineages apart.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/economy.h"
#include "eval/serving_policy.h"

namespace vsr::eval {

// single_turn, locks_only, sticky, always_0 … always_K−1, random_p0.3, published, shipped_june,
// ev_gate, budget_cap, ewma, ski_rental, cascade.
Result<std::unique_ptr<ServingPolicy>> baseline(std::string_view name, const Economy& economy);

// Those of the open loop: constants first, in ascending tiers.
std::vector<std::string> baseline_names(const Economy& economy);

}  // namespace vsr::eval
