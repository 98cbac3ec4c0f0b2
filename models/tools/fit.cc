#include "tools/fit.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vsr::models {
namespace {

using nn::kGroups;
using nn::kShapeDims;

// splitmix64: the same numbers everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t n) { return next() % n; }
  bool chance(float p) { return static_cast<float>(next() >> 40) < p * (1 << 24); }

 private:
  uint64_t state_;
};

// What one step looks at: blocks [first, last) of a text.
struct Window {
  const Features* features;
  size_t first;
  size_t last;
};

// Windows are two neighbouring blocks, as in HeadBank.
size_t window_count(const Features& features) { return features.blocks.size(); }
Window window_at(const Features& features, size_t i) {
  return {&features, i == 0 ? 0 : i - 1, i + 1};
}
Window all_of(const Features& features) { return {&features, 0, features.blocks.size()}; }

std::array<float, kGroups> feature_values(const Window& window) {
  std::array<float, kGroups> count{};
  for (size_t b = window.first; b < window.last; ++b) {
    uint32_t begin = 0;
    for (size_t g = 0; g < kGroups; ++g) {
      const uint32_t end = window.features->blocks[b].ends[g];
      count[g] += static_cast<float>(end - begin);
      begin = end;
    }
  }
  for (float& c : count) c = c > 0 ? 1 / std::sqrt(c) : 0;
  return count;
}

// Calls f(bucket, value) for each feature of the window.
template <typename F>
void for_each_feature(const Window& window, F&& f) {
  const std::array<float, kGroups> values = feature_values(window);
  for (size_t b = window.first; b < window.last; ++b) {
    const Features::Part& part = window.features->blocks[b];
    size_t i = 0;
    for (size_t g = 0; g < kGroups; ++g) {
      for (; i < part.ends[g]; ++i) f(part.buckets[i], values[g]);
    }
  }
}

class Fitter {
 public:
  Fitter(const HeadSpec& spec, const nn::FeatureConfig& config, const FitOptions& options)
      : spec_(spec), options_(options), random_(0x5EED + spec.column) {
    const size_t buckets = size_t{1} << config.bucket_bits;
    model_.outputs = spec.outputs;
    model_.weights.resize(buckets * spec.outputs);
    model_.bias.resize(spec.outputs);
    model_.shape.resize(kShapeDims * spec.outputs);
    squares_.resize(model_.weights.size(), kSquaresBegin);
    bias_squares_.resize(model_.bias.size(), kSquaresBegin);
    shape_squares_.resize(model_.shape.size(), kSquaresBegin);
    logits_.resize(spec.outputs);
    uses_shape_ = !spec.windowed && options.shape_rate > 0;
  }

