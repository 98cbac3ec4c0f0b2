#pragma once

// The clairvoyant optimum: the lowest cost + λ·failures that any sequence of free choices reaches,
// with true needs and the future known, under the accounting of simulate.h. Exact: a dynamic
// programme over labels (last tier, cache entries, objective) per lineage, where a label that
// another one cannot lose against is dropped. Pure.

#include "eval/economy.h"
#include "eval/workload.h"

namespace vsr::eval {

// USD, λ in USD.
double oracle_objective(const Economy& economy, const Session& session, double lambda);

}  // namespace vsr::eval
