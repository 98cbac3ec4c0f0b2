#include "signals/engine.h"

#include <gtest/gtest.h>

#include "config/load.h"
#include "nn/head_bank.h"
#include "signals/detect.h"
#include "signals/message_cache.h"
#include "signals/one_model_recipe.h"

namespace vsr::signals {
namespace {

const std::string kRecipe = fixture::one_model_recipe(R"(    keywords:
      - {name: any, operator: OR, keywords: [urgent, "right now", 紧急]}
      - {name: both, operator: AND, keywords: [red, blue]}
      - {name: neither, operator: NOR, keywords: [red, blue]}
      - {name: cased, keywords: [API], case_sensitive: true}
      - {name: pattern, method: regex, keywords: ['\d{3}-\d{4}']}
      - {name: fuzzy, keywords: [kubernetes], fuzzy_match: true}
      - {name: ranked, method: bm25, keywords: ["reset my password", "close the account", 修改密码]}
      - {name: grams, method: ngram, keywords: [database], ngram_threshold: 0.4}
      - {name: anywhere, keywords: [confidential], include_history: true}
    structure:
      - name: three_commas
        feature: {type: count, source: {type: regex, pattern: ','}}
        predicate: {gte: 3}
      - name: dense
        feature: {type: density, source: {type: keyword_set, keywords: [very]}}
        predicate: {gt: 0.3}
      - name: ordered
        feature: {type: sequence, source: {type: sequence, sequences: [[first, then]]}}
    context: [{name: long, min_tokens: 1K}]
    conversation:
      - name: looping
        feature: {type: exists, source: {type: active_tool_loop}}
      - name: many_tools
        feature: {type: count, source: {type: tool_definition}}
        predicate: {gte: 2}
    language: [{name: zh}, {name: en}]
    pii:
      - {name: prompt_only, threshold: 0.5}
      - {name: history, threshold: 0.5, include_history: true, pii_types_allowed: [EMAIL]}
    embeddings: [{name: meaning, candidates: [hello]}]
    jailbreak:
      - {name: contrast, method: contrastive, jailbreak_patterns: [x], on_error: match}
)");

class Texts final : public TextSource {
 public:
  Result<MessageText> read(size_t message) override {
    ++reads;
    MessageText out;
    out.text = texts[message];
    return out;
  }
  std::vector<std::string> texts;
  int reads = 0;
};

class SignalsEngine : public testing::Test {
 protected:
  void SetUp() override {
    const config::LoadResult loaded = config::load_text(kRecipe, "recipe");
    ASSERT_TRUE(loaded.config) << config::format_all(loaded.diagnostics);
    config_ = loaded.config;
    cache_ = std::make_shared<MessageCache>();
    Parts parts;
    parts.cache = cache_;
    auto engine = Engine::compile(config_, parts);
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = *engine;
  }
  config::SignalId id(config::SignalType type, std::string_view name) const {
    return config_->find_signal(type, name);
  }
  Values all(const Input& input) {
    Values values;
    Scratch scratch;
    engine_->evaluate_all(input, scratch, values);
    return values;
  }
  bool matches(config::SignalType type, std::string_view name, std::string_view prompt) {
    Input input;
    input.prompt = prompt;
    return all(input).signals[id(type, name)].matched;
  }

  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<MessageCache> cache_;
  std::shared_ptr<const Engine> engine_;
};

TEST_F(SignalsEngine, RulesOfThePrompt) {
  using enum config::SignalType;
  struct Case {
    config::SignalType type;
    const char* name;
    const char* prompt;
    bool matched;
  };
  const Case cases[] = {
      {kKeyword, "any", "This is URGENT!", true},
      {kKeyword, "any", "do it right now please", true},
      {kKeyword, "any", "urgently", false},
      {kKeyword, "any", "这件事很紧急吗", true},
      {kKeyword, "any", "later", false},
      {kKeyword, "both", "blue and red", true},
      {kKeyword, "both", "only red", false},
      {kKeyword, "neither", "green", true},
      {kKeyword, "neither", "red", false},
      {kKeyword, "cased", "the API", true},
      {kKeyword, "cased", "the api", false},
      {kKeyword, "pattern", "call 555-0123", true},
      {kKeyword, "pattern", "call 5550123", false},
      {kKeyword, "fuzzy", "deploy on kuberntes", true},
      {kKeyword, "fuzzy", "deploy on mesos", false},
      {kKeyword, "ranked", "how can I reset the password?", true},
      {kKeyword, "ranked", "我想修改密码", true},
      {kKeyword, "ranked", "what is the weather", false},
      {kKeyword, "grams", "my databse is slow", true},
      {kKeyword, "grams", "my dog is slow", false},
      {kStructure, "three_commas", "a, b, c, d", true},
      {kStructure, "three_commas", "a, b", false},
      {kStructure, "dense", "very very good", true},
      {kStructure, "dense", "a very good day for a walk", false},
      {kStructure, "ordered", "First do this, THEN that", true},
      {kStructure, "ordered", "then this, first that", false},
      {kLanguage, "zh", "今天天气怎么样", true},
      {kLanguage, "zh", "What is the weather like today?", false},
      {kLanguage, "en", "What is the weather like today?", true},
      {kPii, "prompt_only", "My API key is sk_live_123456", true},
      {kPii, "prompt_only", "Where do I put the key sk_live_...?", false},
      {kPii, "prompt_only", "write to jane.roe@example.com", true},
      {kPii, "history", "write to jane.roe@example.com", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(matches(c.type, c.name, c.prompt), c.matched) << c.name << ": " << c.prompt;
  }
}

TEST_F(SignalsEngine, FactsOfTheRequest) {
  Input input;
  input.prompt = "x";
  input.context_tokens = 1000;
  input.conversation.active_tool_loop = true;
  input.conversation.tool_definitions = 2;
  const Values values = all(input);
  EXPECT_TRUE(values.signals[id(config::SignalType::kContext, "long")].matched);
  EXPECT_TRUE(values.signals[id(config::SignalType::kConversation, "looping")].matched);
  EXPECT_TRUE(values.signals[id(config::SignalType::kConversation, "many_tools")].matched);
  EXPECT_EQ(values.signals[id(config::SignalType::kConversation, "many_tools")].raw, 2);
}

TEST_F(SignalsEngine, WhatNeedsAnEncoderSaysSoAndCountsAsSpecified) {
  Input input;
  input.prompt = "hello";
  const Values values = all(input);
  const auto embedding = id(config::SignalType::kEmbedding, "meaning");
  const auto contrast = id(config::SignalType::kJailbreak, "contrast");
  EXPECT_FALSE(values.signals[embedding].matched);
  EXPECT_TRUE(values.signals[contrast].matched);  // on_error: match
  ASSERT_EQ(values.errors.size(), 2u);
  for (const SignalError& error : values.errors) EXPECT_EQ(error.message, "no encoder");
}

TEST_F(SignalsEngine, HistoryRulesReadEveryMessageButNotTheOperatorsOwnWords) {
  Texts texts;
  texts.texts = {"This system is confidential. admin@example.com", "an old question",
                 "key: AKIA2B3C4D5E6F7G2H3I", "the newest question"};
  const Message messages[] = {
      {Role::kSystem, 1}, {Role::kUser, 2}, {Role::kTool, 3}, {Role::kUser, 4}};
  Input input;
  input.prompt = texts.texts[3];
  input.prompt_message = 3;
  input.messages = messages;
  input.texts = &texts;
  const Values first = all(input);
  EXPECT_FALSE(first.signals[id(config::SignalType::kKeyword, "anywhere")].matched);
  EXPECT_TRUE(first.signals[id(config::SignalType::kPii, "history")].matched);
  EXPECT_FALSE(first.signals[id(config::SignalType::kPii, "prompt_only")].matched);

  // The same history again: nothing is read, and the values are the same.
  texts.reads = 0;
  const Values second = all(input);
  EXPECT_EQ(texts.reads, 0);
  for (size_t i = 0; i < first.signals.size(); ++i) {
    EXPECT_EQ(first.signals[i].matched, second.signals[i].matched) << config_->signals[i].name;
    EXPECT_EQ(first.signals[i].confidence, second.signals[i].confidence);
  }
}

TEST_F(SignalsEngine, StagesGiveWhatAllAtOnceGives) {
  Texts texts;
  texts.texts = {"this is confidential", "red, blue, 555-0123, urgent"};
  const Message messages[] = {{Role::kAssistant, 11}, {Role::kUser, 12}};
  Input input;
  input.prompt = texts.texts[1];
  input.prompt_message = 1;
  input.messages = messages;
  input.texts = &texts;
  const Values expected = all(input);
  Values staged;
  Scratch scratch;
  engine_->start(input, scratch, staged);
  for (CostClass cost = 0; cost < kCostClasses; ++cost) {
    for (size_t i = config_->signals.size(); i-- > 0;) {
      const auto one = static_cast<config::SignalId>(i);
      if (engine_->cost_class(one) != cost) continue;
      engine_->evaluate(input, {&one, 1}, scratch, staged);
    }
  }
  for (size_t i = 0; i < expected.signals.size(); ++i) {
    EXPECT_EQ(expected.signals[i].matched, staged.signals[i].matched) << config_->signals[i].name;
    EXPECT_EQ(expected.signals[i].raw, staged.signals[i].raw) << config_->signals[i].name;
  }
}

TEST(SignalsCompile, ABadPatternIsNamedWithItsPlace) {
  std::string recipe = kRecipe;
  const std::string good = R"('\d{3}-\d{4}')";
  recipe.replace(recipe.find(good), good.size(), "'(open'");
  const config::LoadResult loaded = config::load_text(recipe, "recipe.yaml");
  ASSERT_TRUE(loaded.config);
  const auto engine = Engine::compile(loaded.config, {});
  ASSERT_FALSE(engine);
  EXPECT_NE(engine.error().message.find("recipe.yaml:14:16: error"), std::string::npos)
      << engine.error().message;
  EXPECT_NE(engine.error().message.find("(open"), std::string::npos);
}

TEST(MessageCacheTest, StaysWithinItsBytes) {
  constexpr size_t kBytes = 64 * 1024;
  MessageCache cache(kBytes);
  for (uint64_t i = 0; i < 20'000; ++i) {
    auto result = std::make_shared<MessageResult>();
    result->keywords.resize(4);
    cache.put({i * 0x9E3779B97F4A7C15u, 1}, result);
  }
  EXPECT_LE(cache.stats().bytes, kBytes);
  EXPECT_GT(cache.stats().evictions, 10'000u);
}

TEST(Detect, FindsSecretsAndLeavesLookalikes) {
  struct Case {
    const char* text;
    bool found;
  };
  const Case cases[] = {
      {"sk_live_123456", true},
      {"token ghp_16C7e42F292c6912E7710c838347Ae178B4a", true},
      {"AKIA2B3C4D5E6F7G2H3I", true},
      {"AKIAIOSFODNN7EXAMPLE", false},
      {"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----", true},
      {"postgres://app:s3cretPass@db.example.com/prod", true},
      {"card 4111 1111 1111 1111", true},
      {"card 4111 1111 1111 1112", false},
      {"commit 9fceb02d0ae598e95dc970b74767f19372d61af8", false},
      {"version 1.22.333", false},
      {"export API_KEY=<your key here>", false},
      {"os.environ[\"API_KEY\"]", false},
      {"How do I rotate an API key?", false},
  };
  for (const Case& c : cases) {
    const auto entities = detect_pii(c.text);
    EXPECT_EQ(!entities.empty(), c.found)
        << c.text << (entities.empty() ? "" : to_string(entities[0].type));
  }
}

TEST(SignalErrors, HaveAReasonInOneWord) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"the encoder did not answer in time", "timeout"},
      {"no encoder", "unavailable"},
      {"no classifier weights", "unavailable"},
      {"a message could not be read", "unread"},
      {"anything else", "failed"},
  };
  for (const auto& [message, reason] : cases) {
    EXPECT_EQ(reason_of({0, std::string(message)}), reason) << message;
  }
}

}  // namespace
}  // namespace vsr::signals
