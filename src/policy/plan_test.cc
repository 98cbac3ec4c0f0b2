#include "policy/plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace vsr::policy {
namespace {

using config::Config;
using config::RuleNode;
using config::RuleOp;
using config::SignalId;
using config::SignalType;
using config::SignalValue;

RuleNode leaf(SignalId id) { return {RuleOp::kLeaf, id, {}}; }
RuleNode all(std::vector<RuleNode> children) {
  return {RuleOp::kAnd, config::kNoSignal, std::move(children)};
}
RuleNode any(std::vector<RuleNode> children) {
  return {RuleOp::kOr, config::kNoSignal, std::move(children)};
}
RuleNode none(RuleNode child) { return {RuleOp::kNot, config::kNoSignal, {std::move(child)}}; }

SignalValue hit(double confidence = 1, double raw = 1) { return {true, true, confidence, raw}; }
SignalValue miss(double raw = 0) { return {true, false, 0, raw}; }

Config with_signals(int count) {
  Config config;
  for (int i = 0; i < count; ++i) {
    config.signals.push_back(
        {SignalType::kKeyword, static_cast<uint16_t>(i), 0, fmt::format("s{}", i)});
  }
  return config;
}

void add_decision(Config& config, std::string name, int tier, int priority, RuleNode rules) {
  config::Decision decision;
  decision.name = std::move(name);
  decision.tier = tier;
  decision.priority = priority;
  decision.rules = std::move(rules);
  config.decisions.push_back(std::move(decision));
}

TEST(Rules, CombineAsSpecified) {
  const std::vector<Bound> signals = {known(true, 0.5), known(true, 0.9), known(false, 0)};
  struct Case {
    const char* name;
    RuleNode rule;
    bool matched;
    double confidence;
  };
  const Case cases[] = {
      {"leaf", leaf(0), true, 0.5},
      {"and is the mean", all({leaf(0), leaf(1)}), true, 0.7},
      {"and with a miss", all({leaf(0), leaf(2)}), false, 0},
      {"empty and", all({}), true, 0},
      {"or is the maximum", any({leaf(2), leaf(0), leaf(1)}), true, 0.9},
      {"or of misses", any({leaf(2), leaf(2)}), false, 0},
      {"empty or", any({}), false, 0},
      {"not of a miss", none(leaf(2)), true, 1},
      {"not of a match", none(leaf(0)), false, 0},
      {"nested", all({any({leaf(0), leaf(2)}), none(leaf(2))}), true, 0.75},
  };
  for (const Case& c : cases) {
    const Bound bound = bound_rule(c.rule, signals);
    EXPECT_EQ(bound.match == Tri::kTrue, c.matched) << c.name;
    EXPECT_DOUBLE_EQ(bound.confidence.lo, c.confidence) << c.name;
    EXPECT_TRUE(bound.exact()) << c.name;
  }
}

TEST(Winner, FollowsTheStrategy) {
  Config config = with_signals(3);
  add_decision(config, "b_untiered", 0, 900, leaf(0));
  add_decision(config, "tier2_sure", 2, 1, leaf(1));
  add_decision(config, "tier2_important", 2, 50, leaf(2));
  add_decision(config, "a_untiered", 0, 900, leaf(0));
  struct Case {
    config::Strategy strategy;
    std::vector<SignalValue> values;
    const char* winner;
  };
  const Case cases[] = {
      {config::Strategy::kTiered, {hit(1), hit(0.9), hit(0.6)}, "tier2_sure"},
      {config::Strategy::kTiered, {hit(1), hit(0.6), hit(0.6)}, "tier2_important"},
      {config::Strategy::kTiered, {hit(1), miss(), miss()}, "a_untiered"},
      {config::Strategy::kPriority, {hit(1), hit(0.9), hit(0.6)}, "tier2_important"},
      {config::Strategy::kPriority, {miss(), hit(0.9), miss()}, "tier2_sure"},
      {config::Strategy::kConfidence, {hit(0.7), hit(0.9), hit(0.6)}, "tier2_sure"},
      {config::Strategy::kConfidence, {hit(0.9), hit(0.9), hit(0.9)}, "a_untiered"},
      {config::Strategy::kTiered, {miss(), miss(), miss()}, ""},
  };
  for (const Case& c : cases) {
    config.strategy = c.strategy;
    const Plan plan(std::make_shared<const Config>(config));
    Scratch scratch;
    const Winner winner = plan.winner(c.values, scratch);
    EXPECT_EQ(winner.decision == kNoDecision ? "" : config.decisions[winner.decision].name,
              c.winner);
  }
}

// s0 .2 + s1 .5 (confidence) → bands low < .3 ≤ mid < .6 ≤ high
Config with_bands(bool multi_emit) {
  Config config = with_signals(2);
  config.scores.push_back(
      {"risk",
       {{.signal = 0, .weight = 0.2},
        {.signal = 1, .weight = 0.5, .source = config::ValueSource::kConfidence}}});
  config::Mapping mapping;
  mapping.name = "risk_band";
  mapping.multi_emit = multi_emit;
  mapping.outputs = {
      {"low", 2, {.lt = 0.3}}, {"mid", 3, {.gte = 0.3, .lt = 0.6}}, {"any", 4, {.gte = 0.1}}};
  config.mappings.push_back(mapping);
  for (uint16_t part = 0; part < 3; ++part) {
    config.signals.push_back({SignalType::kProjection, 0, part, mapping.outputs[part].name});
  }
  add_decision(config, "mid", 0, 1, leaf(3));
  return config;
}

TEST(Projections, FirstBandWins) {
  const Plan plan(std::make_shared<const Config>(with_bands(false)));
  Scratch scratch;
  std::vector<SignalValue> values = {hit(), hit(0.8), {}, {}, {}};  // .2 + .4 = .6 → only `any`
  Explanation out = plan.explain(values, scratch);
  EXPECT_DOUBLE_EQ(out.scores[0].value, 0.2 + 0.8 * 0.5);
  EXPECT_FALSE(out.values[2].matched);
  EXPECT_FALSE(out.values[3].matched);
  EXPECT_TRUE(out.values[4].matched);

  values = {hit(), hit(0.4), {}, {}, {}};  // .4 → mid, and `any` is not reached
  out = plan.explain(values, scratch);
  EXPECT_TRUE(out.values[3].matched);
  EXPECT_FALSE(out.values[4].matched);
  // Distance to the nearest bound, .1, through a logistic of slope 12.
  EXPECT_NEAR(out.values[3].confidence, 1 / (1 + std::exp(-12 * 0.1)), 1e-12);
  EXPECT_EQ(out.decisions[0].matched, Tri::kTrue);
  EXPECT_EQ(out.decisions[0].first_failing, "");
}

TEST(Projections, MultiEmitEmitsEveryBandThatHolds) {
  const Plan plan(std::make_shared<const Config>(with_bands(true)));
  Scratch scratch;
  const Explanation out =
      plan.explain(std::vector<SignalValue>{hit(), hit(0.4), {}, {}, {}}, scratch);
  EXPECT_TRUE(out.values[3].matched);
  EXPECT_TRUE(out.values[4].matched);
}

TEST(Projections, FailureNamesTheFirstFailingLeaf) {
  const Plan plan(std::make_shared<const Config>(with_bands(false)));
  Scratch scratch;
  const Explanation out =
      plan.explain(std::vector<SignalValue>{miss(), miss(), {}, {}, {}}, scratch);
  EXPECT_EQ(out.decisions[0].matched, Tri::kFalse);
  EXPECT_EQ(out.decisions[0].first_failing, "projection:mid");
}

TEST(Partitions, KeepTheBestOrTheDefault) {
  Config config = with_signals(3);
  config.partitions.push_back({"topic", false, 1, {0, 1, 2}, 2});
  add_decision(config, "zero", 0, 1, leaf(0));
  add_decision(config, "one", 0, 1, leaf(1));
  add_decision(config, "two", 0, 1, leaf(2));
  struct Case {
    std::vector<SignalValue> values;
    const char* winner;
    double confidence;
  };
  const Case cases[] = {
      {{hit(0.6), hit(0.8), miss()}, "one", 0.8},
      {{hit(0.8), hit(0.8), miss()}, "zero", 0.8},
      {{miss(), miss(), miss()}, "two", 0},
  };
  const Plan plan(std::make_shared<const Config>(config));
  for (const Case& c : cases) {
    Scratch scratch;
    const Winner winner = plan.winner(c.values, scratch);
    ASSERT_NE(winner.decision, kNoDecision);
    EXPECT_EQ(config.decisions[winner.decision].name, c.winner);
    EXPECT_DOUBLE_EQ(winner.confidence, c.confidence);
  }
}

TEST(Partitions, SoftmaxGivesTheShareOfTheBest) {
  Config config = with_signals(2);
  config.partitions.push_back({"topic", true, 0.5, {0, 1}, config::kNoSignal});
  add_decision(config, "one", 0, 1, leaf(1));
  const Plan plan(std::make_shared<const Config>(config));
  Scratch scratch;
  const Winner winner = plan.winner(std::vector<SignalValue>{hit(0.3), hit(0.8)}, scratch);
  EXPECT_NEAR(winner.confidence, 1 / (1 + std::exp((0.3 - 0.8) / 0.5)), 1e-12);
}

TEST(Needed, SkipsWhatCannotChangeTheWinner) {
  Config config = with_signals(3);
  config.strategy = config::Strategy::kTiered;
  add_decision(config, "private", 1, 1, leaf(0));
  add_decision(config, "hard", 2, 1, all({leaf(1), leaf(2)}));
  const Plan plan(std::make_shared<const Config>(config));
  Scratch scratch;
  std::vector<SignalId> needed;
  std::vector<SignalValue> values(3);
  plan.needed(values, scratch, needed);
  EXPECT_EQ(needed, (std::vector<SignalId>{0, 1, 2}));
  values[0] = hit();
  plan.needed(values, scratch, needed);
  EXPECT_TRUE(needed.empty());
  values[0] = miss();
  values[1] = miss();
  plan.needed(values, scratch, needed);
  EXPECT_TRUE(needed.empty());
}

}  // namespace
}  // namespace vsr::policy
