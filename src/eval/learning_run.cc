#include "eval/learning_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "eval/agent_mix.h"
#include "eval/baselines.h"
#include "eval/bootstrap.h"
#include "eval/closed_loop.h"
#include "eval/learned_policy.h"
#include "eval/matrix_mix.h"
#include "eval/oracle.h"
#include "eval/simulate.h"

namespace vsr::eval {

namespace {

constexpr std::string_view kOurs = "ours:";

Result<std::unique_ptr<ServingPolicy>> make_policy(std::string_view name, const Economy& economy,
                                                   double lambda, const RunOptions& options) {
  if (!is_ours(name)) {
    auto made = baseline(name, economy);
    if (made) return made;
    return fail(made.error().code,
                fmt::format("{}, or ours:decision, ours:ladder_after_first, ours:at_least or "
                            "ours:ladder",
                            made.error().message));
  }
  const auto set = candidate_set_of(name.substr(kOurs.size()));
  if (!set) return std::unexpected(set.error());
  return learned_policy(economy.name, {.lambda = lambda,
                                       .candidate_set = *set,
                                       .price_factor = options.price_factor,
                                       .remembers = options.remembers});
}

// Cells that share requests and prices.
struct Group {
  Cell cell;
  Economy economy;
  Workload workload;
  std::vector<Plan> plans;  // closed loop
};

struct Run {
  const Group* group = nullptr;
  std::string policy;
  double lambda = 0;  // that the policy is told
  ClosedTotals totals;
  double prefill_p95_s = 0;
};

struct Optimum {
  const Group* group = nullptr;
  double lambda = 0;
  std::vector<double> by_session;
};

double percentile_95(std::vector<float>& values) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 95 / 100);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void serve(Run& run, const RunOptions& options) {
  const Group& group = *run.group;
  const auto policy = *make_policy(run.policy, group.economy, run.lambda, options);
  if (group.cell.suite == Suite::kClosedLoop) {
    run.totals = closed_loop(group.economy, group.plans, *policy, true);
  } else {
    run.totals.books = simulate(group.economy, group.workload, *policy);
  }
  run.prefill_p95_s = percentile_95(run.totals.books.prefill_s);
  run.totals.books.prefill_s = {};
}

Row row_of(const Cell& cell, const Run& run, const std::vector<double>* optimum) {
  const Totals& books = run.totals.books;
  const auto percent = [](double part, double whole) { return whole > 0 ? 100 * part / whole : 0; };
  const auto rounds = static_cast<double>(books.rounds);
  Row row;
  row.cell = cell;
  row.policy = run.policy;
  row.sessions = books.sessions.size();
  row.requests = books.requests;
  row.cost = books.cost;
  row.failed = books.failed;
  row.first_call_cost = books.first_call_cost;
  row.violations = books.violations;
  row.switches = books.switches;
  row.switches_per_100 =
      percent(static_cast<double>(books.switches), static_cast<double>(books.requests));
  row.under_pct = percent(static_cast<double>(books.under), rounds);
  row.over_pct = percent(static_cast<double>(books.over), rounds);
  row.prefill_p95_s = run.prefill_p95_s;
  row.round_success = rounds > 0 ? books.round_success / rounds : 0;
  row.task_success = books.tasks > 0 ? books.task_success / static_cast<double>(books.tasks) : 0;
  row.objective = books.cost + cell.lambda * books.failed;
  if (cell.suite == Suite::kClosedLoop) {
    row.attempts = run.totals.attempts;
    row.task_success =
        percent(static_cast<double>(run.totals.solved), static_cast<double>(run.totals.tasks)) /
        100;
    return row;
  }
  if (optimum == nullptr) return row;
  double best = 0;
  for (const double value : *optimum) best += value;
  row.optimum = best;
  row.regret_pct = 100 * (row.objective / best - 1);
  std::vector<double> objective;
  for (const SessionTotals& session : books.sessions) {
    objective.push_back(session.cost + cell.lambda * session.failed);
  }
  row.regret_ci95 = regret_interval(objective, *optimum);
  return row;
}

using GroupKey = std::tuple<Suite, std::string, std::string>;
using RunKey = std::tuple<GroupKey, std::string, double>;
using OptimumKey = std::pair<GroupKey, double>;

GroupKey group_key(const Cell& cell) { return {cell.suite, cell.profile, cell.prices}; }
OptimumKey optimum_key(const Cell& cell) { return {group_key(cell), cell.lambda}; }
// Baselines are not told λ: one run serves all of it.
RunKey run_key(const Cell& cell, const std::string& policy) {
  return {group_key(cell), policy, is_ours(policy) ? cell.lambda : 0};
}

Result<Group> make_group(const Cell& cell, const RunOptions& options) {
  Group group;
  group.cell = cell;
  auto made = economy(cell.prices, options.price_factor);
  if (!made) return std::unexpected(made.error());
  group.economy = std::move(*made);
  group.economy.ttl_s = options.ttl_s;
  if (cell.suite != Suite::kClosedLoop) {
    auto workload = make_workload(cell, options);
    if (!workload) return std::unexpected(workload.error());
    group.workload = std::move(*workload);
    return group;
  }
  const auto kind = profile(cell.profile);
  if (!kind) return std::unexpected(kind.error());
  const MixOptions mix{.confusion = options.confusion};
  for (uint64_t seed = options.first_seed; seed <= options.last_seed; ++seed) {
    for (uint64_t i = 0; i < options.sessions; ++i) {
      group.plans.push_back(draw_plan(*kind, mix, group.economy, seed, i));
    }
  }
  return group;
}

// All that is needed for some cells, each piece worked out once.
class Evaluation {
 public:
  Evaluation(const std::vector<Cell>& cells, const std::vector<std::string>& policies,
             const RunOptions& options)
      : cells_(cells), policies_(policies), options_(options) {}

