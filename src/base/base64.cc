#include "base/base64.h"

#include <array>
#include <cstdint>

namespace vsr {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNone = 0xff;

constexpr std::array<uint8_t, 256> kValues = [] {
  std::array<uint8_t, 256> out{};
  out.fill(kNone);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    out[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return out;
}();

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '=');
  size_t to = 0;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k <= count; ++k) out[to + k] = kAlphabet[group >> (18 - 6 * k) & 63];
    to += 4;
  }
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    const bool is_last = i + 4 == text.size();
    size_t digits = 4;
    while (is_last && digits > 2 && text[i + digits - 1] == '=') --digits;
    uint32_t group = 0;
    for (size_t k = 0; k < 4; ++k) {
      const uint8_t value = k < digits ? kValues[static_cast<uint8_t>(text[i + k])] : 0;
      if (value == kNone) return std::nullopt;
      group = group << 6 | value;
    }
    for (size_t k = 0; k + 1 < digits; ++k) out += static_cast<char>(group >> (16 - 8 * k) & 255);
  }
  if (to_base64(out) != text) return std::nullopt;  // bits behind the last byte
  return out;
}

}  // namespace vsr
