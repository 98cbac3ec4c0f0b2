#pragma once

// SplitMix64 and the draws that the workloads make from it. The order of draws is part of the
// workload's definition: arguments are drawn from left to right. A value; not thread-safe.

#include <cstdint>

namespace vsr::eval {

class SplitMix {
 public:
  explicit SplitMix(uint64_t state) : state_(state) {}

  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  // In [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  // From `low` to `high`, both included.
  int between(int low, int high) {
    return low + static_cast<int>(next() % static_cast<uint64_t>(high - low + 1));
  }

  // Successes in a row with chance `p` each, at most `most`.
  int geometric(double p, int most) {
    int k = 0;
    while (k < most && unit() < p) ++k;
    return k;
  }

  // A heavy-tailed length from `base` up.
  int tail(double base, double p, int most) {
    const int doublings = geometric(p, most);
    return static_cast<int>(base * static_cast<double>(1 << doublings) * (1 + unit()));
  }

  // About standard normal: four uniforms, scaled to variance 1.
  double normal() {
    const double a = unit();
    const double b = unit();
    const double c = unit();
    const double d = unit();
    return (a + b + c + d - 2) * 1.7320508075688772;
  }

 private:
  uint64_t state_;
};

}  // namespace vsr::eval
