#include "eval/matrix_run.h"

#include <fmt/format.h>

#include "eval/python_number.h"

namespace vsr::eval {

namespace {

constexpr int kShortPlaces = 4;
constexpr int kCostPlaces = 8;

constexpr std::string_view kColumns =
    "scenario,seed,session_id,turn,phase,idle_expired,demand,history_tokens,remaining_turn_prior,"
    "remaining_turns_estimate,continuation_mass,prior_mass,baseline_model,agentic_model,"
    "baseline_switch,agentic_switch,tool_loop_switch_violation_baseline,"
    "tool_loop_switch_violation_agentic,context_portability_violation_baseline,"
    "context_portability_violation_agentic,decision_drift,agentic_drift_switch,"
    "cached_prompt_ratio,baseline_quality,agentic_quality,baseline_cost,agentic_cost,"
    "policy_reason";

Result<std::span<const MatrixScenario>> chosen_scenarios(std::string_view name) {
  const std::span<const MatrixScenario> all = matrix_scenarios();
  if (name.empty()) return all;
  std::string names;
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].name == name) return all.subspan(i, 1);
    names += fmt::format("{}{}", names.empty() ? "" : ", ", all[i].name);
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("the matrix has no scenario {}; use {}", name, names));
}

}  // namespace

Result<MatrixRun> run_matrix(const MatrixOptions& options) {
  const Result<MatrixPolicy> policy = matrix_policy(options.policy);
  if (!policy) return std::unexpected(policy.error());
  const auto scenarios = chosen_scenarios(options.scenario);
  if (!scenarios) return std::unexpected(scenarios.error());
  MatrixRun run{.policy = options.policy, .rows = {}};
  for (const MatrixScenario& scenario : *scenarios) {
    for (uint32_t i = 0; i < kMatrixSeeds; ++i) {
      MatrixSession session(*policy);
      int baseline = 0;
      for (const MatrixTurn& turn : matrix_turns(scenario, kMatrixFirstSeed + i)) {
        if (turn.turn == 0) {
          session = MatrixSession(*policy);
          baseline = 0;
        }
        MatrixRow& row = run.rows.emplace_back();
        row.turn = turn;
        row.step = session.step(turn);
        row.baseline_switched = turn.base_tier != baseline;
        baseline = turn.base_tier;
        row.baseline_cost = python_round(matrix_cost(turn, turn.base_tier, 0), kCostPlaces);
        row.policy_cost =
            python_round(matrix_cost(turn, row.step.tier, row.step.cached_ratio), kCostPlaces);
      }
    }
  }
  return run;
}

std::string matrix_csv(const MatrixRun& run) {
  std::string out = fmt::format("{}\r\n", kColumns);
  const auto truth = [](bool value) { return value ? "True" : "False"; };
  const auto rounded = [](double value) { return python_repr(python_round(value, kShortPlaces)); };
  for (const MatrixRow& row : run.rows) {
    const MatrixTurn& turn = row.turn;
    const MatrixStep& step = row.step;
    const MatrixModel& base = kMatrixModels[static_cast<size_t>(turn.base_tier)];
    const MatrixModel& model = kMatrixModels[static_cast<size_t>(step.tier)];
    const bool tool = turn.phase == MatrixPhase::kToolLoop;
    const bool provider = turn.phase == MatrixPhase::kProviderState;
    const bool drift = turn.phase == MatrixPhase::kTopicDrift;
    out += fmt::format("{},{},sess-{:03},{},{},{},", turn.scenario->name, turn.seed, turn.session,
                       turn.turn, to_string(turn.phase), truth(turn.idle));
    out += fmt::format("{},{},{},{},{},{},", rounded(turn.demand), turn.history_tokens,
                       python_repr(turn.scenario->prior), python_repr(step.remaining),
                       rounded(step.mass), rounded(step.prior_mass));
    out += fmt::format("{},{},{},{},", base.name, model.name, truth(row.baseline_switched),
                       truth(step.switched));
    out +=
        fmt::format("{},{},{},{},{},{},", truth(tool && row.baseline_switched),
                    truth(tool && step.switched), truth(provider && row.baseline_switched),
                    truth(provider && step.switched), truth(drift), truth(drift && step.switched));
    out += fmt::format("{},{},{},{},{},{}\r\n", rounded(step.cached_ratio),
                       python_repr(base.quality), python_repr(model.quality),
                       python_repr(row.baseline_cost), python_repr(row.policy_cost), step.reason);
  }
  return out;
}

}  // namespace vsr::eval
