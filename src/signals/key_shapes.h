#pragma once

// Shapes of keys: what providers put in front of them, lengths and separators. Pure functions of a
// text and a place in it.

#include <cstdint>
#include <string_view>

#include "signals/entity.h"

namespace vsr::signals {

struct KeyAt {
  size_t end = 0;  // 0: none
  EntityType type = EntityType::kApiKey;
};

// A key that starts at `start` with the prefix of its provider.
KeyAt key_with_prefix(std::string_view text, size_t start);
// The end of a key that lengths and separators tell, 0 if there is none. text[start, run_end) is a
// run of word characters, `seen` their classes.
size_t key_without_prefix(std::string_view text, size_t start, size_t run_end, uint8_t seen);

// "63703075-e2e6-44fe-b8fa-7dbf9d2a7aaa" at `at`.
bool is_uuid_at(std::string_view text, size_t at);
constexpr size_t kUuidBytes = 36;

}  // namespace vsr::signals
