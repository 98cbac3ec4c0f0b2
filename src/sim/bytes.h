#pragma once

// Bytes as text: what a JSON string cannot carry goes out as base64. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace vsr::sim {

bool is_utf8(std::string_view bytes);
std::string base64(std::string_view bytes);
// At most `count` parts of about the same length, none empty, cut between code points.
std::vector<std::string_view> cut(std::string_view text, size_t count);

}  // namespace vsr::sim
