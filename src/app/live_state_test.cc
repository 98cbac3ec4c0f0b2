// Provider state and tool loops over sockets: the gateway of a recipe in front of two simulated
// backends, which say which model was asked and what it was sent.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "app/local_gateway.h"
#include "config/load.h"
#include "http/client.h"
#include "json/value.h"
#include "sim/sim.h"

namespace vsr::app {
namespace {

using std::chrono_literals::operator""s;

// "prove" goes to large, which is at both backends; all else to small, which is at the first.
constexpr std::string_view kRecipe = R"(version: v0.3
providers:
  defaults: {{default_model: small}}
  models:
    - {{name: small, backend_refs: [{{endpoint: "a:1"}}]}}
    - {{name: large, backend_refs: [{{endpoint: "b:1"}}{}]}}
routing:
  modelCards: [{{name: small, quality_score: 0.7}}, {{name: large, quality_score: 0.9}}]
  signals: {{keywords: [{{name: hard, keywords: [prove]}}]}}
  decisions:
    - {{name: hard, rules: {{type: keyword, name: hard}}, modelRefs: [{{model: large}}]}}
global:
  router:
    learning:
      enabled: true
      adaptations:
        session_aware: {{enabled: true, lock_max_seconds: 3600, on_lock_unavailable: {}}}
)";

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;
  std::string body;
  std::string model() { return headers["x-vsr-selected-model"]; }
  std::string reason() { return headers["x-vsr-learning-reasons"]; }
};

class LiveState : public testing::Test {
 protected:
  void start(std::string_view on_lock_unavailable = "fail", bool two_endpoints = true) {
    clock_.advance(1s);
    const std::string second = two_endpoints ? R"(, {endpoint: "a:1"})" : "";
    const config::LoadResult loaded =
        config::load_text(fmt::format(kRecipe, second, on_lock_unavailable), "recipe.yaml");
    ASSERT_NE(loaded.config, nullptr) << config::format_all(loaded.diagnostics);
    auto gateway = LocalGateway::start({.config = loaded.config, .parts = {}, .clock = &clock_});
    ASSERT_TRUE(gateway.has_value()) << gateway.error().message;
    gateway_ = std::move(*gateway);
    for (const char* const name : {"a", "b"}) {
      sim::SimOptions options;
      options.models = {"small", "large"};
      auto started = sim::SimBackend::start(options);
      ASSERT_TRUE(started.has_value()) << started.error().message;
      endpoint(name).redirect({"127.0.0.1", (*started)->port()});
      backends_[name] = std::move(*started);
    }
  }

  gateway::Endpoint& endpoint(std::string_view name) {
    for (const auto& one : gateway_->endpoints()) {
      if (one->named().host == name) return *one;
    }
    ADD_FAILURE() << "no endpoint " << name;
    return *gateway_->endpoints().front();
  }

  // `messages` and further fields of the body; the backend answers with `script`.
  Answer ask(const std::string& messages, const std::string& more = "",
             const std::string& script = R"({"content":"done"})") {
    Answer out;
    const auto got =
        http::fetch("POST", gateway_->url() + "/v1/chat/completions",
                    {{"x-conversation-id", "c"}, {"x-sim-answer", script}},
                    fmt::format(R"({{"model":"auto","messages":[{}]{}}})", messages, more), 10s,
                    [&](std::string_view piece) { out.body += piece; });
    if (!got) return out;
    out.status = got->status;
    for (const auto& [name, value] : got->headers) out.headers[name] = value;
    return out;
  }

  // What the model that served last was sent, and at which backend.
  std::string last_body(std::string_view backend) {
    const auto requests = backends_.at(std::string(backend))->state().requests();
    return requests.empty() ? "" : requests.back().body;
  }
  size_t served(std::string_view backend) {
    return backends_.at(std::string(backend))->state().stats().requests;
  }

  FakeClock clock_;
  std::map<std::string, std::unique_ptr<sim::SimBackend>> backends_;
  std::unique_ptr<LocalGateway> gateway_;
};

const std::string kProve = R"({"role":"user","content":"prove it"})";
const std::string kHello = R"({"role":"user","content":"hello"})";

std::string reason_of(std::string_view why) {
  return fmt::format("session_aware=hard_lock=context_portability:{}", why);
}

