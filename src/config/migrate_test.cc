#include "config/migrate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace vsr::config {
namespace {

using testing::HasSubstr;

const LoadOptions kOptions{.environment = [](std::string_view) { return std::nullopt; }};

std::string testdata(const std::string& name) {
  return read_recipe(VSR_TEST_DIR "/testdata/" + name).value();
}

std::shared_ptr<const Config> load(const std::string& yaml) {
  const LoadResult result = load_text(yaml, "f", kOptions);
  EXPECT_TRUE(result.config) << yaml << format_all(result.diagnostics);
  return result.config ? result.config : std::make_shared<const Config>();
}

TEST(Migrate, FlatRecipeWithDecisions) {
  const MigrateResult result = migrate(testdata("flat_decisions.yaml"), "old.yaml");
  EXPECT_TRUE(result.changed);
  const auto config = load(result.yaml);
  ASSERT_EQ(config->models.size(), 2U);
  EXPECT_EQ(config->models[0].name, "qwen3");
  EXPECT_EQ(config->models[0].pricing->prompt_per_1m, 0.5);
  EXPECT_EQ(config->models[0].quality_score, 0.7);
  ASSERT_EQ(config->models[0].backends.size(), 1U);
  EXPECT_EQ(config->models[0].backends[0].host, "10.0.0.1");
  EXPECT_EQ(config->models[0].backends[0].port, 8000);
  EXPECT_EQ(config->models[0].backends[0].weight, 2U);
  EXPECT_EQ(config->models[1].backends[0].api_key, "key-of-large");
  EXPECT_EQ(config->default_model, 0);
  EXPECT_EQ(config->strategy, Strategy::kConfidence);
  EXPECT_EQ(config->rules.keywords[0].name, "urgent");
  EXPECT_EQ(config->rules.embeddings[0].candidates[0], "refund please");
  EXPECT_EQ(config->rules.domains[0].labels[0], "law");
  ASSERT_EQ(config->decisions.size(), 2U);
  EXPECT_EQ(config->decisions[0].adaptation.mode, AdaptationMode::kBypass);
  EXPECT_EQ(config->decisions[0].adaptation.tuning.switch_margin, 0.3);
  EXPECT_EQ(config->classifier.domain_threshold, 0.6);
  EXPECT_EQ(config->classifier.jailbreak_threshold, 0.7);
  EXPECT_EQ(config->replay.backend, StoreBackend::kMemory);

  std::string lost;
  for (const Diagnostic& diagnostic : result.diagnostics) lost += format(diagnostic) + "\n";
  EXPECT_EQ(
      lost,
      "old.yaml:2:1: warning: bert_model: has no place in v0.3 and was left out\n"
      "old.yaml:12:5: warning: model_config.qwen3.pii_policy: has no place in v0.3 and was "
      "left out\n"
      "old.yaml:31:5: warning: categories.law.model_scores: has no place in v0.3 and was left "
      "out\n"
      "old.yaml:39:52: warning: adaptations.protection.stability_weight: nothing acts on it "
      "and it was left out\n");
  EXPECT_THAT(result.yaml, HasSubstr("# not migrated: \"bert_model\" (line 2): has no place"));
}

TEST(Migrate, CategoriesBecomeDecisions) {
  const MigrateResult result = migrate(
      "vllm_endpoints:\n"
      "  - {name: one, address: 127.0.0.1, port: 8000, models: [small, large]}\n"
      "default_model: small\n"
      "categories:\n"
      "  - name: math\n"
      "    model_scores:\n"
      "      - {model: small, score: 0.4}\n"
      "      - {model: large, score: 0.9, use_reasoning: true}\n",
      "old.yaml");
  EXPECT_THAT(result.diagnostics, testing::IsEmpty());
  const auto config = load(result.yaml);
  ASSERT_EQ(config->decisions.size(), 1U);
  EXPECT_EQ(config->decisions[0].name, "math_decision");
  EXPECT_EQ(config->decisions[0].rules.signal, config->find_signal(SignalType::kDomain, "math"));
  ASSERT_EQ(config->decisions[0].refs.size(), 2U);
  EXPECT_EQ(config->models[config->decisions[0].refs[0].model].name, "large");
  EXPECT_EQ(config->decisions[0].refs[0].use_reasoning, true);
}

TEST(Migrate, CurrentRecipeStaysByteForByte) {
  const std::string text =
      "version: v0.3   # kept\n"
      "providers: {defaults: {default_model: m}, models: [{name: m, backend_refs: "
      "[{endpoint: \"h:1\"}]}]}\n"
      "routing: {modelCards: [{name: m}]}\n";
  const MigrateResult result = migrate(text, "f");
  EXPECT_FALSE(result.changed);
  EXPECT_EQ(result.yaml, text);
}

TEST(Migrate, NewerAdaptationSpelling) {
  const MigrateResult result = migrate(testdata("every_key.yaml"), "f");
  EXPECT_TRUE(result.changed);
  const LoadOptions options{
      .environment = [](std::string_view) -> std::optional<std::string> { return "key"; }};
  const LoadResult loaded = load_text(result.yaml, "f", options);
  ASSERT_TRUE(loaded.config) << format_all(loaded.diagnostics);
  EXPECT_EQ(loaded.config->decisions[1].adaptation.mode, AdaptationMode::kObserve);
  EXPECT_EQ(loaded.config->decisions[1].adaptation.tuning.switch_margin, 0.2);
  // A second time there is nothing left to do.
  EXPECT_FALSE(migrate(result.yaml, "f").changed);
}

TEST(Migrate, WhatIsNoRecipe) {
  EXPECT_EQ(migrate("- a\n", "f").yaml, "");
  EXPECT_TRUE(has_errors(migrate("- a\n", "f").diagnostics));
  EXPECT_TRUE(has_errors(migrate("a: [\n", "f").diagnostics));
}

}  // namespace
}  // namespace vsr::config
