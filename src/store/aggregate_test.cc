#include "store/aggregate.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/value.h"
#include "store/priced_fixture.h"

namespace vsr::store {
namespace {

using json::Value;

Row row_of(Summary summary) {
  Row row;
  row.summary = std::make_shared<const Summary>(std::move(summary));
  return row;
}

Value json_of(Aggregate& sums) { return Value::parse(sums.to_json(Deliveries::Result())).value(); }

// Turn `n` of one lineage: begins at second `t`, is answered a second later, goes on from turn
// n − 1.
Row turn_row(uint64_t n, int64_t t, const char* model, uint64_t prompt, uint64_t completion) {
  return row_of({.timestamp = t * 1000,
                 .session_id = "s",
                 .selected_model = model,
                 .lineage = 7,
                 .prefix = 100 + n,
                 .parent = n > 1 ? 99 + n : 0,
                 .ended_at = t * 1000 + 1000,
                 .prompt_tokens = prompt,
                 .completion_tokens = completion});
}

TEST(Aggregate, OneModelForEverythingHasTheSameCache) {
  Aggregate sums("", fixture::priced());
  // Prompts of 160,000 and 320,000 tokens, answers of 16,000 and 0; both are whole blocks.
  sums.add(turn_row(1, 0, "cheap", 160'000, 16'000));
  sums.add(turn_row(2, 10, "dear", 320'000, 0));
  const Value json = json_of(sums);
  const Value& lines = json["always_one_model"];
  ASSERT_EQ(lines.size(), 2);
  // cheap: .16·1 + .016·4 = .224, then 176,000 cached: .144·1 + .176·.1 = .1616.
  EXPECT_EQ(lines[0]["model"].as_string(), "cheap");
  EXPECT_DOUBLE_EQ(lines[0]["cost"].as_double(), 0.224 + 0.1616);
  EXPECT_EQ(lines[0]["currency"].as_string(), "USD");
  // dear: ten times that.
  EXPECT_EQ(lines[1]["model"].as_string(), "dear");
  EXPECT_DOUBLE_EQ(lines[1]["cost"].as_double(), 3.856);
  // As routed: .224 on cheap, then .32·10 on dear, which had nothing cached.
  const Value& routed = json["as_routed_under_cache_model"];
  EXPECT_DOUBLE_EQ(routed["cost"].as_double(), 0.224 + 3.2);
  EXPECT_EQ(routed["record_count"].as_int(), 2);
}

TEST(CacheSpend, TellsTheSumsAfterEachRow) {
  CacheSpend spend(fixture::priced());
  std::vector<std::vector<double>> history;
  for (const Row& row :
       {turn_row(1, 0, "cheap", 160'000, 16'000), turn_row(2, 10, "dear", 320'000, 0)}) {
    spend.add(*row.summary);
    history.push_back(spend.sums());
  }
  json::JsonWriter out;
  out.begin_object();
  spend.write_history(out, history);
  out.end_object();
  const Value json = Value::parse(out.take()).value();
  EXPECT_DOUBLE_EQ(json["as_routed"][0].as_double(), 0.224);
  EXPECT_DOUBLE_EQ(json["as_routed"][1].as_double(), 0.224 + 3.2);
  EXPECT_EQ(json["always_one_model"][1]["model"].as_string(), "dear");
  EXPECT_DOUBLE_EQ(json["always_one_model"][1]["cost"][0].as_double(), 2.24);
  EXPECT_DOUBLE_EQ(json["always_one_model"][1]["cost"][1].as_double(), 3.856);
}

TEST(Aggregate, CachesEndAndStrangersShareNothing) {
  Aggregate sums("", fixture::priced());
  sums.add(turn_row(1, 0, "cheap", 160'000, 0));
  // 302 s after the answer: 300 s are over.
  sums.add(turn_row(2, 303, "cheap", 160'000, 0));
  Row stranger = turn_row(3, 304, "cheap", 160'000, 0);
  Summary summary = *stranger.summary;
  summary.session_id = "other";
  sums.add(row_of(summary));
  EXPECT_DOUBLE_EQ(json_of(sums)["always_one_model"][0]["cost"].as_double(), 0.16 * 3);
}

TEST(Aggregate, BothSidesOfTheComparisonHaveTheSameRecords) {
  Aggregate sums("", fixture::priced());
  sums.add(turn_row(1, 0, "free", 160'000, 0));
  sums.add(turn_row(2, 10, "gone", 160'000, 0));
  sums.add(turn_row(3, 20, "cheap", 0, 0));  // failed: no usage
  const Value json = json_of(sums);
  EXPECT_EQ(json["always_one_model"][0]["cost"].as_double(-1), 0);
  EXPECT_EQ(json["as_routed_under_cache_model"]["record_count"].as_int(-1), 0);
  EXPECT_EQ(json["as_routed_under_cache_model"]["unpriced_records"].as_int(), 2);
}

TEST(Aggregate, OfNothing) {
  Aggregate sums("");
  const Value json = json_of(sums);
  EXPECT_EQ(json["record_count"].as_int(-1), 0);
  EXPECT_EQ(json["routing_latency_us"]["p99"].as_double(-1), 0);
  EXPECT_TRUE(json["summary"]["currency"].is_null());
  EXPECT_TRUE(json["bucket"].is_null());
  EXPECT_TRUE(json["time_series"].is_array());
}

TEST(Aggregate, PercentilesAreNearestRank) {
  Aggregate sums("");
  for (int i = 100; i >= 1; --i) sums.add(row_of({.routing_us = static_cast<double>(i)}));
  const Value latency = json_of(sums)["routing_latency_us"];
  EXPECT_EQ(latency["p50"].as_double(), 50);
  EXPECT_EQ(latency["p90"].as_double(), 90);
  EXPECT_EQ(latency["p95"].as_double(), 95);
  EXPECT_EQ(latency["p99"].as_double(), 99);
  EXPECT_EQ(latency["max"].as_double(), 100);
  EXPECT_EQ(latency["mean"].as_double(), 50.5);
}

TEST(Aggregate, DoesNotMixCurrencies) {
  Aggregate sums("");
  for (int i = 0; i < 3; ++i) {
    sums.add(row_of({.actual_cost = 1, .baseline_cost = 4, .currency = "EUR"}));
  }
  sums.add(row_of({.actual_cost = 100, .baseline_cost = 100, .currency = "USD"}));
  sums.add(row_of({}));
  const Value json = json_of(sums);
  EXPECT_EQ(json["summary"]["currency"].as_string(), "EUR");
  EXPECT_EQ(json["summary"]["actual_spend"].as_double(), 3);
  EXPECT_EQ(json["summary"]["total_saved"].as_double(), 9);
  EXPECT_EQ(json["spend_by_currency"]["USD"]["actual_spend"].as_double(), 100);
}

TEST(Aggregate, CountsSignalsBeyondTheSetsItKeeps) {
  Aggregate sums("");
  const int records = static_cast<int>(Aggregate::kSignalSetsMax) + 100;
  for (int i = 0; i < records; ++i) {
    sums.add(row_of({.signals = fmt::format(R"({{"keywords":["all","n{}"],"pii":[]}})", i)}));
  }
  sums.add(row_of({.signals = "{broken"}));
  const Value json = json_of(sums);
  EXPECT_EQ(json["signal_distribution"]["keywords"]["all"].as_int(), records);
  EXPECT_EQ(json["signal_distribution"]["keywords"]["n7"].as_int(), 1);
}

TEST(Aggregate, BoundsItsBuckets) {
  constexpr UnixMillis kMinute = 60'000;
  Aggregate sums("minute");
  for (UnixMillis i = 0; i < static_cast<UnixMillis>(Aggregate::kBucketsMax); ++i) {
    sums.add(row_of({.timestamp = i * kMinute}));
  }
  sums.add(row_of({.timestamp = 5 * kMinute + 1}));
  EXPECT_FALSE(sums.has_too_many_buckets());
  sums.add(row_of({.timestamp = 1'000'000 * kMinute}));
  EXPECT_TRUE(sums.has_too_many_buckets());
}

}  // namespace
}  // namespace vsr::store
