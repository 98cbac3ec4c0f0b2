#include "counterfactual/comparison.h"

#include <gtest/gtest.h>

#include "counterfactual/causes.h"
#include "json/value.h"
#include "store/priced_fixture.h"

namespace vsr::counterfactual {
namespace {

constexpr config::ModelId kCheap = 0;
constexpr config::ModelId kDear = 1;
constexpr config::ModelId kFree = 2;

class ComparisonTest : public testing::Test {
 protected:
  // Turn `n` of a lineage in its own session, recorded on `before`, decided for `after`.
  void add(uint64_t n, config::ModelId before, config::ModelId after, std::string_view cause = {}) {
    summary_.selected_model = config_->models[before].name;
    add_recorded(n, after, cause);
  }
  // Turn `n` is `summary_` with its time, place and tokens filled in.
  void add_recorded(uint64_t n, config::ModelId after, std::string_view cause = {}) {
    store::Summary summary = summary_;
    summary.timestamp = static_cast<UnixMillis>(n) * 10'000;
    summary.session_id = "s";
    summary.lineage = 7;
    summary.prefix = 100 + n;
    summary.parent = n > 1 ? 99 + n : 0;
    summary.ended_at = summary.timestamp + 1000;
    summary.prompt_tokens = 160'000;
    Turn turn;
    turn.sequence = store::first_sequence_at(summary.timestamp);
    turn.summary = std::make_shared<const store::Summary>(summary);
    turn.is_wanted = true;
    router::Decision decision;
    decision.config = config_;
    decision.model = after;
    comparison_->add(turn, {cause, cause.empty() ? &decision : nullptr});
  }
  json::Value answer() {
    json::JsonWriter out;
    out.begin_object();
    comparison_->write(out);
    out.end_object();
    return json::Value::parse(out.str()).value();
  }

