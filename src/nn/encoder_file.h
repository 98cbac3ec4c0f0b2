#pragma once

// The weight files of the sentence encoder and of its tuned layers: a little-endian header, then
// arrays of int8 weights with one scale per output channel, each at a multiple of 64 bytes. Reading
// checks sizes and the checksum and copies nothing: views point into the bytes, which must outlive
// them. Pure. models/convert_encoder and models/tuned_file.py write them and describe the order.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "nn/encoder.h"
#include "nn/heads.h"

namespace vsr::nn {

// y = scale[o] · Σ_i weight[o, i] · x[i] + bias[o].
struct QuantizedLinear {
  uint32_t inputs = 0;
  uint32_t outputs = 0;
  std::span<const int8_t> weight;  // outputs × inputs
  std::span<const float> scale;    // outputs
  std::span<const float> bias;     // outputs
};

struct LayerNorm {
  std::span<const float> gain;
  std::span<const float> bias;
};

struct EncoderLayer {
  QuantizedLinear qkv;  // queries, keys and values below each other
  QuantizedLinear attention_out;
  LayerNorm attention_norm;
  QuantizedLinear up;
  QuantizedLinear down;
  LayerNorm output_norm;
};

struct EncoderParameters {
  uint32_t width = 0;
  uint32_t heads = 0;
  uint32_t inner = 0;  // of the feed-forward part
  uint32_t positions = 0;
  uint64_t checksum = 0;
  SimilarityCurve similarity;
  std::vector<std::string_view> vocabulary;
  std::span<const int8_t> words;       // vocabulary × width
  std::span<const float> words_scale;  // vocabulary
  std::span<const float> places;       // positions × width, segment 0 added
  LayerNorm input_norm;
  std::vector<EncoderLayer> layers;
};

// Errors: kCorrupt, with what does not fit.
Result<EncoderParameters> read_encoder(std::string_view bytes);

// Layers that were tuned for the trained heads. They stand on the first `shared_layers` of one
// encoder: one stack for the heads of safety (attacks, harmful requests), which are linear in every
// token, and one for the others, which are linear in the mean over the tokens.
struct TunedParameters {
  uint32_t shared_layers = 0;
  uint32_t window = 0;  // tokens with [CLS] and [SEP]; what is beyond is not read
  std::vector<EncoderLayer> layers;
  std::vector<EncoderLayer> safety_layers;
  std::span<const float> head_weight;  // kEncoderColumns × width
  std::span<const float> head_bias;    // kEncoderColumns
  TunedHeads heads;
};

// Errors: kCorrupt, or kInvalidArgument if it was made for another encoder.
Result<TunedParameters> read_tuned(std::string_view bytes, const EncoderParameters& encoder);

}  // namespace vsr::nn
