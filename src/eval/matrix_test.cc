#include "eval/matrix.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace vsr::eval {
namespace {

TEST(Matrix, HasTheTurnsThatWerePublished) {
  size_t turns = 0;
  size_t idle = 0;
  size_t drift = 0;
  for (const MatrixScenario& scenario : matrix_scenarios()) {
    for (uint32_t i = 0; i < kMatrixSeeds; ++i) {
      for (const MatrixTurn& turn : matrix_turns(scenario, kMatrixFirstSeed + i)) {
        turns += 1;
        idle += turn.idle;
        drift += turn.phase == MatrixPhase::kTopicDrift;
      }
    }
  }
  EXPECT_EQ(turns, 21'600U);
  EXPECT_EQ(idle, 862U);
  EXPECT_EQ(drift, 1'200U);
}

TEST(Matrix, PhaseIsDriftBeforeProviderStateBeforeTool) {
  struct Case {
    const char* scenario;
    int turn;
    MatrixPhase phase;
  };
  using enum MatrixPhase;
  const Case cases[] = {
      {"balanced", 0, kUserTurn},
      {"balanced", 2, kToolLoop},
      {"balanced", 7, kToolLoop},
      {"tool-heavy", 4, kToolLoop},
      {"tool-heavy", 5, kUserTurn},
      {"stateful-heavy", 1, kProviderState},
      {"stateful-heavy", 3, kToolLoop},
      {"stateful-heavy", 16, kProviderState},
      {"stateful-heavy", 11, kProviderState},
      {"drift-heavy", 1, kTopicDrift},
      {"drift-heavy", 3, kToolLoop},
      {"drift-heavy", 8, kTopicDrift},
  };
  for (const Case& c : cases) {
    const auto scenarios = matrix_scenarios();
    const auto scenario =
        std::ranges::find(scenarios, std::string_view(c.scenario), &MatrixScenario::name);
    ASSERT_NE(scenario, scenarios.end());
    const auto turns = matrix_turns(*scenario, kMatrixFirstSeed);
    EXPECT_EQ(to_string(turns[static_cast<size_t>(c.turn)].phase), to_string(c.phase))
        << c.scenario << " " << c.turn;
  }
}

}  // namespace
}  // namespace vsr::eval
