#include "eval/baselines.h"

#include <gtest/gtest.h>

#include "eval/agent_mix.h"
#include "eval/matrix_mix.h"
#include "eval/simulate.h"

namespace vsr::eval {
namespace {

Request free_request(Tier proposed, int32_t user_tokens = 60) {
  Request out;
  out.length = 20'000;
  out.completion = 300;
  out.user_tokens = user_tokens;
  out.proposed = proposed;
  out.gap = 20;
  return out;
}

// Proposals of one lineage, 20 s apart, and what is served.
struct Case {
  const char* policy;
  std::vector<Tier> proposed, served;
  int32_t user_tokens = 60;
};

TEST(Baselines, WhatTheyServe) {
  const Case cases[] = {
      {"locks_only", {2, 0, 3}, {2, 0, 3}},
      {"sticky", {2, 0, 3}, {2, 2, 2}},
      {"always_1", {2, 0, 3}, {1, 1, 1}},
      // opus-like to gpt-like: eight reads save .375·8, a cold start costs 1.125 of every token.
      {"ev_gate", {3, 2}, {3, 2}},
      // flash-like to local: eight reads save .01·8, a cold start costs .08.
      {"ev_gate", {1, 0}, {1, 1}},
      {"ev_gate", {0, 3}, {0, 3}},
      // A fifth of one stay at the lowest tier does not pay for the highest.
      {"budget_cap", {0, 3}, {0, 0}},
      {"budget_cap", {3, 0}, {3, 0}},
      {"ewma", {0, 3, 3, 0}, {0, 2, 3, 2}},
      {"ewma", {3, 0}, {3, 3}, 2},
      {"ski_rental", {0, 2}, {0, 2}},
      {"ski_rental", {3, 0, 0}, {3, 0, 0}},
      {"ski_rental", {3, 0}, {3, 3}, 8},
      {"cascade", {0, 3}, {0, 0}, 10},
      {"cascade", {0, 3}, {0, 3}, 11},
      // Quality .88 is .08 above .80; the bar of a warm conversation is higher.
      {"published", {1, 2}, {1, 1}},
      {"published", {2, 0}, {2, 2}},
  };
  const Economy economy = *eval::economy("real4");
  for (const Case& c : cases) {
    const auto policy = *baseline(c.policy, economy);
    policy->begin_session();
    for (size_t i = 0; i < c.proposed.size(); ++i) {
      Request request = free_request(c.proposed[i], c.user_tokens);
      request.t = static_cast<int64_t>(i) * 20;
      const Tier tier = policy->serve(request, kNoTier);
      EXPECT_EQ(tier, c.served[i]) << c.policy << ", request " << i;
      policy->answered(request, tier);
    }
  }
}

TEST(Baselines, OwnersServeWhatTheyOwn) {
  const Economy economy = *eval::economy("real4");
  for (const std::string& name : baseline_names(economy)) {
    if (name == "single_turn" || name == "shipped_june") continue;
    const auto policy = *baseline(name, economy);
    policy->begin_session();
    Request request = free_request(3);
    const Tier first = policy->serve(request, kNoTier);
    policy->answered(request, first);
    request.tool = true;
    request.proposed = 0;
    EXPECT_EQ(policy->serve(request, first), first) << name;
  }
}

TEST(Baselines, IdleAndDriftLetThePublishedPolicyGoDown) {
  const Economy economy = *eval::economy("pub3");
  for (const bool drift : {false, true}) {
    const auto policy = *baseline("published", economy);
    policy->begin_session();
    Request request = free_request(2);
    policy->serve(request, kNoTier);
    request.proposed = 0;
    (drift ? request.drift : request.failure_feedback) = true;
    request.gap = drift ? 20 : 300;
    EXPECT_EQ(policy->serve(request, kNoTier), 0);
  }
}

// The negative controls: what happens without ownership, and with one lock a conversation.
TEST(Baselines, ViolationsOfThoseThatIgnoreOwnership) {
  const Economy economy = *eval::economy("real4");
  Workload workload;
  for (uint64_t seed = 9001; seed <= 9010; ++seed) {
    for (uint64_t i = 0; i < 10; ++i) {
      workload.sessions.push_back(flatten(draw_plan(*profile("coding"), {}, economy, seed, i)));
    }
  }
  const auto per_1000 = [&](std::string_view name) {
    const auto policy = *baseline(name, economy);
    const Totals totals = simulate(economy, workload, *policy);
    return 1000.0 * static_cast<double>(totals.violations) / static_cast<double>(totals.requests);
  };
  EXPECT_GE(per_1000("single_turn"), 200);
  EXPECT_GE(per_1000("shipped_june"), 8);
  EXPECT_EQ(per_1000("locks_only"), 0);
}

TEST(Baselines, UnknownNamesAreRefused) {
  EXPECT_FALSE(baseline("magic", *economy("real4")));
  EXPECT_FALSE(baseline("always_4", *economy("real4")));
  EXPECT_TRUE(baseline("always_4", *economy("recipe5")));
}

TEST(MatrixMix, ViolationsOfSingleTurn) {
  const Economy economy = *eval::economy("pub3");
  const Workload workload = matrix_workload();
  EXPECT_EQ(workload.sessions.size(), 1200u);
  const auto policy = *baseline("single_turn", economy);
  const Totals totals = simulate(economy, workload, *policy);
  EXPECT_EQ(totals.requests, 21'600u);
  EXPECT_EQ(totals.violations, 3'836u);
}

TEST(MatrixMix, ProposalsAreWhatTheDemandNeeds) {
  const Economy economy = *eval::economy("pub3");
  for (const Session& session : matrix_workload().sessions) {
    for (const Request& request : session.requests) {
      ASSERT_EQ(request.proposed, economy.needed_tier(request.need));
    }
  }
}

}  // namespace
}  // namespace vsr::eval
