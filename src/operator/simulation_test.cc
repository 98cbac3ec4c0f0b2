#include "operator/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "counterfactual/comparison.h"
#include "json/value.h"
#include "operator/traffic_fixture.h"

namespace vsr::operator_api {
namespace {

using testing::HasSubstr;

constexpr size_t kRecords = 10'000;

json::Value simulated(Traffic& traffic, const router::Router& router,
                      const counterfactual::Options& options = {}) {
  const auto text = counterfactual::simulate(traffic.replay(), router, options, traffic.clock_);
  EXPECT_TRUE(text) << text.error().message;
  return text ? json::Value::parse(*text).value() : json::Value();
}

TEST(Simulate, TheSameRecipeGivesWhatWasRecorded) {
  Traffic traffic;
  traffic.run(kRecords);
  const json::Value answer = simulated(traffic, traffic.router());
  const json::Value& records = answer["records"];
  EXPECT_EQ(records["matched"].as_int(), kRecords);
  EXPECT_EQ(records["replayable"].as_int(), kRecords) << records.dump();
  const json::Value& changed = answer["changed"];
  EXPECT_EQ(changed["decision_model_action_or_reason"].as_int(-1), 0)
      << changed["examples"][0].dump();
  // The traffic has everything, and both sides have the same sums.
  const json::Value totals = json::Value::parse(*traffic.replay().aggregate({})).value();
  for (const std::string_view action :
       {"select", "stay", "switch", "hard_lock", "bypass", "noop"}) {
    EXPECT_GT(totals["action_distribution"][action].as_int(), 100) << action;
  }
  EXPECT_GT(totals["lifecycle"]["failed"].as_int(), 100);
  EXPECT_GT(answer["switches"]["before"].as_int(), 100);
  EXPECT_EQ(answer["switches"]["before"], answer["switches"]["after"]);
  EXPECT_EQ(answer["unsafe_switches"]["before"], answer["unsafe_switches"]["after"]);
  EXPECT_GT(answer["cost"]["before"].as_double(), 0);
  EXPECT_EQ(answer["cost"]["before"], answer["cost"]["after"]);
  EXPECT_TRUE(answer["cut"].is_null());
}

// Without learning, results of tool calls go astray; the simulation counts them as the aggregate
// does, and would have kept them together.
TEST(Simulate, UnsafeSwitchesAreThoseOfTheAggregate) {
  Traffic traffic(with("learning: {enabled: true", "learning: {enabled: false"));
  traffic.run(2000);
  const json::Value totals = json::Value::parse(*traffic.replay().aggregate({})).value();
  const int64_t unsafe = totals["unsafe_switches"].as_int();
  EXPECT_GT(unsafe, 20);
  const json::Value same = simulated(traffic, traffic.router());
  EXPECT_EQ(same["records"]["replayable"].as_int(), 2000);
  EXPECT_EQ(same["unsafe_switches"]["before"].as_int(), unsafe);
  EXPECT_EQ(same["unsafe_switches"]["after"].as_int(), unsafe);
  EXPECT_TRUE(same["unsafe_switches"]["complete"].as_bool());
}

TEST(Simulate, TheAdditivePolicyIsReplayedExactlyToo) {
  Traffic traffic(
      with("learning: {enabled: true", "learning: {policy: {kind: weighted_score}, enabled: true"));
  traffic.run(2000);
  const json::Value same = simulated(traffic, traffic.router());
  EXPECT_EQ(same["policy"]["kind"].as_string(), "weighted_score");
  EXPECT_EQ(same["records"]["replayable"].as_int(), 2000);
  EXPECT_EQ(same["changed"]["decision_model_action_or_reason"].as_int(-1), 0);
  const json::Value other =
      simulated(traffic, traffic.router(), {.policy = {.kind = config::PolicyKind::kExpectedCost}});
  EXPECT_GT(other["changed"]["model"].as_int(), 20);
}

// Only the newest records are read, so that most sessions begin before them: what is decided again
// is still what was recorded, and what depends on older records is not decided.
TEST(Simulate, WhatDependsOnRecordsThatAreNotThereIsNotDecided) {
  Traffic traffic;
  traffic.run(kRecords);
  const json::Value answer = simulated(traffic, traffic.router(), {.records_max = kRecords / 2});
  const json::Value& records = answer["records"];
  EXPECT_EQ(records["read"].as_int(), kRecords / 2);
  EXPECT_EQ(answer["changed"]["decision_model_action_or_reason"].as_int(-1), 0)
      << answer["changed"]["examples"][0].dump();
  EXPECT_GT(records["not_replayable_causes"]["history_missing"].as_int(), 0);
  EXPECT_GT(records["replayable"].as_int(), static_cast<int64_t>(kRecords / 4)) << records.dump();
  EXPECT_THAT(answer["cut"].as_string(), HasSubstr("only the newest 5000 records"));
}

// A process that goes on from what an earlier one had learned: its own records do not tell that.
// Where money counts for more than quality, decisions hang on the counts over all conversations.
TEST(Simulate, WhatDependsOnAnEarlierProcessIsNotDecided) {
  constexpr int64_t kEach = 2'000;
  for (const std::string_view weight : {"1", "0.1", "0.01"}) {
    SCOPED_TRACE(weight);
    Traffic traffic(with(
        "learning: {enabled: true",
        fmt::format(
            "learning: {{policy: {{quality_weight_usd: {}, candidate_set: ladder}}, enabled: true",
            weight)));
    traffic.run(kEach);
    traffic.restart();
    traffic.run(kEach);
    const json::Value answer = simulated(traffic, traffic.router());
    const json::Value& records = answer["records"];
    EXPECT_EQ(records["read"].as_int(), 2 * kEach);
    EXPECT_EQ(answer["changed"]["decision_model_action_or_reason"].as_int(-1), 0)
        << answer["changed"]["examples"][0].dump();
    EXPECT_GT(records["not_replayable_causes"]["history_missing"].as_int(), 50) << records.dump();
    EXPECT_GT(records["replayable"].as_int(), kEach + kEach / 3) << records.dump();
  }
}

TEST(Simulate, TheFilterSaysWhatCountsAndNotWhatIsRead) {
  Traffic traffic;
  traffic.run(2000);
  const json::Value answer =
      simulated(traffic, traffic.router(), {.filter = {.decision = "hard_work"}});
  EXPECT_EQ(answer["records"]["read"].as_int(), 2000);
  const int64_t matched = answer["records"]["matched"].as_int();
  EXPECT_GT(matched, 50);
  EXPECT_LT(matched, 1000);
  EXPECT_EQ(answer["records"]["replayable"].as_int(), matched);
  EXPECT_EQ(answer["changed"]["decision_model_action_or_reason"].as_int(-1), 0);
}

TEST(Simulate, AnotherPolicyChangesModelsAndMoney) {
  Traffic traffic;
  traffic.run(2000);
  const json::Value answer = simulated(
      traffic, traffic.router(),
      {.policy = {.candidate_set = config::CandidateSet::kLadder, .quality_weight_usd = 0.001}});
  EXPECT_EQ(answer["records"]["replayable"].as_int(), 2000);
  EXPECT_EQ(answer["policy"]["candidate_set"].as_string(), "ladder");
  const json::Value& changed = answer["changed"];
  EXPECT_EQ(changed["decision"].as_int(-1), 0) << "learning does not change the decision";
  EXPECT_GT(changed["model"].as_int(), 100);
  EXPECT_LE(changed["examples"].size(), counterfactual::kExamplesMax);
  int64_t in_matrix = 0;
  for (const json::Value& cell : changed["models"].items()) in_matrix += cell["count"].as_int();
  EXPECT_EQ(in_matrix, changed["model"].as_int());
  // A failure costs next to nothing, so money decides.
  const json::Value& cost = answer["cost"];
  EXPECT_LT(cost["after"].as_double(), cost["before"].as_double());
  EXPECT_LE(cost["difference_interval"][0].as_double(), cost["difference"].as_double());
  EXPECT_GE(cost["difference_interval"][1].as_double(), cost["difference"].as_double());
  ASSERT_EQ(cost["always_one_model"].size(), 3) << "local has no price";
  const json::Value& cheapest = cost["always_one_model"][0];
  EXPECT_EQ(cheapest["model"].as_string(), "small");
  EXPECT_LE(cheapest["cost"].as_double(), cost["after"].as_double());
  EXPECT_LT(cost["after"].as_double(), cost["always_one_model"][2]["cost"].as_double());
}

TEST(Simulate, AnswersAreTheSameEveryTime) {
  Traffic traffic;
  traffic.run(500);
  EXPECT_EQ(simulated(traffic, traffic.router()), simulated(traffic, traffic.router()));
}

// A changed rule over the prompt is evaluated on the stored prompt.
TEST(Simulate, ChangedRulesAreEvaluatedOnStoredText) {
  Traffic traffic;
  traffic.run(2000);
  const auto router =
      traffic.make_router(with("keywords: [prove, refactor]", "keywords: [refactor]"));
  const json::Value answer = simulated(traffic, *router);
  EXPECT_EQ(answer["records"]["replayable"].as_int(), 2000) << answer["records"].dump();
  EXPECT_GT(answer["changed"]["decision"].as_int(), 100);
  for (const json::Value& cell : answer["changed"]["decisions"].items()) {
    EXPECT_EQ(cell["from"].as_string(), "hard_work") << cell.dump();
  }
}

// Where the prompt is redacted nothing is known of a changed rule, nor of the turns after it.
TEST(Simulate, RedactedTextIsNotEvaluated) {
  Traffic traffic;
  traffic.run(2000);
  std::string recipe = with("keywords: [prove, refactor]", "keywords: [refactor]");
  // So that the rule matters for private prompts too.
  recipe.replace(recipe.find("priority: 100"), 13, "priority: 10");
  const json::Value answer = simulated(traffic, *traffic.make_router(recipe));
  const json::Value& causes = answer["records"]["not_replayable_causes"];
  EXPECT_EQ(causes.size(), 2) << causes.dump();
  EXPECT_GT(causes["text_redacted"].as_int(), 20);
  EXPECT_GT(causes["earlier_turn_not_replayable"].as_int(), 100);
  EXPECT_GT(answer["records"]["replayable"].as_int(), 100);
}

// A new rule over headers cannot be evaluated; one over lengths and counts always can.
TEST(Simulate, NewRulesNeedWhatTheyRead) {
  Traffic traffic;
  traffic.run(300);
  const auto longer = traffic.make_router(with("min_tokens: 400", "min_tokens: 50"));
  const json::Value counted = simulated(traffic, *longer);
  EXPECT_EQ(counted["records"]["replayable"].as_int(), 300);
  EXPECT_GT(counted["changed"]["decision"].as_int(), 0);
  const auto counting = traffic.make_router(with("predicate: {gte: 4}", "predicate: {gte: 2}"));
  EXPECT_EQ(simulated(traffic, *counting)["records"]["replayable"].as_int(), 300);

  std::string recipe = with("    context: [{name: long, min_tokens: 400}]",
                            "    context: [{name: long, min_tokens: 400}]\n"
                            "    metadata: [{name: beta, key: x-beta, source: header}]");
  recipe.replace(recipe.find("{type: keyword, name: watched}"), 30, "{type: metadata, name: beta}");
  const json::Value headers = simulated(traffic, *traffic.make_router(recipe));
  EXPECT_GT(headers["records"]["not_replayable_causes"]["headers_not_stored"].as_int(), 0);
}

TEST(Simulate, IdentityIsNotReadAnew) {
  Traffic traffic;
  traffic.run(50);
  const auto router =
      traffic.make_router(with("session_aware: {enabled: true}}",
                               "session_aware: {enabled: true, identity: {derive: false}}}"));
  const json::Value answer = simulated(traffic, *router);
  EXPECT_EQ(answer["records"]["replayable"].as_int(-1), 0);
  EXPECT_GT(answer["records"]["not_replayable_causes"]["identity_changed"].as_int(), 0);
}

TEST(Simulate, StopsAtItsDeadline) {
  Traffic traffic;
  traffic.run(20);
  const json::Value answer = simulated(
      traffic, traffic.router(), {.deadline = traffic.clock_.mono() - std::chrono::seconds(1)});
  EXPECT_EQ(answer["records"]["replayable"].as_int(-1), 0);
  EXPECT_THAT(answer["cut"].as_string(), HasSubstr("time was up"));
}

TEST(Simulate, ARecordHoldsNoRawTextOfAPrivateRequest) {
  Traffic traffic;
  const Id128 id = traffic.ask("write to anna.schmidt@example.org about the merger");
  const Result<std::string> record = traffic.replay().show(id, {});
  ASSERT_TRUE(record);
  EXPECT_THAT(*record, HasSubstr("\"rerun\":\""));
  EXPECT_THAT(*record, HasSubstr("\"rerun_state\":\""));
  EXPECT_THAT(*record, testing::Not(HasSubstr("anna.schmidt")));
}

TEST(ParseSimulation, EverythingMayBeLeftOut) {
  for (const std::string_view body : {"", "{}", R"({"recipe":null,"filter":{},"policy":null})"}) {
    const auto parsed = parse_simulation(body);
    ASSERT_TRUE(parsed) << body;
    EXPECT_EQ(parsed->recipe, "");
    EXPECT_FALSE(parsed->options.policy.kind);
  }
  const auto parsed = parse_simulation(
      R"({"recipe":"version: v0.3","filter":{"decision":"a & b","from":"2026-01-01T00:00:00Z"},)"
      R"("policy":{"kind":"expected_cost","candidate_set":"at_least","quality_weight_usd":2}})");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->recipe, "version: v0.3");
  EXPECT_EQ(parsed->options.filter.decision, "a & b");
  EXPECT_GT(parsed->options.filter.from, 0);
  EXPECT_EQ(parsed->options.policy.candidate_set, config::CandidateSet::kAtLeast);
  EXPECT_EQ(parsed->options.policy.quality_weight_usd, 2);
  EXPECT_EQ(
      parse_simulation(R"({"policy":{"quality_weight_usd":0}})")->options.policy.quality_weight_usd,
      0)
      << "as in a recipe";
}

TEST(ParseSimulation, ErrorsNameTheMemberAndWhatIsAllowed) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"[]", "send {\"recipe\""},
      {R"({"recipes":""})", "has no member recipes; there are recipe, filter, policy"},
      {R"({"recipe":{}})", "recipe must be the text"},
      {R"({"filter":{"limit":5}})", "filter has no member limit; there are session_id"},
      {R"({"filter":{"action":"dance"}})", "action must be select, stay"},
      {R"({"filter":{"decision":["a"]}})", "filter.decision must be a text"},
      {R"({"policy":{"kind":"best"}})", "must be one of expected_cost, weighted_score"},
      {R"({"recipe":""})", "recipe is empty"},
      {R"({"recipe":" \n"})", "recipe is empty"},
      {R"({"policy":{"kind":null}})", "must be one of expected_cost, weighted_score"},
      {R"({"policy":{"quality_weight_usd":null}})", "must be a number from 0"},
      {R"({"policy":{"quality_weight_usd":-1}})", "must be a number from 0"},
      {R"({"policy":{"quality_weight_usd":"2"}})", "must be a number from 0"},
  };
  for (const auto& [body, message] : cases) {
    const auto parsed = parse_simulation(body);
    ASSERT_FALSE(parsed) << body;
    EXPECT_EQ(parsed.error().status, 400);
    EXPECT_THAT(parsed.error().message, HasSubstr(message)) << body;
  }
}

}  // namespace
}  // namespace vsr::operator_api
