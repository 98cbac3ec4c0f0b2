#include "eval/replay_policy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "json/value.h"

namespace vsr::eval {
namespace {

struct Turn {
  int minute;
  const char* lineage;
  const char* action;
  const char* previous;
  const char* proposal;
  const char* served;
  const char* phase;
};

std::string record_of(const Turn& turn) {
  return fmt::format(
      R"({{"timestamp":"2026-05-30T10:{:02}:00.000Z","prompt_tokens":1000,)"
      R"("cached_prompt_tokens":250,"actual_cost":0.5,"baseline_cost":2,)"
      R"("route_diagnostics":{{"session_phase":"{}"}},"session_policy":{{"action":"{}",)"
      R"("identity":{{"conversation":"c","lineage":"{}"}},"previous_model":"{}",)"
      R"("proposal_model":"{}","final_model":"{}"}}}})",
      turn.minute, turn.phase, turn.action, turn.lineage, turn.previous, turn.proposal,
      turn.served);
}

// One lineage that is held through a tool loop and switches once, one that only lives once, a
// privacy turn between them, and one record of a server without learning.
std::vector<std::string> records() {
  const Turn turns[] = {
      {1, "a", "select", "", "large", "large", "new_session"},
      {2, "a", "hard_lock", "large", "small", "large", "tool_loop"},
      {3, "a", "bypass", "large", "local", "local", "user_turn"},
      {4, "a", "hard_lock", "large", "large", "large", "provider_state"},
      {5, "a", "switch", "large", "small", "small", "user_turn"},
      {6, "b", "select", "", "small", "small", "new_session"},
  };
  std::vector<std::string> out;
  for (const Turn& turn : turns) out.push_back(record_of(turn));
  out.push_back(R"({"timestamp":"2026-05-30T10:07:00.000Z","session_policy":{}})");
  return out;
}

void expect_totals(const std::string& text) {
  std::istringstream in(text);
  const auto s = summarise_replay(in);
  ASSERT_TRUE(s) << s.error().message;
  EXPECT_EQ(s->records, 7U);
  EXPECT_EQ(s->without_policy, 1U);
  EXPECT_EQ(s->lineages, 2U);
  EXPECT_EQ(s->served.switches, 1U);
  EXPECT_EQ(s->served.tool_violations + s->served.provider_violations, 0U);
  EXPECT_EQ(s->proposals.switches, 3U);
  EXPECT_EQ(s->proposals.tool_violations, 1U);
  EXPECT_EQ(s->proposals.provider_violations, 1U);
  EXPECT_EQ(s->actions.at("hard_lock"), 2U);
  EXPECT_EQ(s->actions.at("bypass"), 1U);
  EXPECT_EQ(s->cost, 3);
  EXPECT_EQ(s->baseline_cost, 12);
  const auto json = json::Value::parse(replay_json(*s));
  ASSERT_TRUE(json);
  EXPECT_EQ((*json)["mean_cached_prompt_ratio"].as_double(), .25);
  EXPECT_EQ((*json)["baseline_switches"].as_int(), 3);
  EXPECT_NE(replay_text(*s).find("25.0 %"), std::string::npos) << replay_text(*s);
}

TEST(ReplayPolicy, ReadsAListAnArrayAndLinesInAnyOrder) {
  const auto all = records();
  std::string lines;
  std::string array;
  for (auto record = all.rbegin(); record != all.rend(); ++record) {
    lines += *record + "\n\n";
    array += (array.empty() ? "[" : ",") + *record;
  }
  array += "]";
  expect_totals(lines);
  expect_totals(array);
  expect_totals(R"({"object":"list","data":)" + array + "}");
}

TEST(ReplayPolicy, SaysWhichLineIsWrong) {
  for (const char* bad : {"{\"id\":", "17"}) {
    std::istringstream in(records().front() + "\n" + bad + "\n");
    const auto summary = summarise_replay(in);
    ASSERT_FALSE(summary);
    EXPECT_TRUE(summary.error().message.starts_with("line 2: ")) << summary.error().message;
  }
}

TEST(ReplayPolicy, AnEmptyFileHasNoRecords) {
  std::istringstream in("");
  const auto summary = summarise_replay(in);
  ASSERT_TRUE(summary);
  EXPECT_EQ(summary->records, 0U);
}

}  // namespace
}  // namespace vsr::eval
