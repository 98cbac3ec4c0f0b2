#include "eval/matrix_mix.h"

#include "eval/matrix.h"

#pragma clang fp contract(off)

namespace vsr::eval {

namespace {

constexpr int kTurnSeconds = 20;
constexpr int kIdleTurnSeconds = 600;
constexpr int32_t kUserTokens = 60;

// Puts the demands at which the base decision changes model at the margins of the success law.
double need_of(double demand) { return 2.0289855072463769 * demand - 1.3159420289855072; }

void append(const MatrixTurn& turn, Session& session) {
  const Request* before = session.requests.empty() ? nullptr : &session.requests.back();
  Request request;
  request.gap = turn.idle ? kIdleTurnSeconds : kTurnSeconds;
  if (before != nullptr) {
    request.t = before->t + request.gap;
    request.task = before->task;
    request.round = before->round;
  }
  request.length = static_cast<int32_t>(turn.prompt_tokens);
  request.user_tokens = kUserTokens;
  request.proposed = static_cast<Tier>(turn.base_tier);
  request.tool = before != nullptr && turn.phase == MatrixPhase::kToolLoop;
  request.provider_state = before != nullptr && turn.phase == MatrixPhase::kProviderState;
  request.expected_turns = turn.scenario->prior;
  request.drift = turn.phase == MatrixPhase::kTopicDrift;
  request.completion = static_cast<int32_t>(turn.completion_tokens);
  request.need = need_of(turn.demand);
  if (!request.owned()) request.round += 1;
  if (before != nullptr && (turn.idle || turn.phase == MatrixPhase::kTopicDrift)) request.task += 1;
  session.requests.push_back(request);
}

}  // namespace

Workload matrix_workload() {
  Workload out;
  for (const MatrixScenario& scenario : matrix_scenarios()) {
    for (uint32_t i = 0; i < kMatrixSeeds; ++i) {
      for (const MatrixTurn& turn : matrix_turns(scenario, kMatrixFirstSeed + i)) {
        if (turn.turn == 0) out.sessions.emplace_back();
        append(turn, out.sessions.back());
      }
    }
  }
  return out;
}

}  // namespace vsr::eval
