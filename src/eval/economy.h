#pragma once

// What models cost and can do in an evaluation: the same law for every policy. A tier succeeds at a
// demand with chance S((x − need)/.2), S the algebraic sigmoid; x is quality scaled to 0..1.
// Immutable values.

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "eval/workload.h"
#include "learning/tables.h"

namespace vsr::eval {

using learning::kTiersMax;

struct Economy {
  std::string name;
  size_t k = 0;
  std::array<double, kTiersMax> quality{}, x{};
  std::array<double, kTiersMax> cached{}, write{}, completion{};  // USD per 1M tokens
  std::array<double, kTiersMax> prompt{};
  std::array<double, kTiersMax> prefill_rate{};  // tokens per second
  double ttl_s = 300;                            // of a cached prefix

  // The lowest tier with margin over the demand; the highest if none has it.
  Tier needed_tier(double need) const;
  double success(Tier tier, double need) const;
};

// "pub3", "recipe5" or "real4", as learning sees them, with all prices times `price_factor`.
Result<Economy> economy(std::string_view prices, double price_factor = 1);

}  // namespace vsr::eval
