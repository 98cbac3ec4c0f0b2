#include "eval/python_random.h"

#include <algorithm>
#include <bit>
#include <span>

#include "base/check.h"

// A fused multiply-add would round once where CPython rounds twice.
#pragma STDC FP_CONTRACT OFF

namespace vsr::eval {

PythonRandom::PythonRandom(uint64_t seed) {
  const std::array<uint32_t, 2> words = {static_cast<uint32_t>(seed),
                                         static_cast<uint32_t>(seed >> 32)};
  const std::span key = std::span(words).first(words[1] != 0 ? 2 : 1);
  seed_word(19'650'218);
  size_t i = 1;
  size_t j = 0;
  const auto mixed = [&](uint32_t multiplier) {
    return state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * multiplier);
  };
  const auto advance = [&] {
    if (++i < kWords) return;
    state_[0] = state_[kWords - 1];
    i = 1;
  };
  for (size_t step = 0; step < kWords; ++step) {
    state_[i] = mixed(1'664'525) + key[j] + static_cast<uint32_t>(j);
    advance();
    j = (j + 1) % key.size();
  }
  for (size_t step = 1; step < kWords; ++step) {
    state_[i] = mixed(1'566'083'941) - static_cast<uint32_t>(i);
    advance();
  }
  state_[0] = 0x8000'0000;
}

void PythonRandom::seed_word(uint32_t seed) {
  state_[0] = seed;
  for (size_t i = 1; i < kWords; ++i) {
    const uint32_t previous = state_[i - 1];
    state_[i] = 1'812'433'253 * (previous ^ (previous >> 30)) + static_cast<uint32_t>(i);
  }
}

void PythonRandom::refill() {
  constexpr size_t kMiddle = 397;
  for (size_t i = 0; i < kWords; ++i) {
    const uint32_t y = (state_[i] & 0x8000'0000) | (state_[(i + 1) % kWords] & 0x7fff'ffff);
    state_[i] = state_[(i + kMiddle) % kWords] ^ (y >> 1) ^ ((y & 1) != 0 ? 0x9908'b0df : 0);
  }
  next_ = 0;
}

uint32_t PythonRandom::next32() {
  if (next_ == kWords) refill();
  uint32_t y = state_[next_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c'5680;
  y ^= (y << 15) & 0xefc6'0000;
  return y ^ (y >> 18);
}

double PythonRandom::unit() {
  const uint32_t high = next32() >> 5;
  const uint32_t low = next32() >> 6;
  return (high * 67'108'864.0 + low) / 9'007'199'254'740'992.0;
}

uint32_t PythonRandom::below(uint32_t n) {
  VSR_CHECK(n > 0);
  const int shift = std::countl_zero(n);  // 32 less the bits of n
  uint32_t draw = next32() >> shift;
  while (draw >= n) draw = next32() >> shift;
  return draw;
}

int64_t PythonRandom::randint(int64_t low, int64_t high) {
  return low + below(static_cast<uint32_t>(high - low + 1));
}

double PythonRandom::uniform(double low, double high) { return low + (high - low) * unit(); }

}  // namespace vsr::eval
