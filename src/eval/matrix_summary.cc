#include "eval/matrix_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "eval/python_number.h"
#include "json/writer.h"

namespace vsr::eval {

namespace {

constexpr std::string_view kSingleTurn = "single-turn";
constexpr std::string_view kAlwaysMiddle = "always-qwen3-32b";

void add(const MatrixTurn& turn, int tier, bool switched, double cost, MatrixSide& side) {
  side.switches += switched;
  side.tool_violations += switched && turn.phase == MatrixPhase::kToolLoop;
  side.provider_violations += switched && turn.phase == MatrixPhase::kProviderState;
  side.frontier_turns += tier == kMatrixFrontier;
  side.cost += cost;
}

double mean_of(const MatrixRun& run, auto&& value) {
  std::vector<double> values;
  values.reserve(run.rows.size());
  for (const MatrixRow& row : run.rows) values.push_back(value(row));
  return exact_mean(values);
}

double quality(int tier) { return kMatrixModels[static_cast<size_t>(tier)].quality; }

double less_pct(double before, double after) {
  return before == 0 ? 0 : 100 * (before - after) / before;
}

ptrdiff_t less(size_t before, size_t after) {
  return static_cast<ptrdiff_t>(before) - static_cast<ptrdiff_t>(after);
}

}  // namespace

double MatrixSummary::cost_reduction_pct() const { return less_pct(baseline.cost, agentic.cost); }

double MatrixSummary::switch_reduction_pct() const {
  return less_pct(static_cast<double>(baseline.switches), static_cast<double>(agentic.switches));
}

MatrixSummary summarise(const MatrixRun& run) {
  MatrixSummary out;
  out.policy = run.policy;
  std::set<int> ids;
  for (const MatrixRow& row : run.rows) {
    const MatrixTurn& turn = row.turn;
    ids.insert(turn.session);
    out.turns += 1;
    out.real_sessions += turn.turn == 0;
    add(turn, turn.base_tier, row.baseline_switched, row.baseline_cost, out.baseline);
    add(turn, row.step.tier, row.step.switched, row.policy_cost, out.agentic);
    const bool drift = turn.phase == MatrixPhase::kTopicDrift;
    out.drift_turns += drift;
    out.drift_switches += drift && row.step.switched;
    out.idle_turns += turn.idle;
    out.idle_switches += turn.idle && row.step.switched;
  }
  out.sessions = ids.size();
  constexpr int kPlaces = 4;  // as in the CSV, which the means are of
  out.baseline.mean_quality =
      mean_of(run, [](const MatrixRow& row) { return quality(row.turn.base_tier); });
  out.agentic.mean_quality =
      mean_of(run, [](const MatrixRow& row) { return quality(row.step.tier); });
  out.mean_cached_ratio =
      mean_of(run, [](const auto& row) { return python_round(row.step.cached_ratio, kPlaces); });
  out.mean_mass =
      mean_of(run, [](const auto& row) { return python_round(row.step.mass, kPlaces); });
  out.mean_remaining = mean_of(run, [](const auto& row) { return row.step.remaining; });
  return out;
}

Result<MatrixCaveat> matrix_caveat(const MatrixOptions& options) {
  MatrixCaveat out;
  for (const auto& [policy, summary] :
       {std::pair(kSingleTurn, &out.same), std::pair(kAlwaysMiddle, &out.middle)}) {
    const Result<MatrixRun> run =
        run_matrix({.policy = std::string(policy), .scenario = options.scenario});
    if (!run) return std::unexpected(run.error());
    *summary = summarise(*run);
  }
  return out;
}

std::string summary_json(const MatrixSummary& s, const MatrixCaveat& caveat) {
  json::JsonWriter w;
  w.begin_object();
  w.field("policy", s.policy).field("sessions", s.sessions);
  w.field("real_sessions", s.real_sessions).field("turns", s.turns);
  const auto pair = [&](std::string_view name, auto MatrixSide::* value) {
    w.field(fmt::format("baseline_{}", name), s.baseline.*value);
    w.field(fmt::format("agentic_{}", name), s.agentic.*value);
  };
  pair("switches", &MatrixSide::switches);
  w.field("switch_reduction", less(s.baseline.switches, s.agentic.switches));
  w.field("switch_reduction_pct", s.switch_reduction_pct());
  pair("tool_loop_switch_violations", &MatrixSide::tool_violations);
  pair("context_portability_violations", &MatrixSide::provider_violations);
  w.field("decision_drift_turns", s.drift_turns);
  w.field("agentic_drift_switches", s.drift_switches);
  pair("cost", &MatrixSide::cost);
  w.field("cost_delta", s.agentic.cost - s.baseline.cost);
  w.field("cost_reduction_pct", s.cost_reduction_pct());
  pair("frontier_turns", &MatrixSide::frontier_turns);
  w.field("frontier_turn_delta", less(s.agentic.frontier_turns, s.baseline.frontier_turns));
  w.field("idle_turns", s.idle_turns);
  w.field("agentic_idle_switches", s.idle_switches);
  w.field("mean_cached_prompt_ratio", s.mean_cached_ratio);
  w.field("mean_continuation_mass", s.mean_mass);
  w.field("mean_remaining_turns_estimate", s.mean_remaining);
  pair("mean_quality", &MatrixSide::mean_quality);
  w.field("quality_delta", s.agentic.mean_quality - s.baseline.mean_quality);
  w.key("charged_alike").begin_object();
  w.field("baseline_cost", caveat.same.agentic.cost);
  w.field("baseline_cost_reduction_pct", caveat.same.cost_reduction_pct());
  w.key("always_middle").begin_object();
  w.field("model", kMatrixModels[1].name).field("cost", caveat.middle.agentic.cost);
  w.field("mean_quality", caveat.middle.agentic.mean_quality);
  w.field("switches", caveat.middle.agentic.switches);
  w.end_object().end_object().end_object();
  return w.take();
}

std::string summary_text(const MatrixSummary& s, const MatrixCaveat& caveat) {
  const MatrixSide& base = s.baseline;
  const MatrixSide& own = s.agentic;
  std::string out = fmt::format(
      "policy {}: {} session ids ({} sessions), {} turns\n"
      "                        baseline        policy\n"
      "switches              {:>10}    {:>10}   {:+.2f} %\n"
      "tool loop violations  {:>10}    {:>10}\n"
      "provider violations   {:>10}    {:>10}\n"
      "frontier turns        {:>10}    {:>10}\n"
      "mean quality          {:>10.4f}    {:>10.4f}   {:+.4f}\n"
      "cost, USD             {:>10.6f}    {:>10.6f}   not comparable, see below\n",
      s.policy, s.sessions, s.real_sessions, s.turns, base.switches, own.switches,
      -s.switch_reduction_pct(), base.tool_violations, own.tool_violations,
      base.provider_violations, own.provider_violations, base.frontier_turns, own.frontier_turns,
      base.mean_quality, own.mean_quality, own.mean_quality - base.mean_quality, base.cost,
      own.cost);
  out += fmt::format(
      "idle turns {} ({} switches), drift turns {} ({} switches)\n"
      "means: cached ratio {:.4f}, continuation mass {:.4f}, turns expected {:.4f}\n",
      s.idle_turns, s.idle_switches, s.drift_turns, s.drift_switches, s.mean_cached_ratio,
      s.mean_mass, s.mean_remaining);
  const MatrixSide& middle = caveat.middle.agentic;
  const bool beats = middle.cost < own.cost && middle.mean_quality > own.mean_quality &&
                     middle.switches < own.switches;
  out += fmt::format(
      "The two costs are not charged alike: the baseline pays the uncached price on every turn,\n"
      "the policy has a cache discount, so their difference is no saving. With the discount the\n"
      "same baseline costs {:.6f} ({:.2f} % less than above), and always using {} costs {:.6f} at\n"
      "quality {:.4f} with {} switches{}.\n",
      caveat.same.agentic.cost, caveat.same.cost_reduction_pct(), kMatrixModels[1].name,
      middle.cost, middle.mean_quality, middle.switches,
      beats ? fmt::format(": better than {} in all three", s.policy) : "");
  return out;
}

}  // namespace vsr::eval
