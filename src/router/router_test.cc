#include "router/router.h"

#include <gmock/gmock.h>

#include "router/router_fixture.h"
#include "signals/detect.h"
#include "wire/hash.h"

namespace vsr::router {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The recipe with other settings of learning.
std::string with_learning(std::string_view settings) {
  return edited("learning: {enabled: true, adaptations: {session_aware: {enabled: true}}}",
                fmt::format("learning: {}", settings));
}

const std::string kPrivateText = "Write to maria.keller@example.org about it";

// ---- which model --------------------------------------------------------------------------------

TEST(Router, TheRequestedModelDecidesWhatIsAsked) {
  struct Case {
    const char* name;
    std::string model;
    std::string_view prompt;
    std::string_view rule;
    std::string_view served;
    std::string_view error;
    std::string_view reason;
  };
  const Case cases[] = {
      {"auto, a rule matches", "auto", "prove it", "hard_work", "large", "",
       "missing_previous_model"},
      {"an alias of auto", "vllm-sr/auto", "prove it", "hard_work", "large", "",
       "missing_previous_model"},
      {"auto, no rule matches", "auto", "what time is it", "", "small", "",
       "missing_previous_model"},
      {"a named model", "large", "hello", "", "large", "", "explicit_model"},
      {"a named model, private text", "large", kPrivateText, "", "large", "", "explicit_model"},
      {"an unknown model", "larger", "hello", "", "", "model_not_found", ""},
      {"no model", "", "hello", "", "", "missing_required_parameter", ""},
      {"names are case-sensitive", "LARGE", "hello", "", "", "model_not_found", ""},
  };
  for (const Case& c : cases) {
    World world;
    const Decision decision = world.decide(body(c.model, {user(c.prompt)}));
    EXPECT_EQ(decision.facts.requested_model, c.model) << c.name;
    EXPECT_EQ(world.rule_of(decision), c.rule) << c.name;
    EXPECT_EQ(world.model_of(decision), c.served) << c.name;
    EXPECT_EQ(decision.error ? decision.error->code : "", c.error) << c.name;
    EXPECT_EQ(decision.verdict.reason, c.reason) << c.name;
    if (decision.error) {
      EXPECT_EQ(decision.error->status, 400) << c.name;
      EXPECT_EQ(decision.error->param, "model") << c.name;
    }
  }
}

TEST(Router, AnUnknownModelIsAnsweredWithTheNearestName) {
  World world;
  const Decision decision = world.decide(body("lrage", {user("hello")}));
  ASSERT_TRUE(decision.error);
  EXPECT_THAT(decision.error->message, HasSubstr("lrage"));
  EXPECT_THAT(decision.error->message, HasSubstr("did you mean large?"));
  const Decision far = world.decide(body("zzzzzzzzzz", {user("hello")}));
  ASSERT_TRUE(far.error);
  EXPECT_THAT(far.error->message, Not(HasSubstr("did you mean")));
}

TEST(Router, ANamedModelEvaluatesPrivacyOnly) {
  World world;
  const Decision decision = world.decide(body("large", {user("prove that " + kPrivateText)}));
  EXPECT_TRUE(decision.explicit_model);
  EXPECT_TRUE(decision.is_private);
  EXPECT_FALSE(decision.complete);
  const auto value = [&](config::SignalType type, std::string_view name) {
    return decision.values.signals[world.config_->find_signal(type, name)];
  };
  EXPECT_TRUE(value(config::SignalType::kPii, "personal").matched);
  EXPECT_FALSE(value(config::SignalType::kKeyword, "hard").evaluated);
}

TEST(Router, EvaluatesOnlyWhatCanStillChangeTheWinner) {
  World world;
  const Decision decision = world.decide(body("auto", {user("hello")}));
  EXPECT_EQ(world.rule_of(decision), "greeting");
  const config::SignalId law = world.config_->find_signal(config::SignalType::kDomain, "law");
  EXPECT_FALSE(decision.values.signals[law].evaluated);
  world.origin_.evaluate_all = true;
  const Decision all = world.decide(body("auto", {user("hello")}));
  EXPECT_TRUE(all.complete);
  EXPECT_TRUE(all.values.signals[law].evaluated);
  EXPECT_EQ(all.decision, decision.decision);
  EXPECT_EQ(all.model, decision.model);
}

TEST(Router, ASignalWithoutItsClassifierSaysSo) {
  World world;  // has no heads
  world.origin_.evaluate_all = true;
  const Decision decision = world.decide(body("auto", {user("hello")}));
  const config::SignalId law = world.config_->find_signal(config::SignalType::kDomain, "law");
  EXPECT_FALSE(decision.values.signals[law].matched);
  ASSERT_EQ(decision.values.errors.size(), 1U);
  EXPECT_EQ(decision.values.errors[0].signal, law);
  EXPECT_EQ(decision.category, "");
}

// ---- what can serve -----------------------------------------------------------------------------

TEST(Router, DropsModelsThatCannotServe) {
  const std::string image =
      R"({"role":"user","content":[{"type":"text","text":"prove it"},)"
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]})";
  const std::string long_text = "prove " + std::string(40'000, 'a');
  struct Case {
    const char* name;
    std::string message;
    std::vector<std::string_view> down;
    std::string_view served;
    std::string_view error;
    int status;
  };
  const Case cases[] = {
      {"all up", user("prove it"), {}, "large", "", 0},
      {"first ref down", user("prove it"), {"large"}, "small", "", 0},
      {"both refs down", user("prove it"), {"large", "small"}, "", "no_healthy_endpoint", 503},
      {"an image", image, {}, "large", "", 0},
      {"an image and the only model for it is down",
       image,
       {"large"},
       "",
       "no_healthy_endpoint",
       503},
      {"too long for small", user(long_text), {}, "large", "", 0},
      {"default model down", user("what time is it"), {"small"}, "", "no_healthy_endpoint", 503},
      {"default model too small",
       user(long_text.substr(6)),
       {},
       "",
       "context_length_exceeded",
       400},
      {"private model down", user(kPrivateText), {"local"}, "", "no_healthy_endpoint", 503},
  };
  for (const Case& c : cases) {
    World world;
    for (const std::string_view model : c.down) world.set_healthy(model, false);
    const Decision decision = world.decide(body("auto", {c.message}));
    EXPECT_EQ(world.model_of(decision), c.served) << c.name;
    EXPECT_EQ(decision.error ? decision.error->code : "", c.error) << c.name;
    EXPECT_EQ(decision.error ? decision.error->status : 0, c.status) << c.name;
  }
}

