#include "eval/simulate.h"

#include <gtest/gtest.h>

#include "eval/agent_mix.h"
#include "eval/baselines.h"
#include "eval/learned_policy.h"
#include "eval/oracle.h"

namespace vsr::eval {
namespace {

Workload coding(const Economy& economy) {
  Workload out;
  for (uint64_t i = 0; i < 10; ++i) {
    out.sessions.push_back(flatten(draw_plan(*profile("coding"), {}, economy, 9001, i)));
  }
  return out;
}

struct Expected {
  const char* policy;
  double cost, failed;
  uint64_t violations;
};

void PrintTo(const Expected& expected, std::ostream* out) { *out << expected.policy; }

class CheckValues : public testing::TestWithParam<Expected> {};

TEST_P(CheckValues, CodingAtReal4) {
  const Expected& expected = GetParam();
  const Economy economy = *eval::economy("real4");
  const std::string_view name = expected.policy;
  std::unique_ptr<ServingPolicy> policy;
  if (name.starts_with("ours:")) {
    policy = *learned_policy("real4", {.candidate_set = *candidate_set_of(name.substr(5))});
  } else {
    policy = *baseline(name, economy);
  }
  const Totals totals = simulate(economy, coding(economy), *policy);
  EXPECT_EQ(totals.requests, 718u);
  EXPECT_NEAR(totals.cost, expected.cost, expected.cost * 1e-9);
  EXPECT_NEAR(totals.failed, expected.failed, expected.failed * 1e-9);
  EXPECT_EQ(totals.violations, expected.violations);
}

INSTANTIATE_TEST_SUITE_P(Reference, CheckValues,
                         testing::Values(Expected{"always_1", 2.842710360, 11.149830054, 0},
                                         Expected{"locks_only", 8.435864540, 14.699352226, 0},
                                         Expected{"single_turn", 10.593196660, 30.273328093, 141},
                                         Expected{"published", 5.577824770, 20.572083541, 0},
                                         Expected{"ours:decision", 5.749575090, 10.771206611, 0},
                                         Expected{"ours:ladder_after_first", 5.876050190,
                                                  7.337593644, 0},
                                         Expected{"ours:at_least", 7.115050260, 5.760316400, 0},
                                         Expected{"ours:ladder", 7.115050260, 5.760316400, 0}));

TEST(Oracle, CheckValue) {
  const Economy economy = *eval::economy("real4");
  double objective = 0;
  for (const Session& session : coding(economy).sessions) {
    objective += oracle_objective(economy, session, 1);
  }
  EXPECT_NEAR(objective, 10.415193599, 10.415193599 * 1e-9);
}

// Two calls of one round and a user turn, by hand.
TEST(Simulate, CostsOfAPrefixCache) {
  const Economy economy = *eval::economy("real4");
  Workload workload;
  Session& session = workload.sessions.emplace_back();
  Request request;
  request.length = 10'000;
  request.completion = 100;
  request.proposed = 2;
  request.round = 0;
  session.requests.push_back(request);
  request.t = 300;  // the prefix is cached to the last second
  request.length = 11'000;
  request.tool = true;
  session.requests.push_back(request);
  request.t = 601;  // and gone after it
  request.tool = false;
  request.round = 1;
  session.requests.push_back(request);
  const auto policy = *baseline("locks_only", economy);
  const Totals totals = simulate(economy, workload, *policy);
  // gpt-like: cached .125, prompt 1.25, completion 10; 10,096 of the second prompt are cached.
  const double expected = (10'000 * 1.25 + 100 * 10) + (10'096 * .125 + 904 * 1.25 + 100 * 10) +
                          (11'000 * 1.25 + 100 * 10);
  EXPECT_NEAR(totals.cost, expected / 1e6, 1e-12);
  EXPECT_EQ(totals.rounds, 2u);
  EXPECT_EQ(totals.switches, 0u);
}

}  // namespace
}  // namespace vsr::eval
