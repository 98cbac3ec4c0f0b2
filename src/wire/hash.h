#pragma once

// The 64-bit content hash (XXH3) under which messages, tools and opaque items are known, and a way
// to fold several into one. Stable across machines and runs; not for secrets. Pure.

#include <cstdint>
#include <string_view>

namespace vsr::wire {

uint64_t hash_bytes(std::string_view bytes);

// Order matters: fold(a, b) differs from fold(b, a).
constexpr uint64_t fold(uint64_t seed, uint64_t next) {
  uint64_t x = (seed ^ 0x9E3779B97F4A7C15ull) * 0xD6E8FEB86659FD93ull;
  x ^= x >> 32;
  x = (x + next) * 0xFF51AFD7ED558CCDull;
  return x ^ (x >> 29);
}

}  // namespace vsr::wire
