#pragma once

// The random numbers of CPython's random.Random(seed): MT19937 seeded by array with the 32-bit
// words of the seed. The published matrix was drawn with it. A value; one thread.

#include <array>
#include <cstddef>
#include <cstdint>

namespace vsr::eval {

class PythonRandom {
 public:
  explicit PythonRandom(uint64_t seed);

  uint32_t next32();
  double unit();                               // [0, 1) in steps of 2^-53, from two draws
  uint32_t below(uint32_t n);                  // [0, n), n > 0; draws again what is not below n
  int64_t randint(int64_t low, int64_t high);  // both ends included, less than 2^32 apart
  double uniform(double low, double high);

 private:
  static constexpr size_t kWords = 624;

  void seed_word(uint32_t seed);
  void refill();

  std::array<uint32_t, kWords> state_{};
  size_t next_ = kWords;
};

}  // namespace vsr::eval