  Status prepare() {
    for (const Cell& cell : cells_) {
      if (groups_.contains(group_key(cell))) continue;
      auto group = make_group(cell, options_);
      if (!group) return std::unexpected(group.error());
      groups_.emplace(group_key(cell), std::move(*group));
    }
    for (const Cell& cell : cells_) {
      const Group& group = groups_.at(group_key(cell));
      for (const std::string& policy : policies_) {
        if (is_constant(policy) && !baseline(policy, group.economy)) continue;
        const auto tried = make_policy(policy, group.economy, cell.lambda, options_);
        if (!tried) return std::unexpected(tried.error());
        const auto [at, added] = run_index_.try_emplace(run_key(cell, policy), runs_.size());
        if (added) runs_.push_back({.group = &group, .policy = policy, .lambda = cell.lambda});
      }
      if (cell.suite == Suite::kClosedLoop || !options_.with_optimum) continue;
      const auto [at, added] = optimum_index_.try_emplace(optimum_key(cell), optima_.size());
      if (added) optima_.push_back({.group = &group, .lambda = cell.lambda});
    }
    for (const std::string& policy : policies_) {
      if (std::ranges::none_of(runs_, [&](const Run& run) { return run.policy == policy; })) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{} has no such tier in these prices", policy));
      }
    }
    return {};
  }

  std::vector<Row> rows() {
    run_parallel(
        runs_.size() + optima_.size(), options_.threads,
        [this](size_t i) {
          if (i < runs_.size()) {
            serve(runs_[i], options_);
            return;
          }
          Optimum& optimum = optima_[i - runs_.size()];
          for (const Session& session : optimum.group->workload.sessions) {
            optimum.by_session.push_back(
                oracle_objective(optimum.group->economy, session, optimum.lambda));
          }
        },
        options_.progress);
    std::vector<Row> out;
    for (const Cell& cell : cells_) {
      const auto optimum = optimum_index_.find(optimum_key(cell));
      for (const std::string& policy : policies_) {
        const auto run = run_index_.find(run_key(cell, policy));
        if (run == run_index_.end()) continue;
        out.push_back(row_of(
            cell, runs_[run->second],
            optimum == optimum_index_.end() ? nullptr : &optima_[optimum->second].by_session));
      }
    }
    return out;
  }

