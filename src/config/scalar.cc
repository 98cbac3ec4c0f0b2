#include "config/scalar.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/strings.h"

namespace vsr::config {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

// A number at the front of `text`, which is cut off.
std::optional<double> take_number(std::string_view& text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

// The largest double below 2^63: what may be turned into an integer.
constexpr double kIntegerMax = 9'223'372'036'854'774'784.0;

std::optional<uint64_t> whole(double number) {
  const double rounded = std::round(number);
  if (!(rounded >= 0 && rounded <= kIntegerMax)) return std::nullopt;
  return static_cast<uint64_t>(rounded);
}

template <size_t n>
const Unit* find_unit(const std::array<Unit, n>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (iequals(unit.name, name)) return &unit;
  }
  return nullptr;
}

template <size_t n>
std::optional<uint64_t> parse_sized(std::string_view text, const std::array<Unit, n>& units) {
  text = trim(text);
  const std::optional<double> number = take_number(text);
  if (!number) return std::nullopt;
  const Unit* unit = find_unit(units, trim(text));
  return unit == nullptr ? std::nullopt : whole(*number * unit->factor);
}

size_t name_length(std::string_view text) {
  size_t length = 0;
  while (length < text.size()) {
    const char c = text[length];
    const char lower = ascii_lower(c);
    if (!(lower >= 'a' && lower <= 'z') && c != '_' && (length == 0 || !is_ascii_digit(c))) break;
    ++length;
  }
  return length;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  // from_chars also takes "inf" and "nan".
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) {
    return std::nullopt;
  }
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<int64_t> parse_integer(std::string_view text) {
  const std::optional<double> number = parse_number(text);
  if (!number || *number != std::floor(*number) || std::abs(*number) > kIntegerMax) {
    return std::nullopt;
  }
  return static_cast<int64_t>(*number);
}

std::optional<bool> parse_bool(std::string_view text) {
  for (const std::string_view yes : {"true", "yes", "on"}) {
    if (iequals(text, yes)) return true;
  }
  for (const std::string_view no : {"false", "no", "off"}) {
    if (iequals(text, no)) return false;
  }
  return std::nullopt;
}

std::optional<uint64_t> parse_duration_ms(std::string_view text) {
  static constexpr std::array<Unit, 6> kUnits = {
      {{"ms", 1}, {"us", 1e-3}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}}};
  text = trim(text);
  double total = 0;
  bool first = true;
  do {
    const std::optional<double> number = take_number(text);
    if (!number) return std::nullopt;
    if (text.empty() && first) return whole(*number * 1e3);
    const size_t end = std::min(text.find_first_of("0123456789."), text.size());
    const Unit* unit = find_unit(kUnits, text.substr(0, end));
    if (unit == nullptr) return std::nullopt;
    total += *number * unit->factor;
    text.remove_prefix(end);
    first = false;
  } while (!text.empty());
  return whole(total);
}

std::optional<uint64_t> parse_tokens(std::string_view text) {
  static constexpr std::array<Unit, 4> kUnits = {{{"", 1}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}}};
  return parse_sized(text, kUnits);
}

std::optional<uint64_t> parse_bytes(std::string_view text) {
  static constexpr std::array<Unit, 14> kUnits = {{{"", 1},
                                                   {"B", 1},
                                                   {"K", 1e3},
                                                   {"KB", 1e3},
                                                   {"M", 1e6},
                                                   {"MB", 1e6},
                                                   {"G", 1e9},
                                                   {"GB", 1e9},
                                                   {"Ki", 1024.0},
                                                   {"KiB", 1024.0},
                                                   {"Mi", 1024.0 * 1024},
                                                   {"MiB", 1024.0 * 1024},
                                                   {"Gi", 1024.0 * 1024 * 1024},
                                                   {"GiB", 1024.0 * 1024 * 1024}}};
  return parse_sized(text, kUnits);
}

Substitution substitute(std::string_view text, const Environment& environment) {
  Substitution result;
  for (;;) {
    const size_t at = text.find("${");
    if (at == std::string_view::npos) break;
    if (at > 0 && text[at - 1] == '$') {
      result.text += text.substr(0, at - 1);
      result.text += "${";
      text.remove_prefix(at + 2);
      continue;
    }
    result.text += text.substr(0, at);
    text.remove_prefix(at + 2);
    const size_t length = name_length(text);
    const std::string_view name = text.substr(0, length);
    const std::string_view rest = text.substr(length);
    const bool has_default = rest.starts_with(":-");
    const size_t close = rest.find('}');
    if (length == 0 || close == std::string_view::npos || (!has_default && close != 0)) {
      result.text += "${";
      continue;
    }
    std::optional<std::string> value = environment(name);
    // As in a shell, `:-` also stands in for an empty value.
    if (has_default && (!value || value->empty())) value = std::string(rest.substr(2, close - 2));
    if (value) {
      result.text += *value;
    } else if (result.unset.empty()) {
      result.unset = name;
    }
    text = rest.substr(close + 1);
  }
  result.text += text;
  return result;
}

}  // namespace vsr::config
