#include "eval/python_number.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "base/check.h"

namespace vsr::eval {

namespace {

constexpr size_t kDigitsMax = 400;  // of a double with a few places

std::string_view print(double x, std::array<char, kDigitsMax>& buffer, auto... format) {
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), x, format...);
  VSR_CHECK(error == std::errc());
  return {buffer.data(), static_cast<size_t>(end - buffer.data())};
}

}  // namespace

std::string python_repr(double x) {
  std::array<char, kDigitsMax> buffer;
  const double size = std::abs(x);
  if (size != 0 && (size < 1e-4 || size >= 1e16)) {
    return std::string(print(x, buffer, std::chars_format::scientific));
  }
  std::string out(print(x, buffer, std::chars_format::fixed));
  if (out.find('.') == std::string::npos) out += ".0";
  return out;
}

double python_round(double x, int places) {
  std::array<char, kDigitsMax> buffer;
  const std::string_view text = print(x, buffer, std::chars_format::fixed, places);
  double out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

double exact_mean(std::span<const double> values) {
  if (values.empty()) return 0;
  __extension__ using Wide = __int128;
  constexpr int kScale = 70;  // values of that size are whole multiples of 2^-70
  Wide sum = 0;
  for (const double value : values) sum += static_cast<Wide>(std::ldexp(value, kScale));
  const Wide size = sum < 0 ? -sum : sum;
  const Wide count = static_cast<Wide>(values.size());
  Wide mean = size / count;
  if (size % count != 0) mean |= 1;  // sticky: there are bits below the last one
  return std::copysign(std::ldexp(static_cast<double>(mean), -kScale), sum < 0 ? -1.0 : 1.0);
}

}  // namespace vsr::eval
