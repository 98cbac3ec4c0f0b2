#pragma once

// What recorded requests cost under one cache model, as they were routed and if one model had
// served them all. Actual spend has the cache in it, so a comparison without one would flatter the
// router; here both sides have the same. Rows go in from the oldest to the newest. One thread;
// bounded as PrefixCache.

#include <cstdint>
#include <memory>
#include <vector>

#include "config/config.h"
#include "json/writer.h"
#include "learning/prefix_cache.h"
#include "store/row.h"

namespace vsr::store {

// What the cache model reads of a record. Lineages are apart by session.
learning::CacheStep cache_step(const Summary& summary);

class CacheSpend {
 public:
  // Prices are those of `config`; null: there are none.
  explicit CacheSpend(std::shared_ptr<const config::Config> config);

  void add(const Summary& summary);
  // always_one_model[{model, cost, currency}] from the cheapest, and as_routed_under_cache_model.
  void write(json::JsonWriter& out) const;

  // Sums so far: as routed, then of each priced model.
  std::vector<double> sums() const;
  // as_routed[] and always_one_model[{model, currency, cost[]}]; `history` has sums() after each
  // row.
  void write_history(json::JsonWriter& out, const std::vector<std::vector<double>>& history) const;

 private:
  struct Line {
    config::ModelId model = config::kNoModel;
    double cost = 0;
  };

  const std::shared_ptr<const config::Config> config_;
  std::vector<Line> lines_;  // one per priced model
  learning::PrefixCache cache_;
  double as_routed_ = 0;
  uint64_t records_ = 0;   // with usage, and priced
  uint64_t unpriced_ = 0;  // with usage, of models without a price here
};

}  // namespace vsr::store
