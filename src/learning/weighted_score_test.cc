#include "learning/weighted_score.h"

#include <gtest/gtest.h>

#include <vector>

namespace vsr::learning {
namespace {

// Two models: tier 0 is free to leave, tier 1 has the dearest cache. Everything to lose (mass 1)
// and a warm cache unless a case says otherwise, so the cache is worth .20 · 2.5 = .5.
struct Case {
  const char* what;
  double current_base;
  double other_base;
  Tier current = 1;
  double warmth = 1;
  uint32_t switches = 0;
  bool idle = false;
  double stay = 0;
  double leave = 0;
  Tier tier = 1;
  const char* reason = "";
};

WeightedChoice choice_of(const Case& c) {
  const Tier other = c.current == 1 ? 0 : 1;
  const std::vector<WeightedCandidate> candidates = {
      {other, c.other_base, other == 1 ? 1.0 : 0.0},
      {c.current, c.current_base, c.current == 1 ? 1.0 : 0.0}};
  WeightedInput input;
  input.candidates = candidates;
  input.current = c.current;
  input.history_tokens = input.context_tokens = 8192;
  input.turns = 8;
  input.switches = c.switches;
  input.warmth = c.warmth;
  input.idle = c.idle;
  return choose_weighted({}, input);
}

TEST(WeightedScore, StaysAndSwitches) {
  const Case cases[] = {
      {.what = "a clear winner takes over",
       .current_base = 0,
       .other_base = 1.5,
       .stay = .6,
       .leave = .9,
       .tier = 0,
       .reason = "switch_allowed"},
      {.what = "the cache counts in both directions: into a dear one it is as much",
       .current_base = 0,
       .other_base = 1.5,
       .current = 0,
       .stay = .3,
       .leave = .9,
       .tier = 1,
       .reason = "switch_allowed"},
      {.what = "equal scores pay .10 more",
       .current_base = 1,
       .other_base = 1,
       .stay = 1.6,
       .leave = .3,
       .tier = 1,
       .reason = "stay_has_best_adjusted_score"},
      {.what = "without a warm cache only bonus and penalties",
       .current_base = .5,
       .other_base = .8,
       .warmth = 0,
       .stay = .6,
       .leave = .7,
       .tier = 0,
       .reason = "switch_allowed"},
      {.what = "half warm, half as much",
       .current_base = .5,
       .other_base = 1,
       .warmth = .5,
       .stay = .85,
       .leave = .65,
       .tier = 1,
       .reason = "cache_protected"},
      {.what = "four of eight switches weigh half of .04",
       .current_base = .5,
       .other_base = .7,
       .warmth = 0,
       .switches = 4,
       .stay = .6,
       .leave = .58,
       .tier = 1,
       .reason = "switch_margin_not_met"},
      {.what = "more than eight weigh no more",
       .current_base = .5,
       .other_base = .8,
       .warmth = 0,
       .switches = 80,
       .stay = .6,
       .leave = .66,
       .tier = 0,
       .reason = "switch_allowed"},
      {.what = "nothing holds an idle conversation",
       .current_base = .5,
       .other_base = .51,
       .switches = 8,
       .idle = true,
       .stay = .5,
       .leave = .51,
       .tier = 0,
       .reason = "switch_allowed"},
      {.what = "an idle tie goes to the earlier ref",
       .current_base = .5,
       .other_base = .5,
       .idle = true,
       .stay = .5,
       .leave = .5,
       .tier = 0,
       .reason = "switch_allowed"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const WeightedChoice choice = choice_of(c);
    ASSERT_EQ(choice.score_count, 2U);
    EXPECT_NEAR(choice.scores[0].final_score, c.leave, 1e-12);
    EXPECT_NEAR(choice.scores[1].final_score, c.stay, 1e-12);
    EXPECT_EQ(choice.tier, c.tier);
    EXPECT_EQ(choice.reason, c.reason);
    EXPECT_EQ(choice.previous, c.current);
  }
}

TEST(WeightedScore, TheTraceAddsUp) {
  const WeightedChoice choice = choice_of({.what = "", .current_base = .5, .other_base = 1});
  EXPECT_NEAR(choice.scores[0].handoff_penalty, .05, 1e-12);
  EXPECT_NEAR(choice.scores[0].cache_penalty, .5, 1e-12);
  EXPECT_EQ(choice.scores[0].cache_benefit, 0);
  EXPECT_NEAR(choice.scores[1].cache_benefit, .5, 1e-12);
  EXPECT_EQ(choice.scores[1].handoff_penalty + choice.scores[1].cache_penalty, 0);
}

TEST(WeightedScore, MassIsOfHistoryAndTurns) {
  struct MassCase {
    double history, context;
    uint32_t turns;
    double mass;
  };
  const MassCase cases[] = {
      {0, 0, 0, 0},         {0, 9000, 8, .20},          {4096, 8192, 4, .225 + .175 + .10},
      {8192, 8192, 0, .80}, {100'000, 100'000, 100, 1}, {2048, 0, 0, .45 + .0875},
  };
  for (const MassCase& c : cases) {
    const WeightedCandidate candidates[] = {{.tier = 0, .base_score = 1, .pressure = 0}};
    WeightedInput input;
    input.candidates = candidates;
    input.current = 0;
    input.history_tokens = c.history;
    input.context_tokens = c.context;
    input.turns = c.turns;
    input.warmth = 1;
    EXPECT_NEAR(choose_weighted({}, input).scores[0].cache_benefit, .20 * c.mass, 1e-12)
        << c.history << " of " << c.context;
  }
}

TEST(WeightedScore, TheFirstTurnTakesTheHighestBase) {
  const WeightedCandidate candidates[] = {{0, .2, 0}, {2, .9, 1}, {1, .9, .5}};
  WeightedInput input;
  input.candidates = candidates;
  const WeightedChoice choice = choose_weighted({}, input);
  EXPECT_EQ(choice.tier, 2);
  EXPECT_EQ(choice.previous, kNoTier);
  EXPECT_EQ(choice.reason, "missing_previous_model");
  EXPECT_EQ(choice.scores[1].final_score, .9);
}

TEST(WeightedScore, PressureIsTheShareOfTheDearestCheckout) {
  Tables tables;
  tables.k = 4;
  tables.prompt = {0, .5, 2, 5};
  tables.cached = {0, .5, .2, .5};  // the second saves nothing: its prompt price counts
  const auto pressures = cache_pressures(tables);
  EXPECT_EQ(pressures[0], 0);
  EXPECT_NEAR(pressures[1], .5 / 4.5, 1e-12);
  EXPECT_NEAR(pressures[2], 1.8 / 4.5, 1e-12);
  EXPECT_EQ(pressures[3], 1);
  tables.prompt = tables.cached = {};
  EXPECT_EQ(cache_pressures(tables)[3], 0);
}

}  // namespace
}  // namespace vsr::learning
