#include "learning/cost.h"

#include <algorithm>

namespace vsr::learning {

double cost_of(const config::Model& model, const TokenCounts& tokens) {
  if (!model.pricing) return 0;
  const config::Pricing& price = *model.pricing;
  const uint64_t cached = std::min(tokens.cached, tokens.prompt);
  const uint64_t written = std::min(tokens.cache_write, tokens.prompt - cached);
  const uint64_t fresh = tokens.prompt - cached - written;
  const double write_price = price.cache_write_per_1m.value_or(price.prompt_per_1m);
  return (static_cast<double>(fresh) * price.prompt_per_1m +
          static_cast<double>(cached) * price.cached_input_per_1m +
          static_cast<double>(written) * write_price +
          static_cast<double>(tokens.completion) * price.completion_per_1m) *
         1e-6;
}

config::ModelId baseline_model(const config::Config& config) {
  config::ModelId best = config::kNoModel;
  for (config::ModelId m = 0; m < config.models.size(); ++m) {
    const config::Model& model = config.models[m];
    if (!model.pricing) continue;
    if (best == config::kNoModel) {
      best = m;
      continue;
    }
    const config::Model& other = config.models[best];
    const double quality = model.quality_score.value_or(0);
    const double best_quality = other.quality_score.value_or(0);
    if (quality > best_quality ||
        (quality == best_quality && model.pricing->prompt_per_1m > other.pricing->prompt_per_1m)) {
      best = m;
    }
  }
  return best;
}

}  // namespace vsr::learning
