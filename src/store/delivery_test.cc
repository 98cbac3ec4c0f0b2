// Records made by hand, some of which hand tool calls and opaque items to a model that did not make
// them. What learning said of itself is set to the opposite of the truth, since it must not matter.
#include "store/delivery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/value.h"
#include "store/aggregate.h"

namespace vsr::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Turn {
  UnixMillis minute;
  std::string session;
  std::string conversation;
  std::string model;
  std::string delivered;
  std::string emitted;
};

std::string calls(std::vector<uint64_t> ids, Chooser chooser = Chooser::kRoute) {
  return id_list(ids, {}, chooser);
}
std::string items(std::vector<uint64_t> ids) { return id_list({}, ids); }

Row row_of(const Turn& turn, std::string_view reason = "hard_lock=tool_loop") {
  Summary summary;
  summary.timestamp = turn.minute * 60'000;
  summary.session_id = turn.session;
  summary.conversation_id = turn.conversation;
  summary.selected_model = turn.model;
  summary.delivered = turn.delivered;
  summary.emitted = turn.emitted;
  summary.reason = reason;
  summary.mode = "apply";
  Row row;
  row.sequence = first_sequence_at(summary.timestamp);
  row.summary = std::make_shared<const Summary>(std::move(summary));
  return row;
}

Deliveries::Result joined(const std::vector<Turn>& turns, size_t ids_max = Deliveries::kIdsMax) {
  Deliveries deliveries(ids_max);
  // The order does not matter; stores give the newest first.
  for (auto turn = turns.rbegin(); turn != turns.rend(); ++turn) deliveries.add(row_of(*turn));
  return deliveries.join();
}

TEST(IdList, ComesBackAsItWas) {
  const Ids ids = parse_id_list(
      id_list(std::vector<uint64_t>{1, ~0ull}, std::vector<uint64_t>{7}, Chooser::kBypass));
  EXPECT_EQ(ids.chooser, Chooser::kBypass);
  EXPECT_THAT(ids.calls, ElementsAre(1, ~0ull));
  EXPECT_THAT(ids.items, ElementsAre(7));
  EXPECT_EQ(id_list({}, {}, Chooser::kCaller), "");
  EXPECT_THAT(parse_id_list("cxyz c12 q0000000000000001").calls, IsEmpty());
  std::vector<uint64_t> many(kIdsPerRecordMax + 5);
  for (size_t i = 0; i < many.size(); ++i) many[i] = i;
  const Ids kept = parse_id_list(calls(many));
  EXPECT_EQ(kept.calls.size(), kIdsPerRecordMax);
  EXPECT_EQ(kept.calls.back(), many.back());
}

struct Case {
  const char* name;
  std::vector<Turn> turns;
  size_t unsafe;
  uint64_t by_choice;
  uint64_t unknown;
};

TEST(Deliveries, AreJoinedWithTheAnswerThatMadeThem) {
  const Case cases[] = {
      {"a loop that stays",
       {{1, "s", "c", "a", "", calls({1, 2})}, {2, "s", "c", "a", calls({1, 2}), ""}},
       0,
       0,
       0},
      {"a result for another model",
       {{1, "s", "c", "a", "", calls({1})}, {2, "s", "c", "b", calls({1}), ""}},
       1,
       0,
       0},
      {"two results in one request are one unsafe record",
       {{1, "s", "c", "a", "", calls({1, 2})}, {2, "s", "c", "b", calls({1, 2}), ""}},
       1,
       0,
       0},
      {"an opaque item for another model, two turns later",
       {{1, "s", "c", "a", "", items({9})},
        {2, "s", "c", "a", items({9}), ""},
        {3, "s", "c", "b", items({9}), ""}},
       1,
       0,
       0},
      {"a call and an item with the same hash are different things",
       {{1, "s", "c", "a", "", items({1})}, {2, "s", "c", "b", calls({1}), ""}},
       0,
       0,
       1},
      {"the caller named the model",
       {{1, "s", "c", "a", "", calls({1})}, {2, "s", "c", "b", calls({1}, Chooser::kCaller), ""}},
       0,
       1,
       0},
      {"a private turn",
       {{1, "s", "c", "a", "", calls({1})}, {2, "s", "c", "b", calls({1}, Chooser::kBypass), ""}},
       0,
       1,
       0},
      {"a request that no model was found for",
       {{1, "s", "c", "a", "", calls({1})}, {2, "s", "c", "", calls({1}), ""}},
       0,
       0,
       0},
      {"nobody made the call", {{1, "s", "c", "a", calls({5}), ""}}, 0, 0, 1},
      {"another session's call of the same id",
       {{1, "s", "c", "a", "", calls({1})}, {2, "t", "d", "b", calls({1}), ""}},
       0,
       0,
       1},
      {"found by the session after the conversation's id changed",
       {{1, "s", "c", "a", "", calls({1})}, {2, "s", "d", "b", calls({1}), ""}},
       1,
       0,
       0},
      {"an id that is used again belongs to the newest answer",
       {{1, "s", "c", "a", "", calls({1})},
        {2, "s", "c", "a", calls({1}), calls({2})},
        {3, "s", "c", "b", "", calls({1})},
        {4, "s", "c", "b", calls({1}), ""}},
       0,
       0,
       0},
      {"the conversation's own call before the session's",
       {{1, "s", "c", "a", "", calls({1})},
        {2, "s", "d", "b", "", calls({1})},
        {3, "s", "c", "a", calls({1}), ""}},
       0,
       0,
       0},
  };
  for (const Case& c : cases) {
    const Deliveries::Result result = joined(c.turns);
    EXPECT_EQ(result.unsafe.size(), c.unsafe) << c.name;
    EXPECT_EQ(result.to_another_by_choice, c.by_choice) << c.name;
    EXPECT_EQ(result.unknown, c.unknown) << c.name;
    EXPECT_TRUE(result.complete) << c.name;
  }
}

