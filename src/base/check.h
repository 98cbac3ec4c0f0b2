#pragma once

// VSR_CHECK(condition, format, args…): a broken promise inside the program. Active in every build:
// it prints where and why, and aborts. Conditions caused by input or by the outside are an Error
// (result.h), never a check.

#include <fmt/format.h>

#include <string>

namespace vsr {
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const std::string& why);
}  // namespace vsr

#define VSR_CHECK(condition, ...)                                                         \
  do {                                                                                    \
    if (!(condition)) [[unlikely]] {                                                      \
      ::vsr::check_failed(__FILE__, __LINE__, #condition, ::fmt::format("" __VA_ARGS__)); \
    }                                                                                     \
  } while (false)
