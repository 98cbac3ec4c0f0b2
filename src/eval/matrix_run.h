#pragma once

// The published matrix under a policy: its rows and its CSV, byte for byte as CPython's csv,
// round() and repr() wrote it. Pure; any thread; a run of all scenarios holds 21,600 rows.

#include <string>
#include <vector>

#include "base/result.h"
#include "eval/matrix.h"
#include "eval/matrix_policy.h"

namespace vsr::eval {

struct MatrixOptions {
  std::string policy = "acr-full";
  std::string scenario;  // "": all
};

struct MatrixRow {
  MatrixTurn turn;
  MatrixStep step;
  bool baseline_switched = false;
  double baseline_cost = 0;  // USD, 8 places; charged uncached
  double policy_cost = 0;    // USD, 8 places
};

struct MatrixRun {
  std::string policy;
  std::vector<MatrixRow> rows;
};

// The error lists the names that exist.
Result<MatrixRun> run_matrix(const MatrixOptions& options);

std::string matrix_csv(const MatrixRun& run);

}  // namespace vsr::eval
