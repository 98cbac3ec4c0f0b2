#pragma once

// Finds every occurrence of many byte strings in one pass: the first bytes of each position are
// looked up in a bitmap, and only hits are compared. About a nanosecond per byte whatever the
// number of strings. Immutable after build(); thread-safe. Limit: kLiteralsMax strings.

#include <bit>
#include <bitset>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace vsr::signals {

constexpr size_t kLiteralsMax = 1 << 20;

class LiteralIndex {
 public:
  // Empty strings are ignored. Returns the id, counted from 0 in order of add(); equal strings
  // have ids of their own.
  uint32_t add(std::string_view literal);
  void build();
  size_t size() const { return literals_.size(); }

  // Calls f(id, begin) for each occurrence, overlapping ones included, by position.
  template <typename F>
  void find(std::string_view text, F&& f) const {
    const size_t size = text.size();
    for (size_t at = 0; at < size; ++at) {
      uint32_t key = 0;
      if (size - at >= kKeyBytes) [[likely]] {
        std::memcpy(&key, text.data() + at, kKeyBytes);
        const uint32_t hash = hash_of(key);
        if (long_.filter[hash]) probe(long_, hash, text, at, f);
      } else {
        std::memcpy(&key, text.data() + at, size - at);
      }
      const uint32_t triple = hash_of(key & kTripleMask);
      if (triple_.filter[triple]) probe(triple_, triple, text, at, f);
      if (has_short_) {
        const auto byte = static_cast<uint8_t>(text[at]);
        if (short_.filter[byte]) probe(short_, byte, text, at, f);
      }
    }
  }

 private:
  static_assert(std::endian::native == std::endian::little);
  static constexpr size_t kKeyBytes = 4;
  static constexpr uint32_t kTripleMask = 0xFFFFFF;
  static constexpr uint32_t kBits = 16;
  static uint32_t hash_of(uint32_t key) { return key * 0x9E3779B1U >> (32 - kBits); }

  // Ids by key: `starts` indexes `ids`, with one entry more than keys.
  struct Table {
    std::bitset<1U << kBits> filter;
    std::vector<uint32_t> starts;
    std::vector<uint32_t> ids;
    void build(const std::vector<std::pair<uint32_t, uint32_t>>& keys_and_ids);
  };
  template <typename F>
  void probe(const Table& table, uint32_t key, std::string_view text, size_t at, F&& f) const {
    for (uint32_t i = table.starts[key]; i < table.starts[key + 1]; ++i) {
      const uint32_t id = table.ids[i];
      const std::string& literal = literals_[id];
      if (literal.size() <= text.size() - at &&
          std::memcmp(literal.data(), text.data() + at, literal.size()) == 0) {
        f(id, at);
      }
    }
  }

  std::vector<std::string> literals_;
  Table long_;    // four bytes and more, by a hash of the first four
  Table triple_;  // three bytes
  Table short_;   // one or two, by the first
  bool has_short_ = false;
};

}  // namespace vsr::signals
