#include "store/aggregate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "json/value.h"

namespace vsr::store {
namespace {

using json::JsonWriter;

constexpr UnixMillis kMinuteMs = 60'000;

UnixMillis width_of(std::string_view bucket) {
  if (bucket == "minute") return kMinuteMs;
  if (bucket == "hour") return 60 * kMinuteMs;
  if (bucket == "day") return 24 * 60 * kMinuteMs;
  return 0;
}

void count(StringMap<uint64_t>& counts, std::string_view name, uint64_t by = 1) {
  const auto at = counts.find(name);
  if (at != counts.end()) {
    at->second += by;
  } else {
    counts.emplace(name, by);
  }
}

std::string_view or_none(const std::string& name) {
  return name.empty() ? kNone : std::string_view(name);
}

// The most frequent first, so that a reader sees what matters.
void write_distribution(JsonWriter& out, std::string_view name, const StringMap<uint64_t>& counts) {
  std::vector<std::pair<std::string_view, uint64_t>> sorted(counts.begin(), counts.end());
  std::ranges::sort(sorted, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  out.key(name).begin_object();
  for (const auto& [key, records] : sorted) out.field(key, records);
  out.end_object();
}

}  // namespace

void Totals::add(const Summary& summary) {
  if (!summary.currency.empty()) {
    Spend& sum = spend[summary.currency];
    ++sum.records;
    sum.actual += summary.actual_cost;
    sum.baseline += summary.baseline_cost;
  }
  prompt_tokens += summary.prompt_tokens;
  cached_prompt_tokens += summary.cached_prompt_tokens;
  cache_write_tokens += summary.cache_write_tokens;
  completion_tokens += summary.completion_tokens;
  total_tokens += summary.total_tokens;
}

void Totals::write_spend(JsonWriter& out) const {
  const auto most =
      std::ranges::max_element(spend, {}, [](const auto& entry) { return entry.second.records; });
  const Spend sum = most == spend.end() ? Spend() : most->second;
  out.field("actual_spend", sum.actual);
  out.field("baseline_spend", sum.baseline);
  out.field("total_saved", sum.baseline - sum.actual);
  if (most == spend.end()) {
    out.null_field("currency");
  } else {
    out.field("currency", most->first);
  }
}

void Totals::write_tokens(JsonWriter& out) const {
  out.field("prompt_tokens", prompt_tokens);
  out.field("cached_prompt_tokens", cached_prompt_tokens);
  out.field("cache_write_tokens", cache_write_tokens);
  out.field("completion_tokens", completion_tokens);
  out.field("total_tokens", total_tokens);
}

Aggregate::Aggregate(std::string bucket, std::shared_ptr<const config::Config> prices)
    : bucket_(std::move(bucket)), bucket_ms_(width_of(bucket_)), cache_spend_(std::move(prices)) {}

void Aggregate::Counts::add(const Summary& summary) {
  ++records;
  ++by_state[static_cast<size_t>(summary.state)];
  if (summary.is_switch) ++switches;
}

void Aggregate::Counts::write_states(JsonWriter& out) const {
  for (const auto state :
       {Lifecycle::kRunning, Lifecycle::kCompleted, Lifecycle::kFailed, Lifecycle::kAborted}) {
    out.field(to_string(state), by_state[static_cast<size_t>(state)]);
  }
}

void Aggregate::add(const Row& row) {
  const Summary& summary = *row.summary;
  counts_.add(summary);
  totals_.add(summary);
  cache_spend_.add(summary);
  count(models_, or_none(summary.selected_model));
  count(decisions_, or_none(summary.decision));
  count(actions_, or_none(summary.action));
  if (!summary.signals.empty()) count(signal_sets_, summary.signals);
  if (signal_sets_.size() >= kSignalSetsMax) fold_signals();
  routing_us_.push_back(static_cast<float>(summary.routing_us));
  if (bucket_ms_ > 0) add_to_bucket(summary);
}

void Aggregate::add_to_bucket(const Summary& summary) {
  const UnixMillis start = summary.timestamp - summary.timestamp % bucket_ms_;
  if (buckets_.size() >= kBucketsMax && !buckets_.contains(start)) {
    has_too_many_buckets_ = true;
    return;
  }
  Bucket& bucket = buckets_[start];
  bucket.counts.add(summary);
  bucket.totals.add(summary);
}

// Records repeat the same few sets of signals, so each set is parsed once and not once a record.
void Aggregate::fold_signals() {
  for (const auto& [set, records] : signal_sets_) {
    const auto parsed = json::Value::parse(set);
    if (!parsed) continue;
    for (const auto& [family, names] : parsed->fields()) {
      for (const auto& name : names.items()) count(signals_[family], name.as_string(), records);
    }
  }
  signal_sets_.clear();
}

// Nearest rank.
void Aggregate::write_latency(JsonWriter& out) {
  std::ranges::sort(routing_us_);
  const size_t n = routing_us_.size();
  const auto at_rank = [&](double quantile) {
    if (n == 0) return 0.0;
    const auto rank = static_cast<size_t>(std::ceil(quantile * static_cast<double>(n)));
    return static_cast<double>(routing_us_[std::clamp<size_t>(rank, 1, n) - 1]);
  };
  const double sum = std::accumulate(routing_us_.begin(), routing_us_.end(), 0.0);
  out.key("routing_latency_us").begin_object();
  out.field("mean", n == 0 ? 0.0 : sum / static_cast<double>(n));
  out.field("p50", at_rank(0.50)).field("p90", at_rank(0.90)).field("p95", at_rank(0.95));
  out.field("p99", at_rank(0.99)).field("max", at_rank(1.0));
  out.end_object();
}

void Aggregate::write_time_series(JsonWriter& out) const {
  out.key("time_series").begin_array();
  for (const auto& [start, bucket] : buckets_) {
    out.begin_object().field("start", format_rfc3339(start));
    out.field("record_count", bucket.counts.records);
    bucket.counts.write_states(out);
    out.field("switches", bucket.counts.switches);
    out.field("unsafe_switches", bucket.counts.unsafe_switches);
    bucket.totals.write_spend(out);
    bucket.totals.write_tokens(out);
    out.end_object();
  }
  out.end_array();
}

void Aggregate::write_deliveries(const Deliveries::Result& joined, JsonWriter& out) {
  counts_.unsafe_switches = joined.unsafe.size();
  for (const int64_t sequence : joined.unsafe) {
    if (bucket_ms_ == 0) break;
    const UnixMillis time = sequence >> kSequenceBits;
    const auto bucket = buckets_.find(time - time % bucket_ms_);
    if (bucket != buckets_.end()) ++bucket->second.counts.unsafe_switches;
  }
  out.field("unsafe_switches", counts_.unsafe_switches);
  out.key("deliveries").begin_object();
  out.field("known_issuer", joined.delivered).field("unknown_issuer", joined.unknown);
  out.field("to_another_model", joined.to_another);
  out.field("to_another_model_by_choice", joined.to_another_by_choice);
  out.field("complete", joined.complete).end_object();
}

std::string Aggregate::to_json(const Deliveries::Result& joined) {
  fold_signals();
  JsonWriter out;
  out.begin_object();
  out.field("object", "router_replay.aggregate");
  out.field("record_count", counts_.records);
  out.key("lifecycle").begin_object();
  counts_.write_states(out);
  out.end_object();
  out.key("summary").begin_object();
  totals_.write_spend(out);
  out.end_object();
  out.key("spend_by_currency").begin_object();
  for (const auto& [currency, sum] : totals_.spend) {
    out.key(currency).begin_object().field("record_count", sum.records);
    out.field("actual_spend", sum.actual).field("baseline_spend", sum.baseline).end_object();
  }
  out.end_object();
  cache_spend_.write(out);
  write_distribution(out, "model_selection", models_);
  write_distribution(out, "decision_distribution", decisions_);
  write_distribution(out, "action_distribution", actions_);
  out.key("signal_distribution").begin_object();
  for (const auto& [family, names] : signals_) write_distribution(out, family, names);
  out.end_object();
  out.key("token_volume").begin_object();
  totals_.write_tokens(out);
  out.end_object();
  out.field("switches", counts_.switches);
  write_deliveries(joined, out);
  write_latency(out);
  if (bucket_.empty()) {
    out.null_field("bucket");
  } else {
    out.field("bucket", bucket_);
  }
  write_time_series(out);
  out.end_object();
  return out.take();
}

}  // namespace vsr::store
