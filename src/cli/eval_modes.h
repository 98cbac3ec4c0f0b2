#pragma once

// The ways of `vllm-sr eval`, and which options each of them reads. An option that would be ignored
// is a mistake, told before anything runs.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vsr::cli {

// `given`: names of all options on the command line ("--suite", …), `suite`: the value of --suite.
// What is wrong with them, in words for the user; nullopt: all are read.
std::optional<std::string> misfit(const std::vector<std::string>& given, std::string_view suite);

}  // namespace vsr::cli
