#include "cli/replay_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "cli/plain_text.h"

namespace vsr::cli {
namespace {

using json::Value;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kRecord = R"({
  "id": "c78d06b95a01a2fe209a515254ae4526", "timestamp": "2026-01-02T03:04:05.678Z",
  "session_id": "dffe8596427fc50e", "conversation_id": "559aead08264d579", "turn_index": 4,
  "decision": "domain_code_complex", "decision_tier": 3, "decision_priority": 160,
  "confidence_score": 0.99, "selection_method": "static",
  "selected_model": "google/gemini-2.5-flash-lite", "routing_latency_us": 451.9,
  "route_diagnostics": {"decision_reason": "matched", "proposal_model": "google/gemini-3.1-pro",
    "previous_model": "google/gemini-2.5-flash-lite",
    "selected_model": "google/gemini-2.5-flash-lite",
    "session_action": "stay", "session_reason": "cache_protected"},
  "learning": {"adaptations": {"session_aware": {"action": "stay", "reason": "cache_protected",
    "scope": "conversation", "mode": "apply", "previous_model": "google/gemini-2.5-flash-lite",
    "proposal_model": "google/gemini-3.1-pro", "final_model": "google/gemini-2.5-flash-lite",
    "locked": false, "idle_seconds": 0.05, "turns": 3, "switches": 0,
    "gain_usd": -0.0005, "margin_usd": 0.0009,
    "candidates": [
      {"model": "google/gemini-2.5-flash-lite", "first_call_usd": 0.0000141, "round_usd": 0.0000551,
       "failure_usd": 0.0041216, "score_usd": 0.0041767, "current": true},
      {"model": "google/gemini-3.1-pro", "first_call_usd": 0.0018147, "round_usd": 0.0040314,
       "failure_usd": 0.0007044, "score_usd": 0.0047359, "current": false}],
    "candidate_traces": {}}}},
  "signals": {"complexity": ["task:hard"], "keywords": ["hard_words", "code_words"]},
  "signal_errors": {}, "prompt": "Design it\u001b[31m now", "lifecycle_state": "completed",
  "terminal_reason": null, "duration_ms": 2.08, "ttft_ms": 2.04, "response_status": 200,
  "from_cache": false, "is_unsafe_switch": false,
  "backend": {"attempts": [{"endpoint": "http://vllm:8000", "status": 0, "ms": 3.5,
                            "error": "refused"},
                           {"endpoint": "http://vllm:8001", "status": 200, "ms": 1.4}]},
  "prompt_tokens": 3158, "cached_prompt_tokens": 3008, "completion_tokens": 80,
  "cached_tokens_source": "backend_reported", "actual_cost": 0.0006562, "baseline_cost": 0.0024606,
  "currency": "USD", "baseline_model": "anthropic/claude-opus-4.6",
  "timings_us": {"parse": 120, "signals": 285, "decision": 1, "learning": 0}})";

Value record(std::string_view from = "", std::string_view to = "") {
  std::string text(kRecord);
  if (!from.empty()) {
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    for (size_t next = at; next != std::string::npos; next = text.find(from, next + to.size())) {
      text.replace(next, from.size(), to);
    }
  }
  return Value::parse(text).value();
}

size_t widest(std::string_view text) {
  size_t most = 0;
  for (const std::string_view line : split(text, '\n')) most = std::max(most, line.size());
  return most;
}

