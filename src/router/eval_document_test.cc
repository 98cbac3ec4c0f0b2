#include "router/eval_document.h"

#include <gmock/gmock.h>

#include <limits>

#include "router/router_fixture.h"

namespace vsr::router {
namespace {

using testing::ElementsAre;

std::vector<std::string> keys_of(const json::Value& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.fields()) keys.push_back(key);
  return keys;
}

std::vector<std::string> texts_of(const json::Value& array) {
  std::vector<std::string> texts;
  for (const json::Value& item : array.items()) texts.emplace_back(item.as_string());
  return texts;
}

class EvalDocument : public testing::Test {
 protected:
  json::Value evaluate(std::string_view model, const std::vector<std::string>& messages) {
    world_.origin_.evaluate_all = true;
    world_.origin_.dry_run = true;
    return world_.document(world_.decide(body(model, messages)));
  }
  World world_;
};

TEST_F(EvalDocument, HasTheFieldsOfTheSpecification) {
  const json::Value document = evaluate("auto", {user("prove it")});
  EXPECT_THAT(
      keys_of(document),
      ElementsAre("requested_model", "recipe", "recipe_name", "decision_result", "routing_decision",
                  "recommended_models", "selected_model", "selection_status", "candidate_scores",
                  "selection_method", "selection_reason", "use_reasoning", "reasoning_effort",
                  "signal_confidences", "signal_values", "signal_errors", "evidence", "projections",
                  "projection_scores", "projection_trace", "decisions", "context_tokens",
                  "language", "learning", "timings_us"));
  EXPECT_THAT(keys_of(document["decision_result"]),
              ElementsAre("decision_name", "confidence", "tier", "priority", "algorithm", "plugins",
                          "used_signals", "matched_signals", "unmatched_signals"));
  EXPECT_THAT(
      keys_of(document["decisions"][0]),
      ElementsAre("name", "matched", "confidence", "tier", "priority", "rule", "first_failing"));
  EXPECT_THAT(keys_of(document["projection_trace"][0]),
              ElementsAre("score", "value", "inputs", "outputs"));
  EXPECT_THAT(keys_of(document["projection_trace"][0]["inputs"][0]),
              ElementsAre("type", "name", "value", "weight", "contribution"));
  EXPECT_THAT(keys_of(document["timings_us"]),
              ElementsAre("signals", "decision", "learning", "by_type"));
}

TEST_F(EvalDocument, SaysWhatWasDecided) {
  const json::Value document = evaluate("auto", {user("prove it")});
  EXPECT_EQ(document["requested_model"].as_string(), "auto");
  EXPECT_EQ(document["recipe"].as_string(), world_.config_->hash);
  EXPECT_EQ(document["recipe_name"].as_string(), world_.config_->name);
  const json::Value& result = document["decision_result"];
  EXPECT_EQ(result["decision_name"].as_string(), "hard_work");
  EXPECT_EQ(result["tier"].as_int(), 2);
  EXPECT_EQ(result["priority"].as_int(), 7);
  EXPECT_EQ(result["algorithm"].as_string(), "static");
  EXPECT_EQ(document["routing_decision"].as_string(), "hard_work");
  EXPECT_THAT(texts_of(document["recommended_models"]), ElementsAre("large", "small"));
  EXPECT_EQ(document["selected_model"].as_string(), "large");
  EXPECT_EQ(document["selection_status"].as_string(), "selected");
  EXPECT_EQ(document["selection_method"].as_string(), "static");
  EXPECT_EQ(document["selection_reason"].as_string(), "matched");
  EXPECT_TRUE(document["use_reasoning"].is_null());
  EXPECT_EQ(document["reasoning_effort"].as_string(), "medium");
}

TEST_F(EvalDocument, SortsSignalsByFamily) {
  const json::Value result = evaluate("auto", {user("prove it")})["decision_result"];
  EXPECT_THAT(texts_of(result["used_signals"]["projections"]), ElementsAre("much"));
  EXPECT_THAT(texts_of(result["matched_signals"]["keywords"]), ElementsAre("hard"));
  EXPECT_THAT(texts_of(result["matched_signals"]["projections"]), ElementsAre("much"));
  EXPECT_THAT(texts_of(result["unmatched_signals"]["keywords"]), ElementsAre("easy"));
  EXPECT_THAT(texts_of(result["unmatched_signals"]["pii"]), ElementsAre("personal"));
  EXPECT_THAT(texts_of(result["unmatched_signals"]["domains"]), ElementsAre("law"));
}

TEST_F(EvalDocument, GivesEverySignalItsConfidenceValueAndError) {
  const json::Value document = evaluate("auto", {user("prove and refactor")});
  EXPECT_EQ(document["signal_confidences"]["keyword:hard"].as_double(), 1);
  EXPECT_EQ(document["signal_values"]["keyword:hard"].as_double(), 2);
  EXPECT_EQ(document["signal_confidences"]["keyword:easy"].as_double(-1), 0);
  EXPECT_EQ(document["signal_values"]["keyword:easy"].as_double(-1), 0);
  EXPECT_FALSE(document["signal_errors"]["domain:law"].as_string().empty());
  EXPECT_EQ(document["signal_errors"].size(), 1U);
  EXPECT_EQ(document["evidence"][0]["signal"].as_string(), "keyword:hard");
  EXPECT_EQ(document["evidence"][0]["what"].as_string(), "prove");
  EXPECT_EQ(document["evidence"][0].find("text"), nullptr);
}

TEST_F(EvalDocument, ShowsWhatAKeywordMatchedAsThePromptHasIt) {
  world_.origin_.evaluate_all = true;
  const std::string prompt = "Please PROVE it";
  const Decision decision = world_.decide(body("auto", {user(prompt)}));
  const json::Value evidence = world_.document(decision, prompt)["evidence"][0];
  EXPECT_EQ(evidence["what"].as_string(), "prove");
  EXPECT_EQ(evidence["text"].as_string(), "PROVE");
}

TEST_F(EvalDocument, AddsUpTheProjections) {
  const json::Value document = evaluate("auto", {user("hello, prove it")});
  EXPECT_THAT(texts_of(document["projections"]), ElementsAre("much"));
  EXPECT_NEAR(document["projection_scores"]["effort"].as_double(), 0.5, 1e-9);
  const json::Value& trace = document["projection_trace"][0];
  double sum = 0;
  for (const json::Value& input : trace["inputs"].items()) sum += input["contribution"].as_double();
  EXPECT_NEAR(sum, trace["value"].as_double(), 1e-9);
  EXPECT_EQ(trace["outputs"][0]["name"].as_string(), "much");
  EXPECT_TRUE(trace["outputs"][0]["matched"].as_bool());
  EXPECT_NEAR(trace["outputs"][0]["confidence"].as_double(), 0.5, 1e-6);
}

TEST_F(EvalDocument, MarksEveryNodeOfEveryRule) {
  const json::Value document = evaluate("auto", {user("prove it")});
  const json::Value& decisions = document["decisions"];
  ASSERT_EQ(decisions.size(), 3U);
  EXPECT_EQ(decisions[0]["name"].as_string(), "private");
  EXPECT_FALSE(decisions[0]["matched"].as_bool(true));
  EXPECT_EQ(decisions[0]["first_failing"].as_string(), "pii:personal");
  EXPECT_EQ(decisions[0]["rule"]["type"].as_string(), "pii");
  EXPECT_EQ(decisions[0]["rule"]["name"].as_string(), "personal");
  EXPECT_TRUE(decisions[1]["matched"].as_bool());
  EXPECT_EQ(decisions[1]["rule"]["operator"].as_string(), "AND");
  EXPECT_TRUE(decisions[1]["rule"]["matched"].as_bool());
  EXPECT_EQ(decisions[1]["rule"]["conditions"][0]["name"].as_string(), "much");
  EXPECT_TRUE(decisions[1]["rule"]["conditions"][0]["matched"].as_bool());
  EXPECT_EQ(decisions[1]["first_failing"].as_string("?"), "");
}

TEST_F(EvalDocument, WithoutADecisionNamesTheDefault) {
  const json::Value document = evaluate("auto", {user("what time is it")});
  EXPECT_EQ(document["decision_result"]["decision_name"].as_string("?"), "");
  EXPECT_EQ(document["routing_decision"].as_string("?"), "");
  EXPECT_EQ(document["selected_model"].as_string(), "small");
  EXPECT_EQ(document["selection_status"].as_string(), "selected");
  EXPECT_EQ(document["selection_method"].as_string(), "default");
  EXPECT_EQ(document["selection_reason"].as_string(), "no_decision");
}

TEST_F(EvalDocument, OfANamedModel) {
  const json::Value document = evaluate("large", {user("hello")});
  EXPECT_EQ(document["requested_model"].as_string(), "large");
  EXPECT_EQ(document["selected_model"].as_string(), "large");
  EXPECT_EQ(document["selection_reason"].as_string(), "explicit_model");
  EXPECT_EQ(document["learning"]["reason"].as_string(), "explicit_model");
}

TEST_F(EvalDocument, OfWhatCannotBeServed) {
  world_.set_healthy("large", false);
  world_.set_healthy("small", false);
  const json::Value document = evaluate("auto", {user("prove it")});
  EXPECT_EQ(document["selection_status"].as_string(), "unavailable");
  EXPECT_EQ(document["selected_model"].as_string("?"), "");
  EXPECT_EQ(document["error"]["code"].as_string(), "no_healthy_endpoint");
}

TEST_F(EvalDocument, SaysWhatLearningWouldDo) {
  world_.headers_["x-conversation-id"] = "run-1";
  world_.serve(body("auto", {user("prove it")}));
  const json::Value learning =
      evaluate("auto", {user("prove it"), assistant("done"), user("refactor it")})["learning"];
  EXPECT_EQ(learning["action"].as_string(), "stay");
  EXPECT_EQ(learning["scope"].as_string(), "conversation");
  EXPECT_EQ(learning["mode"].as_string(), "apply");
  EXPECT_EQ(learning["previous_model"].as_string(), "large");
  EXPECT_EQ(learning["proposal_model"].as_string(), "large");
  EXPECT_EQ(learning["final_model"].as_string(), "large");
  EXPECT_FALSE(learning["locked"].as_bool(true));
  EXPECT_EQ(learning["identity"]["conversation_source"].as_string(), "header:x-conversation-id");
  EXPECT_EQ(learning["belief"].size(), 3U);
  double belief = 0;
  for (const auto& [model, share] : learning["belief"].fields()) belief += share.as_double();
  EXPECT_NEAR(belief, 1, 1e-5);
  ASSERT_GE(learning["candidates"].size(), 2U);
  size_t current = 0;
  double kept = 0;
  double other = std::numeric_limits<double>::infinity();
  for (const json::Value& candidate : learning["candidates"].items()) {
    const json::Value& trace = learning["candidate_traces"][candidate["model"].as_string()];
    EXPECT_EQ(trace["current"].as_bool(), candidate["current"].as_bool());
    EXPECT_NEAR(trace["final_score"].as_double(), -candidate["score_usd"].as_double(), 1e-9);
    EXPECT_NEAR(trace["base_score"].as_double(), -candidate["failure_usd"].as_double(), 1e-9);
    const json::Value& base = learning["base_scores"][candidate["model"].as_string()];
    EXPECT_EQ(base.as_double(), trace["base_score"].as_double()) << "one name, one meaning";
    if (candidate["current"].as_bool()) {
      kept = candidate["score_usd"].as_double();
    } else {
      other = std::min(other, candidate["score_usd"].as_double());
    }
    current += candidate["current"].as_bool() ? 1 : 0;
  }
  EXPECT_EQ(current, 1U);
  EXPECT_GT(learning["cache"]["large"].as_int(), 0);
  // A stay says what the best of the others would have gained, which is less than nothing.
  EXPECT_LT(learning["gain_usd"].as_double(1), 0);
  EXPECT_NEAR(learning["gain_usd"].as_double(), kept - other, 1e-6);
  EXPECT_EQ(learning.find("observed_model"), nullptr);
}

TEST_F(EvalDocument, NamesTheModelThatObservedLearningWouldHaveTaken) {
  World world(edited("rules: {type: keyword, name: easy}",
                     "adaptations: {session_aware: {mode: observe}}\n"
                     "      rules: {type: keyword, name: easy}"));
  world.headers_["x-conversation-id"] = "run-1";
  const Decision first = world.serve(body("auto", {user("prove it")}));
  world.router_->add_tool_call(first, "c1", world.clock_.unix_ms());
  const json::Value learning = world.document(
      world.decide(body("auto", {user("prove it"), call("c1"), user("hello")})))["learning"];
  EXPECT_EQ(learning["mode"].as_string(), "observe");
  EXPECT_EQ(learning["action"].as_string(), "hard_lock");
  EXPECT_EQ(learning["final_model"].as_string(), "small");
  EXPECT_EQ(learning["observed_model"].as_string(), "large");
}

TEST_F(EvalDocument, TracesTheAdditiveScore) {
  World world(edited("learning: {enabled: true",
                     "learning: {policy: {kind: weighted_score}, enabled: true"));
  world.headers_["x-conversation-id"] = "run-1";
  world.serve(body("auto", {user("prove it")}));
  const json::Value document = world.document(
      world.decide(body("auto", {user("prove it"), assistant("done"), user("hello")})));
  const json::Value& learning = document["learning"];
  EXPECT_EQ(learning["previous_model"].as_string(), "large");
  EXPECT_EQ(learning["proposal_model"].as_string(), "small");
  const json::Value& current = learning["candidate_traces"]["large"];
  const json::Value& other = learning["candidate_traces"]["small"];
  EXPECT_TRUE(current["current"].as_bool());
  EXPECT_FALSE(other["current"].as_bool(true));
  EXPECT_EQ(current["base_score"].as_double(), 0);
  EXPECT_EQ(other["base_score"].as_double(), 1);
  EXPECT_GT(current["prefix_cache_benefit"].as_double(), 0);
  EXPECT_GT(other["prefix_cache_penalty"].as_double(), 0);
  EXPECT_NEAR(other["handoff_penalty"].as_double(), .05, 1e-9);
  EXPECT_NEAR(other["net_switch_advantage"].as_double(),
              other["final_score"].as_double() - current["final_score"].as_double(), 1e-6);
  EXPECT_EQ(learning["base_scores"]["small"].as_double(), 1);
  EXPECT_EQ(learning["final_scores"]["large"].as_double(), current["final_score"].as_double());
}

TEST_F(EvalDocument, LearningIsEmptyWhenItIsOff) {
  World world(edited("learning: {enabled: true", "learning: {enabled: false"));
  const json::Value document = world.document(world.decide(body("auto", {user("prove it")})));
  EXPECT_TRUE(document["learning"].is_object());
  EXPECT_EQ(document["learning"].size(), 0U);
}

}  // namespace
}  // namespace vsr::router
