#pragma once

// What was wrong with a command line that did not parse, where the parser itself does not say: a
// command or an option that does not exist, with the nearest that does. Pure.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace vsr::cli {

// `words` are those after the program's name. One line, or "" if every command and option is known.
std::string describe_mistake(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace vsr::cli
