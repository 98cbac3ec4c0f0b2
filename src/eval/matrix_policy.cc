#include "eval/matrix_policy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

// A fused multiply-add would round once where CPython rounds twice.
#pragma STDC FP_CONTRACT OFF

namespace vsr::eval {

namespace {

constexpr double kMargin = .05;
constexpr double kCacheWeight = .20;
constexpr double kPressureWeight = 1.6;
constexpr double kHistoryWeight = .04;
constexpr double kManySwitches = 8;
constexpr double kManyTurns = 8;
constexpr double kManyTokens = 16'000;

constexpr MatrixPolicy kPolicies[] = {
    {.name = "acr-full"},
    {.name = "sticky-session", .sticky = true},
    {.name = "acr-initial", .provider_lock = false, .drift_reset = false, .remaining_prior = false},
    {.name = "acr-no-tool-lock", .tool_lock = false},
    {.name = "acr-no-context-portability", .provider_lock = false},
    {.name = "acr-no-decision-drift-reset", .drift_reset = false},
    {.name = "acr-no-idle-boundary", .idle_boundary = false},
    {.name = "acr-no-remaining-prior", .remaining_prior = false},
    {.name = "acr-no-frontier-cost", .frontier_cost = false},
    {.name = "single-turn", .base = true},
    {.name = "always-qwen3-8b", .always = 0},
    {.name = "always-qwen3-32b", .always = 1},
    {.name = "always-frontier-reasoner", .always = kMatrixFrontier},
};

const MatrixModel& model(int tier) { return kMatrixModels[static_cast<size_t>(tier)]; }

// What a lost cache costs with the dearer of two models, 0…1.
double pressure(int a, int b) {
  const auto lost = [](const MatrixModel& m) { return m.prompt - m.cached; };
  double most = 0;
  for (const MatrixModel& m : kMatrixModels) most = std::max(most, lost(m));
  return std::max(lost(model(a)) / most, lost(model(b)) / most);
}

}  // namespace

std::span<const MatrixPolicy> matrix_policies() { return kPolicies; }

Result<MatrixPolicy> matrix_policy(std::string_view name) {
  const auto found = std::ranges::find(kPolicies, name, &MatrixPolicy::name);
  if (found != std::end(kPolicies)) return *found;
  std::vector<std::string_view> names;
  for (const MatrixPolicy& policy : kPolicies) names.push_back(policy.name);
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("the matrix has no policy {}; use {}", name, fmt::join(names, ", ")));
}

double matrix_warmth(int tier, MatrixPhase phase, int64_t history_tokens, bool switched) {
  double warmth = std::max(.5, std::min(.72, static_cast<double>(history_tokens) / 48'000));
  if (phase == MatrixPhase::kToolLoop) warmth += .12;
  if (phase == MatrixPhase::kProviderState) warmth += .08;
  if (tier == kMatrixFrontier) warmth += .06;
  if (switched) warmth *= .2;
  return std::clamp(warmth, 0.0, .85);
}

double matrix_cost(const MatrixTurn& turn, int tier, double cached_ratio) {
  const MatrixModel& m = model(tier);
  const double prompt = static_cast<double>(turn.prompt_tokens);
  const double cached = static_cast<double>(static_cast<int64_t>(prompt * cached_ratio));
  const double completion = static_cast<double>(turn.completion_tokens);
  return ((prompt - cached) * m.prompt + cached * m.cached + completion * m.completion) / 1e6;
}

// The first rule that fits decides; a lock that is taken away falls through to the later ones.
void MatrixSession::choose(const MatrixTurn& turn, MatrixStep& out) const {
  const int base = policy_.always.value_or(turn.base_tier);
  const auto take = [&](int tier, std::string_view reason) {
    out.tier = tier;
    out.reason = reason;
  };
  if (turn.turn == 0) return take(base, "cold_select");
  if (policy_.base || policy_.always) return take(base, "base_select");
  if (policy_.sticky) return take(current_, "sticky_session");
  if (policy_.tool_lock && turn.phase == MatrixPhase::kToolLoop) {
    return take(current_, "tool_loop_hard_lock");
  }
  if (policy_.provider_lock && turn.phase == MatrixPhase::kProviderState) {
    return take(current_, "context_portability_hard_lock");
  }
  if (policy_.drift_reset && turn.phase == MatrixPhase::kTopicDrift) {
    return take(base, "decision_drift_select");
  }
  if (policy_.idle_boundary && turn.idle) return take(base, "idle_select");
  if (base == current_) return take(current_, "base_selects_current");
  const double multiplier =
      policy_.frontier_cost ? 1 + kPressureWeight * pressure(current_, base) : 1;
  const double warmth = matrix_warmth(current_, turn.phase, turn.history_tokens, false);
  const double least = kMargin + kCacheWeight * out.mass * warmth * multiplier +
                       kHistoryWeight * std::min(switches_ / kManySwitches, 1.0);
  if (model(base).quality - model(current_).quality > least) {
    return take(base, "quality_gain_clears_switch_cost");
  }
  take(current_, "continuity_cost_blocks_switch");
}

MatrixStep MatrixSession::step(const MatrixTurn& turn) {
  MatrixStep out;
  out.remaining = policy_.remaining_prior ? std::max(0, turn.scenario->prior - turn.turn) : 0;
  out.prior_mass = std::min(1.0, out.remaining / kManyTurns);
  out.mass = std::max(std::min(1.0, static_cast<double>(turn.history_tokens) / kManyTokens),
                      out.prior_mass);
  choose(turn, out);
  out.switched = out.tier != current_;
  out.cached_ratio = matrix_warmth(out.tier, turn.phase, turn.history_tokens, out.switched);
  switches_ += out.switched;
  current_ = out.tier;
  return out;
}

}  // namespace vsr::eval