TEST(Router, AnErrorNamesTheModelsThatWereDropped) {
  World world;
  world.set_healthy("large", false);
  world.set_healthy("small", false);
  const Decision decision = world.decide(body("auto", {user("prove it")}));
  ASSERT_TRUE(decision.error);
  EXPECT_THAT(decision.error->message, HasSubstr("large: no_healthy_endpoint"));
  EXPECT_THAT(decision.error->message, HasSubstr("small: no_healthy_endpoint"));
}

TEST(Router, ANamedModelThatIsDownIs503) {
  World world;
  world.set_healthy("large", false);
  const Decision decision = world.decide(body("large", {user("hello")}));
  ASSERT_TRUE(decision.error);
  EXPECT_EQ(decision.error->status, 503);
  EXPECT_EQ(decision.error->code, "no_healthy_endpoint");
}

// ---- privacy ------------------------------------------------------------------------------------

TEST(Router, PrivateTextNeverLeavesTheLocalModel) {
  const std::vector<std::string> turns = {user("prove it"), assistant("done"), user(kPrivateText)};
  for (const std::string_view candidate_set : {"decision", "ladder", "at_least"}) {
    for (const std::string_view scope : {"conversation", "session"}) {
      const std::string recipe = with_learning(fmt::format(
          "{{enabled: true, adaptations: {{session_aware: {{enabled: true, scope: {}}}}}, "
          "policy: {{candidate_set: {}, quality_weight_usd: 100000}}}}",
          scope, candidate_set));
      World world(recipe);
      ASSERT_NE(world.router_, nullptr);
      world.headers_["x-session-id"] = "s";
      world.headers_["x-conversation-id"] = "c";
      EXPECT_EQ(world.model_of(world.serve(body("auto", {turns[0]}))), "large");
      const Decision decision = world.serve(body("auto", turns));
      EXPECT_EQ(world.rule_of(decision), "private");
      EXPECT_EQ(world.model_of(decision), "local") << candidate_set << " " << scope;
      EXPECT_EQ(decision.verdict.action, learning::Action::kBypass);
      EXPECT_EQ(decision.verdict.reason, "decision_bypass");
      EXPECT_TRUE(decision.is_private);
    }
  }
}

TEST(Router, PrivateTextOfAToolLoopOfAnotherModelStaysLocalToo) {
  World world;
  world.headers_["x-conversation-id"] = "c";
  const Decision first = world.serve(body("auto", {user("prove it")}));
  ASSERT_EQ(world.model_of(first), "large");
  world.router_->add_tool_call(first, "c1", world.clock_.unix_ms());
  const Decision loop =
      world.serve(body("auto", {user("prove it"), call("c1"), result("c1", kPrivateText)}));
  EXPECT_EQ(world.model_of(loop), "local");
  EXPECT_EQ(loop.verdict.reason, "decision_bypass");
  EXPECT_TRUE(loop.is_bypass());
  EXPECT_FALSE(first.is_bypass());
}

