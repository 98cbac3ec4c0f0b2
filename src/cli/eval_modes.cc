#include "cli/eval_modes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace vsr::cli {

namespace {

using Names = std::span<const std::string_view>;

struct Mode {
  std::string_view option;  // that chooses it
  std::string_view suite;   // its value, if --suite does
  bool of_learning;
  std::vector<std::string_view> reads;
};

const std::vector<Mode>& modes() {
  static const std::vector<Mode> kModes = [] {
    const std::vector<std::string_view> grid = {
        "--seeds",     "--sessions",     "--label-confusion",
        "--cache-ttl", "--price-factor", "--no-shared-counts",
        "--report",    "--policy",       "--threads"};
    std::vector<std::string_view> flap = grid;
    flap.insert(flap.end(), {"--prices", "--lambda"});
    std::vector<std::string_view> mix = flap;
    mix.push_back("--profile");
    std::vector<std::string_view> matrix = flap;
    std::erase_if(matrix, [](std::string_view name) {
      return name == "--seeds" || name == "--sessions" || name == "--label-confusion";
    });
    return std::vector<Mode>{
        {"--live-audit", "", false, {"--config", "--sessions", "--seed"}},
        {"--vectors", "", true, {}},
        {"--from-replay", "", true, {}},
        {"--matrix-csv", "", true, {"--scenario", "--policy"}},
        {"--suite", "agentmix", true, mix},
        {"--suite", "closed-loop", true, mix},
        {"--suite", "flap", true, flap},
        {"--suite", "matrix", true, matrix},
        {"--suite", "grid", true, grid},
        {"--suite", "frontier", true, grid},
        {"--classify", "", false, {"--input", "--text", "--threads"}},
        {"--similarity", "", false, {"--input", "--threads"}},
        {"--probes", "", false, {"--config"}},
        {"--messages", "", false, {"--config"}},
        {"--text", "", false, {"--config"}},
    };
  }();
  return kModes;
}

bool holds(const std::vector<std::string>& given, std::string_view name) {
  return std::ranges::find(given, name) != given.end();
}

std::string name_of(const Mode& mode) {
  return fmt::format("{}{}{}", mode.option, mode.suite.empty() ? "" : " ", mode.suite);
}

}  // namespace

std::optional<std::string> misfit(const std::vector<std::string>& given, std::string_view suite) {
  const bool learning = holds(given, "--learning");
  const auto chosen = std::ranges::find_if(modes(), [&](const Mode& mode) {
    return holds(given, mode.option) && (mode.suite.empty() || mode.suite == suite);
  });
  if (chosen == modes().end()) {
    if (learning) {
      return "eval --learning needs --suite NAME, or --vectors, --matrix-csv or --from-replay FILE";
    }
    return "say what to evaluate: --text, --messages, --probes, --classify, --similarity, "
           "--learning or --live-audit";
  }
  if (chosen->of_learning && !learning) {
    return fmt::format("{} belongs to eval --learning; add --learning", chosen->option);
  }
  for (const std::string& name : given) {
    const bool read = name == chosen->option || name == "--json" || name == "--help" ||
                      (chosen->of_learning && name == "--learning") ||
                      std::ranges::find(chosen->reads, name) != chosen->reads.end();
    if (read) continue;
    return fmt::format("{} does not read {}; leave it out{}{}", name_of(*chosen), name,
                       chosen->reads.empty() ? "" : ", it reads ", fmt::join(chosen->reads, ", "));
  }
  if (holds(given, "--text") && holds(given, "--input")) {
    return fmt::format("{} reads --text or --input, not both; leave one out", name_of(*chosen));
  }
  return std::nullopt;
}

}  // namespace vsr::cli
