#pragma once

// softmax(Q·Kᵀ / √width)·V of one attention head, for all tokens of a window. Where the processor
// multiplies bfloat16 (AVX-512 BF16) the products are made of numbers rounded to it and a few rows
// are finished at a time, so that their scores stay in the nearest cache; elsewhere in float.
// Pure but for the scratch memory, which one call uses at a time.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vsr::nn {

// Rows of a head's queries, keys and values: `stride` floats from one token to the next.
struct HeadRows {
  const float* queries;
  const float* keys;
  const float* values;
  size_t stride;
  size_t tokens;
  size_t width;
};

struct AttentionScratch {
  std::vector<uint32_t> queries;  // pairs of bfloat16
  std::vector<uint32_t> keys;
  std::vector<uint32_t> values;
  std::vector<uint32_t> weights;
  std::vector<float> scores;
};

// Writes tokens × width floats, `out_stride` from one token to the next.
void attend(const HeadRows& head, float* out, size_t out_stride, AttentionScratch& scratch);

// Both ways of doing it, for tests. The first wants has_bfloat16() and a width of kBfloat16Width.
inline constexpr size_t kBfloat16Width = 32;
bool has_bfloat16();
void attend_bfloat16(const HeadRows& head, float* out, size_t out_stride,
                     AttentionScratch& scratch);
void attend_float(const HeadRows& head, float* out, size_t out_stride, AttentionScratch& scratch);

}  // namespace vsr::nn
