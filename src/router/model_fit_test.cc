// router_dc and knn: what they ask of the encoder, and what they say without an answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "router/router_fixture.h"
#include "signals/word_encoder.h"

namespace vsr::router {
namespace {

std::string recipe(std::string_view algorithm) {
  return fmt::format(R"(version: v0.3
providers:
  defaults: {{default_model: a}}
  models: [{{name: a, backend_refs: [{{endpoint: h}}]}}, {{name: b, backend_refs: [{{endpoint: h}}]}}]
routing:
  modelCards:
    - {{name: a, description: red green}}
    - {{name: b, description: blue, capabilities: [yellow]}}
  decisions:
    - {{name: d, rules: {{operator: AND, conditions: []}}, modelRefs: [{{model: a}}, {{model: b}}], algorithm: {}}}
)",
                     algorithm);
}

TEST(ModelFit, TheEncoderIsAskedOnlyForWhatIsCompared) {
  World world(recipe("{type: router_dc}"), nullptr, signals::fixture::word_vectors());
  world.origin_.encoding = signals::Encoding::kKnown;
  const std::string prompt = body("auto", {user("blue sky")});
  Decision waits = world.decide(prompt);
  ASSERT_TRUE(waits.wants_encoding());
  ASSERT_EQ(waits.values.texts_to_encode.size(), 1U);
  ASSERT_TRUE(world.router_->encode(waits.values.texts_to_encode));
  const Decision done = world.decide(prompt);
  EXPECT_FALSE(done.wants_encoding());
  EXPECT_EQ(world.model_of(done), "b");
  const json::Value document = world.document(done);
  EXPECT_EQ(document["candidate_scores"]["a"].as_double(-1), 0);
  EXPECT_NEAR(document["candidate_scores"]["b"].as_double(-1), 0.7071, 1e-4);

  // One model left: nothing to compare.
  world.set_healthy("b", false);
  EXPECT_FALSE(world.decide(body("auto", {user("another prompt")})).wants_encoding());
}

TEST(ModelFit, WithoutAVectorTheFirstServesAndTheDocumentSaysWhy) {
  World world(recipe("{type: router_dc}"), nullptr, signals::fixture::word_vectors());
  world.origin_.encoding = signals::Encoding::kOff;
  const Decision late = world.decide(body("auto", {user("blue sky")}));
  EXPECT_EQ(world.model_of(late), "a");
  EXPECT_EQ(world.document(late)["selection_note"].as_string(),
            "the encoder did not answer in time");
  World without(recipe("{type: router_dc}"));
  const Decision none = without.decide(body("auto", {user("blue sky")}));
  EXPECT_EQ(without.model_of(none), "a");
  EXPECT_EQ(without.document(none)["selection_note"].as_string(), "no encoder");
}

TEST(ModelFit, CapabilitiesCanBePartOfTheDescription) {
  const std::string prompt = body("auto", {user("yellow")});
  World plain(recipe("{type: router_dc}"), nullptr, signals::fixture::word_vectors());
  EXPECT_EQ(plain.model_of(plain.decide(prompt)), "a");
  World more(recipe("{type: router_dc, router_dc: {use_capabilities: true}}"), nullptr,
             signals::fixture::word_vectors());
  EXPECT_EQ(more.model_of(more.decide(prompt)), "b");
}

TEST(ModelFit, NeighboursVoteByNearnessAndQuality) {
  World world(recipe("{type: knn, knn: {k: 2, outcomes: [{prompt: red one, model: a}, {prompt: red "
                     "two, model: b, quality: 0.5}, {prompt: blue, model: b}]}}"),
              nullptr, signals::fixture::word_vectors());
  struct Case {
    const char* prompt;
    const char* model;
    double a;
    double b;
  };
  const Case cases[] = {
      {"red", "a", 0.5, 0.25},             // both are as near
      {"red two", "a", 1.0 / 3, 1.0 / 3},  // 1 × .5 and .5 × 1: equal, the first
      {"blue", "b", 0, 1},
      {"unheard", "a", 0, 0},
  };
  for (const Case& c : cases) {
    const Decision decision = world.decide(body("auto", {user(c.prompt)}));
    EXPECT_EQ(world.model_of(decision), c.model) << c.prompt;
    EXPECT_NEAR(decision.selection.candidates[0].score, c.a, 1e-6) << c.prompt;
    EXPECT_NEAR(decision.selection.candidates[1].score, c.b, 1e-6) << c.prompt;
  }
}

TEST(ModelFit, OutcomesOfAFileArePartOfThePolicy) {
  const std::string path = testing::TempDir() + "model_fit_outcomes.jsonl";
  const auto load = [&](std::string_view text) {
    std::ofstream(path) << text;
    return config::load_text(recipe(fmt::format("{{type: knn, knn: {{path: '{}'}}}}", path)),
                             "recipe");
  };
  const auto first = load(
      "{\"prompt\": \"blue\", \"model\": \"b\", \"quality\": 1}\n\n"
      "{\"prompt\": \"red\", \"model\": \"elsewhere\"}\n");
  ASSERT_TRUE(first.config) << config::format_all(first.diagnostics);
  EXPECT_EQ(first.config->decisions[0].algorithm.outcomes.size(), 1U);
  const auto second = load("{\"prompt\": \"blue\", \"model\": \"a\"}\n");
  ASSERT_TRUE(second.config);
  EXPECT_NE(first.config->hash, second.config->hash);
  const auto bad = load("{\"prompt\": \"blue\", \"model\": \"a\", \"quality\": 2}\n");
  EXPECT_FALSE(bad.config);
  EXPECT_THAT(config::format_all(bad.diagnostics),
              testing::HasSubstr(":1: expected prompt, model and quality from 0 to 1"));
  std::filesystem::remove(path);
}

TEST(ModelFit, ADecisionThatComparesNeedsTheEncoder) {
  for (const auto& [algorithm, needed] : std::initializer_list<std::pair<const char*, bool>>{
           {"{type: static}", false}, {"{type: router_dc}", true}, {"{type: knn}", true}}) {
    const auto loaded = config::load_text(recipe(algorithm), "recipe");
    ASSERT_TRUE(loaded.config);
    EXPECT_EQ(needs_vectors(*loaded.config), needed) << algorithm;
  }
}

}  // namespace
}  // namespace vsr::router
