#include "store/conversations.h"

#include <gtest/gtest.h>

#include "json/value.h"

namespace vsr::store {
namespace {

Row row_of(UnixMillis time, std::string session, std::string conversation, std::string model,
           bool is_switch = false, Lifecycle state = Lifecycle::kCompleted) {
  Summary summary;
  summary.timestamp = time;
  summary.session_id = std::move(session);
  summary.conversation_id = std::move(conversation);
  summary.selected_model = std::move(model);
  summary.decision = "d" + std::to_string(time);
  summary.is_switch = is_switch;
  summary.state = state;
  summary.prompt_tokens = 100;
  summary.cached_prompt_tokens = 60;
  summary.completion_tokens = 10;
  summary.actual_cost = 0.5;
  summary.currency = "USD";
  Row row;
  row.summary = std::make_shared<const Summary>(std::move(summary));
  return row;
}

json::Value document(Conversations& conversations, size_t offset, size_t limit,
                     const Deliveries::Result& joined = {}) {
  return json::Value::parse(conversations.to_json(offset, limit, joined)).value();
}

TEST(Conversations, RowsAreSummedAndTheLatestComesFirst) {
  Conversations conversations;
  conversations.add(row_of(1000, "s", "a", "small"));
  conversations.add(row_of(2000, "s", "b", "small"));
  conversations.add(row_of(3000, "s", "a", "large", true));
  conversations.add(row_of(4000, "s", "a", "large", false, Lifecycle::kFailed));
  const json::Value all = document(conversations, 0, 10);
  EXPECT_EQ(all["total"].as_int(), 2);
  EXPECT_FALSE(all["has_more"].as_bool(true));
  ASSERT_EQ(all["data"].size(), 2U);
  const json::Value& a = all["data"][size_t{0}];
  EXPECT_EQ(a["conversation_id"].as_string(), "a");
  EXPECT_EQ(a["turns"].as_int(), 3);
  EXPECT_EQ(a["switches"].as_int(), 1);
  EXPECT_EQ(a["failed"].as_int(), 1);
  EXPECT_EQ(a["models"].size(), 2U);
  EXPECT_EQ(a["models"][size_t{0}].as_string(), "small");
  EXPECT_EQ(a["last_decision"].as_string(), "d4000");
  EXPECT_EQ(a["prompt_tokens"].as_int(), 300);
  EXPECT_EQ(a["cached_prompt_tokens"].as_int(), 180);
  EXPECT_DOUBLE_EQ(a["actual_cost"].as_double(), 1.5);
  EXPECT_EQ(a["first"].as_string(), "1970-01-01T00:00:01.000Z");
}

TEST(Conversations, CountWhatReachedAnotherModelThanItsMaker) {
  Conversations conversations;
  Deliveries deliveries;
  const uint64_t calls[] = {1, 2};
  const auto add = [&](UnixMillis time, std::string conversation, std::string model,
                       std::string delivered, std::string emitted) {
    Row row = row_of(time, "s", std::move(conversation), std::move(model));
    Summary summary = *row.summary;
    summary.delivered = std::move(delivered);
    summary.emitted = std::move(emitted);
    row.sequence = first_sequence_at(time);
    row.summary = std::make_shared<const Summary>(std::move(summary));
    conversations.add(row);
    deliveries.add(row);
  };
  add(1000, "a", "small", "", id_list(calls, {}));
  add(2000, "a", "large", id_list(calls, {}), "");
  add(3000, "b", "small", "", id_list(calls, {}));
  add(4000, "b", "small", id_list(calls, {}), "");
  const json::Value all = document(conversations, 0, 10, deliveries.join());
  EXPECT_EQ(all["data"][size_t{0}]["unsafe_switches"].as_int(-1), 0);
  EXPECT_EQ(all["data"][size_t{1}]["unsafe_switches"].as_int(-1), 1);
}

TEST(Conversations, Pages) {
  Conversations conversations;
  for (int i = 0; i < 5; ++i) {
    conversations.add(row_of(1000 + i, "s", "c" + std::to_string(i), "m"));
  }
  const json::Value first = document(conversations, 0, 2);
  EXPECT_TRUE(first["has_more"].as_bool());
  EXPECT_EQ(first["data"][size_t{0}]["conversation_id"].as_string(), "c4");
  const json::Value last = document(conversations, 4, 2);
  EXPECT_FALSE(last["has_more"].as_bool(true));
  EXPECT_EQ(last["data"].size(), 1U);
  EXPECT_EQ(document(conversations, 9, 2)["data"].size(), 0U);
}

TEST(Conversations, MoreThanHaveAPlaceAreCounted) {
  Conversations conversations;
  for (size_t i = 0; i < Conversations::kConversationsMax + 3; ++i) {
    conversations.add(row_of(1000, "s", std::to_string(i), "m"));
  }
  const json::Value page = document(conversations, 0, 1);
  EXPECT_EQ(page["total"].as_int(), static_cast<int64_t>(Conversations::kConversationsMax));
  EXPECT_EQ(page["left_out"].as_int(), 3);
}

}  // namespace
}  // namespace vsr::store
