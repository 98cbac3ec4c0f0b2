#pragma once

// The element-wise parts of the encoder, one row at a time: loops that the compiler turns into
// vector code, compiled for AVX2 and for AVX-512 and chosen by the processor at start. Sums may be
// added in any order. Pure.

#include <cstddef>
#include <cstdint>
#include <span>

namespace vsr::nn {

// out = round(in / scale) with the scale that makes the largest magnitude 127; returns the scale.
float quantize_row(const float* in, size_t n, int8_t* out);

// x = scale · x + bias, in place.
void scale_row(float* x, float scale, std::span<const float> bias);

// x = gelu(scale · x + bias), in place; gelu(x) = x · Φ(x) within 1e-4.
void gelu_row(float* x, float scale, std::span<const float> bias);

// x = (x - mean) / deviation · gain + bias, in place.
void layer_norm(float* x, std::span<const float> gain, std::span<const float> bias);

// x = e^(x - max) / Σ, in place; e^x within 1e-6, relative.
void softmax_row(float* x, size_t n);

}  // namespace vsr::nn
