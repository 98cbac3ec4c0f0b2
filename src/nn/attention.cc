#include "nn/attention.h"

#include <dnnl.h>

#include <algorithm>
#include <cmath>

#include "nn/vector_math.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define VSR_BFLOAT16 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")))
#endif

namespace vsr::nn {

namespace {

// Rows whose scores are kept at a time.
constexpr size_t kFloatRows = 64;

float softmax_scale(const HeadRows& head) { return 1 / std::sqrt(static_cast<float>(head.width)); }

}  // namespace

void attend_float(const HeadRows& head, float* out, size_t out_stride, AttentionScratch& scratch) {
  const auto n = static_cast<dnnl_dim_t>(head.tokens);
  const auto width = static_cast<dnnl_dim_t>(head.width);
  const auto stride = static_cast<dnnl_dim_t>(head.stride);
  const float by = softmax_scale(head);
  scratch.scores.resize(std::max(scratch.scores.size(), kFloatRows * head.tokens));
  float* const scores = scratch.scores.data();
  for (size_t first = 0; first < head.tokens; first += kFloatRows) {
    const size_t rows = std::min(kFloatRows, head.tokens - first);
    const auto m = static_cast<dnnl_dim_t>(rows);
    dnnl_sgemm('N', 'T', m, n, width, by, head.queries + first * head.stride, stride, head.keys,
               stride, 0, scores, n);
    for (size_t r = 0; r < rows; ++r) softmax_row(scores + r * head.tokens, head.tokens);
    dnnl_sgemm('N', 'N', m, width, n, 1, scores, n, head.values, stride, 0,
               out + first * out_stride, static_cast<dnnl_dim_t>(out_stride));
  }
}

#if defined(__x86_64__)

namespace {

constexpr size_t kPairs = kBfloat16Width / 2;
constexpr size_t kRows = 4;     // queries at a time
constexpr size_t kVector = 16;  // floats of a register
constexpr size_t kWide = 4;     // registers of keys at a time, and for the last ones
constexpr size_t kNarrow = 2;

size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

// 32 floats, times `by`, as 16 pairs of neighbours.
VSR_BFLOAT16 inline __m512i to_pairs(const float* from, __m512 by) {
  const __m512 low = _mm512_mul_ps(_mm512_loadu_ps(from), by);
  const __m512 high = _mm512_mul_ps(_mm512_loadu_ps(from + kVector), by);
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

// 16 floats of each of two rows, as pairs of one column.
VSR_BFLOAT16 inline __m512i to_column_pairs(__m512 first, __m512 second) {
  const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(first));
  const __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(second));
  return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

// Keys as [pair of a key's floats][token], values as [pair of tokens][float].
VSR_BFLOAT16 void pack(const HeadRows& head, size_t tokens_padded, AttentionScratch& s) {
  s.queries.resize(std::max(s.queries.size(), round_up(head.tokens, kRows) * kPairs));
  s.keys.assign(kPairs * tokens_padded, 0);
  s.values.assign(tokens_padded / 2 * kBfloat16Width, 0);
  const __m512 one = _mm512_set1_ps(1);
  const __m512 by = _mm512_set1_ps(softmax_scale(head));
  alignas(64) uint32_t pairs[kPairs];
  for (size_t t = 0; t < round_up(head.tokens, kRows); ++t) {
    const size_t row = std::min(t, head.tokens - 1);
    _mm512_storeu_si512(s.queries.data() + t * kPairs,
                        to_pairs(head.queries + row * head.stride, by));
  }
  for (size_t t = 0; t < head.tokens; ++t) {
    _mm512_store_si512(pairs, to_pairs(head.keys + t * head.stride, one));
    for (size_t d = 0; d < kPairs; ++d) s.keys[d * tokens_padded + t] = pairs[d];
  }
  for (size_t t = 0; t < head.tokens; t += 2) {
    const float* const row = head.values + t * head.stride;
    for (size_t c = 0; c < kBfloat16Width; c += kVector) {
      const __m512 second =
          t + 1 < head.tokens ? _mm512_loadu_ps(row + head.stride + c) : _mm512_setzero_ps();
      _mm512_storeu_si512(s.values.data() + t / 2 * kBfloat16Width + c,
                          to_column_pairs(_mm512_loadu_ps(row + c), second));
    }
  }
}

// scores[row][token] of kRows queries and the keys of `kColumns` registers from `first` on.
template <size_t kColumns>
VSR_BFLOAT16 void score(const uint32_t* queries, size_t first, size_t tokens_padded,
                        AttentionScratch& s) {
  __m512 sum[kRows][kColumns];
  for (auto& row : sum) {
    for (__m512& part : row) part = _mm512_setzero_ps();
  }
  for (size_t d = 0; d < kPairs; ++d) {
    const uint32_t* const keys = s.keys.data() + d * tokens_padded + first;
    __m512bh key[kColumns];
    for (size_t c = 0; c < kColumns; ++c) {
      key[c] = (__m512bh)_mm512_loadu_si512(keys + c * kVector);
    }
    for (size_t r = 0; r < kRows; ++r) {
      const auto query = (__m512bh)_mm512_set1_epi32(static_cast<int>(queries[r * kPairs + d]));
      for (size_t c = 0; c < kColumns; ++c) {
        sum[r][c] = _mm512_dpbf16_ps(sum[r][c], query, key[c]);
      }
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t c = 0; c < kColumns; ++c) {
      _mm512_storeu_ps(s.scores.data() + r * tokens_padded + first + c * kVector, sum[r][c]);
    }
  }
}

// e^x for x ≤ 0, by 2^n times the series of the rest.
VSR_BFLOAT16 inline __m512 exp_of(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-87));
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504F)), 0);
  const __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693147181F), x);
  __m512 series = _mm512_set1_ps(1.0F / 120);
  for (const float c : {1.0F / 24, 1.0F / 6, 0.5F, 1.0F, 1.0F}) {
    series = _mm512_fmadd_ps(series, r, _mm512_set1_ps(c));
  }
  return _mm512_scalef_ps(series, n);
}

