// The published figures: each is the matrix's own, at the precision it was printed with.
#include "eval/matrix_run.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/id.h"
#include "base/sha256.h"
#include "eval/matrix_summary.h"
#include "json/value.h"

namespace vsr::eval {
namespace {

MatrixSummary summary_of(const char* policy, const char* scenario = "") {
  const auto run = run_matrix({.policy = policy, .scenario = scenario});
  EXPECT_TRUE(run) << run.error().message;
  return run ? summarise(*run) : MatrixSummary();
}

// As it was printed: `places` decimals.
void expect_printed(double value, double printed, int places) {
  EXPECT_NEAR(value, printed, .5 * std::pow(10, -places) * (1 + 1e-9));
}

TEST(MatrixRun, TheCsvIsThePublishedOne) {
  const auto run = run_matrix({});
  ASSERT_TRUE(run);
  EXPECT_EQ(to_hex(sha256(matrix_csv(*run))),
            "85ca58bc97e829d2d84918dea4e9bd85414ff1d3a9a6b57c614fdfe352c98650");
}

TEST(MatrixRun, Totals) {
  const MatrixSummary s = summary_of("acr-full");
  EXPECT_EQ(s.sessions, 40U);
  EXPECT_EQ(s.real_sessions, 1'200U);
  EXPECT_EQ(s.turns, 21'600U);
  EXPECT_EQ(s.baseline.switches, 9'709U);
  EXPECT_EQ(s.agentic.switches, 2'011U);
  expect_printed(s.switch_reduction_pct(), 79.29, 2);
  EXPECT_EQ(s.baseline.tool_violations, 3'404U);
  EXPECT_EQ(s.agentic.tool_violations, 0U);
  EXPECT_EQ(s.baseline.provider_violations, 432U);
  EXPECT_EQ(s.agentic.provider_violations, 0U);
  expect_printed(s.baseline.cost, 1725.484812, 6);
  expect_printed(s.agentic.cost, 367.423428, 6);
  expect_printed(s.cost_reduction_pct(), 78.71, 2);
  EXPECT_EQ(s.baseline.frontier_turns, 9'529U);
  EXPECT_EQ(s.agentic.frontier_turns, 3'538U);
  EXPECT_EQ(s.idle_turns, 862U);
  EXPECT_EQ(s.idle_switches, 390U);
  EXPECT_EQ(s.drift_turns, 1'200U);
  EXPECT_EQ(s.drift_switches, 574U);
  expect_printed(s.mean_cached_ratio, .5557, 4);
  expect_printed(s.mean_mass, .7561, 4);
  expect_printed(s.mean_remaining, 1.5278, 4);
  expect_printed(s.baseline.mean_quality, .8230, 4);
  expect_printed(s.agentic.mean_quality, .7777, 4);
  expect_printed(s.agentic.mean_quality - s.baseline.mean_quality, -.0453, 4);
}

TEST(MatrixRun, EveryScenario) {
  struct Case {
    const char* scenario;
    size_t baseline_switches, switches, tool_violations, provider_violations;
    double baseline_cost, cost, reduction;
    size_t baseline_frontier, frontier;
    double quality_delta;
  };
  const Case cases[] = {
      {"balanced", 1793, 201, 875, 0, 98.108116, 9.661443, 90.15, 650, 27, -.0101},
      {"tool-heavy", 1541, 172, 781, 0, 353.939400, 8.572214, 97.58, 1846, 0, -.0960},
      {"frontier-heavy", 1488, 200, 491, 0, 507.117444, 12.147807, 97.60, 2128, 0, -.0952},
      {"idle-heavy", 1711, 655, 832, 0, 101.965712, 35.025498, 65.65, 598, 374, -.0284},
      {"stateful-heavy", 1499, 209, 377, 432, 242.077574, 13.490962, 94.43, 2495, 110, -.1165},
      {"drift-heavy", 1677, 574, 48, 0, 422.276567, 288.525504, 31.67, 1812, 3027, .0746},
  };
  ASSERT_EQ(std::size(cases), matrix_scenarios().size());
  for (const Case& c : cases) {
    SCOPED_TRACE(c.scenario);
    const MatrixSummary s = summary_of("acr-full", c.scenario);
    EXPECT_EQ(s.turns, 3'600U);
    EXPECT_EQ(s.baseline.switches, c.baseline_switches);
    EXPECT_EQ(s.agentic.switches, c.switches);
    EXPECT_EQ(s.baseline.tool_violations, c.tool_violations);
    EXPECT_EQ(s.baseline.provider_violations, c.provider_violations);
    EXPECT_EQ(s.agentic.tool_violations + s.agentic.provider_violations, 0U);
    expect_printed(s.baseline.cost, c.baseline_cost, 6);
    expect_printed(s.agentic.cost, c.cost, 6);
    expect_printed(s.cost_reduction_pct(), c.reduction, 2);
    EXPECT_EQ(s.baseline.frontier_turns, c.baseline_frontier);
    EXPECT_EQ(s.agentic.frontier_turns, c.frontier);
    expect_printed(s.agentic.mean_quality - s.baseline.mean_quality, c.quality_delta, 4);
  }
}

TEST(MatrixRun, EveryAblation) {
  struct Case {
    const char* policy;
    size_t switches, tool_violations, provider_violations;
    double cost, reduction, switch_reduction;
    size_t frontier;
    double quality_delta;
  };
  const Case cases[] = {
      {"sticky-session", 340, 0, 0, 23.222197, 98.65, 96.50, 0, -.1433},
      {"acr-initial", 1810, 0, 200, 501.764771, 70.92, 81.36, 6724, -.0122},
      {"acr-no-tool-lock", 2431, 760, 0, 689.412056, 60.05, 74.96, 9040, .0080},
      {"acr-no-context-portability", 2138, 0, 200, 520.820821, 69.82, 77.98, 6828, -.0186},
      {"acr-no-decision-drift-reset", 1637, 0, 0, 322.520177, 81.31, 83.14, 3146, -.0482},
      {"acr-no-idle-boundary", 1555, 0, 0, 342.606122, 80.14, 83.98, 3200, -.0427},
      {"acr-no-remaining-prior", 2039, 0, 0, 369.124497, 78.61, 79.00, 3538, -.0380},
      {"acr-no-frontier-cost", 2528, 0, 0, 780.784126, 54.75, 73.96, 7370, -.0160},
      {"acr-full", 2011, 0, 0, 367.423428, 78.71, 79.29, 3538, -.0453},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.policy);
    const MatrixSummary s = summary_of(c.policy);
    EXPECT_EQ(s.agentic.switches, c.switches);
    EXPECT_EQ(s.agentic.tool_violations, c.tool_violations);
    EXPECT_EQ(s.agentic.provider_violations, c.provider_violations);
    expect_printed(s.agentic.cost, c.cost, 6);
    expect_printed(s.cost_reduction_pct(), c.reduction, 2);
    expect_printed(s.switch_reduction_pct(), c.switch_reduction, 2);
    EXPECT_EQ(s.agentic.frontier_turns, c.frontier);
    expect_printed(s.agentic.mean_quality - s.baseline.mean_quality, c.quality_delta, 4);
  }
}

TEST(MatrixRun, ChargedAlikeTheBaselineSavesTooAndTheMiddleModelIsBetter) {
  const auto caveat = matrix_caveat({});
  ASSERT_TRUE(caveat);
  const MatrixSummary& same = caveat->same;
  EXPECT_EQ(same.agentic.switches, same.baseline.switches);
  EXPECT_EQ(same.agentic.mean_quality, same.baseline.mean_quality);
  expect_printed(same.cost_reduction_pct(), 40.68, 2);
  const MatrixSummary full = summary_of("acr-full");
  EXPECT_LT(caveat->middle.agentic.cost, full.agentic.cost);
  EXPECT_GT(caveat->middle.agentic.mean_quality, full.agentic.mean_quality);
  EXPECT_LT(caveat->middle.agentic.switches, full.agentic.switches);
  const std::string text = summary_text(full, *caveat);
  EXPECT_NE(text.find("no saving"), std::string::npos) << text;
  EXPECT_NE(text.find("40.68 % less"), std::string::npos) << text;
  EXPECT_NE(text.find("better than acr-full in all three"), std::string::npos) << text;
  EXPECT_EQ(text.find("78.71"), std::string::npos) << text;
}

TEST(MatrixRun, TheSummaryHasTheFieldsOfThePublishedOne) {
  const auto caveat = matrix_caveat({});
  ASSERT_TRUE(caveat);
  const MatrixSummary s = summary_of("acr-full");
  const auto json = json::Value::parse(summary_json(s, *caveat));
  ASSERT_TRUE(json) << json.error().message;
  for (const char* name : {"sessions",
                           "turns",
                           "baseline_switches",
                           "agentic_switches",
                           "switch_reduction",
                           "switch_reduction_pct",
                           "baseline_tool_loop_switch_violations",
                           "agentic_tool_loop_switch_violations",
                           "baseline_context_portability_violations",
                           "agentic_context_portability_violations",
                           "decision_drift_turns",
                           "agentic_drift_switches",
                           "baseline_cost",
                           "agentic_cost",
                           "cost_delta",
                           "cost_reduction_pct",
                           "baseline_frontier_turns",
                           "agentic_frontier_turns",
                           "frontier_turn_delta",
                           "idle_turns",
                           "agentic_idle_switches",
                           "mean_cached_prompt_ratio",
                           "mean_continuation_mass",
                           "mean_remaining_turns_estimate",
                           "baseline_mean_quality",
                           "agentic_mean_quality",
                           "quality_delta"}) {
    EXPECT_TRUE((*json)[name].is_number()) << name;
  }
  EXPECT_EQ((*json)["switch_reduction"].as_int(), 9'709 - 2'011);
  EXPECT_EQ((*json)["frontier_turn_delta"].as_int(), 3'538 - 9'529);
  EXPECT_EQ((*json)["cost_delta"].as_double(), s.agentic.cost - s.baseline.cost);
  expect_printed((*json)["charged_alike"]["baseline_cost_reduction_pct"].as_double(), 40.68, 2);
}

TEST(MatrixRun, NamesThatDoNotExistAreAnsweredWithThoseThatDo) {
  const auto policy = run_matrix({.policy = "acr"});
  ASSERT_FALSE(policy);
  EXPECT_NE(policy.error().message.find("acr-no-tool-lock"), std::string::npos);
  const auto scenario = run_matrix({.scenario = "calm"});
  ASSERT_FALSE(scenario);
  EXPECT_NE(scenario.error().message.find("drift-heavy"), std::string::npos);
}

}  // namespace
}  // namespace vsr::eval
