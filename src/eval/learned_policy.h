#pragma once

// Learning as a policy under evaluation: the functions that the router calls, with the shared
// counts kept over all conversations of a run and no session map. One thread.

#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/economy.h"
#include "eval/serving_policy.h"
#include "learning/learning.h"

namespace vsr::eval {

struct LearnedOptions {
  double lambda = 1;
  config::CandidateSet candidate_set = config::CandidateSet::kDecision;
  double price_factor = 1;
  bool remembers = true;  // false: the recipe-wide counts are forgotten after each request
};

// "decision", "ladder_after_first", "at_least" or "ladder".
Result<config::CandidateSet> candidate_set_of(std::string_view name);

Result<std::unique_ptr<ServingPolicy>> learned_policy(std::string_view prices,
                                                      const LearnedOptions& options);

}  // namespace vsr::eval
