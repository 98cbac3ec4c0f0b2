#pragma once

// What a request cost, and what the same request would have cost elsewhere under the same cache
// model. Pure.

#include <cstdint>

#include "config/config.h"

namespace vsr::learning {

// Tokens as the backend reported them; `cached` and `cache_write` are parts of `prompt`.
struct TokenCounts {
  uint64_t prompt = 0;
  uint64_t cached = 0;
  uint64_t cache_write = 0;
  uint64_t completion = 0;
};

// Prices are per million tokens: (prompt − cached − cache_write)·p + cached·pc + cache_write·pw +
// completion·po, in the pricing's currency. A model without a price costs nothing.
double cost_of(const config::Model& model, const TokenCounts& tokens);

// The model that costs are compared with: the highest quality_score among priced models, the
// dearer on a tie. kNoModel if none has a price.
config::ModelId baseline_model(const config::Config& config);

}  // namespace vsr::learning
