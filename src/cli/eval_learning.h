#pragma once

// `eval --learning`: its options, and what they run.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace vsr::cli {

struct LearningArguments {
  std::string suite, profile = "coding", prices, seeds = "9001..9030", report;
  double lambda = 1, confusion = 0.15, ttl_s = 300, price_factor = 1;
  size_t sessions = 0;  // 0: 10 of the grid, 20 of other suites
  bool forgetful = false;
};

void add_learning_options(CLI::App& eval, LearningArguments& arguments);
// No policies: all. `threads` 0: as many as there are processors. The exit status.
int eval_learning(const LearningArguments& arguments, const std::vector<std::string>& policies,
                  size_t threads, bool json);

}  // namespace vsr::cli