TEST(Router, ABypassDoesNotMoveTheConversation) {
  World world;
  world.headers_["x-conversation-id"] = "c";
  const std::string private_turn = user("hello, my card is 4111 1111 1111 1111");
  EXPECT_EQ(world.model_of(world.serve(body("auto", {user("prove it")}))), "large");
  EXPECT_EQ(world.model_of(world.serve(body("auto", {user("prove it"), private_turn}))), "local");
  const Decision after = world.serve(body("auto", {user("prove it"), user("refactor it")}));
  EXPECT_EQ(world.model_of(after), "large");
  EXPECT_EQ(world.model_name(after.previous), "large");
}

TEST(Router, AnUnusableLocalModelIsAnErrorAndNeverAnotherModel) {
  World world;
  world.headers_["x-conversation-id"] = "c";
  ASSERT_EQ(world.model_of(world.serve(body("auto", {user("prove it")}))), "large");
  world.set_healthy("local", false);
  const Decision decision = world.decide(body("auto", {user("prove it"), user(kPrivateText)}));
  ASSERT_TRUE(decision.error);
  EXPECT_EQ(decision.error->status, 503);
  EXPECT_EQ(decision.model, config::kNoModel);
}

TEST(Router, FindsPrivateTextInTheHistory) {
  World world;
  const Decision decision =
      world.decide(body("auto", {user(kPrivateText), assistant("sent"), user("prove it")}));
  EXPECT_EQ(world.model_of(decision), "local");
}

// A boundary covers everything that would be sent, wherever a client puts it.
TEST(Router, FindsPrivateTextInEveryFieldThatIsSent) {
  // The text as a JSON string, escaped and in base64: "mail maria.keller@example.org please".
  constexpr std::string_view kMail = R"("mail maria.keller\u0040example.org please")";
  constexpr std::string_view kBase64 = "bWFpbCBtYXJpYS5rZWxsZXJAZXhhbXBsZS5vcmcgcGxlYXNl";
  const auto with = [](std::string_view before, std::string_view text, std::string_view after) {
    return fmt::format("{}{}{}", before, text, after);
  };
  struct Case {
    const char* name;
    std::string message;
    std::string fields;
  };
  const std::string prove = user("prove it");
  const Case cases[] = {
      {"prediction", prove, with(R"(,"prediction":{"type":"content","content":)", kMail, "}")},
      {"prediction in parts", prove,
       with(R"(,"prediction":{"type":"content","content":[{"type":"text","text":)", kMail, "}]}")},
      {"response format", prove,
       with(R"(,"response_format":{"type":"json_schema","json_schema":{"description":)", kMail,
            "}}")},
      {"user", prove, with(R"(,"user":)", kMail, "")},
      {"metadata", prove, with(R"(,"metadata":{"note":)", kMail, "}")},
      {"a key of metadata", prove, R"(,"metadata":{"maria.keller@example.org":"1"})"},
      {"stop", prove, with(R"(,"stop":[)", kMail, "]")},
      {"template arguments", prove, with(R"(,"chat_template_kwargs":{"a":[)", kMail, "]}")},
      {"a field that nobody knows", prove, with(R"(,"novelty":{"deep":[{"er":)", kMail, "}]}")},
      {"a name", with(R"({"role":"user","content":"prove it","name":)", kMail, "}"), ""},
      {"a refusal", with(R"({"role":"assistant","content":null,"refusal":)", kMail, "}"), ""},
      {"reasoning", with(R"({"role":"assistant","content":"a","reasoning_content":)", kMail, "}"),
       ""},
      {"an attached file",
       with(
           R"({"role":"user","content":[{"type":"file","file":{"file_data":"data:text/plain;base64,)",
           kBase64, R"("}}]})"),
       ""},
      {"an attached file without a type",
       with(R"({"role":"user","content":[{"type":"file","file":{"file_data":")", kBase64,
            R"("}}]})"),
       ""},
      {"a part that has no text",
       with(R"({"role":"user","content":[{"type":"x","y":)", kMail, "}]}"), ""},
      {"a text that is there twice",
       with(R"({"role":"user","content":[{"type":"text","text":)", kMail, R"(,"text":"a"}]})"), ""},
  };
  for (const Case& c : cases) {
    World world;
    const Decision decision = world.decide(body("auto", {c.message, prove}, c.fields));
    EXPECT_EQ(world.model_of(decision), "local") << c.name;
    EXPECT_TRUE(decision.is_private) << c.name;
  }
}

