#pragma once

// The same conversations with consequences: an attempt at a round succeeds or fails by its draw, a
// noticed failure is tried again, and the policy may be told. Only the route that a policy takes
// decides which attempts there are. One thread per call.

#include <vector>

#include "eval/agent_mix.h"
#include "eval/serving_policy.h"
#include "eval/simulate.h"

namespace vsr::eval {

struct ClosedTotals {
  Totals books;  // of sessions, cost and failed attempts; its chances of success are not used
  uint64_t attempts = 0, failed = 0;
  uint64_t tasks = 0, solved = 0;
};

// `feedback`: requests say when the user complains.
ClosedTotals closed_loop(const Economy& economy, const std::vector<Plan>& plans,
                         ServingPolicy& policy, bool feedback);

}  // namespace vsr::eval