// An answer that holds an opaque item, as a script and as the message of the next request.
struct Kept {
  std::string why;
  std::string extra;  // members of the message
};

TEST_F(LiveState, AnOpaqueItemOfAnAnswerHoldsItsModel) {
  const Kept cases[] = {
      {"thought_signature", R"("extra_content":{"google":{"thought_signature":"sim-opaque-1"}})"},
      {"encrypted_content",
       R"("reasoning_details":[{"type":"reasoning.encrypted","data":"sim-opaque-1"}])"},
      {"encrypted_content",
       R"("reasoning_items":[{"type":"reasoning","encrypted_content":"sim-opaque-1"}])"},
      {"item_reference", R"("audio":{"id":"sim-opaque-1"})"},
      {"server_tool", R"("blocks":[{"type":"server_tool_use","id":"sim-opaque-1","name":"web"}])"},
      {"server_tool", R"("container_id":"sim-opaque-1")"},
      {"file", R"("annotations":[{"type":"file_citation","file_id":"sim-opaque-1"}])"},
  };
  for (const Kept& kept : cases) {
    SCOPED_TRACE(kept.extra);
    start();
    Answer first =
        ask(kProve, "", fmt::format(R"({{"content":"done","extra":{{{}}}}})", kept.extra));
    EXPECT_EQ(first.model(), "large");
    const std::string history =
        fmt::format(R"({},{{"role":"assistant","content":"done",{}}})", kProve, kept.extra);
    Answer next = ask(history + "," + kHello);
    EXPECT_EQ(next.model(), "large");
    EXPECT_EQ(next.reason(), reason_of(kept.why));
    const uint64_t astray = backends_["a"]->state().stats().opaque_violations +
                            backends_["b"]->state().stats().opaque_violations;
    EXPECT_EQ(astray, 0u);
  }
}

TEST_F(LiveState, ThinkingHoldsInTheOpenToolLoopEvenWhereTheCallIsUnknown) {
  for (const std::string item :
       {R"("thinking_blocks":[{"type":"thinking","thinking":"t","signature":"S"}])",
        R"("thinking_blocks":[{"type":"redacted_thinking","data":"S"}])"}) {
    start();
    ask(kProve, "",
        fmt::format(R"({{"tool_calls":[{{"id":"c1","name":"f"}}],"extra":{{{}}}}})", item));
    // A harness that renames calls: the id says nothing any more, the signature does.
    const std::string loop = fmt::format(
        R"({},{{"role":"assistant","tool_calls":[{{"id":"x9","type":"function","function":{{"name":"f","arguments":"{{}}"}}}}],{}}},)"
        R"({{"role":"tool","tool_call_id":"x9","content":"r"}})",
        kHello, item);
    Answer next = ask(loop);
    EXPECT_EQ(next.model(), "large") << item;
    EXPECT_EQ(next.reason(), reason_of("thinking")) << item;
  }
}

TEST_F(LiveState, AHandleInTheRequestHoldsTheModelThatAnsweredWithIt) {
  const std::pair<const char*, const char*> cases[] = {
      {"previous_response_id", R"(,"previous_response_id":"resp_1")"},
      {"conversation", R"(,"conversation":{"id":"conv_1"})"},
      {"server_tool", R"(,"container":"cntr_1")"},
      {"server_tool", R"(,"tools":[{"type":"code_interpreter","container":"cntr_1"}])"},
      {"file", R"(,"tools":[{"type":"file_search","vector_store_ids":["vs_1"]}])"},
  };
  for (const auto& [why, more] : cases) {
    SCOPED_TRACE(more);
    start();
    EXPECT_EQ(ask(kProve, more).model(), "large");
    // Another first message is another lineage, which holds nothing itself.
    Answer next = ask(kHello, more);
    EXPECT_EQ(next.model(), "large");
    EXPECT_EQ(next.reason(), reason_of(why));
  }
  start();
  const std::string file =
      R"({"role":"user","content":[{"type":"file","file":{"file_id":"f_1"}},{"type":"text","text":"prove it"}]})";
  EXPECT_EQ(ask(file).model(), "large");
  Answer next = ask(file + R"(,{"role":"assistant","content":"done"},)" + kHello);
  EXPECT_EQ(next.reason(), reason_of("file"));
}

