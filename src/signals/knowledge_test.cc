// Knowledge bases and named classifiers, over an encoder that counts common words.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "config/load.h"
#include "nn/head_bank.h"
#include "signals/engine.h"
#include "signals/word_encoder.h"

namespace vsr::signals {
namespace {

std::string recipe(std::string_view kb) {
  return fmt::format(R"(version: v0.3
providers: {{defaults: {{default_model: m}}, models: [{{name: m, backend_refs: [{{endpoint: h}}]}}]}}
global:
  model_catalog:
    embeddings: {{semantic: {{embedding_config: {{calibration: raw}}}}}}
    kbs:
      - {}
routing:
  modelCards: [{{name: m}}]
  signals:
    kb:
      - {{name: best_leave, kb: hr, target: {{value: leave}}}}
      - {{name: some_leave, kb: hr, target: {{value: leave}}, match: threshold}}
      - {{name: inside, kb: hr, target: {{kind: group, value: inside}}}}
      - {{name: safe, kb: hr, target: {{kind: group, value: inside}}, on_error: match}}
    classifiers:
      - {{name: pay, examples: [pay me now], counter_examples: [pay me later]}}
      - {{name: hard, model: difficulty, labels: [COMPLEX, reasoning]}}
      - {{name: remote, endpoint: "http://127.0.0.1:9", on_error: match}}
  projections:
    scores:
      - name: sum
        inputs:
          - {{type: kb_metric, kb: hr, metric: margin, weight: 1, value_source: score}}
          - {{type: kb_metric, kb: hr, metric: best_score, weight: 1}}
          - {{type: kb_metric, kb: hr, metric: best_matched_score, weight: 1}}
)",
                     kb);
}

constexpr std::string_view kInline =
    "{name: hr, threshold: 0.6, label_thresholds: {train: 0.7}, labels: {leave: {exemplars: [leave "
    "days left, time off]}, train: {description: book a train}}, groups: {inside: [leave], "
    "outside: "
    "[train]}, metrics: [{name: margin, positive_group: inside, negative_group: outside}]}";

class Knowledge : public testing::Test {
 protected:
  void compile(const std::string& text, std::shared_ptr<nn::Vectors> vectors,
               const std::string& file = "recipe") {
    const config::LoadResult loaded = config::load_text(text, file);
    ASSERT_TRUE(loaded.config) << config::format_all(loaded.diagnostics);
    said_ = config::format_all(loaded.diagnostics);
    config_ = loaded.config;
    Parts parts;
    parts.vectors = std::move(vectors);
    auto engine = Engine::compile(config_, parts);
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = *engine;
  }
  void ask(std::string_view prompt, Encoding encoding = Encoding::kNow) {
    Input input;
    input.prompt = prompt;
    input.encoding = encoding;
    Scratch scratch;
    engine_->evaluate_all(input, scratch, values_);
  }
  const config::SignalValue& value(config::SignalType type, std::string_view name) const {
    return values_.signals[config_->find_signal(type, name)];
  }
  bool kb(std::string_view name) const { return value(config::SignalType::kKb, name).matched; }
  double metric(std::string_view name) const { return value(config::SignalType::kKb, name).raw; }
  std::string error_of(std::string_view name) const {
    for (const SignalError& error : values_.errors) {
      if (config_->signals[error.signal].name == name) return error.message;
    }
    return "";
  }

  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<const Engine> engine_;
  Values values_;
  std::string said_;
};

TEST_F(Knowledge, TheNearestLabelAboveItsThresholdIsTheBest) {
  compile(recipe(kInline), fixture::word_vectors());
  ask("leave days left");
  EXPECT_TRUE(kb("best_leave") && kb("some_leave") && kb("inside"));
  EXPECT_NEAR(metric("hr:best_score"), 1, 1e-6);
  EXPECT_NEAR(metric("hr:margin"), 1, 1e-6);
  ASSERT_FALSE(values_.evidence.empty());
  EXPECT_EQ(values_.evidence[0].what, "leave");

  ask("book a train");
  EXPECT_FALSE(kb("best_leave") || kb("some_leave") || kb("inside"));
  EXPECT_NEAR(metric("hr:margin"), -1, 1e-6);
  EXPECT_NEAR(metric("hr:best_matched_score"), 1, 1e-6);

  ask("book a bus");  // two of three words: below the threshold of its label
  EXPECT_NEAR(metric("hr:best_score"), 2.0 / 3, 1e-6);
  EXPECT_EQ(metric("hr:best_matched_score"), 0);
}

TEST_F(Knowledge, ThresholdAloneIsEnoughForARuleThatSaysSo) {
  compile(recipe(kInline), fixture::word_vectors());
  // Both labels reach their threshold: the cosines are √(2/5) and √(3/5).
  ask("time off book a train");
  EXPECT_TRUE(kb("some_leave"));
  EXPECT_FALSE(kb("best_leave") || kb("inside"));
  EXPECT_NEAR(metric("some_leave"), std::sqrt(0.4), 1e-6);
  EXPECT_NEAR(metric("hr:margin"), std::sqrt(0.4) - std::sqrt(0.6), 1e-6);
}

TEST_F(Knowledge, WithoutAnEncoderOnErrorDecides) {
  compile(recipe(kInline), nullptr);
  ask("leave days left");
  EXPECT_FALSE(kb("inside"));
  EXPECT_TRUE(kb("safe"));
  EXPECT_EQ(error_of("inside"), "no encoder");
  EXPECT_EQ(error_of("hr:margin"), "no encoder");
}

TEST_F(Knowledge, AsksForTheVectorOfThePromptOnce) {
  auto vectors = fixture::word_vectors();
  compile(recipe(kInline), vectors);
  ask("days left", Encoding::kKnown);
  ASSERT_EQ(values_.texts_to_encode.size(), 1U);
  EXPECT_EQ(values_.texts_to_encode[0].text, "days left");
  EXPECT_FALSE(value(config::SignalType::kKb, "inside").evaluated);
  EXPECT_TRUE(values_.errors.size() == 2) << "those without heads and without their service";
}

TEST_F(Knowledge, AManifestIsReadBesideTheRecipe) {
  const std::filesystem::path folder = testing::TempDir() + "kb_manifest_test";
  std::filesystem::create_directories(folder / "hr");
  std::ofstream(folder / "hr" / "labels.json") << R"({"version": "1", "labels": {
               "leave": {"description": "d", "exemplars": ["leave days left", "time off"]},
               "train": {"description": "book a train"}}})";
  const std::string base =
      "{name: hr, source: {path: hr/}, groups: {inside: [leave], outside: [train]}, metrics: "
      "[{name: margin, positive_group: inside, negative_group: outside}]}";
  compile(recipe(base), fixture::word_vectors(), (folder / "recipe.yaml").string());
  ask("book a train");
  EXPECT_NEAR(metric("hr:margin"), -1, 1e-6);
  const std::string hash = config_->hash;
  std::ofstream(folder / "hr" / "labels.json")
      << R"({"labels": {"leave": {"exemplars": ["time off"]}, "train": {"exemplars": ["train"]}}})";
  compile(recipe(base), fixture::word_vectors(), (folder / "recipe.yaml").string());
  EXPECT_NE(config_->hash, hash) << "what the file says is part of the policy";
  std::filesystem::remove_all(folder);

  compile(recipe(base), fixture::word_vectors(), (folder / "recipe.yaml").string());
  EXPECT_NE(said_.find("rules of knowledge base hr do not match: cannot open"), std::string::npos)
      << said_;
  ask("book a train");
  EXPECT_FALSE(kb("inside"));
  EXPECT_TRUE(kb("safe"));
  EXPECT_NE(error_of("inside").find("labels.json"), std::string::npos);
}

