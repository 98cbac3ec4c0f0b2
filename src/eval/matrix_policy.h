#pragma once

// The policies of the published matrix and what a turn costs there. Its baseline is charged as if
// nothing were ever cached while the policy gets a discount, so its cost figures compare nothing;
// see MatrixCaveat in matrix_summary.h. Pure; any thread.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "eval/matrix.h"

namespace vsr::eval {

struct MatrixModel {
  std::string_view name;
  double quality;
  double prompt, completion, cached;  // USD per 1M tokens
};
constexpr std::array<MatrixModel, 3> kMatrixModels = {{{"qwen3-8b", .64, .05, .10, .01},
                                                       {"qwen3-32b", .78, .30, .60, .06},
                                                       {"frontier-reasoner", .94, 8, 24, 1.2}}};
constexpr int kMatrixFrontier = 2;

// The published rule, or one with a part taken away.
struct MatrixPolicy {
  std::string_view name;
  bool sticky = false;        // the first model for the whole session
  bool base = false;          // the base model of every turn
  std::optional<int> always;  // this model
  bool tool_lock = true;
  bool provider_lock = true;
  bool drift_reset = true;
  bool idle_boundary = true;
  bool remaining_prior = true;
  bool frontier_cost = true;
};

// acr-full and its variants as published, then single-turn and always-…, which are not.
std::span<const MatrixPolicy> matrix_policies();
Result<MatrixPolicy> matrix_policy(std::string_view name);  // the error lists the names

struct MatrixStep {
  int tier = 0;
  bool switched = false;
  std::string_view reason;
  double mass = 0;
  double prior_mass = 0;
  double remaining = 0;  // turns still expected
  double cached_ratio = 0;
};

// One session under a policy: call step() for its turns in order.
class MatrixSession {
 public:
  explicit MatrixSession(const MatrixPolicy& policy) : policy_(policy) {}
  MatrixStep step(const MatrixTurn& turn);

 private:
  void choose(const MatrixTurn& turn, MatrixStep& out) const;

  MatrixPolicy policy_;
  int current_ = 0;  // every session starts on the first model
  int switches_ = 0;
};

// Share of the prompt that the matrix takes as cached.
double matrix_warmth(int tier, MatrixPhase phase, int64_t history_tokens, bool switched);
double matrix_cost(const MatrixTurn& turn, int tier, double cached_ratio);  // USD

}  // namespace vsr::eval