TEST(RecordText, FitsATerminalAndSaysEverythingOnce) {
  const std::string text = record_text(record());
  EXPECT_LE(widest(text), kColumns) << text;
  for (const std::string_view part :
       {"record     c78d06b95a01a2fe209a515254ae4526\n", "completed, status 200",
        "why        Stayed on google/gemini-2.5-flash-lite: this round would cost",
        "previous   google/gemini-2.5-flash-lite\n", "proposed   google/gemini-3.1-pro\n",
        "final      google/gemini-2.5-flash-lite\n", "learning   stay, cache_protected;",
        "* google/gemini-2.5-flash-lite    0.000014    0.000055    0.004122    0.004177\n",
        "  google/gemini-3.1-pro           0.001815    0.004031    0.000704    0.004736\n",
        "decision   domain_code_complex (tier 3, priority 160, confidence 0.99, static)\n",
        "signals    complexity: task:hard\n           keywords: hard_words code_words\n",
        "3,158 prompt, 3,008 of them cached (95 %, backend_reported), 80\n",
        "cost       0.000656 USD; at the prices of anthropic/claude-opus-4.6: 0.002461\n",
        "2.08 ms in all, first byte after 2.04 ms; routing 0.45 ms",
        "attempts   http://vllm:8000 no answer 3.50 ms refused\n           http://vllm:8001 200",
        "errors     none\n", "prompt     Design it [31m now\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("observed")));
}

TEST(RecordText, SaysWhatWentWrongAndWhatWasObserved) {
  EXPECT_THAT(record_text(record(R"("terminal_reason": null)", R"("terminal_reason": "deadline")")),
              HasSubstr("errors     deadline\n"));
  EXPECT_THAT(
      record_text(record(R"("signal_errors": {})", R"("signal_errors": {"domain:x": "too busy"})")),
      HasSubstr("errors     domain:x: too busy\n"));
  EXPECT_THAT(record_text(record(R"("is_unsafe_switch": false)", R"("is_unsafe_switch": true)")),
              HasSubstr("errors     unsafe switch:"));
  const std::string observed = record_text(
      record(R"("mode": "apply")", R"("mode": "observe", "observed_model": "openai/gpt5.4")"));
  EXPECT_THAT(observed, HasSubstr("observed   openai/gpt5.4 (what learning would have taken)\n"));
  EXPECT_THAT(observed, HasSubstr("as routed; learning observes"));
}

TEST(Why, EveryReasonHasItsSentence) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"hard_lock=tool_loop", "Locked to google/gemini-2.5-flash-lite: it made the tool call"},
      {"hard_lock=context_portability:file", "Locked to google/gemini-2.5-flash-lite: it refers"},
      {"hard_lock=min_turns", "too few turns"},
      {"missing_previous_model", "Took google/gemini-2.5-flash-lite"},
      {"stay_has_best_adjusted_score", "Stayed on"},
      {"switch_margin_not_met", "would gain $-0.000500, and its margin is $0.000900"},
      {"demand_protected",
       "Expected failures cost $0.000704 on google/gemini-3.1-pro and $0.004122"},
      {"switch_allowed", "Switched from"},
      {"switch_allowed:ladder", "Switched from"},
      {"switch_allowed:owner_unavailable", "Moved to"},
      {"session_scope_protect", "a session keeps its first model"},
      {"decision_bypass", "steps around learning"},
      {"explicit_model", "the caller named it"},
      {"auxiliary_request", "apart from the conversation"},
      {"identity_missing", "neither session nor conversation"},
      {"lock_expired", "has expired"},
      {"something_new", "stay (something_new)"},
  };
  for (const auto& [reason, sentence] : cases) {
    EXPECT_THAT(why(record("cache_protected", reason)), HasSubstr(sentence)) << reason;
  }
  const Value off = record(R"("action": "stay")", R"("action": "")");
  EXPECT_EQ(why(off), "google/gemini-2.5-flash-lite: the decision domain_code_complex took it.");
}

TEST(RecordText, TheAdditiveScoreHasNoUnit) {
  std::string text(kRecord);
  const size_t from = text.find(R"("candidates": [)");
  const size_t to = text.find(R"("candidate_traces": {})");
  text.replace(from, to - from + 22, R"("candidates": [], "candidate_traces": {
    "small": {"current": true, "base_score": 0, "final_score": 0.35, "handoff_penalty": 0,
              "prefix_cache_benefit": 0.25, "prefix_cache_penalty": 0}})");
  const std::string shown = record_text(Value::parse(text).value());
  EXPECT_THAT(shown, HasSubstr("no unit"));
  EXPECT_THAT(shown, HasSubstr("* small           0.0000      0.2500"));
  EXPECT_THAT(shown, Not(HasSubstr("USD  ")));
}

TEST(TrajectoryText, ShowsTurnsAndTheirSums) {
  const std::string text = trajectory_text(Value::parse(R"({"truncated": false, "turns": [
    {"id": "c78d06b95a01a2fe209a515254ae4526", "timestamp": "2026-01-02T03:04:05.678Z",
     "model": "google/gemini-2.5-flash-lite", "previous_model": "anthropic/claude-opus-4.6",
     "decision": "simple_math_fast_path", "action": "switch", "reason": "switch_allowed:ladder",
     "is_switch": true, "is_unsafe_switch": true, "lifecycle_state": "completed",
     "prompt_tokens": 123456, "cached_prompt_tokens": 120000, "actual_cost": 0.001,
     "currency": "USD"}],
    "totals": {"turns": 1, "switches": 1, "unsafe_switches": 1, "hard_locks": 0,
               "actual_spend": 0.001, "currency": "USD"}})")
                                               .value());
  EXPECT_LE(widest(text), kColumns);
  EXPECT_THAT(text, HasSubstr("completed  unsafe\n"));
  EXPECT_THAT(text, HasSubstr("  anthropic/claude-opus-4.6 ->\n  google/gemini-2.5-flash-lite  "));
  EXPECT_THAT(text, HasSubstr("123,456 tokens, 120,000 cached, 0.001000 USD\n"));
  EXPECT_THAT(text, HasSubstr("1 turns: 1 switches, 1 of them unsafe, 0 hard locks, 0.001000 USD"));
}

