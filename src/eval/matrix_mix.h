#pragma once

// The turns of the published matrix (matrix.h) as a workload of the symmetric evaluation: the same
// demands, with phases as locks and true needs on the scale of x. Pure.

#include "eval/workload.h"

namespace vsr::eval {

// All scenarios and seeds: 1,200 sessions of 18 requests, for the three models of pub3.
Workload matrix_workload();

}  // namespace vsr::eval
