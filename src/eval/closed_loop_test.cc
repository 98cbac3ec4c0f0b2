#include "eval/closed_loop.h"

#include <gtest/gtest.h>

#include "eval/baselines.h"
#include "eval/learned_policy.h"

namespace vsr::eval {
namespace {

std::vector<Plan> coding_plans(const Economy& economy) {
  std::vector<Plan> out;
  for (uint64_t i = 0; i < 10; ++i) {
    out.push_back(draw_plan(*profile("coding"), {}, economy, 9001, i));
  }
  return out;
}

TEST(ClosedLoop, CheckValues) {
  const Economy economy = *eval::economy("real4");
  const std::vector<Plan> plans = coding_plans(economy);

  const auto constant = *baseline("always_1", economy);
  const ClosedTotals first = closed_loop(economy, plans, *constant, false);
  EXPECT_NEAR(first.books.cost, 3.287067260, 3.287067260 * 1e-9);
  EXPECT_EQ(first.attempts, 98u);
  EXPECT_EQ(first.failed, 24u);
  EXPECT_EQ(first.solved, 40u);
  EXPECT_EQ(first.tasks, 45u);

  const auto ladder = *learned_policy("real4", {.candidate_set = config::CandidateSet::kLadder});
  const ClosedTotals second = closed_loop(economy, plans, *ladder, true);
  EXPECT_NEAR(second.books.cost, 9.075480200, 9.075480200 * 1e-9);
  EXPECT_EQ(second.attempts, 87u);
  EXPECT_EQ(second.failed, 8u);
  EXPECT_EQ(second.solved, 43u);
  EXPECT_EQ(second.books.violations, 0u);
}

TEST(ClosedLoop, AFailedAttemptIsMadeAgainAtMostTwice) {
  const Economy economy = *eval::economy("real4");
  Plan plan;
  PlannedRound& round = plan.rounds.emplace_back();
  round.need = 5;  // nobody can
  for (Attempt& attempt : round.attempts) {
    attempt.calls.resize(1);
    attempt.success_draw = 0.9;
    attempt.notice_draw = 0.1;
  }
  const auto policy = *baseline("cascade", economy);
  EXPECT_EQ(closed_loop(economy, {plan}, *policy, true).failed, kAttemptsMax);
  round.attempts[0].notice_draw = 0.8;  // nobody sees it
  const ClosedTotals unseen = closed_loop(economy, {plan}, *policy, true);
  EXPECT_EQ(unseen.attempts, 1u);
  EXPECT_EQ(unseen.solved, 0u);
}

TEST(ClosedLoop, CascadeGoesUpOnAComplaint) {
  const Economy economy = *eval::economy("real4");
  Plan plan;
  PlannedRound& round = plan.rounds.emplace_back();
  round.need = 0.7;  // within reach of the third tier, beyond the first
  for (size_t a = 0; a < kAttemptsMax; ++a) {
    round.attempts[a].calls.resize(1);
    round.attempts[a].success_draw = 0.2;
    round.attempts[a].notice_draw = 0.1;
    round.attempts[a].complains = a > 0;
  }
  const auto policy = *baseline("cascade", economy);
  const ClosedTotals told = closed_loop(economy, {plan}, *policy, true);
  EXPECT_EQ(told.attempts, 3u);
  EXPECT_EQ(told.solved, 1u);
  EXPECT_EQ(told.books.switches, 2u);
  EXPECT_EQ(closed_loop(economy, {plan}, *policy, false).solved, 0u);
}

}  // namespace
}  // namespace vsr::eval