Value simulation(std::string_view cost) {
  return Value::parse(R"({"records": {"read": 9, "matched": 8, "replayable": 7,
    "not_replayable_causes": {"text_redacted": 1}}, "changed": {"decision": 0, "model": 1,
    "models": [{"from": "a", "to": "", "count": 1}]}, "switches": {"before": 2, "after": 3},
    "unsafe_switches": {"before": 1, "after": 0}, "intervals": {"percent": 95, "conversations": 4},
    "cut": null, "note": "N.", "cost": )" +
                      std::string(cost) + "}")
      .value();
}

TEST(SimulationText, AlignsItsColumns) {
  const std::string text = simulation_text(simulation(R"({"currency": "USD", "records": 7,
    "unpriced_records": 0, "before": 1, "after": 2, "difference": 1, "before_interval": [1, 1],
    "after_interval": [2, 2], "difference_interval": [1, 1], "always_one_model": [
      {"model": "google/gemini-2.5-flash-lite", "cost": 3, "cost_interval": [3, 3]},
      {"model": "a", "cost": 12, "cost_interval": [12, 12]}]})"));
  EXPECT_THAT(text, StartsWith("9 records read, 8 match the filter, 7 can be decided again\n"));
  EXPECT_THAT(text, HasSubstr("unsafe switches: 1 before, 0 after\n"));
  EXPECT_THAT(text, HasSubstr("       1  a -> (none)\n"));
  std::set<size_t> columns;
  for (const std::string_view line : split(text, '\n')) {
    if (line.find(" to ") != std::string_view::npos) columns.insert(line.find('('));
  }
  EXPECT_EQ(columns.size(), 1U) << text;
}

TEST(SimulationText, SaysWhyNothingIsPriced) {
  const std::string text = simulation_text(simulation(R"({"currency": "USD", "records": 0,
    "unpriced_records": 7, "before": null, "after": null, "difference": null,
    "always_one_model": [], "unpriced_models": [
      {"model": "gpt", "why": "not_in_recipe", "records": 6},
      {"model": "free", "why": "no_price_in_currency", "records": 7},
      {"model": "", "why": "refused", "records": 1}]})"));
  EXPECT_THAT(text, HasSubstr("none of 7 records can be priced on both sides"));
  EXPECT_THAT(text, HasSubstr("       6  gpt is not in this recipe\n"));
  EXPECT_THAT(text, HasSubstr("       7  free has no price in USD in this recipe\n"));
  EXPECT_THAT(text, HasSubstr("       1  no model would serve\n"));
  EXPECT_THAT(text, Not(HasSubstr("0.000000")));
}

TEST(SimulationText, SaysThatNothingWasCounted) {
  const std::string text = simulation_text(simulation(
      R"({"records": 0, "unpriced_records": 0, "before": null, "unpriced_models": []})"));
  EXPECT_THAT(text, HasSubstr("cost: none of these records has token counts"));
  EXPECT_THAT(text, Not(HasSubstr("0.000000")));
}

TEST(PlainText, CannotSpeakToTheTerminal) {
  EXPECT_EQ(plain("a\x1b[2J\r\n\x7f\xc2\x9b b"), "a [2J      b");
  EXPECT_EQ(plain("登录 é"), "登录 é");
  EXPECT_EQ(beginning("登录", 4), "登 …");
  EXPECT_EQ(beginning("abc", 3), "abc");
}

TEST(PlainText, CountsAreGrouped) {
  const std::pair<int64_t, std::string_view> cases[] = {
      {0, "0"}, {999, "999"}, {1000, "1,000"}, {1234567, "1,234,567"}, {-1000, "-1,000"}};
  for (const auto& [number, text] : cases) EXPECT_EQ(counted(number), text);
}

}  // namespace
}  // namespace vsr::cli