  LinearModel run(std::span<const Example> examples) {
    std::vector<uint32_t> order(examples.size());
    std::iota(order.begin(), order.end(), 0);
    for (int epoch = 0; epoch < options_.epochs; ++epoch) {
      for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random_.below(i)]);
      // The rate falls linearly to a tenth, which settles the weights.
      rate_ = options_.rate * (1 - 0.9F * epoch / std::max(1, options_.epochs - 1));
      for (const uint32_t i : order) visit(examples[i], epoch);
    }
    return std::move(model_);
  }

 private:
  static constexpr float kSquaresBegin = 1e-4F;

  void visit(const Example& example, int epoch) {
    if (!spec_.windowed) return step(all_of(*example.features), example, example.weight);
    const size_t windows = window_count(*example.features);
    // At first every window bears the label; then the one that decides.
    if (epoch == 0) {
      for (size_t i = 0; i < windows; ++i) {
        step(window_at(*example.features, i), example, example.weight / windows);
      }
      return;
    }
    size_t strongest = 0;
    float top = -INFINITY;
    for (size_t i = 0; i < windows; ++i) {
      const Window window = window_at(*example.features, i);
      float logit = 0;
      for_each_feature(window, [&](uint32_t f, float x) { logit += model_.weights[f] * x; });
      if (logit > top) {
        top = logit;
        strongest = i;
      }
    }
    step(window_at(*example.features, strongest), example, example.weight);
  }

  void step(const Window& window, const Example& example, float weight) {
    const size_t k = spec_.outputs;
    kept_.clear();
    const float grown = 1 / (1 - options_.dropout);
    for_each_feature(window, [&](uint32_t f, float x) {
      if (options_.dropout > 0 && random_.chance(options_.dropout)) return;
      kept_.emplace_back(f, x * grown);
    });
    std::ranges::copy(model_.bias, logits_.begin());
    for (const auto& [f, x] : kept_) {
      for (size_t j = 0; j < k; ++j) logits_[j] += model_.weights[f * k + j] * x;
    }
    const nn::Shape& shape = window.features->shape;
    if (uses_shape_) {
      for (size_t d = 0; d < kShapeDims; ++d) {
        for (size_t j = 0; j < k; ++j) logits_[j] += model_.shape[d * k + j] * shape[d];
      }
    }
    to_gradient(example.label, weight);
    for (const auto& [f, x] : kept_) {
      for (size_t j = 0; j < k; ++j) {
        float& w = model_.weights[f * k + j];
        update(w, squares_[f * k + j], logits_[j] * x + options_.l2 * w * weight, rate_);
      }
    }
    if (uses_shape_) {
      for (size_t d = 0; d < kShapeDims; ++d) {
        for (size_t j = 0; j < k; ++j) {
          update(model_.shape[d * k + j], shape_squares_[d * k + j], logits_[j] * shape[d],
                 options_.shape_rate);
        }
      }
    }
    for (size_t j = 0; j < k; ++j) update(model_.bias[j], bias_squares_[j], logits_[j], 0.05F);
  }

  // logits_ becomes weight · (p − y).
  void to_gradient(float label, float weight) {
    if (spec_.outputs == 1) {
      logits_[0] = (1 / (1 + std::exp(-logits_[0])) - label) * weight;
      return;
    }
    const float top = *std::ranges::max_element(logits_);
    float total = 0;
    for (float& z : logits_) total += z = std::exp(z - top);
    for (float& z : logits_) z *= weight / total;
    logits_[static_cast<size_t>(label)] -= weight;
  }

  static void update(float& value, float& squares, float gradient, float rate) {
    squares += gradient * gradient;
    value -= rate * gradient / std::sqrt(squares);
  }

  const HeadSpec spec_;
  const FitOptions options_;
  Random random_;
  LinearModel model_;
  std::vector<float> squares_, bias_squares_, shape_squares_;
  std::vector<float> logits_;
  std::vector<std::pair<uint32_t, float>> kept_;
  float rate_ = 0;
  bool uses_shape_ = false;
};

}  // namespace

LinearModel fit(const HeadSpec& spec, const nn::FeatureConfig& config, const FitOptions& options,
                std::span<const Example> examples) {
  return Fitter(spec, config, options).run(examples);
}

std::vector<float> predict(const HeadSpec& spec, const LinearModel& model,
                           const Features& features) {
  const size_t k = spec.outputs;
  const auto logits_of = [&](const Window& window) {
    std::vector<float> out = model.bias;
    for_each_feature(window, [&](uint32_t f, float x) {
      for (size_t j = 0; j < k; ++j) out[j] += model.weights[f * k + j] * x;
    });
    return out;
  };
  if (spec.windowed) {
    std::vector<float> top = {-INFINITY};
    for (size_t i = 0; i < window_count(features); ++i) {
      top = std::max(top, logits_of(window_at(features, i)));
    }
    return top;
  }
  std::vector<float> out = logits_of(all_of(features));
  for (size_t d = 0; d < kShapeDims; ++d) {
    for (size_t j = 0; j < k; ++j) out[j] += model.shape[d * k + j] * features.shape[d];
  }
  return out;
}

void quantize(const HeadSpec& spec, const LinearModel& model, nn::HeadParameters& parameters,
              std::span<int8_t> rows) {
  const size_t k = spec.outputs;
  const size_t buckets = model.weights.size() / k;
  for (size_t j = 0; j < k; ++j) {
    const size_t column = spec.column + j;
    float largest = 0;
    for (size_t b = 0; b < buckets; ++b) {
      largest = std::max(largest, std::abs(model.weights[b * k + j]));
    }
    const float scale = largest > 0 ? largest / 127 : 1;
    parameters.scale[column] = scale;
    parameters.bias[column] = model.bias[j];
    for (size_t d = 0; d < kShapeDims; ++d) parameters.shape[d][column] = model.shape[d * k + j];
    for (size_t b = 0; b < buckets; ++b) {
      rows[b * nn::kColumns + column] =
          static_cast<int8_t>(std::lround(model.weights[b * k + j] / scale));
    }
  }
}

}  // namespace vsr::models
