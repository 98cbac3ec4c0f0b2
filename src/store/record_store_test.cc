// One suite for every RecordStore.
#include "store/record_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "store/memory_store.h"
#include "store/record_fixture.h"
#include "store/sqlite_store.h"
#include "store/temporary_folder.h"

namespace vsr::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const FakeClock kClock{fixture::kStart};

struct Kind {
  const char* name;
  std::function<std::unique_ptr<RecordStore>(const std::string& folder)> make;
};

std::unique_ptr<RecordStore> make_sqlite(const std::string& folder) {
  auto store = SqliteStore::open({.folder = folder, .clock = &kClock});
  VSR_CHECK(store.has_value(), "{}", store ? "" : store.error().message);
  return *std::move(store);
}

class RecordStoreTest : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { store_ = GetParam().make(folder_.path()); }
  void write(const std::vector<Row>& rows) {
    const auto status = store_->write(rows);
    ASSERT_TRUE(status) << status.error().message;
  }
  std::vector<uint32_t> page(const Filter& filter, size_t offset = 0, size_t limit = 100) {
    const auto rows = store_->page(filter, offset, limit, false);
    EXPECT_TRUE(rows) << (rows ? "" : rows.error().message);
    std::vector<uint32_t> turns;
    for (const auto& row : rows.value_or(std::vector<Row>())) {
      turns.push_back(row.summary->turn_index);
    }
    return turns;
  }
  Row find(uint32_t number) { return store_->find(fixture::id_of(number)).value().value(); }

  fixture::TemporaryFolder folder_;
  std::unique_ptr<RecordStore> store_;
};

TEST_P(RecordStoreTest, KeepsEveryFieldAndText) {
  Row row = fixture::row(3);
  auto summary = *row.summary;
  summary.api_key_name = "key";
  summary.turn_index = 4'000'000'000;
  summary.terminal_reason = "reason";
  summary.currency = "\xe2\x82\xac";
  summary.delivered = "c0000000000000001";
  summary.emitted = "o0000000000000002";
  row.summary = std::make_shared<const Summary>(summary);
  row.prompt = std::make_shared<const std::string>(std::string("a\0b\xff", 4));
  write({row});
  const Row stored = find(3);
  EXPECT_EQ(stored.id, row.id);
  EXPECT_EQ(stored.sequence, row.sequence);
  EXPECT_EQ(compose(stored, true, false), compose(row, true, false));
  EXPECT_EQ(*stored.prompt, *row.prompt);
  const Summary& got = *stored.summary;
  EXPECT_EQ(
      std::tie(got.timestamp, got.session_id, got.conversation_id, got.api_key_name, got.turn_index,
               got.decision, got.original_model, got.previous_model, got.selected_model, got.action,
               got.reason, got.mode, got.phase, got.is_switch, got.routing_us, got.signals),
      std::tie(summary.timestamp, summary.session_id, summary.conversation_id, summary.api_key_name,
               summary.turn_index, summary.decision, summary.original_model, summary.previous_model,
               summary.selected_model, summary.action, summary.reason, summary.mode, summary.phase,
               summary.is_switch, summary.routing_us, summary.signals));
  EXPECT_EQ(std::tie(got.state, got.terminal_reason, got.ended_at, got.duration_ms,
                     got.response_status, got.prompt_tokens, got.cached_prompt_tokens,
                     got.cache_write_tokens, got.completion_tokens, got.total_tokens,
                     got.actual_cost, got.baseline_cost, got.currency, got.delivered, got.emitted),
            std::tie(summary.state, summary.terminal_reason, summary.ended_at, summary.duration_ms,
                     summary.response_status, summary.prompt_tokens, summary.cached_prompt_tokens,
                     summary.cache_write_tokens, summary.completion_tokens, summary.total_tokens,
                     summary.actual_cost, summary.baseline_cost, summary.currency,
                     summary.delivered, summary.emitted));
  EXPECT_EQ(std::tie(got.lineage, got.prefix, got.parent),
            std::tie(summary.lineage, summary.prefix, summary.parent));
  EXPECT_GT(got.prefix, uint64_t{INT64_MAX})
      << "the fixture has a hash above what SQLite counts to";
}