TEST(Router, FieldsOfAnyAgentAreNotPrivate) {
  const std::string_view cases[] = {
      R"(,"prompt_cache_key":"0f8b2c1e-7d3a-4e5f-9a6b-1c2d3e4f5a6b")",
      R"(,"promptCacheKey":"ses_7Hq2kLmZpX93vRtB")",
      R"(,"user":"u-8fa1","safety_identifier":"9b74c9897bac770ffc029102a200c5de")",
      R"(,"metadata":{"user_id":"user_3f7a9c2e5b8d1046_account_0f8b2c1e-7d3a-4e5f-9a6b-1c2d3e4f5a6b"})",
      R"(,"logit_bias":{"50256":-100,"15496":1,"11":5},"seed":4539148803436467)",
      R"(,"stop":["\n\n"],"tool_choice":"auto","stream_options":{"include_usage":true})",
      R"(,"response_format":{"type":"json_schema","json_schema":{"name":"login","schema":)"
      R"({"type":"object","properties":{"password":{"type":"string","description":"The password"},)"
      R"("email":{"type":"string","format":"email"}}}}})",
      R"(,"tools":[{"type":"function","function":{"name":"send","parameters":{"properties":)"
      R"({"api_key":{"type":"string"}}}}}],"functions":[{"name":"login"}])",
  };
  for (const std::string_view fields : cases) {
    World world;
    const Decision decision = world.decide(body("auto", {user("prove it")}, fields));
    EXPECT_EQ(world.model_of(decision), "large") << fields;
    EXPECT_FALSE(decision.is_private) << fields;
  }
  World world;
  const std::string image = R"({"role":"user","content":[{"type":"text","text":"prove it"},)"
                            R"({"type":"image_url","image_url":{"url":"data:image/png;base64,)"
                            R"(iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"}}]})";
  EXPECT_EQ(world.model_of(world.decide(body("auto", {image}))), "large");
}

TEST(Router, FunctionsOfTheOlderApiAreReadForSecrets) {
  World world;
  const Decision decision = world.decide(
      body("auto", {user("prove it")},
           R"(,"functions":[{"name":"a","description":"use sk_live_4242abcd4242abcd"}])"));
  EXPECT_EQ(world.model_of(decision), "local");
}

TEST(Router, AValueIsKeptOnceHoweverOftenItStandsThere) {
  World world;
  std::string text;
  for (int i = 0; i < 500; ++i) text += "My mail is maria.keller@example.org. ";
  const Decision decision = world.decide(body("auto", {user(text)}));
  EXPECT_TRUE(decision.is_private);
  EXPECT_EQ(decision.private_values.size(), 1U);
}

// Nothing says what stands behind the last entity that is reported.
TEST(Router, OfTooManyValuesNoneIsKept) {
  World world;
  std::string text;
  for (size_t i = 0; i <= signals::kEntitiesMax; ++i) text += fmt::format("m{}@example.org ", i);
  const Decision decision = world.decide(body("auto", {user(text)}));
  EXPECT_TRUE(decision.is_private);
  EXPECT_THAT(decision.private_values, IsEmpty());
}

TEST(Router, ARequestThatNoModelCanHoldIsRefusedBeforeItsSignalsAreRead) {
  std::string recipe =
      edited("quality_score: 0.6}", "quality_score: 0.6, context_window_size: 3000}");
  constexpr std::string_view kLarge = "quality_score: 0.95,";
  recipe.replace(recipe.find(kLarge), kLarge.size(),
                 "quality_score: 0.95, context_window_size: 5000,");
  World world(recipe);
  const std::string fits(4000 * 4, 'x');
  const std::string too_long(6000 * 5, 'x');
  EXPECT_EQ(world.model_of(world.decide(body("auto", {user("prove " + fits)}))), "large");
  const Decision decision = world.decide(body("auto", {user("prove " + too_long)}));
  ASSERT_TRUE(decision.error);
  EXPECT_EQ(decision.error->code, "context_length_exceeded");
  EXPECT_THAT(decision.error->message, testing::HasSubstr("large: context_window_too_small"));
  for (const config::SignalValue& value : decision.values.signals) EXPECT_FALSE(value.evaluated);
  // Nobody has looked, so nothing of it may be stored.
  EXPECT_TRUE(decision.is_private);
  EXPECT_THAT(decision.private_values, IsEmpty());
  world.origin_.evaluate_all = true;
  const Decision whole = world.decide(body("auto", {user("prove " + too_long)}));
  ASSERT_TRUE(whole.error);
  EXPECT_EQ(whole.error->code, "context_length_exceeded");
  EXPECT_EQ(world.rule_of(whole), "hard_work");
}

TEST(Router, KeepsThePrivateValuesOfThePromptForRedaction) {
  World world;
  const Decision decision = world.decide(body("auto", {user(kPrivateText)}));
  ASSERT_EQ(decision.private_values.size(), 1U);
  EXPECT_EQ(decision.private_values[0].second, "maria.keller@example.org");
  const Decision open = world.decide(body("auto", {user("hello")}));
  EXPECT_FALSE(open.is_private);
  EXPECT_THAT(open.private_values, IsEmpty());
}

