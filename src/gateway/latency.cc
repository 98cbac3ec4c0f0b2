#include "gateway/latency.h"

#include <algorithm>

namespace vsr::gateway {

void LatencyWindow::add(double milliseconds) {
  const size_t at = next_.fetch_add(1, std::memory_order_relaxed) % kSamples;
  samples_[at].store(static_cast<float>(milliseconds), std::memory_order_relaxed);
}

LatencyWindow::Percentiles LatencyWindow::percentiles() const {
  const size_t count = std::min(next_.load(std::memory_order_relaxed), kSamples);
  if (count == 0) return {};
  std::array<float, kSamples> copy;
  for (size_t i = 0; i < count; ++i) copy[i] = samples_[i].load(std::memory_order_relaxed);
  std::sort(copy.begin(), copy.begin() + static_cast<std::ptrdiff_t>(count));
  return {copy[(count - 1) / 2], copy[(count - 1) * 95 / 100], count};
}

}  // namespace vsr::gateway
