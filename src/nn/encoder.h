#pragma once

// The seam for a sentence encoder: texts in, unit vectors out. Rules that compare meanings take an
// Encoder; without one they report so and do not match. An implementation is immutable after its
// construction and safe to call from many threads; a call may take milliseconds, so it belongs on
// the compute pool and never on an event loop.

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"
#include "nn/heads.h"

namespace vsr::nn {

// The cosine of two vectors as the probability that their texts mean the same:
// 1 / (1 + e^-(slope · cosine + offset)), fitted on labelled pairs.
struct SimilarityCurve {
  float slope = 10;
  float offset = -5;
};

// One number per column of the encoder's heads (heads.h), before fusion.
using EncoderColumns = std::array<float, kEncoderColumns>;

// How a head's calibrated logit is made of what n-grams and the encoder say:
// lexical · n-gram logit + encoder · encoder logit + offset, per column. An attack is sought in
// every window, and of many windows some look bad by chance: each doubling of their number costs
// `per_doubling`. The encoder was made for English: of an attack in a window in another language
// n-grams tell alone, and the logit is foreign_slope · n-gram logit + foreign_offset.
struct Fusion {
  EncoderColumns lexical{};
  EncoderColumns encoder{};
  EncoderColumns offset{};
  float foreign_slope = 1;
  float foreign_offset = 0;
  float per_doubling = 0;
  float jailbreak_threshold = 0.5F;
  float harmful_threshold = 0.5F;
};

struct TunedHeads {
  uint64_t checksum = 0;  // of their weights
  uint64_t lexical = 0;   // of the n-gram heads they are fused with
  Fusion fusion;
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
  // Null if it has no heads.
  virtual const TunedHeads* heads() const { return nullptr; }
  // Writes one vector of Euclidean length 1 per text, in order; `out` holds texts.size() × dims()
  // floats. A text longer than the window is read in overlapping windows and averaged.
  virtual Status encode(std::span<const std::string_view> texts, std::span<float> out) const = 0;
  // What the heads say of one window of text, and its vector too if `vector` is not empty, from one
  // pass where the text fits. Only where there are heads().
  virtual Status read(std::string_view text, EncoderColumns& columns,
                      std::span<float> vector) const {
    (void)text, (void)columns, (void)vector;
    return fail(ErrorCode::kUnsupported, "the encoder has no heads");
  }
};

}  // namespace vsr::nn
