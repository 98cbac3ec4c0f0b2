#pragma once

// The published evaluation matrix: six scenarios of simulated conversations, their turns and
// demands. Policies draw no random numbers and histories grow alike for all of them, so the turns
// are made once and every policy sees the same. Pure; any thread.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vsr::eval {

constexpr int kMatrixSessions = 40;  // of one scenario and seed
constexpr int kMatrixTurns = 18;     // of a session
constexpr uint32_t kMatrixFirstSeed = 20'260'530;
constexpr uint32_t kMatrixSeeds = 5;
// Demands from which the base decision takes the second and the third model.
constexpr double kMatrixMiddleDemand = .55;
constexpr double kMatrixFrontierDemand = .78;

enum class MatrixPhase : uint8_t { kUserTurn, kToolLoop, kProviderState, kTopicDrift };
std::string_view to_string(MatrixPhase phase);  // "user_turn", …

enum class MatrixIdle : uint8_t { kSingle, kRare, kFrequent };

// Turns whose number modulo `cycle` is in `slots` (bit i for slot i); cycle 0 has none.
struct MatrixCycle {
  int cycle = 0;
  uint32_t slots = 0;
  bool has(int turn) const { return cycle > 0 && ((slots >> (turn % cycle)) & 1) != 0; }
};

struct MatrixScenario {
  std::string_view name;
  double base, progress, bonus, wave, noise;  // of demand
  MatrixCycle tool;
  int64_t history_min, history_max;  // tokens before the first turn
  MatrixIdle idle;
  int prior;  // turns that a session is expected to have
  double growth;
  MatrixCycle provider_state, drift;
};

struct MatrixTurn {
  const MatrixScenario* scenario = nullptr;
  uint32_t seed = 0;
  int session = 0;  // 0…39 within scenario and seed
  int turn = 0;
  MatrixPhase phase = MatrixPhase::kUserTurn;
  bool idle = false;           // the conversation had been idle before this turn
  double demand = 0;           // 0…1
  int base_tier = 0;           // 0…2: the model that the demand asks for
  int64_t history_tokens = 0;  // before this turn
  int64_t prompt_tokens = 0;   // history included
  int64_t completion_tokens = 0;
};

std::span<const MatrixScenario> matrix_scenarios();  // in the order of the matrix
// Sessions in order, the turns of each in order.
// The turns point at `scenario`, which outlives them.
std::vector<MatrixTurn> matrix_turns(const MatrixScenario& scenario, uint32_t seed);

}  // namespace vsr::eval
