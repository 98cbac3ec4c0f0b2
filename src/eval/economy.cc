#include "eval/economy.h"

#include <cmath>
#include <span>

#include "eval/prices.h"

namespace vsr::eval {

namespace {

constexpr double kMargin = 0.2;  // of quality over demand that a fitting tier has

std::span<const double> prefill_rates(std::string_view prices) {
  static constexpr double kPub3[] = {20'000, 10'000, 5'000};
  static constexpr double kRecipe5[] = {15'000, 20'000, 7'000, 6'000, 5'000};
  static constexpr double kReal4[] = {15'000, 20'000, 7'000, 5'000};
  if (prices == "pub3") return kPub3;
  if (prices == "recipe5") return kRecipe5;
  return kReal4;
}

}  // namespace

Tier Economy::needed_tier(double need) const {
  for (size_t i = 0; i < k; ++i) {
    if (x[i] - need >= kMargin) return static_cast<Tier>(i);
  }
  return static_cast<Tier>(k - 1);
}

double Economy::success(Tier tier, double need) const {
  const double z = (x[static_cast<size_t>(tier)] - need) / learning::kSlope;
  return 0.5 * (1 + z / std::sqrt(1 + z * z));
}

Result<Economy> economy(std::string_view prices, double price_factor) {
  const auto config = price_set(prices, 1, config::CandidateSet::kDecision, price_factor);
  if (!config) return std::unexpected(config.error());
  const auto tables = learning::make_tables(**config);
  const std::span<const double> rates = prefill_rates(prices);
  Economy out;
  out.name = prices;
  out.k = tables->k;
  for (size_t i = 0; i < out.k; ++i) {
    out.quality[i] = *(*config)->models[tables->model[i]].quality_score;
    out.prompt[i] = tables->prompt[i];
    out.cached[i] = tables->cached[i];
    out.write[i] = tables->write[i];
    out.completion[i] = tables->completion[i];
    out.prefill_rate[i] = rates[i];
  }
  const double low = out.quality[0];
  const double span = out.quality[out.k - 1] - low;
  for (size_t i = 0; i < out.k; ++i) out.x[i] = (out.quality[i] - low) / span;
  return out;
}

}  // namespace vsr::eval
