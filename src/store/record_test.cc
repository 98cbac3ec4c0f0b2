#include "store/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "json/value.h"
#include "store/record_fixture.h"
#include "store/render.h"

namespace vsr::store {
namespace {

using json::Value;

struct TextCase {
  const char* what;
  TextField field;
  bool redact;
  std::optional<std::string> expected;
};

TEST(StoredText, LeavesNothingThatMayBeSensitive) {
  const std::string withheld(kWithheld);
  const std::vector<TextCase> cases = {
      {"empty", {""}, true, std::nullopt},
      {"public", {"hello"}, false, "hello"},
      {"public, cut", {"hello", true}, false, "hello"},
      {"private, nobody looked", {"hello"}, true, withheld},
      {"private, scanned, clean", {"hello", false, Scan::kKept}, true, "hello"},
      {"private, scanned in full, cut, clean", {"hello", true, Scan::kWhole}, true, "hello"},
      {"private, scanned after the cut", {"hello", true, Scan::kKept}, true, withheld},
      {"spans", {"a b@c.de f", false, Scan::kKept, {{2, 8, "EMAIL"}}}, true, "a [EMAIL] f"},
      {"spans, not private",
       {"a b@c.de f", false, Scan::kKept, {{2, 8, "EMAIL"}}},
       false,
       "a [EMAIL] f"},
      {"spans of an unnamed scan",
       {"k1 k2", false, Scan::kNone, {{0, 2, "A"}, {3, 5, "B"}}},
       true,
       "[A] [B]"},
      {"spans, not private, scanned after the cut",
       {"a b@c", true, Scan::kKept, {{0, 1, "X"}}},
       false,
       withheld},
      {"adjacent spans", {"abcd", false, Scan::kKept, {{0, 2, "A"}, {2, 4, "B"}}}, true, "[A][B]"},
      {"span over the cut",
       {"key sk-12", true, Scan::kWhole, {{4, 30, "API_KEY"}}},
       true,
       "key [API_KEY]"},
      {"span behind the cut", {"key", true, Scan::kWhole, {{14, 30, "API_KEY"}}}, true, "key"},
      {"span past the end", {"key", false, Scan::kWhole, {{1, 30, "API_KEY"}}}, false, withheld},
      {"overlapping", {"abcdef", false, Scan::kKept, {{0, 3, "A"}, {2, 4, "B"}}}, false, withheld},
      {"unordered", {"abcdef", false, Scan::kKept, {{3, 4, "A"}, {0, 1, "B"}}}, false, withheld},
      {"backwards", {"abcdef", false, Scan::kKept, {{4, 2, "A"}}}, false, withheld},
  };
  for (const auto& c : cases) EXPECT_EQ(stored_text(c.field, c.redact), c.expected) << c.what;
}

TEST(Lifecycle, NamesReadBack) {
  for (const auto state :
       {Lifecycle::kRunning, Lifecycle::kCompleted, Lifecycle::kFailed, Lifecycle::kAborted}) {
    EXPECT_EQ(parse_lifecycle(to_string(state)), state);
  }
  EXPECT_EQ(parse_lifecycle("finished"), std::nullopt);
}

Value rendered(const RoutingPart& routing, const TerminalPart* terminal, bool details) {
  const auto text = render_record(fixture::id_of(1), routing, terminal, details);
  auto value = Value::parse(text);
  EXPECT_TRUE(value) << text;
  return value.value_or(Value());
}

std::set<std::string> keys_of(const Value& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.fields()) {
    EXPECT_TRUE(keys.insert(key).second) << key << " twice";
  }
  return keys;
}

TEST(RenderRecord, HasEveryFieldOfTheSpecification) {
  const auto terminal = fixture::terminal();
  const Value record = rendered(fixture::routing(), &terminal, true);
  EXPECT_THAT(keys_of(record), testing::IsSupersetOf({"id",
                                                      "timestamp",
                                                      "request_id",
                                                      "session_id",
                                                      "conversation_id",
                                                      "identity_source",
                                                      "turn_index",
                                                      "decision",
                                                      "decision_tier",
                                                      "decision_priority",
                                                      "category",
                                                      "original_model",
                                                      "selected_model",
                                                      "reasoning_mode",
                                                      "confidence_score",
                                                      "selection_method",
                                                      "route_diagnostics",
                                                      "learning",
                                                      "signals",
                                                      "timings_us",
                                                      "prompt",
                                                      "request_body",
                                                      "response_body",
                                                      "prompt_truncated",
                                                      "request_body_truncated",
                                                      "response_body_truncated",
                                                      "response_status",
                                                      "lifecycle_state",
                                                      "terminal_reason",
                                                      "ended_at",
                                                      "duration_ms",
                                                      "ttft_ms",
                                                      "streaming",
                                                      "from_cache",
                                                      "backend",
                                                      "prompt_tokens",
                                                      "cached_prompt_tokens",
                                                      "cache_write_tokens",
                                                      "completion_tokens",
                                                      "total_tokens",
                                                      "cached_tokens_source",
                                                      "actual_cost",
                                                      "baseline_cost",
                                                      "cost_savings",
                                                      "currency",
                                                      "baseline_model",
                                                      "policy_version"}));
  EXPECT_THAT(
      keys_of(record["route_diagnostics"]),
      testing::IsSupersetOf({"decision", "decision_tier", "decision_priority", "selection_method",
                             "original_model", "proposal_model", "previous_model", "selected_model",
                             "session_policy_applied", "session_action", "session_phase",
                             "session_reason", "hard_lock_reason", "decision_reason"}));
  EXPECT_EQ(record["id"].as_string(), fixture::id_of(1).hex());
  EXPECT_EQ(record["timestamp"].as_string(), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(record["ended_at"].as_string(), "2023-11-14T22:13:20.500Z");
  EXPECT_EQ(record["lifecycle_state"].as_string(), "completed");
  EXPECT_TRUE(record["terminal_reason"].is_null());
  EXPECT_DOUBLE_EQ(record["cost_savings"].as_double(), 0.75);
  EXPECT_TRUE(record["route_diagnostics"]["session_policy_applied"].as_bool());
  EXPECT_EQ(record["backend"]["attempts"][0]["status"].as_int(), 503);
  EXPECT_EQ(record["backend"]["endpoint"].as_string(), "vllm-1");
}

TEST(RenderRecord, LeavesOutBodiesWithoutDetails) {
  const auto terminal = fixture::terminal();
  const Value record = rendered(fixture::routing(), &terminal, false);
  EXPECT_EQ(record.find("request_body"), nullptr);
  EXPECT_EQ(record.find("response_body"), nullptr);
  EXPECT_EQ(record["prompt"].as_string(), "Prompt number 0");
}

TEST(RenderRecord, RunsUntilItHasAnEnd) {
  const Value record = rendered(fixture::routing(), nullptr, true);
  EXPECT_EQ(record["lifecycle_state"].as_string(), "running");
  EXPECT_TRUE(record.find("ended_at") != nullptr && record["ended_at"].is_null());
  EXPECT_TRUE(record["response_body"].is_null());
  EXPECT_EQ(record.find("actual_cost"), nullptr);
}

TEST(RenderRecord, RedactsEveryText) {
  auto routing = fixture::routing();
  routing.redact = true;
  routing.prompt = {"call 555-0100 now", false, Scan::kWhole, {{5, 13, "PHONE"}}};
  routing.request_body = {"call 555-0100 now"};
  auto terminal = fixture::terminal();
  terminal.response_body = {"555-0100", true, Scan::kKept};
  const auto text = render_record(fixture::id_of(1), routing, &terminal, true);
  EXPECT_EQ(text.find("555-0100"), std::string::npos) << text;
  const Value record = rendered(routing, &terminal, true);
  EXPECT_EQ(record["prompt"].as_string(), "call [PHONE] now");
  EXPECT_EQ(record["request_body"].as_string(), kWithheld);
  EXPECT_EQ(record["response_body"].as_string(), kWithheld);
}

TEST(RenderRecord, SurvivesAnyBytes) {
  auto routing = fixture::routing();
  routing.prompt.text = std::string("\xff\x00\"\\\n", 5);
  routing.request_id = "\x80";
  const Value record = rendered(routing, nullptr, true);
  EXPECT_TRUE(record["prompt"].is_string());
}

TEST(Compose, TellsWhatIsLeftOfARecordThatLostItsTexts) {
  Row row = fixture::row(4, false);
  row.routing = row.prompt = row.request_body = nullptr;
  row.summary = crashed(*row.summary, fixture::kStart + 9000);
  const auto parsed = Value::parse(compose(row, true, false));
  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)["selected_model"].as_string(), "model-a");
  EXPECT_EQ((*parsed)["lifecycle_state"].as_string(), "aborted");
  EXPECT_EQ((*parsed)["terminal_reason"].as_string(), "crash");
  EXPECT_EQ((*parsed)["ended_at"].as_string(), "2023-11-14T22:13:29.000Z");
}

}  // namespace
}  // namespace vsr::store
