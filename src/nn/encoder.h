#pragma once

// The seam for a sentence encoder: texts in, unit vectors out. Rules that compare meanings take an
// Encoder; without one they report so and do not match. An implementation is immutable after its
// construction and safe to call from many threads; a call may take milliseconds, so it belongs on
// the compute pool and never on an event loop.

#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"

namespace vsr::nn {

// The cosine of two vectors as the probability that their texts mean the same:
// 1 / (1 + e^-(slope · cosine + offset)), fitted on labelled pairs.
struct SimilarityCurve {
  float slope = 10;
  float offset = -5;
};

class Encoder {
 public:
  virtual ~Encoder() = default;

  // Length of a vector; constant over the lifetime.
  virtual size_t dims() const = 0;
  // Names weights and tokenizer; vectors of different versions must not be compared, and a cache
  // on disk is keyed by it.
  virtual std::string_view version() const = 0;
  virtual SimilarityCurve similarity_curve() const = 0;
  // Writes one vector of Euclidean length 1 per text, in order; `out` holds texts.size() × dims()
  // floats. A text longer than the window is read in overlapping windows and averaged.
  virtual Status encode(std::span<const std::string_view> texts, std::span<float> out) const = 0;
};

}  // namespace vsr::nn
