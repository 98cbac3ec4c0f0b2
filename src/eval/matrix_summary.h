#pragma once

// The totals of a matrix run, and what its accounting hides: the baseline is charged uncached on
// every turn while the policy gets a discount for what is cached. MatrixCaveat holds the figures
// that show it, and every text for a person includes them. Pure; any thread.

#include <cstddef>
#include <string>

#include "base/result.h"
#include "eval/matrix_run.h"

namespace vsr::eval {

struct MatrixSide {
  size_t switches = 0;
  size_t tool_violations = 0;      // switches inside a tool loop
  size_t provider_violations = 0;  // switches of a turn with provider state
  double cost = 0;                 // USD: rows added in their order
  size_t frontier_turns = 0;
  double mean_quality = 0;
};

struct MatrixSummary {
  std::string policy;
  size_t sessions = 0;       // distinct ids, as published
  size_t real_sessions = 0;  // by scenario and seed too
  size_t turns = 0;
  MatrixSide baseline, agentic;
  size_t drift_turns = 0, drift_switches = 0;
  size_t idle_turns = 0, idle_switches = 0;
  double mean_cached_ratio = 0;
  double mean_mass = 0;
  double mean_remaining = 0;

  double cost_reduction_pct() const;
  double switch_reduction_pct() const;
};
MatrixSummary summarise(const MatrixRun& run);

// What the cost figures of the matrix hide, from the same scenarios.
struct MatrixCaveat {
  MatrixSummary same;    // the baseline's own choices, charged as the policy is
  MatrixSummary middle;  // always the middle model, charged as the policy is
};
Result<MatrixCaveat> matrix_caveat(const MatrixOptions& options);

std::string summary_json(const MatrixSummary& summary, const MatrixCaveat& caveat);
std::string summary_text(const MatrixSummary& summary, const MatrixCaveat& caveat);

}  // namespace vsr::eval
