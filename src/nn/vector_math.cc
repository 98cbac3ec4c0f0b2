#include "nn/vector_math.h"

#include <cmath>

// The choice is made before a sanitizer is ready for it.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VSR_CLONES
#elif defined(__x86_64__)
#define VSR_CLONES __attribute__((target_clones("arch=x86-64-v4", "default")))
#else
#define VSR_CLONES
#endif

namespace vsr::nn {

namespace {

// x = n·ln 2 + r, e^r by its series; for x ≤ 0.
[[gnu::always_inline]] inline float fast_exp(float x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2 = 0.693147181F;
  constexpr float kRound = 12582912.0F;  // 1.5·2^23: adding it rounds to the nearest integer
  x = x < -87.0F ? -87.0F : x;
  const float n = x * kLog2E + kRound - kRound;
  const float r = x - n * kLn2;
  const float series =
      1 + r * (1 + r * (0.5F + r * (1.0F / 6 + r * (1.0F / 24 + r * (1.0F / 120)))));
  const auto bits = static_cast<uint32_t>(static_cast<int32_t>(n) + 127) << 23;
  return series * __builtin_bit_cast(float, bits);
}

// The error function is an odd polynomial of degree 17, fitted by least maximum error on
// |x/√2| ≤ 3.25; beyond that it is one.
[[gnu::always_inline]] inline float gelu(float x) {
  constexpr float kEnd = 3.25F;
  constexpr float kC[] = {3.66635635F,  -12.8529343F, 39.7454238F,  -92.1014624F, 155.203234F,
                          -182.090212F, 139.15866F,   -61.6921447F, 11.9631193F};
  float t = x * (0.707106781F / kEnd);
  t = t < -1 ? -1.0F : (t > 1 ? 1.0F : t);
  const float s = t * t;
  float erf = kC[8];
  for (int i = 7; i >= 0; --i) erf = erf * s + kC[i];
  return 0.5F * x * (1 + erf * t);
}

}  // namespace

VSR_CLONES float quantize_row(const float* __restrict in, size_t n, int8_t* __restrict out) {
#pragma clang fp reassociate(on)
  uint32_t largest_bits = 0;  // magnitudes order as their bits do
  for (size_t i = 0; i < n; ++i) {
    const uint32_t bits = __builtin_bit_cast(uint32_t, in[i]) & 0x7FFFFFFFU;
    largest_bits = bits > largest_bits ? bits : largest_bits;
  }
  if (largest_bits == 0) largest_bits = __builtin_bit_cast(uint32_t, 1.0F);
  const float largest = __builtin_bit_cast(float, largest_bits);
  const float by = 127 / largest;
  // Adding 1.5·2^23 rounds to the nearest integer and leaves it in the low bits.
  constexpr float kRound = 12582912.0F;
  for (size_t i = 0; i < n; ++i) {
    out[i] = static_cast<int8_t>(__builtin_bit_cast(uint32_t, in[i] * by + kRound));
  }
  return largest / 127;
}

VSR_CLONES void scale_row(float* __restrict x, float scale, std::span<const float> bias) {
  const float* __restrict const b = bias.data();
  for (size_t i = 0; i < bias.size(); ++i) x[i] = scale * x[i] + b[i];
}

VSR_CLONES void gelu_row(float* __restrict x, float scale, std::span<const float> bias) {
  const float* __restrict const b = bias.data();
  for (size_t i = 0; i < bias.size(); ++i) x[i] = gelu(scale * x[i] + b[i]);
}

VSR_CLONES void layer_norm(float* __restrict x, std::span<const float> gain,
                           std::span<const float> bias) {
#pragma clang fp reassociate(on)
  constexpr float kEpsilon = 1e-12F;
  const size_t n = gain.size();
  const float* __restrict const g = gain.data();
  const float* __restrict const b = bias.data();
  float sum = 0;
  for (size_t i = 0; i < n; ++i) sum += x[i];
  const float mean = sum / static_cast<float>(n);
  float squares = 0;
  for (size_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  const float by = 1 / std::sqrt(squares / static_cast<float>(n) + kEpsilon);
  for (size_t i = 0; i < n; ++i) x[i] = (x[i] - mean) * by * g[i] + b[i];
}

VSR_CLONES void softmax_row(float* x, size_t n) {
#pragma clang fp reassociate(on)
  // Floats order as integers once the bits of negative ones are turned round.
  int32_t largest_order = INT32_MIN;
  for (size_t i = 0; i < n; ++i) {
    const auto bits = __builtin_bit_cast(int32_t, x[i]);
    const int32_t order = bits ^ ((bits >> 31) & 0x7FFFFFFF);
    largest_order = order > largest_order ? order : largest_order;
  }
  const float largest =
      __builtin_bit_cast(float, largest_order ^ ((largest_order >> 31) & 0x7FFFFFFF));
  for (size_t i = 0; i < n; ++i) x[i] = fast_exp(x[i] - largest);
  float sum = 0;
  for (size_t i = 0; i < n; ++i) sum += x[i];
  const float by = 1 / sum;
  for (size_t i = 0; i < n; ++i) x[i] *= by;
}

}  // namespace vsr::nn
