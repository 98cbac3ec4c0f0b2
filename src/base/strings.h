#pragma once

// Small text helpers on ASCII bytes; other bytes pass through unchanged. Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace vsr {

constexpr char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c; }
constexpr bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_ascii_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string to_lower(std::string_view text);
// Equal but for ASCII case, as header names are.
bool iequals(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
// Decimal digits and nothing else, at most 2^64 − 1; false leaves `out` in no particular state.
bool parse_number(std::string_view text, uint64_t& out);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
// The closest of `known` to `name` by edit distance, "" if none is close enough to be meant.
std::string_view nearest(std::string_view name, const std::vector<std::string_view>& known);
// Edits (insert, delete, replace, swap of neighbours count 1 each) between two strings.
size_t edit_distance(std::string_view a, std::string_view b);

// For maps with std::string keys that are looked up by std::string_view.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <typename T>
using StringMap = std::unordered_map<std::string, T, StringHash, std::equal_to<>>;

}  // namespace vsr
