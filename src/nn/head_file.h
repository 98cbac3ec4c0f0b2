#pragma once

// The weight file of the linear heads: a fixed little-endian header, then one row of kColumns int8
// weights per bucket. Reading validates every field and the checksum, and copies nothing: the rows
// stay where the bytes are, which must outlive the view. Pure.

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "nn/features.h"
#include "nn/heads.h"

namespace vsr::nn {

using Columns = std::array<float, kColumns>;

// P = 1 / (1 + exp(-(slope · logit + offset))).
struct Platt {
  float slope = 1;
  float offset = 0;
};

// Everything but the rows.
struct HeadParameters {
  FeatureConfig features;
  Columns scale{};  // a weight is scale × int8
  Columns bias{};
  std::array<Columns, kShapeDims> shape{};  // weights of the shape vector
  float domain_temperature = 1;
  float tier_temperature = 1;
  Platt jailbreak;
  Platt harmful;
  Platt difficulty;
  // Shipped thresholds on the calibrated probabilities.
  float jailbreak_threshold = 0.5F;
  float harmful_threshold = 0.5F;
};

struct HeadView {
  HeadParameters parameters;
  std::span<const int8_t> rows;  // 2^bucket_bits × kColumns
  uint64_t checksum = 0;         // of the whole file; names the version
};

// `rows` holds 2^bucket_bits × kColumns weights.
std::string encode_heads(const HeadParameters& parameters, std::span<const int8_t> rows);
Result<HeadView> parse_heads(std::span<const uint8_t> bytes);

}  // namespace vsr::nn
