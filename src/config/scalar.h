#pragma once

// Texts of a recipe as numbers, durations and sizes; ${VAR} in texts. Pure.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace vsr::config {

// Finds the value of an environment variable; nullopt if it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

// Decimal, with an optional sign, fraction and exponent; finite. "1e6", ".5", "-3".
std::optional<double> parse_number(std::string_view text);
std::optional<int64_t> parse_integer(std::string_view text);
// true, false, yes, no, on, off in any case.
std::optional<bool> parse_bool(std::string_view text);
// Milliseconds: "1200s", "5m", "100ms", "1h30m", "2d"; a bare number is seconds.
std::optional<uint64_t> parse_duration_ms(std::string_view text);
// "8K" = 8000, "1M", "1.5M"; a bare number is itself.
std::optional<uint64_t> parse_tokens(std::string_view text);
// Bytes: K, M, G (powers of 1000), KiB, MiB, GiB (powers of 1024), with or without B.
std::optional<uint64_t> parse_bytes(std::string_view text);

struct Substitution {
  std::string text;
  std::string unset;  // the first variable without value and default, "" = none
};
// Replaces ${NAME} and ${NAME:-default}; $${ stands for ${. Names are [A-Za-z_][A-Za-z0-9_]*;
// anything else after ${ is left as it is. Values are not looked into again.
Substitution substitute(std::string_view text, const Environment& environment);

}  // namespace vsr::config
