#include "store/cache_spend.h"

#include <algorithm>

#include "wire/hash.h"

namespace vsr::store {

learning::CacheStep cache_step(const Summary& summary) {
  constexpr double kSecondsPerMs = 1e-3;
  learning::CacheStep step;
  if (summary.lineage != 0) {
    step.lineage = wire::fold(summary.lineage, wire::hash_bytes(summary.session_id)) | 1;
  }
  step.prefix = summary.prefix;
  step.parent = summary.parent;
  step.start_s = static_cast<double>(summary.timestamp) * kSecondsPerMs;
  step.end_s = static_cast<double>(summary.ended_at) * kSecondsPerMs;
  step.prompt_tokens = summary.prompt_tokens;
  step.completion_tokens = summary.completion_tokens;
  return step;
}

CacheSpend::CacheSpend(std::shared_ptr<const config::Config> config) : config_(std::move(config)) {
  if (!config_) return;
  for (config::ModelId model = 0; model < config_->models.size(); ++model) {
    if (config_->models[model].pricing) lines_.push_back({model});
  }
}

void CacheSpend::add(const Summary& summary) {
  if (lines_.empty() || summary.prompt_tokens == 0) return;
  const learning::CacheStep step = cache_step(summary);
  const config::ModelId model = config_->find_model(summary.selected_model);
  if (model == config::kNoModel || !config_->models[model].pricing) {
    ++unpriced_;
  } else {
    ++records_;
    const auto cost = [&](config::ModelId of, uint64_t cached) {
      return learning::cost_under_cache(config_->models[of], step, cached);
    };
    const auto ttl = [&](config::ModelId of) { return config_->models[of].cache.ttl_seconds; };
    as_routed_ += cost(model, cache_.hit(step, model, ttl(model)));
    for (Line& line : lines_) {
      line.cost += cost(line.model, cache_.hit_of_one(step, ttl(line.model)));
    }
  }
  cache_.served(step, model);
}

void CacheSpend::write(json::JsonWriter& out) const {
  std::vector<Line> sorted = lines_;
  std::ranges::stable_sort(sorted, {}, &Line::cost);
  out.key("always_one_model").begin_array();
  for (const Line& line : sorted) {
    const config::Model& model = config_->models[line.model];
    out.begin_object().field("model", model.name).field("cost", line.cost);
    out.field("currency", model.pricing->currency).end_object();
  }
  out.end_array();
  out.key("as_routed_under_cache_model").begin_object().field("cost", as_routed_);
  out.field("record_count", records_).field("unpriced_records", unpriced_).end_object();
}

std::vector<double> CacheSpend::sums() const {
  std::vector<double> out = {as_routed_};
  for (const Line& line : lines_) out.push_back(line.cost);
  return out;
}

void CacheSpend::write_history(json::JsonWriter& out,
                               const std::vector<std::vector<double>>& history) const {
  const auto write_line = [&](std::string_view name, size_t line) {
    out.key(name).begin_array();
    for (const std::vector<double>& sums : history) out.value(sums[line]);
    out.end_array();
  };
  write_line("as_routed", 0);
  out.key("always_one_model").begin_array();
  for (size_t i = 0; i < lines_.size(); ++i) {
    const config::Model& model = config_->models[lines_[i].model];
    out.begin_object().field("model", model.name).field("currency", model.pricing->currency);
    write_line("cost", i + 1);
    out.end_object();
  }
  out.end_array();
}

}  // namespace vsr::store