// ---- learning -----------------------------------------------------------------------------------

TEST(Router, AToolLoopStaysWithTheModelThatMadeTheCall) {
  World world;
  world.headers_["x-conversation-id"] = "c";
  const Decision first = world.serve(body("auto", {user("prove it")}));
  ASSERT_EQ(world.model_of(first), "large");
  EXPECT_EQ(first.phase, SessionPhase::kNewSession);
  world.router_->add_tool_call(first, "c1", world.clock_.unix_ms());
  struct Case {
    const char* name;
    std::vector<std::string> more;
  };
  const Case cases[] = {
      {"the result", {call("c1"), result("c1", "hello")}},
      {"a synthetic message after it", {call("c1"), result("c1", "x"), user("hello")}},
      {"no result yet", {call("c1"), user("hello")}},
  };
  for (const Case& c : cases) {
    std::vector<std::string> messages = {user("prove it")};
    messages.insert(messages.end(), c.more.begin(), c.more.end());
    const Decision loop = world.decide(body("auto", messages));
    EXPECT_EQ(world.model_of(loop), "large") << c.name;
    EXPECT_EQ(loop.verdict.reason, "hard_lock=tool_loop") << c.name;
    EXPECT_EQ(loop.verdict.action, learning::Action::kHardLock) << c.name;
    EXPECT_EQ(loop.phase, SessionPhase::kToolLoop) << c.name;
  }
}

TEST(Router, AToolLoopIsFoundByItsCallInAnotherConversation) {
  World world;
  world.headers_["x-session-id"] = "s";
  world.headers_["x-conversation-id"] = "one";
  const Decision first = world.serve(body("auto", {user("prove it")}));
  world.router_->add_tool_call(first, "c1", world.clock_.unix_ms());
  world.headers_["x-conversation-id"] = "two";
  const Decision loop =
      world.decide(body("auto", {user("hello"), call("c1"), result("c1", "done")}));
  EXPECT_EQ(world.rule_of(loop), "greeting");
  EXPECT_EQ(world.model_of(loop), "large");
  EXPECT_EQ(loop.verdict.reason, "hard_lock=tool_loop");
}

TEST(Router, AToolLoopOfAnUnknownCallIsAFreeDecision) {
  World world;
  const Decision loop =
      world.decide(body("auto", {user("hello"), call("zz"), result("zz", "done")}));
  EXPECT_EQ(world.model_of(loop), "small");
  EXPECT_EQ(loop.verdict.reason, "missing_previous_model");
  EXPECT_EQ(loop.phase, SessionPhase::kToolLoop);
}

// A recipe whose locks do that when the locked model cannot serve.
std::string on_lock_unavailable(std::string_view setting) {
  return edited("session_aware: {enabled: true}",
                fmt::format("session_aware: {{enabled: true, on_lock_unavailable: {}}}", setting));
}

// An assistant message that only the model that wrote it can read.
std::string signed_answer(std::string_view signature, std::string_view more = "") {
  return fmt::format(
      R"({{"role":"assistant","content":"done","extra_content":{{"google":{{"thought_signature":"{}"}}}}{}}})",
      signature, more);
}

TEST(Router, ALockedModelThatIsDownFollowsTheRecipe) {
  struct Case {
    std::string_view setting;
    std::string_view served;
  };
  for (const Case& c :
       {Case{"fail", ""}, Case{"same_model_elsewhere", ""}, {"portable", "small"}}) {
    World world(on_lock_unavailable(c.setting));
    ASSERT_NE(world.router_, nullptr);
    world.headers_["x-conversation-id"] = "c";
    const Decision first = world.serve(body("auto", {user("prove it")}));
    world.router_->add_tool_call(first, "c1", world.clock_.unix_ms());
    world.set_healthy("large", false);
    const Decision loop =
        world.decide(body("auto", {user("prove it"), call("c1"), result("c1", "x")}));
    EXPECT_EQ(loop.error.has_value(), c.served.empty()) << c.setting;
    if (loop.error) {
      EXPECT_EQ(loop.error->status, 503);
      EXPECT_EQ(loop.error->code, "no_healthy_endpoint");
      EXPECT_THAT(loop.error->message, HasSubstr("hard_lock=tool_loop"));
    } else {
      EXPECT_EQ(world.model_of(loop), c.served) << c.setting;
      EXPECT_EQ(loop.verdict.reason, "switch_allowed:owner_unavailable");
    }
  }
}

