#include "learning/prefix_cache.h"

#include <algorithm>

#include "learning/cost.h"
#include "learning/tables.h"

namespace vsr::learning {

const PrefixCache::Lineage* PrefixCache::before(const CacheStep& step) const {
  if (step.lineage == 0) return nullptr;
  for (const Lineages* const map : {&newer_, &older_}) {
    const auto found = map->find(step.lineage);
    if (found == map->end()) continue;
    const Lineage& lineage = found->second;
    const bool goes_on = step.parent != 0 && step.parent == lineage.prefix;
    return goes_on || step.prefix == lineage.prefix ? &lineage : nullptr;
  }
  return nullptr;
}

uint64_t PrefixCache::tokens_of(const Entry& entry, const CacheStep& step, double ttl_s) {
  if (step.start_s - entry.t > ttl_s) return 0;
  return std::min(entry.tokens, step.prompt_tokens) / kCacheBlockTokens * kCacheBlockTokens;
}

uint64_t PrefixCache::hit(const CacheStep& step, config::ModelId model, double ttl_s) const {
  const Lineage* const lineage = before(step);
  if (lineage == nullptr) return 0;
  const auto entry = std::ranges::find(lineage->by_model, model, &Entry::model);
  return entry == lineage->by_model.end() ? 0 : tokens_of(*entry, step, ttl_s);
}

uint64_t PrefixCache::hit_of_one(const CacheStep& step, double ttl_s) const {
  const Lineage* const lineage = before(step);
  return lineage == nullptr ? 0 : tokens_of(lineage->last, step, ttl_s);
}

void PrefixCache::served(const CacheStep& step, config::ModelId model) {
  if (step.lineage == 0) return;
  Lineage next;
  if (const Lineage* const known = before(step)) next = *known;
  next.prefix = step.prefix;
  next.last = {model, step.prompt_tokens + step.completion_tokens, step.end_s};
  std::erase_if(next.by_model, [&](const Entry& entry) { return entry.model == model; });
  next.by_model.push_back(next.last);
  if (newer_.size() >= kLineagesMax / 2 && !newer_.contains(step.lineage)) {
    older_ = std::move(newer_);
    newer_ = {};
  }
  newer_[step.lineage] = std::move(next);
}

double cost_under_cache(const config::Model& model, const CacheStep& step, uint64_t cached) {
  const bool writes = model.pricing && model.pricing->cache_write_per_1m.has_value();
  return cost_of(model, {.prompt = step.prompt_tokens,
                         .cached = cached,
                         .cache_write = writes ? step.prompt_tokens - cached : 0,
                         .completion = step.completion_tokens});
}

}  // namespace vsr::learning