// scores → weights e^(score - max) as bfloat16, 0 behind the last token; returns their sum.
VSR_BFLOAT16 float weigh(float* scores, size_t tokens, size_t tokens_padded, uint32_t* weights) {
  std::fill(scores + tokens, scores + tokens_padded, -INFINITY);
  __m512 largest = _mm512_set1_ps(-INFINITY);
  for (size_t j = 0; j < tokens_padded; j += kVector) {
    largest = _mm512_max_ps(largest, _mm512_loadu_ps(scores + j));
  }
  largest = _mm512_set1_ps(_mm512_reduce_max_ps(largest));
  __m512 sum = _mm512_setzero_ps();
  for (size_t j = 0; j < tokens_padded; j += 2 * kVector) {
    const __m512 low = exp_of(_mm512_sub_ps(_mm512_loadu_ps(scores + j), largest));
    const __m512 high = exp_of(_mm512_sub_ps(_mm512_loadu_ps(scores + j + kVector), largest));
    sum = _mm512_add_ps(sum, _mm512_add_ps(low, high));
    _mm512_storeu_si512(weights + j / 2, (__m512i)_mm512_cvtne2ps_pbh(high, low));
  }
  return _mm512_reduce_add_ps(sum);
}

// out = weights·values / sum for `rows` of kRows rows.
VSR_BFLOAT16 void mix(const AttentionScratch& s, size_t tokens_padded, const float* sums,
                      size_t rows, float* out, size_t out_stride) {
  constexpr size_t kParts = kBfloat16Width / kVector;
  __m512 sum[kRows][kParts];
  for (auto& row : sum) {
    for (__m512& part : row) part = _mm512_setzero_ps();
  }
  const size_t pairs = tokens_padded / 2;
  for (size_t i = 0; i < pairs; ++i) {
    __m512bh value[kParts];
    for (size_t c = 0; c < kParts; ++c) {
      value[c] = (__m512bh)_mm512_loadu_si512(s.values.data() + i * kBfloat16Width + c * kVector);
    }
    for (size_t r = 0; r < kRows; ++r) {
      const auto weight = (__m512bh)_mm512_set1_epi32(static_cast<int>(s.weights[r * pairs + i]));
      for (size_t c = 0; c < kParts; ++c) {
        sum[r][c] = _mm512_dpbf16_ps(sum[r][c], weight, value[c]);
      }
    }
  }
  for (size_t r = 0; r < rows; ++r) {
    const __m512 by = _mm512_set1_ps(1 / sums[r]);
    for (size_t c = 0; c < kParts; ++c) {
      _mm512_storeu_ps(out + r * out_stride + c * kVector, _mm512_mul_ps(sum[r][c], by));
    }
  }
}

}  // namespace

bool has_bfloat16() { return __builtin_cpu_supports("avx512bf16") != 0; }

void attend_bfloat16(const HeadRows& head, float* out, size_t out_stride,
                     AttentionScratch& scratch) {
  const size_t padded = round_up(head.tokens, kNarrow * kVector);
  pack(head, padded, scratch);
  scratch.scores.resize(std::max(scratch.scores.size(), kRows * padded));
  scratch.weights.resize(std::max(scratch.weights.size(), kRows * padded / 2));
  for (size_t first = 0; first < head.tokens; first += kRows) {
    const uint32_t* const queries = scratch.queries.data() + first * kPairs;
    size_t keys = 0;
    for (; keys + kWide * kVector <= padded; keys += kWide * kVector) {
      score<kWide>(queries, keys, padded, scratch);
    }
    if (keys < padded) score<kNarrow>(queries, keys, padded, scratch);
    float sums[kRows];
    for (size_t r = 0; r < kRows; ++r) {
      sums[r] = weigh(scratch.scores.data() + r * padded, head.tokens, padded,
                      scratch.weights.data() + r * padded / 2);
    }
    mix(scratch, padded, sums, std::min(kRows, head.tokens - first), out + first * out_stride,
        out_stride);
  }
}

#else

bool has_bfloat16() { return false; }
void attend_bfloat16(const HeadRows& head, float* out, size_t out_stride,
                     AttentionScratch& scratch) {
  attend_float(head, out, out_stride, scratch);
}

#endif

void attend(const HeadRows& head, float* out, size_t out_stride, AttentionScratch& scratch) {
  if (head.width == kBfloat16Width && has_bfloat16()) {
    attend_bfloat16(head, out, out_stride, scratch);
  } else {
    attend_float(head, out, out_stride, scratch);
  }
}

}  // namespace vsr::nn
