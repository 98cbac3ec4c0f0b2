#pragma once

// Sums over records, for the aggregate and trajectory documents: rows go in one by one from the
// oldest to the newest, one JSON object comes out. Not thread-safe. Memory: a float per row, and a
// bounded number of buckets and of distinct signal sets.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/strings.h"
#include "config/config.h"
#include "json/writer.h"
#include "store/cache_spend.h"
#include "store/delivery.h"
#include "store/row.h"

namespace vsr::store {

// Money and tokens of some records. Costs are summed per currency, since they do not mix.
struct Totals {
  struct Spend {
    uint64_t records = 0;
    double actual = 0;
    double baseline = 0;
  };
  std::map<std::string, Spend> spend;  // by currency
  uint64_t prompt_tokens = 0;
  uint64_t cached_prompt_tokens = 0;
  uint64_t cache_write_tokens = 0;
  uint64_t completion_tokens = 0;
  uint64_t total_tokens = 0;

  void add(const Summary& summary);
  // actual_spend, baseline_spend, total_saved, currency: of the currency with the most records.
  void write_spend(json::JsonWriter& out) const;
  // The five token counts.
  void write_tokens(json::JsonWriter& out) const;
};

class Aggregate {
 public:
  static constexpr size_t kBucketsMax = 10'000;
  static constexpr size_t kSignalSetsMax = 4096;

  // "minute", "hour", "day" or "" for no time series.
  // `prices`: of which models always_one_model speaks; may be null.
  explicit Aggregate(std::string bucket, std::shared_ptr<const config::Config> prices = nullptr);

  void add(const Row& row);
  // More buckets than kBucketsMax: the time series is cut, and the caller should refuse.
  bool has_too_many_buckets() const { return has_too_many_buckets_; }
  // `joined` says which of the rows were unsafe switches.
  std::string to_json(const Deliveries::Result& joined);

 private:
  struct Counts {
    uint64_t records = 0;
    uint64_t by_state[4] = {};
    uint64_t switches = 0;
    uint64_t unsafe_switches = 0;
    void add(const Summary& summary);
    void write_states(json::JsonWriter& out) const;
  };
  struct Bucket {
    Counts counts;
    Totals totals;
  };
  using Distribution = StringMap<uint64_t>;

  void add_to_bucket(const Summary& summary);
  void fold_signals();
  void write_latency(json::JsonWriter& out);
  void write_time_series(json::JsonWriter& out) const;
  void write_deliveries(const Deliveries::Result& joined, json::JsonWriter& out);

  const std::string bucket_;
  const UnixMillis bucket_ms_;
  Counts counts_;
  Totals totals_;
  CacheSpend cache_spend_;
  Distribution models_;
  Distribution decisions_;
  Distribution actions_;
  Distribution signal_sets_;                     // JSON of a record's signals → records
  std::map<std::string, Distribution> signals_;  // family → name → records
  std::vector<float> routing_us_;
  std::map<UnixMillis, Bucket> buckets_;  // by start
  bool has_too_many_buckets_ = false;
};

}  // namespace vsr::store
