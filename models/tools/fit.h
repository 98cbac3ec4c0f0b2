#pragma once

// Logistic regression by AdaGrad over hashed features. Everything is sequential and seeded, so the
// same rows give the same weights, bit for bit, on the same machine.

#include <span>
#include <vector>

#include "nn/head_file.h"
#include "tools/rows.h"

namespace vsr::models {

struct FitOptions {
  int epochs = 8;
  float rate = 0.2F;
  float l2 = 1e-5F;
  float dropout = 0;         // share of features left out at each step
  float shape_rate = 0.05F;  // 0: the head does not see the shape vector
};

// A fitted head: per bucket `outputs` weights, and as many biases.
struct LinearModel {
  size_t outputs = 1;
  std::vector<float> weights;
  std::vector<float> bias;
  std::vector<float> shape;  // kShapeDims × outputs
};

struct Example {
  const Features* features;
  float weight;
  float label;
};

LinearModel fit(const HeadSpec& spec, const nn::FeatureConfig& config, const FitOptions& options,
                std::span<const Example> examples);

// Logits as HeadBank computes them, with the weights before rounding.
std::vector<float> predict(const HeadSpec& spec, const LinearModel& model,
                           const Features& features);

// Writes the model into its columns of `parameters` and `rows`, rounded to int8.
void quantize(const HeadSpec& spec, const LinearModel& model, nn::HeadParameters& parameters,
              std::span<int8_t> rows);

}  // namespace vsr::models
