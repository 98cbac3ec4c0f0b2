#include "cli/eval_learning.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "cli/program.h"
#include "eval/learning_output.h"
#include "eval/learning_report.h"

namespace vsr::cli {

namespace {

using eval::Suite;

const std::map<std::string, Suite, std::less<>> kSuites = {{"agentmix", Suite::kAgentMix},
                                                           {"flap", Suite::kFlap},
                                                           {"matrix", Suite::kMatrix},
                                                           {"closed-loop", Suite::kClosedLoop}};

// "9001..9030" or "9001".
bool read_seeds(std::string_view text, eval::RunOptions& options) {
  const auto read = [](std::string_view digits, uint64_t& out) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return error == std::errc() && end == digits.data() + digits.size() && !digits.empty();
  };
  const size_t dots = text.find("..");
  if (!read(text.substr(0, dots), options.first_seed)) return false;
  if (dots == std::string_view::npos) {
    options.last_seed = options.first_seed;
    return true;
  }
  return read(text.substr(dots + 2), options.last_seed);
}

int usage(std::string_view what) {
  fmt::print(stderr, "{}\n", what);
  return kBadUsage;
}

// A number in [low, high]: CLI11's own checks let "nan" pass.
CLI::Validator between(double low, double high) {
  return {[low, high](std::string& text) {
            double value = 0;
            const bool is_number = CLI::detail::lexical_cast(text, value);
            if (is_number && value >= low && value <= high) return std::string();
            return fmt::format("{} is not a number between {} and {}", text, low, high);
          },
          fmt::format("{} to {}", low, high)};
}

// On a terminal only: how many runs are done.
eval::Progress progress_line() {
  if (isatty(STDERR_FILENO) == 0) return {};
  return [](size_t done, size_t total) {
    fmt::print(stderr, "\r{} of {} runs{}", done, total, done == total ? "\r\x1b[K" : "");
    std::fflush(stderr);
  };
}

// Writes DIR/index.html; nothing without --report. The exit status.
int write_report(const LearningArguments& arguments, const std::string& page) {
  if (arguments.report.empty()) return kOk;
  const std::filesystem::path folder = arguments.report;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::ofstream out(folder / "index.html", std::ios::binary);
  out << page << std::flush;
  if (!out) return usage(fmt::format("--report {} cannot be written", arguments.report));
  fmt::print(stderr, "{}\n", (folder / "index.html").string());
  return kOk;
}

std::vector<eval::Cell> cells_of(const LearningArguments& arguments) {
  if (arguments.suite == "grid") return eval::grid_cells();
  eval::Cell cell;
  cell.suite = kSuites.find(arguments.suite)->second;
  const bool matrix = cell.suite == Suite::kMatrix;
  cell.profile = matrix ? "matrix" : cell.suite == Suite::kFlap ? "flap" : arguments.profile;
  cell.prices = !arguments.prices.empty() ? arguments.prices : matrix ? "pub3" : "real4";
  cell.lambda = arguments.lambda;
  return {cell};
}

int run_frontier(const LearningArguments& arguments, std::vector<std::string> ours,
                 const eval::RunOptions& options, bool json) {
  if (ours.empty()) ours = {"ours:decision", "ours:ladder"};
  const auto frontiers = eval::sweep(eval::frontier_cells(), ours, "published", options);
  if (!frontiers) return usage(frontiers.error().message);
  if (!json) fmt::print("{}", eval::frontier_table(*frontiers));
  if (json) {
    for (const eval::Frontier& frontier : *frontiers) fmt::print("{}\n", eval::to_json(frontier));
  }
  return write_report(arguments, eval::report_page(*frontiers));
}

}  // namespace

void add_learning_options(CLI::App& eval, LearningArguments& arguments) {
  const std::string group = "With --learning";
  eval.add_option("--suite", arguments.suite,
                  "Workload, all cells at once, or cost at equal success")
      ->check(CLI::IsMember({"agentmix", "flap", "matrix", "closed-loop", "grid", "frontier"}))
      ->group(group);
  eval.add_option("--profile", arguments.profile, "Kind of agent")
      ->check(CLI::IsMember({"coding", "assistant", "research"}))
      ->capture_default_str()
      ->group(group);
  eval.add_option("--prices", arguments.prices, "Models and prices (default: real4; matrix: pub3)")
      ->check(CLI::IsMember({"pub3", "recipe5", "real4"}))
      ->group(group);
  eval.add_option("--lambda", arguments.lambda, "USD that a failed round costs")
      ->check(between(1e-6, 1e6))
      ->capture_default_str()
      ->group(group);
  eval.add_option("--seeds", arguments.seeds, "A..B")->capture_default_str()->group(group);
  eval.add_option("--sessions", arguments.sessions,
                  "Of each seed (default: 20, grid 10), or of --live-audit (1000)")
      ->check(CLI::Range(size_t{1}, eval::kSessionsMax))
      ->group(group);
  eval.add_option("--label-confusion", arguments.confusion,
                  "Share of proposals that say nothing of the difficulty")
      ->check(between(0, 1))
      ->capture_default_str()
      ->group(group);
  eval.add_option("--cache-ttl", arguments.ttl_s,
                  "Seconds that a prefix really stays cached; learning assumes 300")
      ->check(between(1, 1e7))
      ->capture_default_str()
      ->group(group);
  eval.add_option("--price-factor", arguments.price_factor, "All prices times this; learning knows")
      ->check(between(1e-3, 1e3))
      ->capture_default_str()
      ->group(group);
  eval.add_option("--report", arguments.report, "Folder for a page with tables and plots")
      ->group(group);
  eval.add_flag("--no-shared-counts", arguments.forgetful,
                "Learning keeps nothing across conversations")
      ->group(group);
}

int eval_learning(const LearningArguments& arguments, const std::vector<std::string>& policies,
                  size_t threads, bool json) {
  eval::RunOptions options;
  if (!read_seeds(arguments.seeds, options)) {
    return usage(fmt::format("--seeds {} is not a range such as 9001..9030", arguments.seeds));
  }
  const bool grid = arguments.suite == "grid";
  options.sessions = arguments.sessions > 0 ? arguments.sessions : grid ? 10 : 20;
  options.threads = threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency());
  options.confusion = arguments.confusion;
  options.ttl_s = arguments.ttl_s;
  options.price_factor = arguments.price_factor;
  options.remembers = !arguments.forgetful;
  options.progress = progress_line();
  if (arguments.suite == "frontier") return run_frontier(arguments, policies, options, json);

  const std::vector<eval::Cell> cells = cells_of(arguments);
  const auto rows =
      eval::evaluate(cells, policies.empty() ? eval::policy_names(cells) : policies, options);
  if (!rows) return usage(rows.error().message);
  if (json) {
    for (const eval::Row& row : *rows) fmt::print("{}\n", eval::to_json(row));
  } else {
    fmt::print("{}", grid ? eval::grid_table(*rows) : eval::cell_tables(*rows));
  }
  return write_report(arguments, eval::report_page(*rows));
}

}  // namespace vsr::cli
