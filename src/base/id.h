#pragma once

// Unguessable 128-bit ids and lower-case hex. Thread-safe: each thread draws from the kernel in
// blocks, so an id costs no system call of its own.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vsr {

struct Id128 {
  std::array<uint8_t, 16> bytes{};
  bool operator==(const Id128&) const = default;
  // 32 lower-case hex digits.
  std::string hex() const;
};

Id128 random_id();
// Fills with bytes from the kernel's generator.
void random_bytes(std::span<uint8_t> out);

std::string to_hex(std::span<const uint8_t> bytes);
// 16 digits, most significant first.
std::string to_hex(uint64_t value);
// False unless `text` is exactly 32 hex digits.
bool parse_id(std::string_view text, Id128& out);

}  // namespace vsr