TEST(Router, StateOfAModelThatIsDownIsLeftOutWhereItMayMove) {
  World world(on_lock_unavailable("portable"));
  world.headers_["x-conversation-id"] = "c";
  const Decision first = world.serve(body("auto", {user("prove it")}));
  world.router_->add_opaque(first, {wire::OpaqueKind::kThoughtSignature, wire::hash_bytes("S")},
                            world.clock_.unix_ms(), 1);
  world.set_healthy("large", false);
  const Decision moved =
      world.decide(body("auto", {user("prove it"), signed_answer("S"), user("hello")}));
  ASSERT_FALSE(moved.error);
  EXPECT_EQ(world.model_of(moved), "small");
  ASSERT_EQ(moved.dropped_state.size(), 1u);
  EXPECT_EQ(moved.dropped_state[0].message, 1);
}

TEST(Router, StateBindsToTheEndpointThatHoldsIt) {
  struct Case {
    std::string_view setting;
    bool fails;
    size_t dropped;
  };
  for (const Case& c : {Case{"fail", true, 0}, Case{"same_model_elsewhere", false, 0},
                        Case{"portable", false, 1}}) {
    World world(on_lock_unavailable(c.setting));
    world.headers_["x-conversation-id"] = "c";
    const Decision first = world.serve(body("auto", {user("prove it")}));
    constexpr uint64_t kHome = 41;
    world.router_->add_opaque(first, {wire::OpaqueKind::kThoughtSignature, wire::hash_bytes("S")},
                              world.clock_.unix_ms(), kHome);
    bool up = true;
    world.origin_.endpoint_healthy = [&](config::ModelId, uint64_t hash) {
      return hash != kHome || up;
    };
    const std::string next = body("auto", {user("prove it"), signed_answer("S"), user("hello")});
    const Decision home = world.decide(next);
    EXPECT_EQ(home.endpoint, kHome);
    EXPECT_EQ(home.verdict.reason, "hard_lock=context_portability:thought_signature");
    up = false;
    const Decision away = world.decide(next);
    EXPECT_EQ(away.error.has_value(), c.fails) << c.setting;
    EXPECT_EQ(world.model_of(away), "large") << c.setting;
    EXPECT_EQ(away.endpoint, 0u) << c.setting;
    EXPECT_EQ(away.dropped_state.size(), c.dropped) << c.setting;
  }
}

TEST(Router, ThinkingOfAnotherModelIsLeftOutAfterASwitch) {
  World world;
  world.headers_["x-conversation-id"] = "c";
  const Decision first = world.serve(body("auto", {user("hello")}));
  ASSERT_EQ(world.model_of(first), "small");
  world.router_->add_opaque(first, {wire::OpaqueKind::kThoughtSignature, wire::hash_bytes("S")},
                            world.clock_.unix_ms());
  const std::string thought =
      R"({"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"S"},)"
      R"({"type":"text","text":"done"}]})";
  const Decision next = world.decide(body("auto", {user("hello"), thought, user("prove it")}));
  ASSERT_EQ(world.model_of(next), "large");
  ASSERT_EQ(next.dropped_state.size(), 1u);
  EXPECT_EQ(next.dropped_state[0].item.kind, wire::OpaqueKind::kThinking);
  const Decision same = world.decide(body("auto", {user("hello"), thought, user("hello again")}));
  ASSERT_EQ(world.model_of(same), "small");
  EXPECT_TRUE(same.dropped_state.empty());
  const Decision named = world.decide(body("large", {user("hello"), thought, user("x")}));
  EXPECT_TRUE(named.dropped_state.empty()) << "a request for a named model is sent as it came";
}

TEST(Router, StateThatNobodyClaimsBelongsToTheModelThatAnsweredWithIt) {
  World world;
  world.headers_["x-conversation-id"] = "one";
  const std::string stored = R"(,"conversation":"conv_1")";
  ASSERT_EQ(world.model_of(world.serve(body("auto", {user("prove it")}, stored))), "large");
  // Another lineage of the same conversation, which would go elsewhere.
  const Decision other = world.decide(body("auto", {user("hello")}, stored));
  EXPECT_EQ(world.model_of(other), "large");
  EXPECT_EQ(other.verdict.reason, "hard_lock=context_portability:conversation");
}

TEST(Router, ANamedModelOverridesALockAndSaysSo) {
  World world;
  world.headers_["x-conversation-id"] = "c";
  const Decision first = world.serve(body("auto", {user("prove it")}));
  world.router_->add_tool_call(first, "c1", world.clock_.unix_ms());
  const Decision named =
      world.decide(body("small", {user("prove it"), call("c1"), result("c1", "x")}));
  EXPECT_EQ(world.model_of(named), "small");
  EXPECT_EQ(named.verdict.reason, "explicit_model");
  EXPECT_EQ(named.verdict.action, learning::Action::kSwitch);
  EXPECT_EQ(named.verdict.lock_ignored, "hard_lock=tool_loop");
}

