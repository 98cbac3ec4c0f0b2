#pragma once

// Some 1,500 frequent English words and words of requests and attacks, to tell English from
// what only looks like letters. A word is a key of five bits per letter, so that a comparison is
// exact and a word read backwards or by another alphabet costs nothing more. Pure.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vsr::text {

inline constexpr int kWordKeyLettersMax = 12;

// 1..26 for an ASCII letter of either case.
constexpr uint64_t letter_number(char c) { return static_cast<uint8_t>(c) & 0x1F; }
constexpr uint64_t rot13_number(uint64_t letter) {
  return letter <= 13 ? letter + 13 : letter - 13;
}

// `word` consists of ASCII letters. 0, the key of no word, if it is too long.
constexpr uint64_t word_key(std::string_view word) {
  if (word.size() > kWordKeyLettersMax) return 0;
  uint64_t key = 0;
  for (const char c : word) key = key << 5 | letter_number(c);
  return key;
}

namespace detail {
inline constexpr int kWordSlotBits = 12;
extern const std::array<uint64_t, size_t{1} << kWordSlotBits> kWordSlots;
constexpr size_t word_slot(uint64_t key) {
  return static_cast<size_t>((key * 0x9E3779B97F4A7C15ull) >> (64 - kWordSlotBits));
}
}  // namespace detail

inline bool is_common_word(uint64_t key) {
  if (key == 0) return false;
  for (size_t slot = detail::word_slot(key); detail::kWordSlots[slot] != 0;
       slot = (slot + 1) % detail::kWordSlots.size()) {
    if (detail::kWordSlots[slot] == key) return true;
  }
  return false;
}

// A common word, or one with an ending of English grammar.
bool is_common_form(uint64_t key);

}  // namespace vsr::text
