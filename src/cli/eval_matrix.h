#pragma once

// `eval --learning --matrix-csv FILE` and `--from-replay FILE`: the published matrix and what the
// session policy did in recorded traffic. Options live as long as the application.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace vsr::cli {

struct MatrixArguments {
  std::string csv, scenario, replay;
  bool wanted() const { return !csv.empty() || !replay.empty(); }
};

void add_eval_matrix(CLI::App& eval, MatrixArguments& arguments);
// `policies` are those of --policy: none means the published one. Returns the exit status.
int eval_matrix(const MatrixArguments& arguments, const std::vector<std::string>& policies,
                bool json);

}  // namespace vsr::cli