// With quality worth next to nothing, learning would keep the cheap model for ever.
TEST(Router, AHeldModelMustStillBeAbleToServe) {
  const std::string pages(60'000, 'a');  // more than `small` takes
  const std::string image =
      R"({"role":"user","content":[{"type":"text","text":"refactor this"},)"
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]})";
  for (const std::string_view scope : {"conversation", "session"}) {
    for (const std::string_view set : {"decision", "ladder"}) {
      World world(with_learning(fmt::format(
          "{{enabled: true, adaptations: {{session_aware: {{enabled: true, scope: {}}}}}, "
          "policy: {{quality_weight_usd: 0.000001, candidate_set: {}}}}}",
          scope, set)));
      ASSERT_NE(world.router_, nullptr);
      world.headers_["x-session-id"] = "s";
      world.headers_["x-conversation-id"] = "c";
      ASSERT_EQ(world.model_of(world.serve(body("auto", {user("hello")}))), "small");
      const auto next = [&](const std::string& last) {
        return world.decide(body("auto", {user("hello"), assistant("hi"), last}));
      };
      const Decision kept = next(user("refactor this"));
      EXPECT_NE(world.model_of(kept), "large") << scope << " " << set;
      for (const std::string& last : {user("refactor this: " + pages), image}) {
        const Decision decision = next(last);
        EXPECT_FALSE(decision.error);
        EXPECT_EQ(world.model_of(decision), "large") << scope << " " << set;
        EXPECT_EQ(decision.verdict.action, learning::Action::kSwitch);
        EXPECT_EQ(decision.verdict.reason, "switch_allowed");
        EXPECT_EQ(decision.verdict.next.switches, 1U);
      }
    }
  }
}

