#pragma once

// The router that runs with a state folder, as its run.json tells, and questions to it. Blocking.

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/program.h"
#include "json/value.h"

namespace vsr::cli {

using Headers = std::vector<std::pair<std::string, std::string>>;
constexpr std::chrono::milliseconds kAnswerMax{10'000};
constexpr std::chrono::milliseconds kLongAnswerMax{120'000};

struct Running {
  int pid = 0;
  std::string api;  // "http://127.0.0.1:8899"
  std::string operator_url;
};

// Nothing if none runs.
std::optional<Running> find_running(const std::string& state_folder);
// Says on standard error that none does; the exit status for that.
int not_running(const Context& context);

Headers operator_headers(const Context& context);
// GET of the operator's address as JSON; prints what is wrong.
std::optional<json::Value> get_json(const Running& running, const Context& context,
                                    const std::string& path);

// POST of a JSON body; long work is waited for. Prints what is wrong; of a recipe that the body
// holds, under the name of its file.
std::optional<json::Value> post_json(const Running& running, const Context& context,
                                     const std::string& path, std::string_view body,
                                     std::string_view recipe_file = {});

}  // namespace vsr::cli
