#pragma once

// The latest kSamples durations of one kind, for percentiles. Any thread may add; readers sort a
// copy. A torn window (a sample replaced while it is read) is harmless: both values are real.

#include <array>
#include <atomic>
#include <cstddef>

namespace vsr::gateway {

class LatencyWindow {
 public:
  static constexpr size_t kSamples = 256;

  void add(double milliseconds);
  struct Percentiles {
    double p50_ms = 0;  // 0 while there is no sample
    double p95_ms = 0;
    size_t samples = 0;
  };
  Percentiles percentiles() const;

 private:
  std::array<std::atomic<float>, kSamples> samples_{};
  std::atomic<size_t> next_{0};
};

}  // namespace vsr::gateway
