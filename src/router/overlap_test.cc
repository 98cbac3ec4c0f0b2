// Requests of one conversation that overlap, repeat or break off, as agents send them: what is
// remembered after each step, by the order in which requests begin and answers come. The rows of
// docs/overlap.md name these cases.
#include <gtest/gtest.h>

#include <map>

#include "router/router_fixture.h"

namespace vsr::router {
namespace {

enum class Do : uint8_t {
  kAsk,     // a request begins: it is decided
  kHeld,    // a request would find that model held
  kCall,    // its answer makes a tool call
  kAnswer,  // its answer is good: first byte and end
  kFirst,   // only the first byte has come
  kEnd,     // the end after that
};

struct Step {
  Do what = Do::kAsk;
  std::string_view request;  // its name in the case
  std::string body;          // kAsk, kHeld
  std::string_view model;    // kAsk: what serves; kHeld: what is held
  std::string_view reason;   // kAsk
  std::string_view call;     // kCall: the id
};

Step ask(std::string_view request, std::string body, std::string_view model,
         std::string_view reason) {
  return {Do::kAsk, request, std::move(body), model, reason, ""};
}
Step held(std::string body, std::string_view model) {
  return {Do::kHeld, "", std::move(body), model, "", ""};
}
Step call_of(std::string_view request, std::string_view id) {
  return {Do::kCall, request, "", "", "", id};
}
Step answer(std::string_view request) { return {Do::kAnswer, request, "", "", "", ""}; }
Step first_byte(std::string_view request) { return {Do::kFirst, request, "", "", "", ""}; }
Step end(std::string_view request) { return {Do::kEnd, request, "", "", "", ""}; }

// The agent's own requests, with a system prompt and tools.
std::string main_body(std::vector<std::string> messages, std::string_view model = "auto") {
  messages.insert(messages.begin(), message("system", "You are a coding agent."));
  return body(model, messages,
              R"(,"tools":[{"function":{"name":"run"}},{"function":{"name":"read"}}])");
}
// Somebody else under the same ids, with a prompt of its own and `tools` tools.
std::string side_body(std::vector<std::string> messages, size_t tools = 0) {
  messages.insert(messages.begin(), message("system", "You name conversations."));
  return body("auto", messages, tools == 0 ? "" : R"(,"tools":[{"function":{"name":"look"}}])");
}
std::string two_calls() {
  return R"({"role":"assistant","content":null,"tool_calls":[)"
         R"({"id":"c1","type":"function","function":{"name":"run","arguments":"{}"}},)"
         R"({"id":"c2","type":"function","function":{"name":"run","arguments":"{}"}}]})";
}

constexpr std::string_view kFirstTurn = "missing_previous_model";
constexpr std::string_view kToolLoop = "hard_lock=tool_loop";
constexpr std::string_view kAuxiliary = "auxiliary_request";
constexpr std::string_view kBest = "stay_has_best_adjusted_score";

struct Case {
  const char* name;
  std::vector<Step> steps;
};

std::vector<Case> cases() {
  const std::string begin = user("prove it");  // routed to large
  const auto loop = [&](std::initializer_list<std::string> rest) {
    std::vector<std::string> out = {begin, two_calls()};
    out.insert(out.end(), rest);
    return main_body(out);
  };
  const std::string later = user("hello");  // routed to small
  return {
      {"parallel tool calls answered in one request",
       {ask("a", main_body({begin}), "large", kFirstTurn), call_of("a", "c1"), call_of("a", "c2"),
        answer("a"), ask("b", loop({result("c1", "x"), result("c2", "y")}), "large", kToolLoop)}},
      {"parallel tool calls answered in several requests",
       {ask("a", main_body({begin}), "large", kFirstTurn), call_of("a", "c1"), call_of("a", "c2"),
        answer("a"), ask("b", loop({result("c1", "x")}), "large", kToolLoop),
        ask("c", loop({result("c2", "y")}), "large", kToolLoop), answer("c"), answer("b"),
        ask("d", loop({result("c1", "x"), result("c2", "y")}), "large", kToolLoop)}},
      {"a sub-agent under the same ids has its own lineage and its own locks",
       {ask("a", main_body({begin}), "large", kFirstTurn), call_of("a", "c1"), answer("a"),
        ask("s", side_body({later}, 1), "small", kAuxiliary), call_of("s", "s1"), answer("s"),
        ask("t", side_body({later, call("s1"), result("s1", "x")}, 1), "small", kToolLoop),
        answer("t"),
        ask("b", main_body({begin, call("c1"), result("c1", "x")}), "large", kToolLoop),
        answer("b"),
        ask("c", main_body({begin, call("c1"), result("c1", "x"), assistant("done"), begin}),
            "large", kBest)}},
      {"a title request before the first main request",
       {ask("t", side_body({later}), "small", kFirstTurn), answer("t"),
        ask("a", main_body({begin}), "large", kFirstTurn)}},
      {"a title request under way while the first main request begins",
       {ask("t", side_body({later}), "small", kFirstTurn),
        ask("a", main_body({begin}), "large", kFirstTurn), answer("a"), answer("t"),
        ask("b", main_body({begin, assistant("done"), begin}), "large", kBest)}},
      {"a title request after the first main request",
       {ask("a", main_body({begin}), "large", kFirstTurn), answer("a"),
        ask("t", side_body({later}), "small", kAuxiliary), answer("t"),
        ask("b", main_body({begin, assistant("done"), begin}), "large", kBest)}},
      {"a summary of the open loop goes where the call was made and moves nothing",
       {ask("a", main_body({begin}), "large", kFirstTurn), call_of("a", "c1"), answer("a"),
        ask("s", side_body({begin, call("c1"), result("c1", "x"), later}), "large", kToolLoop),
        answer("s"),
        ask("b", main_body({begin, call("c1"), result("c1", "x")}), "large", kToolLoop)}},
      {"a retry while the first try is under way",
       {ask("a", main_body({begin}), "large", kFirstTurn),
        ask("b", main_body({begin}), "large", kFirstTurn), call_of("b", "c1"), answer("b"),
        call_of("a", "c2"), answer("a"),
        ask("c", main_body({begin, call("c1"), result("c1", "x")}), "large", kToolLoop)}},
      {"a retry after a failure finds no trace of it",
       {ask("a", main_body({begin}), "large", kFirstTurn),
        ask("b", main_body({begin}), "large", kFirstTurn), answer("b"),
        ask("c", main_body({begin, assistant("done"), begin}), "large", kBest)}},
      {"a stream cut after its tool call: the result goes to its maker",
       {ask("a", main_body({begin}), "large", kFirstTurn), first_byte("a"), call_of("a", "c1"),
        ask("b", main_body({begin, call("c1"), result("c1", "x")}), "large", kToolLoop)}},
      {"two tabs of one conversation: each loop goes to its maker",
       {ask("a", main_body({begin}), "large", kFirstTurn), answer("a"),
        ask("b", main_body({begin, assistant("done"), user("prove more")}), "large", kBest),
        ask("c", main_body({begin, assistant("done"), later}, "small"), "small", "explicit_model"),
        call_of("b", "b1"), answer("b"), call_of("c", "k1"), answer("c"),
        ask("d",
            main_body(
                {begin, assistant("done"), user("prove more"), call("b1"), result("b1", "x")}),
            "large", kToolLoop),
        ask("e", main_body({begin, assistant("done"), later, call("k1"), result("k1", "x")}),
            "small", kToolLoop)}},
      {"of two answers the request that began later keeps the say",
       {ask("a", main_body({begin}), "large", kFirstTurn), answer("a"),
        ask("b", main_body({begin, assistant("done"), begin}), "large", kBest),
        ask("c", main_body({begin, assistant("done"), later}, "small"), "small", "explicit_model"),
        first_byte("c"), first_byte("b"), end("c"), end("b"),
        held(main_body({begin, assistant("done"), later, assistant("hi"), begin}), "small")}},
  };
}

TEST(Overlap, OfRequestsLeavesWhatTheTableSays) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    World world;
    world.headers_["x-session-id"] = "s";
    world.headers_["x-conversation-id"] = "c";
    std::map<std::string_view, Decision> requests;
    for (const Step& step : c.steps) {
      world.clock_.advance(std::chrono::seconds(1));
      if (step.what == Do::kAsk) {
        Decision decision = world.decide(step.body);
        EXPECT_EQ(world.model_of(decision), step.model) << step.request;
        EXPECT_EQ(decision.verdict.reason, step.reason) << step.request;
        requests[step.request] = std::move(decision);
        continue;
      }
      if (step.what == Do::kHeld) {
        EXPECT_EQ(world.model_name(world.decide(step.body).previous), step.model);
        continue;
      }
      const Decision& decision = requests.at(step.request);
      const UnixMillis now = world.clock_.unix_ms();
      if (step.what == Do::kCall) world.router_->add_tool_call(decision, step.call, now);
      if (step.what == Do::kAnswer || step.what == Do::kFirst) {
        world.router_->commit(decision, now);
      }
      if (step.what == Do::kAnswer || step.what == Do::kEnd) {
        world.router_->done(decision, decision.facts.needs.context_tokens, 100, now);
      }
    }
  }
}

}  // namespace
}  // namespace vsr::router