TEST(Router, AnOwnedToolLoopIsNotMovedBecauseOfAnEstimate) {
  World world;
  world.headers_["x-conversation-id"] = "c";
  const Decision first = world.serve(body("small", {user("prove it")}));
  world.router_->add_tool_call(first, "c1", world.clock_.unix_ms());
  const Decision loop = world.decide(
      body("auto", {user("prove it"), call("c1"), result("c1", std::string(60'000, 'a'))}));
  EXPECT_EQ(world.model_of(loop), "small");
  EXPECT_EQ(loop.verdict.reason, "hard_lock=tool_loop");
}

TEST(Router, AHeldModelThatIsDownGivesWayToTheProposal) {
  World world;
  world.headers_["x-conversation-id"] = "c";
  ASSERT_EQ(world.model_of(world.serve(body("auto", {user("prove it")}))), "large");
  world.set_healthy("large", false);
  const Decision decision = world.serve(
      body("auto", {user("prove it"), assistant("done"), user("hello and thank you very much")}));
  EXPECT_EQ(world.model_of(decision), "small");
  world.set_healthy("large", true);
  const Decision next = world.decide(
      body("auto", {user("prove it"), assistant("done"), user("hello and thank you very much"),
                    assistant("yes"), user("hello")}));
  EXPECT_EQ(world.model_name(next.previous), "small");
}

TEST(Router, OnlyACommittedAnswerMovesTheConversation) {
  World world;
  world.headers_["x-conversation-id"] = "c";
  world.decide(body("auto", {user("prove it")}));
  const Decision again = world.decide(body("auto", {user("prove it")}));
  EXPECT_EQ(again.verdict.reason, "missing_previous_model");
  EXPECT_EQ(again.phase, SessionPhase::kNewSession);
  world.answer(again);
  const Decision third = world.decide(body("auto", {user("prove it"), user("refactor it")}));
  EXPECT_EQ(world.model_name(third.previous), "large");
  EXPECT_EQ(third.phase, SessionPhase::kUserTurn);
}

TEST(Router, ADryRunChangesNothing) {
  World world;
  world.headers_["x-conversation-id"] = "c";
  world.serve(body("auto", {user("prove it")}));
  const learning::SharedCounts before = world.learning_->shared;
  world.origin_.dry_run = true;
  const std::string second = body("auto", {user("prove it"), user("refactor it")});
  const Decision one = world.decide(second);
  const Decision two = world.decide(second);
  EXPECT_EQ(one.verdict.action, two.verdict.action);
  EXPECT_EQ(one.verdict.choice.gain, two.verdict.choice.gain);
  EXPECT_EQ(before.req, world.learning_->shared.req);
  EXPECT_TRUE(std::equal(std::begin(before.prior), std::end(before.prior),
                         std::begin(world.learning_->shared.prior)));
}

TEST(Router, ProviderStateWithAnUnknownOriginStaysWithTheConversation) {
  World world;
  world.headers_["x-conversation-id"] = "c";
  world.serve(body("auto", {user("prove it")}));
  const Decision decision = world.decide(
      body("auto", {user("prove it"), user("hello")}, R"(,"previous_response_id":"resp_1")"));
  EXPECT_EQ(decision.phase, SessionPhase::kProviderState);
  EXPECT_EQ(decision.verdict.reason, "hard_lock=context_portability:previous_response_id");
  EXPECT_EQ(world.model_of(decision), "large");
}

TEST(Router, WithoutLearningTheProposalIsServedAndNothingIsReported) {
  World world(edited("learning: {enabled: true", "learning: {enabled: false"));
  ASSERT_NE(world.router_, nullptr);
  const Decision decision = world.serve(body("auto", {user("prove it")}));
  EXPECT_EQ(world.model_of(decision), "large");
  EXPECT_EQ(decision.verdict.action, learning::Action::kNone);
  const Decision next = world.serve(body("auto", {user("prove it"), user("hello")}));
  EXPECT_EQ(world.model_of(next), "small");
  EXPECT_FALSE(next.is_bypass());
  EXPECT_TRUE(world.serve(body("auto", {user(kPrivateText)})).is_bypass());
}

TEST(Router, WithoutIdentityTheProposalIsServed) {
  World world(edited("session_aware: {enabled: true}",
                     "session_aware: {enabled: true, identity: {derive: false}}"));
  ASSERT_NE(world.router_, nullptr);
  const Decision decision = world.decide(body("auto", {user("prove it")}));
  EXPECT_EQ(decision.verdict.action, learning::Action::kNoop);
  EXPECT_EQ(decision.verdict.reason, "identity_missing");
  EXPECT_EQ(world.model_of(decision), "large");
}

// ---- completions and embeddings -----------------------------------------------------------------

TEST(Router, PassthroughTakesTheModelNamedOrTheDefault) {
  struct Case {
    const char* name;
    std::string_view text;
    std::string_view down;
    std::string_view served;
    std::string_view error;
  };
  const Case cases[] = {
      {"named", R"({"model":"large","prompt":"prove"})", "", "large", ""},
      {"auto", R"({"model":"auto","prompt":"prove"})", "", "small", ""},
      {"unknown", R"({"model":"nothing","prompt":"p"})", "", "", "model_not_found"},
      {"default down", R"({"model":"auto","input":"p"})", "small", "", "no_healthy_endpoint"},
      {"named down", R"({"model":"large","input":"p"})", "large", "large", "no_healthy_endpoint"},
  };
  for (const Case& c : cases) {
    World world;
    if (!c.down.empty()) world.set_healthy(c.down, false);
    Request request;
    ASSERT_TRUE(request.read_passthrough(c.text)) << c.name;
    const Decision decision = world.router_->decide_passthrough(request, world.origin_);
    EXPECT_EQ(world.model_of(decision), c.served) << c.name;
    EXPECT_EQ(decision.error ? decision.error->code : "", c.error) << c.name;
    EXPECT_EQ(decision.verdict.action, learning::Action::kNone) << c.name;
  }
}

// ---- reasoning, endpoint affinity ---------------------------------------------------------------

TEST(Router, ReasoningComesFromTheRefThatServes) {
  World world(edited("[{model: large}, {model: small}]",
                     "[{model: large, use_reasoning: true, reasoning_effort: high}, "
                     "{model: small, use_reasoning: false}]"));
  ASSERT_NE(world.router_, nullptr);
  const Decision large = world.decide(body("auto", {user("prove it")}));
  EXPECT_EQ(large.reasoning, true);
  EXPECT_EQ(large.effort, config::Effort::kHigh);
  world.set_healthy("large", false);
  const Decision small = world.decide(body("auto", {user("prove it")}));
  EXPECT_EQ(small.reasoning, false);
  EXPECT_EQ(small.effort, config::Effort::kMedium);
  const Decision none = world.decide(body("auto", {user("what time is it")}));
  EXPECT_EQ(none.reasoning, std::nullopt);
}

TEST(Router, AConversationKeepsItsAffinity) {
  World world;
  world.headers_["x-conversation-id"] = "c";
  const Decision one = world.decide(body("auto", {user("hello")}));
  const Decision two = world.decide(body("auto", {user("hello"), user("prove it")}));
  world.headers_["x-conversation-id"] = "d";
  const Decision other = world.decide(body("auto", {user("hello")}));
  EXPECT_NE(one.affinity, 0U);
  EXPECT_EQ(one.affinity, two.affinity);
  EXPECT_NE(one.affinity, other.affinity);
}

TEST(Router, PhasesHaveTheirNames) {
  EXPECT_EQ(to_string(SessionPhase::kNewSession), "new_session");
  EXPECT_EQ(to_string(SessionPhase::kUserTurn), "user_turn");
  EXPECT_EQ(to_string(SessionPhase::kToolLoop), "tool_loop");
  EXPECT_EQ(to_string(SessionPhase::kProviderState), "provider_state");
}

}  // namespace
}  // namespace vsr::router
