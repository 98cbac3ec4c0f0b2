#include "eval/frontier.h"

#include <algorithm>
#include <cmath>

namespace vsr::eval {

namespace {

constexpr size_t kPoints = 41;
constexpr double kLambdaLow = 0.003;
constexpr double kLambdaHigh = 75;

double lambda_at(size_t i) {
  const double share = static_cast<double>(i) / static_cast<double>(kPoints - 1);
  return kLambdaLow * std::pow(kLambdaHigh / kLambdaLow, share);
}

bool same_workload(const Cell& a, const Cell& b) {
  return a.suite == b.suite && a.profile == b.profile && a.prices == b.prices;
}

}  // namespace

std::optional<double> Frontier::saving_pct() const {
  if (!cost || baseline_cost <= 0) return std::nullopt;
  return 100 * (1 - *cost / baseline_cost);
}

std::vector<Cell> frontier_cells() {
  std::vector<Cell> out;
  for (const Cell& cell : grid_cells()) {
    const bool seen =
        std::ranges::any_of(out, [&](const Cell& other) { return same_workload(other, cell); });
    if (cell.suite != Suite::kFlap && !seen) out.push_back(cell);
  }
  return out;
}

std::optional<double> cost_at(const std::vector<FrontierPoint>& points, double success) {
  std::optional<double> best;
  const auto take = [&](double cost) { best = std::min(best.value_or(cost), cost); };
  for (size_t i = 0; i < points.size(); ++i) {
    if (points[i].success >= success) take(points[i].cost);
    if (i == 0) continue;
    const FrontierPoint& a = points[i - 1];
    const FrontierPoint& b = points[i];
    if ((a.success < success) == (b.success < success)) continue;
    const double share = (success - a.success) / (b.success - a.success);
    take(a.cost + share * (b.cost - a.cost));
  }
  return best;
}

Result<std::vector<Frontier>> sweep(const std::vector<Cell>& cells,
                                    const std::vector<std::string>& policies,
                                    const std::string& baseline, const RunOptions& options) {
  std::vector<Cell> swept;
  for (Cell cell : cells) {
    for (size_t i = 0; i < kPoints; ++i) {
      cell.lambda = lambda_at(i);
      swept.push_back(cell);
    }
  }
  std::vector<std::string> all = policies;
  all.push_back(baseline);
  RunOptions costs = options;
  costs.with_optimum = false;
  const auto rows = evaluate(swept, all, costs);
  if (!rows) return std::unexpected(rows.error());
  std::vector<Frontier> out;
  for (const Cell& cell : cells) {
    for (const std::string& policy : policies) {
      Frontier frontier;
      frontier.cell = cell;
      frontier.policy = policy;
      frontier.baseline = baseline;
      for (const Row& row : *rows) {
        if (!same_workload(row.cell, cell)) continue;
        if (row.policy == policy) {
          frontier.points.push_back({row.cell.lambda, row.cost, row.round_success});
        } else if (row.policy == baseline) {
          frontier.baseline_cost = row.cost;
          frontier.baseline_success = row.round_success;
        }
      }
      frontier.cost = cost_at(frontier.points, frontier.baseline_success);
      out.push_back(std::move(frontier));
    }
  }
  return out;
}

}  // namespace vsr::eval
