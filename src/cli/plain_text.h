#pragma once

// Text for a terminal. What comes from elsewhere goes through plain() before it is printed, so that
// it cannot speak to the terminal. Pure.

#include <cstdint>
#include <string>
#include <string_view>

namespace vsr::cli {

constexpr size_t kColumns = 80;
constexpr size_t kLabelColumns = 11;

// UTF-8 with spaces in place of control characters.
std::string plain(std::string_view text);
// At most `bytes` of it, not ending within a character, and plain.
std::string beginning(std::string_view text, size_t bytes);
// "label      text" and a line end, broken at spaces within kColumns; further lines begin under the
// text.
std::string labelled(std::string_view label, std::string_view text);
// 1234567 as "1,234,567".
std::string counted(int64_t number);

}  // namespace vsr::cli
