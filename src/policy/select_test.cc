#include "policy/select.h"

#include <gtest/gtest.h>

namespace vsr::policy {
namespace {

using config::AdaptationMode;

// Three models: 0 small context, 1 the default, 2 text only without tools.
config::Config three_models() {
  config::Config config;
  config.models.resize(3);
  config.models[0].name = "small";
  config.models[0].context_window_size = 1000;
  config.models[0].quality_score = 0.7;
  config.models[0].pricing = config::Pricing{.prompt_per_1m = 0.1, .completion_per_1m = 0.4};
  config.models[1].name = "default";
  config.models[1].context_window_size = 100'000;
  config.models[1].quality_score = 0.9;
  config.models[1].pricing = config::Pricing{.prompt_per_1m = 1, .completion_per_1m = 4};
  config.models[2].name = "plain";
  config.models[2].modality = "text";
  config.models[2].capabilities = {"no_tools"};
  config.default_model = 1;
  return config;
}

config::Decision decision_over(std::vector<config::ModelId> models, AdaptationMode mode) {
  config::Decision decision;
  for (const config::ModelId model : models) decision.refs.push_back({.model = model});
  decision.adaptation.mode = mode;
  return decision;
}

TEST(Select, DropsWhatCannotServeAndFallsBack) {
  const config::Config config = three_models();
  struct Case {
    const char* name;
    std::vector<config::ModelId> refs;
    AdaptationMode mode;
    Needs needs;
    std::vector<bool> healthy;
    SelectionStatus status;
    config::ModelId model;
    DropReason first_drop;
  };
  const Needs small{.context_tokens = 10};
  const Case cases[] = {
      {"first ref",
       {0, 1},
       AdaptationMode::kApply,
       small,
       {true, true, true},
       SelectionStatus::kSelected,
       0,
       DropReason::kNone},
      {"context",
       {0, 1},
       AdaptationMode::kApply,
       {.context_tokens = 1001},
       {true, true, true},
       SelectionStatus::kSelected,
       1,
       DropReason::kContextTooSmall},
      {"unhealthy",
       {0, 1},
       AdaptationMode::kApply,
       small,
       {false, true, true},
       SelectionStatus::kSelected,
       1,
       DropReason::kUnhealthy},
      {"modality",
       {2},
       AdaptationMode::kApply,
       {.images = true},
       {true, true, true},
       SelectionStatus::kFallback,
       1,
       DropReason::kModality},
      {"tools",
       {2},
       AdaptationMode::kApply,
       {.tools = true},
       {true, true, true},
       SelectionStatus::kFallback,
       1,
       DropReason::kTools},
      {"nothing left",
       {0},
       AdaptationMode::kApply,
       small,
       {false, false, true},
       SelectionStatus::kUnavailable,
       config::kNoModel,
       DropReason::kUnhealthy},
      {"bypass never falls back",
       {0},
       AdaptationMode::kBypass,
       small,
       {false, true, true},
       SelectionStatus::kUnavailable,
       config::kNoModel,
       DropReason::kUnhealthy},
      {"bypass too long",
       {0},
       AdaptationMode::kBypass,
       {.context_tokens = 2000},
       {true, true, true},
       SelectionStatus::kTooLong,
       config::kNoModel,
       DropReason::kContextTooSmall},
      {"too long for all",
       {0},
       AdaptationMode::kApply,
       {.context_tokens = 200'000},
       {true, true, true},
       SelectionStatus::kTooLong,
       config::kNoModel,
       DropReason::kContextTooSmall},
  };
  for (const Case& c : cases) {
    std::vector<ModelState> states(3);
    for (size_t i = 0; i < states.size(); ++i) states[i].healthy = c.healthy[i];
    const Selection got = select_model(config, decision_over(c.refs, c.mode), c.needs, states);
    EXPECT_EQ(got.status, c.status) << c.name;
    EXPECT_EQ(got.model, c.model) << c.name;
    EXPECT_EQ(got.dropped.empty() ? DropReason::kNone : got.dropped[0].reason, c.first_drop)
        << c.name;
  }
}

TEST(Select, MultiFactorWeighsQualityCostLatencyAndLoad) {
  const config::Config config = three_models();
  config::Decision decision = decision_over({0, 1}, AdaptationMode::kApply);
  decision.algorithm.type = config::AlgorithmType::kMultiFactor;
  std::vector<ModelState> states(3);
  states[0].ttft.p50_ms = 100;
  states[0].ttft.p95_ms = 900;
  states[1].ttft.p50_ms = 200;
  const auto choose = [&](double quality, double latency, double cost, double load) {
    decision.algorithm.weight_quality = quality;
    decision.algorithm.weight_latency = latency;
    decision.algorithm.weight_cost = cost;
    decision.algorithm.weight_load = load;
    return select_model(config, decision, {}, states).model;
  };
  EXPECT_EQ(choose(1, 0, 0, 0), 1);
  EXPECT_EQ(choose(0, 0, 1, 0), 0);
  EXPECT_EQ(choose(0, 1, 0, 0), 0);
  states[0].in_flight = 8;
  EXPECT_EQ(choose(0, 0, 0, 1), 1);
  decision.algorithm.slo_ttft_ms = 500;  // model 0's p95 is over it
  EXPECT_EQ(choose(0.1, 1, 0, 0), 1);
}

TEST(Select, DefaultModelIsCheckedToo) {
  const config::Config config = three_models();
  std::vector<ModelState> states(3);
  EXPECT_EQ(select_default(config, {}, states).status, SelectionStatus::kSelected);
  EXPECT_EQ(select_default(config, {.context_tokens = 200'000}, states).status,
            SelectionStatus::kTooLong);
  states[1].healthy = false;
  EXPECT_EQ(select_default(config, {}, states).status, SelectionStatus::kUnavailable);
}

TEST(Select, ByFitTheBestServesAndTheFirstWithoutOne) {
  const config::Config config = three_models();
  config::Decision decision = decision_over({0, 1, 2}, AdaptationMode::kApply);
  decision.algorithm.type = config::AlgorithmType::kRouterDc;
  std::vector<ModelState> states(3);
  struct Case {
    std::vector<double> fit;
    double least;
    config::ModelId model;
    bool noted;
  };
  const Case cases[] = {
      {{0.1, 0.3, 0.2}, 0, 1, false},   {{0.1, 0.3, 0.3}, 0, 1, false},
      {{0.1, 0.3, 0.2}, 0.3, 1, false}, {{0.1, 0.3, 0.2}, 0.31, 0, true},
      {{-0.2, -0.1, -0.3}, 0, 0, true}, {{0, 0, 0}, 0, 0, true},
  };
  for (const Case& c : cases) {
    Selection selection = select_model(config, decision, {}, states);
    ASSERT_TRUE(compares_meanings(decision, selection));
    choose_by_fit(c.fit, c.least, selection);
    EXPECT_EQ(selection.model, c.model) << c.fit[1] << " least " << c.least;
    EXPECT_EQ(!selection.note.empty(), c.noted);
    EXPECT_EQ(selection.candidates[2].score, c.fit[2]);
  }
  // A ref that was dropped keeps its place in `fit`.
  states[1].healthy = false;
  Selection selection = select_model(config, decision, {}, states);
  choose_by_fit(std::vector<double>{0.1, 0.3, 0.2}, 0, selection);
  EXPECT_EQ(selection.model, 2);
  states[2].healthy = false;
  EXPECT_FALSE(compares_meanings(decision, select_model(config, decision, {}, states)));
}

TEST(Select, ByLatencyAtThePercentile) {
  const config::Config config = three_models();
  config::Decision decision = decision_over({0, 1}, AdaptationMode::kApply);
  decision.algorithm.type = config::AlgorithmType::kLatencyAware;
  std::vector<ModelState> states(3);
  states[0].ttft.p50_ms = 100;
  states[0].ttft.p95_ms = 900;
  states[1].ttft.p50_ms = 200;
  states[1].ttft.p95_ms = 300;
  decision.algorithm.ttft_percentile = 50;
  EXPECT_EQ(select_model(config, decision, {}, states).model, 0);
  decision.algorithm.ttft_percentile = 95;
  EXPECT_EQ(select_model(config, decision, {}, states).model, 1);
}

}  // namespace
}  // namespace vsr::policy