 private:
  const std::vector<Cell>& cells_;
  const std::vector<std::string>& policies_;
  const RunOptions& options_;
  std::map<GroupKey, Group> groups_;
  std::vector<Run> runs_;
  std::vector<Optimum> optima_;
  std::map<RunKey, size_t> run_index_;
  std::map<OptimumKey, size_t> optimum_index_;
};

}  // namespace

bool is_ours(std::string_view policy) { return policy.starts_with(kOurs); }
bool is_constant(std::string_view policy) { return policy.starts_with("always_"); }

Result<std::vector<Row>> evaluate(const std::vector<Cell>& cells,
                                  const std::vector<std::string>& policies,
                                  const RunOptions& options) {
  const uint64_t seeds = options.last_seed - options.first_seed + 1;
  if (options.last_seed < options.first_seed || seeds > kSessionsMax ||
      seeds * options.sessions > kSessionsMax) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("seeds × sessions must be from 1 to {}", kSessionsMax));
  }
  Evaluation evaluation(cells, policies, options);
  if (const Status prepared = evaluation.prepare(); !prepared) {
    return std::unexpected(prepared.error());
  }
  return evaluation.rows();
}

std::vector<Cell> grid_cells() {
  std::vector<Cell> out;
  for (const char* profile : {"coding", "assistant", "research", "flap"}) {
    const Suite suite = std::string_view(profile) == "flap" ? Suite::kFlap : Suite::kAgentMix;
    for (const char* prices : {"pub3", "recipe5", "real4"}) {
      for (const double lambda : {0.2, 1.0, 5.0}) out.push_back({suite, profile, prices, lambda});
    }
  }
  for (const double lambda : {0.1, 0.5, 2.0}) {
    out.push_back({Suite::kMatrix, "matrix", "pub3", lambda});
  }
  return out;
}

std::vector<std::string> policy_names(const std::vector<Cell>& cells) {
  std::vector<std::string> out = {"ours:decision", "ours:ladder_after_first", "ours:at_least",
                                  "ours:ladder"};
  Economy widest;
  bool closed_loop = false;
  for (const Cell& cell : cells) {
    if (const auto prices = economy(cell.prices); prices && prices->k > widest.k) widest = *prices;
    closed_loop |= cell.suite == Suite::kClosedLoop;
  }
  for (std::string& name : baseline_names(widest)) {
    // It goes by complaints, which only the closed loop has.
    if (name != "cascade" || closed_loop) out.push_back(std::move(name));
  }
  return out;
}

Result<Workload> make_workload(const Cell& cell, const RunOptions& options) {
  if (cell.suite == Suite::kMatrix) {
    if (cell.prices != "pub3") {
      return fail(ErrorCode::kInvalidArgument,
                  "the matrix is defined for three models; use --prices pub3");
    }
    return matrix_workload();
  }
  const bool flap = cell.suite == Suite::kFlap;
  const auto kind = profile(flap ? "coding" : cell.profile);
  if (!kind) return std::unexpected(kind.error());
  const auto prices = economy(cell.prices);
  if (!prices) return std::unexpected(prices.error());
  const MixOptions mix{.confusion = options.confusion, .flap = flap};
  Workload out;
  for (uint64_t seed = options.first_seed; seed <= options.last_seed; ++seed) {
    for (uint64_t i = 0; i < options.sessions; ++i) {
      out.sessions.push_back(flatten(draw_plan(*kind, mix, *prices, seed, i)));
    }
  }
  return out;
}

}  // namespace vsr::eval
