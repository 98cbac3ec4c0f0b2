#pragma once

// The 64-bit content hash (XXH3) under which texts are known. Stable across machines and runs; not
// for secrets. Pure.

#include <cstdint>
#include <string_view>

namespace vsr::text {

uint64_t hash64(std::string_view bytes);
uint64_t hash64(std::string_view bytes, uint64_t seed);

}  // namespace vsr::text
