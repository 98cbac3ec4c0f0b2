#include "learning/tables.h"

#include <algorithm>
#include <cmath>

#include "wire/hash.h"

namespace vsr::learning {

namespace {

double sigmoid(double z) { return 0.5 * (1 + z / std::sqrt(1 + z * z)); }

// Tracked models: those that decisions name, in that order, then the others, up to kTiersMax.
std::vector<config::ModelId> tracked_models(const config::Config& config) {
  std::vector<config::ModelId> out;
  const auto add = [&](config::ModelId model) {
    if (model == config::kNoModel || out.size() == kTiersMax) return;
    if (std::find(out.begin(), out.end(), model) == out.end()) out.push_back(model);
  };
  for (const config::Decision& decision : config.decisions) {
    for (const config::ModelRef& ref : decision.refs) add(ref.model);
  }
  for (config::ModelId model = 0; model < config.models.size(); ++model) add(model);
  return out;
}

// Quality of every tracked model; where none is given it is spread .6–.95 by price rank.
std::vector<double> qualities(const config::Config& config,
                              const std::vector<config::ModelId>& models) {
  std::vector<size_t> by_price(models.size());
  for (size_t i = 0; i < by_price.size(); ++i) by_price[i] = i;
  const auto price = [&](size_t i) {
    const auto& pricing = config.models[models[i]].pricing;
    return pricing ? pricing->prompt_per_1m + pricing->completion_per_1m : 0.0;
  };
  std::stable_sort(by_price.begin(), by_price.end(),
                   [&](size_t a, size_t b) { return price(a) < price(b); });
  std::vector<double> out(models.size());
  for (size_t rank = 0; rank < by_price.size(); ++rank) {
    const double spread = by_price.size() < 2 ? 0.6
                                              : 0.6 + 0.35 * static_cast<double>(rank) /
                                                          static_cast<double>(by_price.size() - 1);
    const config::Model& model = config.models[models[by_price[rank]]];
    out[by_price[rank]] = model.quality_score.value_or(spread);
  }
  return out;
}

void fill_prices(const config::Config& config, Tables& out) {
  bool any_price = false;
  for (size_t i = 0; i < out.k; ++i) {
    any_price |= config.models[out.model[i]].pricing.has_value();
  }
  for (size_t i = 0; i < out.k; ++i) {
    const config::Model& model = config.models[out.model[i]];
    out.ttl_s[i] = model.cache.ttl_seconds;
    if (model.pricing) {
      out.prompt[i] = model.pricing->prompt_per_1m;
      out.cached[i] = model.pricing->cached_input_per_1m;
      out.write[i] = model.pricing->cache_write_per_1m.value_or(out.prompt[i]);
      out.completion[i] = model.pricing->completion_per_1m;
    } else if (!any_price) {
      // Nothing is known: each tier four times the one below, cached 10 %, completion 5 times.
      out.prompt[i] = out.write[i] = 0.1 * std::pow(4.0, static_cast<double>(i));
      out.cached[i] = out.prompt[i] * 0.1;
      out.completion[i] = out.prompt[i] * 5;
    }
  }
}

void fill_chances(const std::vector<double>& q, Tables& out) {
  const double low = q.front();
  const double span = q.back() - q.front();
  std::vector<double> x(out.k);
  for (size_t i = 0; i < out.k; ++i) x[i] = span > 0 ? (q[i] - low) / span : 0;
  for (size_t j = 0; j < out.k; ++j) {
    const double need = 0.5 * ((j > 0 ? x[j - 1] : x[0] - 0.3) + x[j]) - 0.2;
    for (size_t m = 0; m < out.k; ++m) out.fail[m][j] = 1 - sigmoid((x[m] - need) / kSlope);
  }
  double total = 0;
  for (size_t j = 0; j < out.k; ++j) total += std::pow(2.0, -static_cast<double>(j));
  for (size_t j = 0; j < out.k; ++j) {
    out.background[j] = std::pow(2.0, -static_cast<double>(j)) / total;
  }
  for (size_t i = 0; i < out.k; ++i) {
    double others = 0;
    for (size_t j = 0; j < out.k; ++j) {
      if (j != i)
        others += std::pow(2.0, 1 - std::abs(static_cast<double>(i) - static_cast<double>(j)));
    }
    for (size_t j = 0; j < out.k; ++j) {
      const double distance = std::abs(static_cast<double>(i) - static_cast<double>(j));
      out.likelihood[i][j] =
          i == j ? 1 - kConfusion : kConfusion * std::pow(2.0, 1 - distance) / others;
    }
  }
}

}  // namespace

uint64_t model_name_hash(std::string_view name) { return wire::hash_bytes(name); }

Tier Tables::tier_of_name(uint64_t hash) const {
  for (size_t i = 0; i < k; ++i) {
    if (name_hash[i] == hash) return static_cast<Tier>(i);
  }
  return kNoTier;
}

std::shared_ptr<const Tables> make_tables(const config::Config& config) {
  auto out = std::make_shared<Tables>();
  std::vector<config::ModelId> models = tracked_models(config);
  out->tier_of.assign(config.models.size(), kNoTier);
  if (models.empty()) return out;
  const std::vector<double> unsorted = qualities(config, models);
  std::vector<size_t> order(models.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return unsorted[a] < unsorted[b]; });
  std::vector<double> q;
  out->k = models.size();
  for (size_t i = 0; i < out->k; ++i) {
    q.push_back(unsorted[order[i]]);
    out->model[i] = models[order[i]];
    out->name_hash[i] = model_name_hash(config.models[out->model[i]].name);
    out->tier_of[out->model[i]] = static_cast<Tier>(i);
    out->id = wire::fold(out->id, out->name_hash[i]);
  }
  fill_prices(config, *out);
  fill_chances(q, *out);
  out->lambda = config.learning.quality_weight_usd;
  out->latency_usd_per_s = config.learning.latency_usd_per_s;
  out->candidate_set = config.learning.candidate_set;
  for (const config::ModelId model : config.learning.ladder) {
    if (out->tier_of[model] != kNoTier) out->ladder.push_back(out->tier_of[model]);
  }
  std::sort(out->ladder.begin(), out->ladder.end());
  return out;
}

}  // namespace vsr::learning
