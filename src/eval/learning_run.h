#pragma once

// Evaluates policies over cells: a cell is a workload, a price set and λ. Every policy of a cell
// serves the same requests; the optimum is worked out beside them. The result does not depend on
// the number of threads.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/parallel.h"
#include "eval/workload.h"

namespace vsr::eval {

enum class Suite : uint8_t { kAgentMix, kFlap, kMatrix, kClosedLoop };

struct Cell {
  Suite suite = Suite::kAgentMix;
  std::string profile = "coding";  // kMatrix: "matrix"; kFlap: "flap", which is coding's
  std::string prices = "real4";
  double lambda = 1;  // USD
};

struct RunOptions {
  uint64_t first_seed = 9001, last_seed = 9030;
  size_t sessions = 20;  // of each seed
  size_t threads = 1;
  double price_factor = 1;  // of all prices
  // Departures from what learning assumes.
  double confusion = 0.15;  // share of proposals without information
  double ttl_s = 300;       // of the true caches
  bool remembers = true;    // false: no recipe-wide counts
  bool with_optimum = true;
  Progress progress;
};
constexpr size_t kSessionsMax = 100'000;  // of a cell

// What one policy comes to in one cell. Sums over all sessions; `*_pct` from 0 to 100.
struct Row {
  Cell cell;
  std::string policy;
  uint64_t sessions = 0, requests = 0;
  double cost = 0, failed = 0;
  double first_call_cost = 0;  // of `cost`: first calls of rounds; the rest are later calls
  uint64_t violations = 0, switches = 0;
  double switches_per_100 = 0, under_pct = 0, over_pct = 0, prefill_p95_s = 0;
  double round_success = 0, task_success = 0;  // means, 0…1
  double objective = 0;                        // J = cost + λ·failed
  // Of the closed loop there is none.
  std::optional<double> optimum, regret_pct;
  std::array<double, 2> regret_ci95{};
  std::optional<uint64_t> attempts;  // closed loop
};

// Rows of a cell stand together, in the order of `policies`. An unknown name is an error. Constants
// above the tiers of a cell's prices are left out there.
Result<std::vector<Row>> evaluate(const std::vector<Cell>& cells,
                                  const std::vector<std::string>& policies,
                                  const RunOptions& options);

// The 27 cells of AgentMix; with flap and the matrix, 39.
std::vector<Cell> grid_cells();
constexpr size_t kAgentMixCells = 27;

// All policies that some cells can have; ours first.
std::vector<std::string> policy_names(const std::vector<Cell>& cells);

// A workload of a suite that is not the closed loop.
Result<Workload> make_workload(const Cell& cell, const RunOptions& options);

bool is_ours(std::string_view policy);      // ours:…
bool is_constant(std::string_view policy);  // always_…

}  // namespace vsr::eval