  const std::shared_ptr<const config::Config> config_ = store::fixture::priced();
  std::optional<Comparison> comparison_{config_};
  store::Summary summary_;
};

TEST_F(ComparisonTest, BothSidesHaveTheSameCache) {
  add(1, kDear, kCheap);
  add(2, kDear, kCheap);
  const json::Value cost = answer()["cost"];
  // Before: 1.6 for a new prompt, .16 for one that is cached whole. After: a tenth of both.
  EXPECT_DOUBLE_EQ(cost["before"].as_double(), 1.76);
  EXPECT_DOUBLE_EQ(cost["after"].as_double(), 0.176);
  EXPECT_DOUBLE_EQ(cost["difference"].as_double(), 0.176 - 1.76);
  ASSERT_EQ(cost["always_one_model"].size(), 2);
  EXPECT_DOUBLE_EQ(cost["always_one_model"][0]["cost"].as_double(), 0.176);
  EXPECT_DOUBLE_EQ(cost["always_one_model"][1]["cost"].as_double(), 1.76);
  EXPECT_DOUBLE_EQ(cost["always_one_model"][1]["saved_by_recipe"].as_double(), 1.76 - 0.176);
}

// A turn that cannot be decided again was served by its recorded model on both sides.
TEST_F(ComparisonTest, WhatIsNotDecidedKeepsTheRecordedModelInTheCache) {
  add(1, kDear, kCheap);
  add(2, kDear, kCheap, kTextRedacted);
  add(3, kDear, kCheap);
  const json::Value all = answer();
  EXPECT_EQ(all["records"]["replayable"].as_int(), 2);
  EXPECT_EQ(all["records"]["not_replayable_causes"]["text_redacted"].as_int(), 1);
  EXPECT_DOUBLE_EQ(all["cost"]["before"].as_double(), 1.6 + 0.16);
  // cheap has the first prompt, of which the third is a continuation.
  EXPECT_DOUBLE_EQ(all["cost"]["after"].as_double(), 0.16 + 0.016);
}

TEST_F(ComparisonTest, RecordsWithoutAPriceOnOneSideAreLeftOut) {
  add(1, kDear, kFree);
  add(2, kFree, kDear);
  const json::Value cost = answer()["cost"];
  EXPECT_EQ(cost["unpriced_records"].as_int(), 2);
  EXPECT_EQ(cost["records"].as_int(-1), 0);
  for (const std::string_view sum : {"before", "after", "difference"}) {
    EXPECT_TRUE(cost[sum].is_null()) << sum << ": nothing was priced, so nothing is equal";
  }
  EXPECT_EQ(cost["always_one_model"].size(), 0);
  ASSERT_EQ(cost["unpriced_models"].size(), 1);
  EXPECT_EQ(cost["unpriced_models"][0]["model"].as_string(), "free");
  EXPECT_EQ(cost["unpriced_models"][0]["why"].as_string(), "no_price_in_currency");
  EXPECT_EQ(cost["unpriced_models"][0]["records"].as_int(), 2);
}

TEST_F(ComparisonTest, SaysWhichModelsTheRecipeDoesNotKnow) {
  summary_.selected_model = "elsewhere";
  add_recorded(1, kCheap);
  add(2, kDear, config::kNoModel);
  const json::Value models = answer()["cost"]["unpriced_models"];
  ASSERT_EQ(models.size(), 2);
  EXPECT_EQ(models[0]["model"].as_string("?"), "");
  EXPECT_EQ(models[0]["why"].as_string(), "refused");
  EXPECT_EQ(models[1]["model"].as_string(), "elsewhere");
  EXPECT_EQ(models[1]["why"].as_string(), "not_in_recipe");
}

// The model that answers a turn made its calls, on either side.
TEST_F(ComparisonTest, UnsafeSwitchesAreToldFromIdsOnBothSides) {
  const uint64_t call[] = {7};
  struct Case {
    const char* what;
    config::ModelId before[2], after[2];
    std::string_view cause;  // of the first turn
    int64_t unsafe_before, unsafe_after;
  };
  const Case cases[] = {
      {"a loop that stays", {kDear, kDear}, {kDear, kDear}, "", 0, 0},
      {"both turns move together", {kDear, kDear}, {kCheap, kCheap}, "", 0, 0},
      {"it was broken, and would not be", {kDear, kCheap}, {kDear, kDear}, "", 1, 0},
      {"it would be broken", {kDear, kDear}, {kDear, kCheap}, "", 0, 1},
      {"the maker is not decided again", {kDear, kDear}, {kDear, kCheap}, kTextRedacted, 0, 1},
      {"nobody would serve it", {kDear, kDear}, {kDear, config::kNoModel}, "", 0, 0},
  };
  for (const Case& c : cases) {
    comparison_.emplace(config_);
    summary_ = {.emitted = store::id_list(call, {})};
    add(1, c.before[0], c.after[0], c.cause);
    summary_ = {.delivered = store::id_list(call, {})};
    add(2, c.before[1], c.after[1]);
    const json::Value unsafe = answer()["unsafe_switches"];
    EXPECT_EQ(unsafe["before"].as_int(-1), c.unsafe_before) << c.what;
    EXPECT_EQ(unsafe["after"].as_int(-1), c.unsafe_after) << c.what;
    EXPECT_TRUE(unsafe["complete"].as_bool()) << c.what;
  }
}

TEST_F(ComparisonTest, ChangesAreCountedFromTo) {
  add(1, kDear, kCheap);
  add(2, kDear, kCheap);
  add(3, kCheap, kDear);
  add(4, kCheap, kCheap);
  const json::Value changed = answer()["changed"];
  EXPECT_EQ(changed["model"].as_int(), 3);
  EXPECT_EQ(changed["decision"].as_int(-1), 0);
  ASSERT_EQ(changed["models"].size(), 2);
  EXPECT_EQ(changed["models"][0]["from"].as_string(), "dear");
  EXPECT_EQ(changed["models"][0]["to"].as_string(), "cheap");
  EXPECT_EQ(changed["models"][0]["count"].as_int(), 2);
  EXPECT_EQ(changed["examples"].size(), 3);
}

TEST(Bootstrap, IsExactWhereNothingVariesAndHoldsTheSumElsewhere) {
  std::vector<double> same(50, 2);
  std::vector<double> mixed(50);
  for (size_t i = 0; i < mixed.size(); ++i) mixed[i] = static_cast<double>(i);
  const auto intervals = bootstrap({same, mixed});
  EXPECT_EQ(intervals[0].low, 100);
  EXPECT_EQ(intervals[0].high, 100);
  // The sum is 1225; its standard error is √50 · 14.4 = 102, so 95 % lie within some 200.
  EXPECT_NEAR(intervals[1].low, 1225 - 200, 30);
  EXPECT_NEAR(intervals[1].high, 1225 + 200, 30);
  EXPECT_EQ(bootstrap({same, mixed})[1].low, intervals[1].low);
  EXPECT_EQ(bootstrap({{}, {}})[0].high, 0);
}

}  // namespace
}  // namespace vsr::counterfactual
