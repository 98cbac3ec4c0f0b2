#include "eval/cache_model.h"

#include <algorithm>

namespace vsr::eval {

int32_t cached_tokens(const Economy& economy, const CacheEntry& entry, const Request& request) {
  if (!entry.present || static_cast<double>(request.t - entry.t) > economy.ttl_s) return 0;
  int32_t tokens = std::min(entry.tokens, request.length);
  if (entry.prefix != request.prefix) tokens = std::min(tokens, request.shared);
  constexpr int32_t kBlock = learning::kCacheBlockTokens;
  return tokens / kBlock * kBlock;
}

CacheEntry entry_after(const Request& request) {
  return {request.length + request.completion, request.prefix, request.t, true};
}

double request_cost(const Economy& economy, const Request& request, Tier tier, int32_t cached) {
  const auto m = static_cast<size_t>(tier);
  return (cached * economy.cached[m] + (request.length - cached) * economy.write[m] +
          request.completion * economy.completion[m]) /
         1e6;
}

int32_t CacheModel::hit(const Request& request, Tier tier) const {
  return cached_tokens(*economy_, entries_[request.lineage][tier], request);
}

void CacheModel::answered(const Request& request, Tier tier) {
  entries_[request.lineage][tier] = entry_after(request);
}

void CacheModel::ensure(int32_t lineages) {
  if (entries_.size() < static_cast<size_t>(lineages)) entries_.resize(lineages);
}

}  // namespace vsr::eval