TEST_F(Knowledge, ClassifiersByExamples) {
  compile(recipe(kInline), fixture::word_vectors());
  ask("pay me now");
  EXPECT_TRUE(value(config::SignalType::kClassifier, "pay").matched);
  ask("pay me later");
  EXPECT_FALSE(value(config::SignalType::kClassifier, "pay").matched);
}

TEST_F(Knowledge, AClassifierElsewhereNamesItsService) {
  compile(recipe(kInline), fixture::word_vectors());
  EXPECT_NE(said_.find("classifier remote does not match: it needs the classification service at "
                       "http://127.0.0.1:9"),
            std::string::npos)
      << said_;
  ask("x");
  EXPECT_NE(error_of("remote").find("http://127.0.0.1:9"), std::string::npos);
  EXPECT_TRUE(value(config::SignalType::kClassifier, "remote").matched);  // on_error: match
}

TEST_F(Knowledge, AHeadThatIsBuiltInAddsUpItsLabels) {
  auto bank = nn::HeadBank::load(VSR_SOURCE_DIR "/models/heads.bin");
  ASSERT_TRUE(bank) << bank.error().message;
  compile(recipe(kInline), fixture::word_vectors());
  Parts parts;
  parts.vectors = fixture::word_vectors();
  parts.heads = std::make_shared<const nn::HeadBank>(std::move(*bank));
  auto engine = Engine::compile(config_, parts);
  ASSERT_TRUE(engine) << engine.error().message;
  engine_ = *engine;
  constexpr std::string_view kPrompt = "Prove that there are infinitely many primes";
  nn::HeadScores scores;
  parts.heads->score(kPrompt, scores);
  ask(kPrompt);
  EXPECT_NEAR(value(config::SignalType::kClassifier, "hard").raw, scores.hard(), 1e-6);
}

}  // namespace
}  // namespace vsr::signals