const std::string kSigned = R"("extra_content":{"google":{"thought_signature":"sim-opaque-1"}})";
const std::string kSignedAnswer = R"({"content":"done","extra":{)" + kSigned + "}}";
const std::string kSignedHistory =
    kProve + R"(,{"role":"assistant","content":"done",)" + kSigned + "}," + kHello;

TEST_F(LiveState, AnItemGoesToTheEndpointThatMadeIt) {
  start();
  ask(kProve, "", kSignedAnswer);
  const std::string home = served("a") == 1 ? "a" : "b";
  for (int i = 0; i < 8; ++i) ask(kSignedHistory);
  EXPECT_EQ(served(home), 9u);
}

TEST_F(LiveState, WhereTheHomeOfAnItemIsDown) {
  struct Case {
    const char* setting;
    bool two_endpoints;
    int status;
    const char* model;
    bool item_is_sent;
  };
  const Case cases[] = {
      {"fail", true, 503, "large", false},
      {"fail", false, 503, "large", false},
      {"same_model_elsewhere", true, 200, "large", true},
      {"same_model_elsewhere", false, 503, "large", false},
      {"portable", true, 200, "large", false},
      {"portable", false, 200, "small", false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(fmt::format("{} {}", c.setting, c.two_endpoints));
    start(c.setting, c.two_endpoints);
    ask(kProve, "", kSignedAnswer);
    const std::string home = served("a") == 1 ? "a" : "b";
    const std::string other = home == "a" ? "b" : "a";
    endpoint(home).set_active_health(false);
    Answer next = ask(kSignedHistory);
    EXPECT_EQ(next.status, c.status) << next.body;
    EXPECT_EQ(next.model(), c.model);
    EXPECT_EQ(served(home), 1u);
    if (c.status != 200) {
      EXPECT_NE(next.body.find("no_healthy_endpoint"), std::string::npos) << next.body;
      EXPECT_EQ(served(other), 0u);
      continue;
    }
    EXPECT_EQ(served(other), 1u);
    const std::string sent = last_body(other);
    EXPECT_EQ(sent.find("sim-opaque-1") != std::string::npos, c.item_is_sent) << sent;
    EXPECT_NE(sent.find(R"("content":"done")"), std::string::npos) << "the text stays: " << sent;
    const auto record = json::Value::parse(
        http::fetch("GET", gateway_->url() + "/v1/router_replay/" + next.headers["x-vsr-replay-id"],
                    {}, "", 10s)
            ->body);
    ASSERT_TRUE(record.has_value());
    const json::Value& facts = (*record)["learning"]["adaptations"]["session_aware"];
    EXPECT_EQ(facts["dropped_items"].as_int(0), c.item_is_sent ? 0 : 1);
  }
}

TEST_F(LiveState, ALockExpires) {
  start();
  ask(kProve, "", kSignedAnswer);
  clock_.advance(3599s);
  EXPECT_EQ(ask(kSignedHistory).reason(), reason_of("thought_signature"));
  clock_.advance(3601s);
  EXPECT_EQ(ask(kSignedHistory).reason(), "session_aware=lock_expired");
}

TEST_F(LiveState, TheResultOfACallWhoseStreamWasCutGoesToItsMaker) {
  start();
  Answer cut = ask(
      kProve, R"(,"stream":true)",
      R"({"fault":"close_mid_stream","tool_calls":[{"id":"c1","name":"f"},{"id":"c2","name":"f"}]})");
  ASSERT_NE(cut.body.find("c1"), std::string::npos) << cut.body;
  Answer next = ask(
      kHello +
      R"(,{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"c1","content":"r"})");
  EXPECT_EQ(next.model(), "large");
  EXPECT_EQ(next.reason(), "session_aware=hard_lock=tool_loop");
}

TEST_F(LiveState, TheRecordsTellWhichModelGotWhat) {
  start();
  ask(kProve, "", kSignedAnswer);
  ask(kSignedHistory);
  const auto sums = json::Value::parse(gateway_->aggregate().value());
  ASSERT_TRUE(sums.has_value());
  EXPECT_EQ((*sums)["deliveries"]["known_issuer"].as_int(-1), 1);
  EXPECT_EQ((*sums)["unsafe_switches"].as_int(-1), 0);
}

}  // namespace
}  // namespace vsr::app
