#pragma once

// What the trainers share: lines in which \\, \n and \t stand for signs, and giving up.

#include <string>
#include <string_view>

namespace vsr::models {

std::string unescape(std::string_view text);

// Prints the program and why, and ends it with status 1.
[[noreturn]] void give_up(const std::string& why);

}  // namespace vsr::models
