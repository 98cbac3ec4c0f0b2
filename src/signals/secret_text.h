#pragma once

// Whether a value beside a secret word is a secret or stands for one. Pure.

#include <cstddef>
#include <string_view>

namespace vsr::signals {

// A provider's prefix followed by this many key characters is a key at any entropy.
constexpr size_t kKeyCharsMin = 6;

// The part after a provider's prefix is "xxxx", "your_key_here", one character repeated.
bool is_key_placeholder(std::string_view value);
// "<key>", "${KEY}", "YOUR_API_KEY", "changeme", "********", an environment look-up.
bool is_placeholder(std::string_view value);
// Reads like source code that fetches the value: a path of identifiers, a call.
bool is_code_path(std::string_view value);
// Long and varied enough to have been generated, and not made of words.
bool is_generated(std::string_view value);
// Bits per character.
double entropy(std::string_view value);

}  // namespace vsr::signals