TEST_P(RecordStoreTest, AddsTheEndToTheBeginning) {
  write({fixture::row(1, false)});
  EXPECT_EQ(find(1).summary->state, Lifecycle::kRunning);
  EXPECT_EQ(find(1).terminal, nullptr);
  Row end = fixture::row(1);
  const std::string whole = compose(end, true, false);
  end.routing = end.prompt = end.request_body = nullptr;
  write({end});
  EXPECT_EQ(compose(find(1), true, false), whole);
  write({end});  // again, as after a commit that was not confirmed
  EXPECT_EQ(compose(find(1), true, false), whole);
  EXPECT_EQ(*store_->count({}), 1u);
}

TEST_P(RecordStoreTest, KeepsAnEndWhoseBeginningIsLost) {
  Row end = fixture::row(1);
  end.routing = end.prompt = end.request_body = nullptr;
  write({end});
  EXPECT_EQ(find(1).summary->selected_model, "model-b");
  EXPECT_EQ(find(1).routing, nullptr);
}

TEST_P(RecordStoreTest, FindsNothingUnknown) {
  EXPECT_EQ(*store_->find(fixture::id_of(9)), std::nullopt);
}

TEST_P(RecordStoreTest, PagesNewestFirst) {
  write({fixture::row(2), fixture::row(0), fixture::row(3), fixture::row(1)});
  EXPECT_THAT(page({}), ElementsAre(3, 2, 1, 0));
  EXPECT_THAT(page({}, 1, 2), ElementsAre(2, 1));
  EXPECT_THAT(page({}, 4, 2), IsEmpty());
  EXPECT_THAT(page({}, 0, 0), IsEmpty());
}

TEST_P(RecordStoreTest, GivesBodiesOnlyWhenAsked) {
  write({fixture::row(0)});
  const Row without = store_->page({}, 0, 1, false)->front();
  EXPECT_EQ(without.request_body, nullptr);
  EXPECT_EQ(without.response_body, nullptr);
  EXPECT_NE(without.prompt, nullptr);
  const Row with = store_->page({}, 0, 1, true)->front();
  EXPECT_EQ(*with.request_body, R"({"model":"auto"})");
  EXPECT_EQ(*with.response_body, R"({"choices":[]})");
}

struct FilterCase {
  const char* what;
  Filter filter;
  std::vector<uint32_t> expected;
};

TEST_P(RecordStoreTest, Filters) {
  std::vector<Row> rows;
  for (uint32_t i = 0; i < 6; ++i) {
    rows.push_back(fixture::row(i, i != 5, i == 2 ? Lifecycle::kFailed : Lifecycle::kCompleted));
  }
  auto own = *rows[4].summary;
  own.api_key_name = "mine";
  rows[4].summary = std::make_shared<const Summary>(own);
  auto made = *rows[2].summary;
  made.emitted = "c0000000000000001";
  rows[2].summary = std::make_shared<const Summary>(made);
  write(rows);
  const std::vector<FilterCase> cases = {
      {"from", {.from = rows[4].sequence}, {5, 4}},
      {"to", {.to = rows[2].sequence}, {1, 0}},
      {"session", {.session_ids = {"session-1"}}, {4, 1}},
      {"sessions", {.session_ids = {"session-1", "session-2"}}, {5, 4, 2, 1}},
      {"conversation", {.conversation_ids = {"nothing", "conversation-0"}}, {5, 0}},
      {"key", {.api_key_name = "mine"}, {4}},
      {"no key", {.api_key_name = ""}, {5, 3, 2, 1, 0}},
      {"decision", {.decision = "complex_general"}, {5, 3, 1}},
      {"model", {.model = "model-a"}, {4, 2, 0}},
      {"action", {.action = "switch"}, {5, 3, 1}},
      {"running", {.state = Lifecycle::kRunning}, {5}},
      {"failed", {.state = Lifecycle::kFailed}, {2}},
      {"prompt", {.search = "NUMBER 3"}, {3}},
      {"search decision", {.search = "Simple_"}, {4, 2, 0}},
      {"search model", {.search = "del-B"}, {5, 3, 1}},
      {"search original model", {.search = "AUTO"}, {5, 4, 3, 2, 1, 0}},
      {"search with signs of patterns", {.search = "%"}, {}},
      {"only", {.only = {{rows[1].sequence, rows[3].sequence}}}, {3, 1}},
      {"only nothing", {.only = std::unordered_set<int64_t>()}, {}},
      {"what made ids", {.makes_ids = true}, {2}},
      {"without", {.without = {rows[0].sequence, rows[3].sequence}}, {5, 4, 2, 1}},
      {"several",
       {.from = rows[1].sequence,
        .session_ids = {"session-1"},
        .model = "model-b",
        .search = "number"},
       {1}},
      {"quote", {.decision = "' OR 1=1 --"}, {}},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(page(c.filter), c.expected) << c.what;
    EXPECT_EQ(*store_->count(c.filter), c.expected.size()) << c.what;
    std::vector<uint32_t> scanned;
    ASSERT_TRUE(store_->scan(c.filter, [&](const Row& row) {
      scanned.insert(scanned.begin(), row.summary->turn_index);
    }));
    EXPECT_EQ(scanned, c.expected) << c.what;
  }
}

