#include "router/model_fit.h"

#include <algorithm>
#include <numeric>

namespace vsr::router {

namespace {

using config::AlgorithmType;

bool compares(const config::Decision& decision) {
  return decision.algorithm.type == AlgorithmType::kRouterDc ||
         decision.algorithm.type == AlgorithmType::kKnn;
}

std::string description_of(const config::Config& config, const config::ModelRef& ref,
                           bool use_capabilities) {
  const config::Model& model = config.models[ref.model];
  std::string text = model.description;
  const auto lora = std::ranges::find(model.loras, ref.lora_name, &config::Lora::name);
  if (!ref.lora_name.empty() && lora != model.loras.end() && !lora->description.empty()) {
    text = lora->description;
  }
  if (!use_capabilities) return text;
  for (const std::string& capability : model.capabilities) {
    text += (text.empty() ? "" : " ") + capability;
  }
  return text;
}

std::vector<std::string> texts_of(const config::Config& config, const config::Decision& decision) {
  std::vector<std::string> texts;
  if (decision.algorithm.type == AlgorithmType::kKnn) {
    for (const config::Outcome& outcome : decision.algorithm.outcomes) {
      texts.push_back(outcome.prompt);
    }
    return texts;
  }
  for (const config::ModelRef& ref : decision.refs) {
    texts.push_back(description_of(config, ref, decision.algorithm.use_capabilities));
  }
  return texts;
}

std::vector<double> by_neighbours(const config::Decision& decision,
                                  const std::vector<double>& cosines) {
  std::vector<size_t> order(cosines.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t k = std::min<size_t>(decision.algorithm.neighbours, order.size());
  // Equals in the order of the recipe.
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return cosines[a] > cosines[b]; });
  std::vector<double> fit(decision.refs.size(), 0);
  double total = 0;
  for (size_t i = 0; i < k; ++i) {
    const config::Outcome& outcome = decision.algorithm.outcomes[order[i]];
    const double weight = std::max(0.0, cosines[order[i]]);
    total += weight;
    for (size_t ref = 0; ref < fit.size(); ++ref) {
      if (decision.refs[ref].model == outcome.model) fit[ref] += weight * outcome.quality;
    }
  }
  for (double& one : fit) one = total > 0 ? one / total : 0;
  return fit;
}

}  // namespace

Result<ModelFit> ModelFit::make(const config::Config& config, nn::Vectors* vectors) {
  ModelFit out;
  if (vectors == nullptr) return out;
  out.rows_.resize(config.decisions.size());
  for (size_t d = 0; d < config.decisions.size(); ++d) {
    if (!compares(config.decisions[d])) continue;
    const std::vector<std::string> texts = texts_of(config, config.decisions[d]);
    auto rows = vectors->candidates(texts);
    if (!rows) return std::unexpected(rows.error());
    for (size_t t = 0; t < texts.size(); ++t) {
      // The cosine of zeros with anything is 0.
      const std::span row = std::span(*rows).subspan(t * vectors->dims(), vectors->dims());
      if (texts[t].empty()) std::ranges::fill(row, 0.0F);
    }
    out.rows_[d] = std::move(*rows);
  }
  return out;
}

std::vector<double> ModelFit::of(const config::Decision& decision, size_t index,
                                 std::span<const float> prompt) const {
  const std::span<const float> rows = rows_[index];
  std::vector<double> cosines;
  for (size_t at = 0; at < rows.size(); at += prompt.size()) {
    cosines.push_back(nn::dot(rows.subspan(at, prompt.size()), prompt));
  }
  return decision.algorithm.type == AlgorithmType::kKnn ? by_neighbours(decision, cosines)
                                                        : cosines;
}

bool needs_vectors(const config::Config& config) {
  return std::ranges::any_of(config.decisions, compares);
}

}  // namespace vsr::router
