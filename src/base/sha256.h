#pragma once

// SHA-256 of bytes in memory. Pure; any thread.

#include <array>
#include <cstdint>
#include <string_view>

namespace vsr {

std::array<uint8_t, 32> sha256(std::string_view bytes);

}  // namespace vsr