TEST_P(RecordStoreTest, ClosesWhatWasLeftRunning) {
  write({fixture::row(0), fixture::row(1, false), fixture::row(2, true, Lifecycle::kFailed)});
  ASSERT_TRUE(store_->close_unfinished(fixture::kStart + 77));
  EXPECT_EQ(find(0).summary->state, Lifecycle::kCompleted);
  EXPECT_EQ(find(1).summary->state, Lifecycle::kAborted);
  EXPECT_EQ(find(1).summary->terminal_reason, "crash");
  EXPECT_EQ(find(1).summary->ended_at, fixture::kStart + 77);
  EXPECT_EQ(find(2).summary->state, Lifecycle::kFailed);
}

TEST_P(RecordStoreTest, ExpiresByAgeAndCountInSteps) {
  std::vector<Row> rows;
  for (uint32_t i = 0; i < 10; ++i) rows.push_back(fixture::row(i));
  write(rows);
  EXPECT_EQ(*store_->expire(0, 100, 5), 0u);
  EXPECT_EQ(*store_->expire(rows[4].sequence, 100, 3), 3u);
  EXPECT_EQ(*store_->expire(rows[4].sequence, 100, 3), 1u);
  EXPECT_EQ(*store_->expire(rows[4].sequence, 100, 3), 0u);
  EXPECT_THAT(page({}), ElementsAre(9, 8, 7, 6, 5, 4));
  EXPECT_EQ(*store_->expire(0, 5, 3), 1u);
  EXPECT_EQ(*store_->expire(rows[7].sequence, 4, 10), 2u) << "the age removes more than the count";
  EXPECT_EQ(*store_->expire(rows[8].sequence, 1, 10), 2u) << "the count removes more than the age";
  EXPECT_THAT(page({}), ElementsAre(9));
  EXPECT_EQ(*store_->find(fixture::id_of(8)), std::nullopt);
  EXPECT_EQ(*find(9).prompt, "Prompt number 9");
}

INSTANTIATE_TEST_SUITE_P(Stores, RecordStoreTest,
                         testing::Values(Kind{"memory",
                                              [](const std::string&) {
                                                return std::make_unique<MemoryStore>(1000);
                                              }},
                                         Kind{"sqlite", make_sqlite}),
                         [](const auto& param) { return param.param.name; });

TEST(MemoryStore, IsARing) {
  MemoryStore by_count(3);
  for (uint32_t i = 0; i < 5; ++i) ASSERT_TRUE(by_count.write(std::vector{fixture::row(i)}));
  EXPECT_EQ(*by_count.count({}), 3u);
  EXPECT_FALSE(*by_count.find(fixture::id_of(1)));
  EXPECT_TRUE(*by_count.find(fixture::id_of(2)));

  Row big = fixture::row(0);
  big.request_body = std::make_shared<const std::string>(100'000, 'x');
  MemoryStore by_bytes(1000, 250'000);
  for (uint32_t i = 0; i < 5; ++i) {
    big.id = fixture::id_of(i);
    ++big.sequence;
    ASSERT_TRUE(by_bytes.write(std::vector{big}));
  }
  EXPECT_EQ(*by_bytes.count({}), 2u);
  EXPECT_TRUE(*by_bytes.find(fixture::id_of(4)));
}

}  // namespace
}  // namespace vsr::store
