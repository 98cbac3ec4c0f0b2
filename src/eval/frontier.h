#pragma once

// What learning costs at a baseline's own success: λ is swept, and our cost is read off where the
// share of rounds that succeed is equal.

#include <optional>
#include <string>
#include <vector>

#include "eval/learning_run.h"

namespace vsr::eval {

struct FrontierPoint {
  double lambda = 0, cost = 0, success = 0;
};

struct Frontier {
  Cell cell;  // its λ is not used
  std::string policy, baseline;
  double baseline_cost = 0, baseline_success = 0;
  std::optional<double> cost;  // ours at that success; none: out of reach
  std::vector<FrontierPoint> points;
  std::optional<double> saving_pct() const;
};

// The 9 cells of profile and prices, and the matrix.
std::vector<Cell> frontier_cells();

// Every policy of ours against the baseline, in every cell.
Result<std::vector<Frontier>> sweep(const std::vector<Cell>& cells,
                                    const std::vector<std::string>& policies,
                                    const std::string& baseline, const RunOptions& options);

// The lowest cost on the curve through the points, in order of λ, at which `success` is reached.
std::optional<double> cost_at(const std::vector<FrontierPoint>& points, double success);

}  // namespace vsr::eval