TEST(Deliveries, AreBounded) {
  std::vector<Turn> turns;
  for (UnixMillis i = 0; i < 10; ++i) {
    turns.push_back({i, "s", "c", "a", "", calls({static_cast<uint64_t>(i)})});
  }
  EXPECT_TRUE(joined(turns, 10).complete);
  EXPECT_FALSE(joined(turns, 9).complete);
}

// Of a record that is there for what it made, what it delivered does not count.
TEST(Deliveries, MakersAreNotAskedAbout) {
  const Row first = row_of({1, "s", "c", "a", "", calls({1})});
  const Row moved = row_of({2, "s", "c", "b", calls({1}), calls({2})});
  const Row last = row_of({3, "s", "c", "a", calls({2}), ""});
  Deliveries deliveries(4);
  deliveries.add(last);
  for (int twice = 0; twice < 2; ++twice) {
    deliveries.add_maker(first);
    deliveries.add_maker(moved);
  }
  const Deliveries::Result result = deliveries.join();
  EXPECT_THAT(result.unsafe, ElementsAre(last.sequence));
  EXPECT_EQ(result.delivered, 1U);
  EXPECT_TRUE(result.complete);
}

TEST(Deliveries, SayWhereTheirMakersAre) {
  Deliveries deliveries;
  deliveries.add(row_of({1, "s", "c", "a", "", calls({1})}));
  EXPECT_TRUE(deliveries.places().sessions.empty()) << "it delivers nothing";
  deliveries.add(row_of({2, "s", "d", "a", calls({1}), ""}));
  EXPECT_THAT(deliveries.places().sessions, ElementsAre("s"));
  EXPECT_THAT(deliveries.places().conversations, ElementsAre("d"));
  EXPECT_FALSE(deliveries.places().anywhere);
  for (size_t i = 0; i < Deliveries::kPlacesMax; ++i) {
    deliveries.add(row_of({3, "s", std::to_string(i), "a", calls({1}), ""}));
  }
  EXPECT_TRUE(deliveries.places().anywhere);
}

TEST(Deliveries, CountInTheAggregateAndItsTimeSeries) {
  Aggregate sums("minute");
  Deliveries deliveries;
  for (const Turn& turn : std::vector<Turn>{{1, "s", "c", "a", "", calls({1, 2})},
                                            {2, "s", "c", "b", calls({1}), ""},
                                            {2, "t", "d", "b", "", ""},
                                            {3, "s", "c", "a", calls({2}), ""}}) {
    const Row row = row_of(turn, "stay_has_best_adjusted_score");
    sums.add(row);
    deliveries.add(row);
  }
  const json::Value json = json::Value::parse(sums.to_json(deliveries.join())).value();
  EXPECT_EQ(json["unsafe_switches"].as_int(-1), 1);
  EXPECT_EQ(json["deliveries"]["known_issuer"].as_int(-1), 2);
  EXPECT_EQ(json["deliveries"]["to_another_model"].as_int(-1), 1);
  const json::Value& series = json["time_series"];
  ASSERT_EQ(series.size(), 3u);
  EXPECT_EQ(series[0]["unsafe_switches"].as_int(-1), 0);
  EXPECT_EQ(series[1]["unsafe_switches"].as_int(-1), 1);
  EXPECT_EQ(series[2]["unsafe_switches"].as_int(-1), 0);
}

}  // namespace
}  // namespace vsr::store
