#pragma once

// The prefix cache of every (lineage, tier) pair of one session, and what a request costs with it.
// One law for all policies. Not thread-safe; one per session and policy.

#include <array>
#include <cstdint>
#include <vector>

#include "eval/economy.h"
#include "eval/workload.h"

namespace vsr::eval {

struct CacheEntry {
  int32_t tokens = 0;  // prompt and answer together
  int32_t prefix = 0;
  int64_t t = 0;
  bool present = false;
};

// Prompt tokens of `request` that an entry covers, in whole blocks.
int32_t cached_tokens(const Economy& economy, const CacheEntry& entry, const Request& request);
// What a tier holds once it has answered.
CacheEntry entry_after(const Request& request);
// USD of a request with so many cached tokens.
double request_cost(const Economy& economy, const Request& request, Tier tier, int32_t cached);

class CacheModel {
 public:
  CacheModel(const Economy& economy, int32_t lineages) : economy_(&economy), entries_(lineages) {}

  int32_t hit(const Request& request, Tier tier) const;
  void answered(const Request& request, Tier tier);
  void ensure(int32_t lineages);

 private:
  const Economy* economy_;
  std::vector<std::array<CacheEntry, kTiersMax>> entries_;  // by lineage
};

}  // namespace vsr::eval
