#include "eval/learning_run.h"

#include <gtest/gtest.h>

#include "eval/bootstrap.h"
#include "eval/frontier.h"
#include "eval/learning_output.h"
#include "eval/learning_report.h"
#include "json/value.h"

namespace vsr::eval {
namespace {

const RunOptions kSmall{.first_seed = 9001, .last_seed = 9002, .sessions = 5};

TEST(LearningRun, GivesTheCheckValues) {
  const RunOptions options{.first_seed = 9001, .last_seed = 9001, .sessions = 10};
  const auto rows = evaluate({Cell{}}, {"ours:ladder", "always_1"}, options);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_NEAR((*rows)[0].objective, 7.115050260 + 5.760316400, 1e-8);
  EXPECT_NEAR(*(*rows)[0].optimum, 10.415193599, 1e-8);
  EXPECT_NEAR((*rows)[1].cost, 2.842710360, 1e-9);
}

TEST(LearningRun, TheSameAtAnyNumberOfThreads) {
  const std::vector<Cell> cells = {{Suite::kAgentMix, "coding", "real4", 1},
                                   {Suite::kAgentMix, "coding", "real4", 5},
                                   {Suite::kFlap, "flap", "recipe5", 1},
                                   {Suite::kClosedLoop, "research", "pub3", 1}};
  RunOptions options = kSmall;
  const auto one = evaluate(cells, policy_names(cells), options);
  options.threads = 4;
  size_t most = 0;
  options.progress = [&](size_t done, size_t total) {
    EXPECT_EQ(done, most + 1);
    EXPECT_LE(done, total);
    most = done;
  };
  const auto four = evaluate(cells, policy_names(cells), options);
  ASSERT_TRUE(one && four);
  ASSERT_EQ(one->size(), four->size());
  for (size_t i = 0; i < one->size(); ++i) EXPECT_EQ(to_json((*one)[i]), to_json((*four)[i]));
  EXPECT_GT(most, 0u);
}

TEST(LearningRun, ConstantsThatThePricesLackAreLeftOut) {
  const auto rows = evaluate(
      {{Suite::kAgentMix, "assistant", "pub3", 1}, {Suite::kAgentMix, "assistant", "recipe5", 1}},
      {"always_2", "always_4"}, kSmall);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->size(), 3u);
}

TEST(LearningRun, MistakesAreNamed) {
  const auto message = [](const Cell& cell, const std::string& policy, const RunOptions& options) {
    const auto rows = evaluate({cell}, {policy}, options);
    return rows ? std::string("ok") : rows.error().message;
  };
  EXPECT_NE(message({}, "magic", kSmall).find("magic"), std::string::npos);
  EXPECT_NE(message({}, "ours:magic", kSmall).find("ladder_after_first"), std::string::npos);
  EXPECT_NE(message({}, "always_4", kSmall).find("no such tier"), std::string::npos);
  EXPECT_NE(message({Suite::kMatrix, "matrix", "real4", 1}, "sticky", kSmall).find("pub3"),
            std::string::npos);
  RunOptions backwards = kSmall;
  backwards.last_seed = 9000;
  EXPECT_NE(message({}, "sticky", backwards).find("100000"), std::string::npos);
}

TEST(LearningRun, TheGridHas39Cells) {
  const auto cells = grid_cells();
  EXPECT_EQ(cells.size(), 39u);
  EXPECT_EQ(std::ranges::count(cells, Suite::kAgentMix, &Cell::suite),
            static_cast<std::ptrdiff_t>(kAgentMixCells));
  EXPECT_EQ(frontier_cells().size(), 10u);
}

TEST(LearningRun, JsonHasTheContractsFields) {
  const auto rows = evaluate({Cell{}}, {"ours:decision"}, kSmall);
  ASSERT_TRUE(rows);
  const auto value = json::Value::parse(to_json(rows->front()));
  ASSERT_TRUE(value);
  for (const char* field :
       {"profile", "prices", "lambda", "policy", "sessions", "requests", "cost_usd", "failed",
        "violations", "switches", "switches_per_100", "under_pct", "over_pct", "prefill_p95_s",
        "task_success", "j", "oracle_j", "regret_pct", "regret_ci95"}) {
    EXPECT_TRUE(value->find(field) != nullptr) << field;
  }
  EXPECT_EQ((*value)["sessions"].as_int(), 10);
  EXPECT_EQ((*value)["violations"].as_int(), 0);
  const double low = (*value)["regret_ci95"][0].as_double();
  const double high = (*value)["regret_ci95"][1].as_double();
  EXPECT_LT(low, (*value)["regret_pct"].as_double());
  EXPECT_GT(high, (*value)["regret_pct"].as_double());
}

TEST(LearningRun, TablesMarkTheBest) {
  const auto rows = evaluate({Cell{}}, {"ours:ladder", "always_3", "locks_only"}, kSmall);
  ASSERT_TRUE(rows);
  const std::string table = cell_tables(*rows);
  const size_t line = table.find("\nours:ladder");
  ASSERT_NE(line, std::string::npos);
  EXPECT_NE(table.substr(line, table.find('\n', line + 1) - line).find('*'), std::string::npos);
  EXPECT_EQ(best_constant(*rows)->policy, "always_3");
  EXPECT_EQ(best_baseline(*rows)->policy, "locks_only");
}

TEST(LearningReport, HasATableAndPlotsOfEveryCell) {
  const auto rows = evaluate(
      {{Suite::kAgentMix, "coding", "real4", 1}, {Suite::kClosedLoop, "coding", "pub3", 5}},
      {"ours:ladder", "locks_only"}, kSmall);
  ASSERT_TRUE(rows);
  const std::string page = report_page(*rows);
  const auto count = [&](std::string_view what) {
    size_t found = 0;
    for (size_t at = page.find(what); at != page.npos; at = page.find(what, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count("<details"), 2u);
  EXPECT_EQ(count("<svg"), 6u);
  EXPECT_EQ(count("</svg>"), 6u);
  EXPECT_EQ(count("<circle"), 4u);
  EXPECT_EQ(count("nan"), 0u);
  EXPECT_EQ(count("http"), 0u);  // it needs nothing else
}

TEST(Bootstrap, IntervalHoldsTheRegretAndIsZeroWithoutSpread) {
  const std::vector<double> same(50, 2);
  const std::vector<double> optimum(50, 1);
  EXPECT_EQ(regret_interval(same, optimum), (std::array<double, 2>{100, 100}));
  std::vector<double> spread;
  for (int i = 0; i < 50; ++i) spread.push_back(1 + 0.04 * i);
  const auto [low, high] = regret_interval(spread, optimum);
  EXPECT_LT(low, 98);
  EXPECT_GT(high, 98);
  EXPECT_GT(low, 70);
  EXPECT_LT(high, 125);
  EXPECT_EQ(regret_interval({}, {}), (std::array<double, 2>{0, 0}));
}

TEST(Frontier, CostIsReadOffTheCurve) {
  const std::vector<FrontierPoint> points = {{.1, 10, .50}, {1, 20, .70}, {10, 60, .90}};
  EXPECT_EQ(cost_at(points, .40), 10);
  EXPECT_NEAR(*cost_at(points, .60), 15, 1e-12);
  EXPECT_NEAR(*cost_at(points, .80), 40, 1e-12);
  EXPECT_FALSE(cost_at(points, .95));
  // A dearer point with less success does not count.
  EXPECT_NEAR(*cost_at({{.1, 10, .5}, {1, 30, .6}, {10, 20, .7}}, .6), 15 + 0, 5.1);
}

TEST(Frontier, SweepsLambdaAgainstABaseline) {
  const auto swept = sweep({Cell{}}, {"ours:ladder"}, "published", kSmall);
  ASSERT_TRUE(swept);
  ASSERT_EQ(swept->size(), 1u);
  const Frontier& frontier = swept->front();
  ASSERT_EQ(frontier.points.size(), 41u);
  EXPECT_NEAR(frontier.points.front().lambda, .003, 1e-12);
  EXPECT_NEAR(frontier.points.back().lambda, 75, 1e-9);
  EXPECT_LT(frontier.points.front().cost, frontier.points.back().cost);
  ASSERT_TRUE(frontier.saving_pct());
  EXPECT_GT(*frontier.saving_pct(), 30);
}

}  // namespace
}  // namespace vsr::eval
