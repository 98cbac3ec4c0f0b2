#pragma once

// SipHash-2-4 of 64-bit values under a random key. Content hashes that go to a disk pass through
// it: equal stays equal, but without the key, which is never stored, nobody can look for a text by
// hashing guesses. Values; thread-safe.

#include <bit>
#include <cstdint>
#include <span>

#include "base/id.h"

namespace vsr {

class KeyedHash {
 public:
  constexpr KeyedHash(uint64_t k0, uint64_t k1) : k0_(k0), k1_(k1) {}
  static KeyedHash random() {
    const Id128 id = random_id();
    return std::bit_cast<KeyedHash>(id.bytes);
  }

  // 0 stays 0, which means "none" everywhere.
  constexpr uint64_t operator()(uint64_t value) const { return value == 0 ? 0 : of(value); }
  // Which key it is: tells records of one process from those of another.
  constexpr uint64_t epoch() const { return of(0); }

 private:
  struct State {
    uint64_t v0, v1, v2, v3;
    constexpr void round() {
      v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
      v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
    }
  };

  constexpr uint64_t of(uint64_t value) const {
    constexpr uint64_t kLength = uint64_t{sizeof(value)} << 56;
    State s{k0_ ^ 0x736f6d6570736575, k1_ ^ 0x646f72616e646f6d, k0_ ^ 0x6c7967656e657261,
            k1_ ^ 0x7465646279746573};
    for (const uint64_t word : {value, kLength}) {
      s.v3 ^= word;
      s.round();
      s.round();
      s.v0 ^= word;
    }
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) s.round();
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
  }

  uint64_t k0_;
  uint64_t k1_;
};

}  // namespace vsr
