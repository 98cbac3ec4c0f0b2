#pragma once

// The files that commands are given to read. Errors say what is wrong with the name.

#include <cstddef>
#include <fstream>
#include <string>

#include "base/result.h"

namespace vsr::cli {

constexpr size_t kInputBytesMax = 256UL << 20;  // of a file that is read whole

// Errors: kNotFound; kInvalidArgument for a directory.
Result<std::ifstream> open_input(const std::string& path);
// Whole; "-" is standard input. Errors besides: kTooLarge beyond kInputBytesMax.
Result<std::string> read_input(const std::string& path);

}  // namespace vsr::cli
