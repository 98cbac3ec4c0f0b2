#include "cli/eval_matrix.h"

#include <fmt/format.h>

#include <fstream>

#include "base/id.h"
#include "base/sha256.h"
#include "cli/input_file.h"
#include "cli/program.h"
#include "eval/matrix_run.h"
#include "eval/matrix_summary.h"
#include "eval/replay_policy.h"
#include "json/writer.h"

namespace vsr::cli {

namespace {

int refused(std::string_view what) {
  fmt::print(stderr, "{}\n", what);
  return kBadUsage;
}

int eval_replay(const std::string& path, bool json) {
  Result<std::ifstream> in = open_input(path);
  if (!in) return refused(in.error().message);
  const Result<eval::ReplaySummary> summary = eval::summarise_replay(*in);
  if (!summary) return refused(path + ": " + summary.error().message);
  if (json) {
    fmt::print("{}\n", eval::replay_json(*summary));
  } else {
    fmt::print("{}", eval::replay_text(*summary));
  }
  return kOk;
}

}  // namespace

void add_eval_matrix(CLI::App& eval, MatrixArguments& arguments) {
  eval.add_option("--matrix-csv", arguments.csv,
                  "With --learning: write the turns of the published matrix to this file");
  eval.add_option("--scenario", arguments.scenario, "With --matrix-csv: one scenario of it");
  eval.add_option("--from-replay", arguments.replay,
                  "With --learning: what learning did in a file of replay records");
}

int eval_matrix(const MatrixArguments& arguments, const std::vector<std::string>& policies,
                bool json) {
  if (!arguments.replay.empty()) return eval_replay(arguments.replay, json);
  if (policies.size() > 1) return refused("--matrix-csv takes one --policy");
  eval::MatrixOptions options{.scenario = arguments.scenario};
  if (!policies.empty()) options.policy = policies.front();
  const Result<eval::MatrixRun> run = eval::run_matrix(options);
  if (!run) return refused(run.error().message);
  const Result<eval::MatrixCaveat> caveat = eval::matrix_caveat(options);
  if (!caveat) return refused(caveat.error().message);
  const std::string csv = eval::matrix_csv(*run);
  std::ofstream out(arguments.csv, std::ios::binary);
  if (!out.write(csv.data(), static_cast<std::streamsize>(csv.size())) || !out.flush()) {
    return refused(arguments.csv + " cannot be written");
  }
  const std::string hash = to_hex(sha256(csv));
  const eval::MatrixSummary summary = eval::summarise(*run);
  if (json) {
    json::JsonWriter w;
    w.begin_object();
    w.field("matrix_csv", arguments.csv).field("sha256", hash);
    w.raw_field("summary", eval::summary_json(summary, *caveat));
    w.end_object();
    fmt::print("{}\n", w.str());
  } else {
    fmt::print("{}  {}\n{}", hash, arguments.csv, eval::summary_text(summary, *caveat));
  }
  return kOk;
}

}  // namespace vsr::cli
