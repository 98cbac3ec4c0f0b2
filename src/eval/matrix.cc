#include "eval/matrix.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "eval/python_random.h"

// A fused multiply-add would round once where CPython rounds twice.
#pragma STDC FP_CONTRACT OFF

namespace vsr::eval {

namespace {

constexpr int64_t kHistoryMax = 64'000;
constexpr int64_t kTurnTokens = 800;  // of a prompt beside its history

constexpr uint32_t slots(auto... turns) { return ((1U << turns) | ...); }

constexpr auto kSingle = MatrixIdle::kSingle;
constexpr auto kRare = MatrixIdle::kRare;
constexpr auto kFrequent = MatrixIdle::kFrequent;
constexpr MatrixScenario kScenarios[] = {
    {"balanced", .42, .28, .16, .18, .09, {5, slots(2, 3)}, 512, 2048, kSingle, 6, 1.00, {}, {}},
    {"tool-heavy",
     .55,
     .22,
     .18,
     .14,
     .08,
     {6, slots(2, 3, 4)},
     1024,
     3072,
     kSingle,
     9,
     1.12,
     {},
     {}},
    {"frontier-heavy",
     .55,
     .34,
     .20,
     .17,
     .07,
     {5, slots(2, 3)},
     1536,
     4096,
     kRare,
     10,
     1.20,
     {},
     {}},
    {"idle-heavy",
     .42,
     .30,
     .14,
     .16,
     .10,
     {5, slots(2, 3)},
     512,
     2048,
     kFrequent,
     4,
     1.00,
     {},
     {}},
    {"stateful-heavy",
     .58,
     .30,
     .24,
     .15,
     .08,
     {6, slots(3, 4)},
     128,
     1024,
     kRare,
     3,
     .95,
     {5, slots(1, 2)},
     {}},
    {"drift-heavy",
     .46,
     .28,
     .26,
     .12,
     .08,
     {6, slots(3)},
     2048,
     6144,
     kRare,
     7,
     1.08,
     {},
     {6, slots(1, 2)}},
};

MatrixPhase phase_of(const MatrixScenario& scenario, int turn) {
  if (scenario.drift.has(turn)) return MatrixPhase::kTopicDrift;
  if (scenario.provider_state.has(turn)) return MatrixPhase::kProviderState;
  if (scenario.tool.has(turn)) return MatrixPhase::kToolLoop;
  return MatrixPhase::kUserTurn;
}

double demand_of(const MatrixScenario& scenario, MatrixPhase phase, int turn, double noise) {
  const double progress = scenario.progress * turn / (kMatrixTurns - 1);
  const double bonus = phase == MatrixPhase::kUserTurn ? 0 : scenario.bonus;
  const double wave = scenario.wave * std::sin(turn * std::numbers::pi / 4);
  return std::clamp(scenario.base + progress + bonus + wave + noise, 0.0, 1.0);
}

int base_tier_of(double demand) {
  if (demand >= kMatrixFrontierDemand) return 2;
  return demand >= kMatrixMiddleDemand ? 1 : 0;
}

}  // namespace

std::string_view to_string(MatrixPhase phase) {
  switch (phase) {
    case MatrixPhase::kUserTurn:
      return "user_turn";
    case MatrixPhase::kToolLoop:
      return "tool_loop";
    case MatrixPhase::kProviderState:
      return "provider_state";
    case MatrixPhase::kTopicDrift:
      return "topic_drift";
  }
  return "";
}

std::span<const MatrixScenario> matrix_scenarios() { return kScenarios; }

std::vector<MatrixTurn> matrix_turns(const MatrixScenario& scenario, uint32_t seed) {
  std::vector<MatrixTurn> out;
  out.reserve(kMatrixSessions * kMatrixTurns);
  PythonRandom random(seed);
  for (int session = 0; session < kMatrixSessions; ++session) {
    int64_t history = random.randint(scenario.history_min, scenario.history_max);
    constexpr std::array kSingleTurns = {0, kMatrixTurns / 2, kMatrixTurns + 1};  // the last: never
    const int single =
        scenario.idle == kSingle ? kSingleTurns[random.below(kSingleTurns.size())] : -1;
    constexpr int kOften = std::max(5, kMatrixTurns / 4);
    for (int turn = 0; turn < kMatrixTurns; ++turn) {
      MatrixTurn& row = out.emplace_back();
      row.scenario = &scenario;
      row.seed = seed;
      row.session = session;
      row.turn = turn;
      row.phase = phase_of(scenario, turn);
      row.idle = scenario.idle == kFrequent ? turn > 0 && turn % kOften == 0 : turn == single;
      row.demand =
          demand_of(scenario, row.phase, turn, random.uniform(-scenario.noise, scenario.noise));
      row.base_tier = base_tier_of(row.demand);
      row.history_tokens = history;
      row.prompt_tokens = kTurnTokens + history;
      row.completion_tokens = 220 + static_cast<int64_t>(180 * row.demand);
      const int64_t added = row.prompt_tokens / 8 + row.completion_tokens;
      history = std::min(kHistoryMax, history + static_cast<int64_t>(static_cast<double>(added) *
                                                                     scenario.growth));
    }
  }
  return out;
}

}  // namespace vsr::eval
