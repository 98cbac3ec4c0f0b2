// Attention of one head against the definition, in float and in bfloat16.
#include "nn/attention.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vsr::nn {
namespace {

constexpr size_t kWidth = kBfloat16Width;
constexpr size_t kStride = 3 * kWidth + 5;
constexpr size_t kOutStride = kWidth + 3;
constexpr float kUntouched = 1234.0F;

// Queries, keys and values of each token beside each other; some scores stand out by far.
std::vector<float> numbers(size_t tokens, float spread) {
  std::vector<float> out(tokens * kStride);
  uint64_t state = tokens;
  for (float& x : out) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x = spread * (static_cast<float>(state >> 40) / (1 << 23) - 1);
  }
  return out;
}

HeadRows head_of(const std::vector<float>& x, size_t tokens) {
  return {x.data(), x.data() + kWidth, x.data() + 2 * kWidth, kStride, tokens, kWidth};
}

std::vector<float> defined(const HeadRows& head) {
  std::vector<float> out(head.tokens * kOutStride, kUntouched);
  std::vector<double> p(head.tokens);
  for (size_t t = 0; t < head.tokens; ++t) {
    double largest = -1e30;
    for (size_t j = 0; j < head.tokens; ++j) {
      p[j] = 0;
      for (size_t i = 0; i < kWidth; ++i) {
        p[j] += double{head.queries[t * kStride + i]} * head.keys[j * kStride + i];
      }
      p[j] /= std::sqrt(static_cast<double>(kWidth));
      largest = std::max(largest, p[j]);
    }
    double sum = 0;
    for (double& x : p) sum += x = std::exp(x - largest);
    for (size_t i = 0; i < kWidth; ++i) {
      double value = 0;
      for (size_t j = 0; j < head.tokens; ++j) value += p[j] / sum * head.values[j * kStride + i];
      out[t * kOutStride + i] = static_cast<float>(value);
    }
  }
  return out;
}

void expect_near(const std::vector<float>& got, const std::vector<float>& want, float within,
                 size_t tokens) {
  for (size_t i = 0; i < want.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], within) << tokens << " tokens, at " << i;
  }
}

TEST(Attention, IsAsDefined) {
  AttentionScratch scratch;  // shared, as one call after another leaves it
  for (const float spread : {1.0F, 3.0F}) {
    for (const size_t tokens : {512u, 1u, 2u, 3u, 31u, 64u, 65u, 127u, 200u}) {
      const std::vector<float> x = numbers(tokens, spread);
      const HeadRows head = head_of(x, tokens);
      const std::vector<float> want = defined(head);
      std::vector<float> out(want.size(), kUntouched);
      attend_float(head, out.data(), kOutStride, scratch);
      expect_near(out, want, spread * 1e-4F, tokens);
      if (!has_bfloat16()) continue;
      std::ranges::fill(out, kUntouched);
      attend_bfloat16(head, out.data(), kOutStride, scratch);
      // Eight bits of each factor, and a score's error becomes a weight's.
      expect_near(out, want, spread * spread * spread * 0.02F, tokens);
    }
  }
}

}  // namespace
}  // namespace vsr::nn
