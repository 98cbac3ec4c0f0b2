#include "store/record_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "store/memory_store.h"
#include "store/record_fixture.h"

namespace vsr::store {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kPatience{20'000};
constexpr milliseconds kNever{3'600'000};

// A memory store that can be told to fail, to wait, and that notes what it is asked.
class ProbeStore final : public RecordStore {
 public:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_failing = false;
    bool is_held = false;
    bool is_waiting = false;
    std::vector<size_t> batches;
    std::vector<std::pair<int64_t, uint64_t>> expiries;
    MemoryStore rows{UINT64_MAX};
  };
  explicit ProbeStore(std::shared_ptr<State> state) : state_(std::move(state)) {}

  Status write(std::span<const Row> rows) override {
    std::unique_lock lock(state_->mutex);
    state_->is_waiting = true;
    state_->changed.notify_all();
    state_->changed.wait(lock, [this] { return !state_->is_held; });
    state_->is_waiting = false;
    if (state_->is_failing) return fail(ErrorCode::kIo, "The disk is full.");
    state_->batches.push_back(rows.size());
    return state_->rows.write(rows);
  }
  Result<std::vector<Row>> page(const Filter& filter, size_t offset, size_t limit,
                                bool bodies) override {
    return state_->rows.page(filter, offset, limit, bodies);
  }
  Result<uint64_t> count(const Filter& filter) override { return state_->rows.count(filter); }
  Result<std::optional<Row>> find(const Id128& id) override { return state_->rows.find(id); }
  Status scan(const Filter& filter, const std::function<void(const Row&)>& visit) override {
    return state_->rows.scan(filter, visit);
  }
  Status close_unfinished(UnixMillis now) override { return state_->rows.close_unfinished(now); }
  Result<size_t> expire(int64_t oldest, uint64_t keep, size_t rows_max) override {
    const std::lock_guard lock(state_->mutex);
    state_->expiries.emplace_back(oldest, keep);
    return state_->rows.expire(oldest, keep, rows_max);
  }
  std::string_view name() const override { return "probe"; }

 private:
  std::shared_ptr<State> state_;
};

class RecordWriterTest : public testing::Test {
 protected:
  // Nothing is written before a full batch or a flush: the sync interval never passes.
  void start(WriterOptions options = {}) {
    options.clock = &clock_;
    options.sync_interval = kNever;
    writer_ = std::make_unique<RecordWriter>(std::make_unique<ProbeStore>(probe_), options);
  }
  void set(bool ProbeStore::State::* flag, bool value) {
    const std::lock_guard lock(probe_->mutex);
    (*probe_).*flag = value;
    probe_->changed.notify_all();
  }
  // Returns when the writer's thread stands in the store's write().
  void wait_until_held() {
    std::unique_lock lock(probe_->mutex);
    ASSERT_TRUE(probe_->changed.wait_for(lock, kPatience, [this] { return probe_->is_waiting; }));
  }
  std::optional<Row> stored(uint32_t number) { return *probe_->rows.find(fixture::id_of(number)); }
  size_t stored_count() { return *probe_->rows.count({}); }
  void begin(uint32_t number) { writer_->begin(fixture::id_of(number), fixture::routing(number)); }
  void end(uint32_t number) { writer_->end(fixture::id_of(number), fixture::terminal(number)); }
  bool flush() { return writer_->flush(kPatience); }

  FakeClock clock_{fixture::kStart};
  std::shared_ptr<ProbeStore::State> probe_ = std::make_shared<ProbeStore::State>();
  std::unique_ptr<RecordWriter> writer_;
};

TEST_F(RecordWriterTest, ARecordIsReadableAtOnce) {
  start();
  begin(1);
  const auto row = writer_->pending(fixture::id_of(1));
  ASSERT_TRUE(row);
  EXPECT_EQ(row->summary->state, Lifecycle::kRunning);
  EXPECT_EQ(*row->prompt, "Prompt number 1");
  EXPECT_EQ(stored_count(), 0u);
  EXPECT_EQ(writer_->health().queued, 1u);
}

TEST_F(RecordWriterTest, BothPartsPendingAreWrittenOnce) {
  start();
  begin(1);
  end(1);
  ASSERT_TRUE(flush());
  EXPECT_THAT(probe_->batches, testing::ElementsAre(1));
  ASSERT_TRUE(stored(1));
  EXPECT_EQ(stored(1)->summary->state, Lifecycle::kCompleted);
  EXPECT_FALSE(writer_->pending(fixture::id_of(1))) << "a written record leaves the writer";
  EXPECT_EQ(writer_->health().queued, 0u);
}

TEST_F(RecordWriterTest, AnEndAddsToWhatIsStored) {
  start();
  begin(1);
  ASSERT_TRUE(flush());
  EXPECT_EQ(stored(1)->summary->state, Lifecycle::kRunning);
  EXPECT_EQ(writer_->pending(fixture::id_of(1))->prompt, nullptr) << "the text is in the store";
  end(1);
  EXPECT_EQ(writer_->pending(fixture::id_of(1))->summary->total_tokens, 110u);
  ASSERT_TRUE(flush());
  const auto row = stored(1);
  EXPECT_EQ(row->summary->state, Lifecycle::kCompleted);
  EXPECT_EQ(*row->prompt, "Prompt number 1");
  EXPECT_EQ(*row->response_body, R"({"choices":[]})");
}

TEST_F(RecordWriterTest, EndsExactlyOnce) {
  start();
  begin(1);
  end(1);
  writer_->end(fixture::id_of(1), fixture::terminal(1, Lifecycle::kFailed));
  begin(1);
  end(2);
  ASSERT_TRUE(flush());
  end(1);
  EXPECT_EQ(stored(1)->summary->state, Lifecycle::kCompleted);
  EXPECT_EQ(writer_->ignored(), 4u);
}

TEST_F(RecordWriterTest, AnEndDuringTheWriteOfTheBeginningIsNotLost) {
  start();
  set(&ProbeStore::State::is_held, true);
  begin(1);
  std::thread flusher([this] { EXPECT_TRUE(flush()); });
  wait_until_held();
  end(1);
  EXPECT_EQ(writer_->health().queued, 2u);
  set(&ProbeStore::State::is_held, false);
  flusher.join();
  ASSERT_TRUE(flush());
  EXPECT_EQ(stored(1)->summary->state, Lifecycle::kCompleted);
  EXPECT_THAT(probe_->batches, testing::ElementsAre(1, 1));
}

TEST_F(RecordWriterTest, WritesFullBatchesWithoutBeingAsked) {
  start();
  for (uint32_t i = 0; i < 3 * RecordWriter::kBatchRowsMax; ++i) begin(i);
  ASSERT_TRUE(flush());
  EXPECT_EQ(stored_count(), 3 * RecordWriter::kBatchRowsMax);
  for (const size_t rows : probe_->batches) EXPECT_LE(rows, RecordWriter::kBatchRowsMax);
}

TEST_F(RecordWriterTest, KeepsRecordsWhileTheStoreFailsAndCatchesUp) {
  start();
  begin(0);
  ASSERT_TRUE(flush());
  set(&ProbeStore::State::is_failing, true);
  end(0);
  for (uint32_t i = 1; i < 100; ++i) begin(i);
  EXPECT_FALSE(writer_->flush(milliseconds(1)));
  for (uint32_t i = 1; i < 50; ++i) end(i);
  for (int i = 0; i < 1000 && writer_->health().ok; ++i) {
    EXPECT_FALSE(writer_->flush(milliseconds(20)));
  }
  const auto health = writer_->health();
  EXPECT_THAT(health.problem, testing::StartsWith("The disk is full. 100 of at most 8192 records"));
  EXPECT_EQ(health.queued, 100u);
  EXPECT_EQ(writer_->pending(fixture::id_of(70))->summary->turn_index, 70u);
  set(&ProbeStore::State::is_failing, false);
  ASSERT_TRUE(flush());
  EXPECT_TRUE(writer_->health().ok);
  EXPECT_EQ(stored_count(), 100u);
  EXPECT_EQ(stored(0)->summary->state, Lifecycle::kCompleted);
  EXPECT_EQ(stored(49)->summary->state, Lifecycle::kCompleted);
  EXPECT_EQ(stored(50)->summary->state, Lifecycle::kRunning);
  EXPECT_EQ(writer_->dropped().records, 0u);
}

TEST_F(RecordWriterTest, DropsTheOldestBodiesFirst) {
  start({.queue_body_bytes_max = 400});
  for (uint32_t i = 0; i < 4; ++i) {
    auto part = fixture::routing(i);
    part.request_body.text.assign(150, 'x');
    writer_->begin(fixture::id_of(i), std::move(part));
  }
  EXPECT_EQ(writer_->dropped().bodies, 2u);
  EXPECT_EQ(writer_->dropped().records, 0u);
  ASSERT_TRUE(flush());
  for (uint32_t i = 0; i < 4; ++i) {
    EXPECT_EQ(stored(i)->request_body != nullptr, i >= 2) << i;
    EXPECT_TRUE(stored(i)->prompt != nullptr) << i;
  }
}

TEST_F(RecordWriterTest, DropsRenderedBodiesToo) {
  start({.queue_body_bytes_max = 400});
  for (uint32_t i = 0; i < 4; ++i) {
    auto part = fixture::routing(i);
    part.request_body.text.assign(150, 'x');
    writer_->begin(fixture::id_of(i), std::move(part));
    EXPECT_EQ(writer_->pending().size(), i + 1);
  }
  EXPECT_EQ(writer_->dropped().bodies, 2u);
  EXPECT_EQ(writer_->pending(fixture::id_of(0))->request_body, nullptr);
  EXPECT_NE(writer_->pending(fixture::id_of(3))->request_body, nullptr);
}

TEST_F(RecordWriterTest, DropsTheOldestRecordsWhenNoBodyIsLeft) {
  start({.queue_records_max = 3});
  for (uint32_t i = 0; i < 5; ++i) begin(i);
  end(0);  // of a dropped record: nothing happens
  EXPECT_EQ(writer_->dropped().records, 2u);
  EXPECT_FALSE(writer_->pending(fixture::id_of(1)));
  ASSERT_TRUE(flush());
  EXPECT_EQ(stored_count(), 3u);
  EXPECT_TRUE(stored(2) && stored(3) && stored(4));

  start({.queue_body_bytes_max = 40});
  for (uint32_t i = 0; i < 4; ++i) begin(i);  // prompts of 15 bytes
  EXPECT_EQ(writer_->dropped().bodies, 4u);
  EXPECT_EQ(writer_->dropped().records, 2u);
}

TEST_F(RecordWriterTest, NeverDropsTheEndOfAStoredBeginning) {
  start({.queue_records_max = 3});
  begin(0);
  ASSERT_TRUE(flush());
  set(&ProbeStore::State::is_held, true);
  end(0);
  for (uint32_t i = 1; i < 10; ++i) begin(i);
  set(&ProbeStore::State::is_held, false);
  ASSERT_TRUE(flush());
  EXPECT_EQ(stored(0)->summary->state, Lifecycle::kCompleted);
  EXPECT_EQ(stored_count(), 3u);
  EXPECT_EQ(writer_->dropped().records, 7u);
}

TEST_F(RecordWriterTest, BoundsTheRecordsThatRun) {
  start({.open_records_max = 2});
  for (uint32_t i = 0; i < 3; ++i) begin(i);
  EXPECT_EQ(writer_->dropped().records, 1u);
  EXPECT_EQ(writer_->pending().size(), 2u);
}

TEST_F(RecordWriterTest, WritesTheRestWhenItEnds) {
  start();
  begin(1);
  end(1);
  writer_.reset();
  EXPECT_TRUE(stored(1));
}

TEST_F(RecordWriterTest, ExpiresByAgeAndCount) {
  start({.ttl = milliseconds(60'000), .records_max = 7});
  clock_.advance(std::chrono::minutes(10));
  begin(1);
  ASSERT_TRUE(flush());
  writer_.reset();
  ASSERT_FALSE(probe_->expiries.empty());
  EXPECT_EQ(probe_->expiries.back(),
            std::make_pair(first_sequence_at(fixture::kStart + 9 * 60'000), uint64_t{7}));
  EXPECT_FALSE(stored(1)) << "its timestamp is older than the time to live";
}

TEST_F(RecordWriterTest, RendersEachPartOnceThoughManyAsk) {
  start();
  std::atomic<int> calls = 0;
  auto part = fixture::routing(1);
  part.details = [&calls](json::JsonWriter& out) { out.field("call", ++calls); };
  writer_->begin(fixture::id_of(1), std::move(part));
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([this] { EXPECT_TRUE(writer_->pending(fixture::id_of(1))); });
  }
  for (auto& reader : readers) reader.join();
  ASSERT_TRUE(flush());
  EXPECT_EQ(calls, 1);
}

TEST_F(RecordWriterTest, ManyThreadsWriteAndRead) {
  constexpr uint32_t kThreads = 4;
  constexpr uint32_t kRecords = 500;
  start();
  std::atomic<bool> is_done = false;
  std::thread reader([&] {
    while (!is_done) {
      for (const auto& row : writer_->pending()) ASSERT_TRUE(row.summary);
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t] {
      for (uint32_t i = t * kRecords; i < (t + 1) * kRecords; ++i) {
        begin(i);
        end(i);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(flush());
  is_done = true;
  reader.join();
  EXPECT_EQ(stored_count(), kThreads * kRecords);
  EXPECT_TRUE(writer_->pending().empty());
  EXPECT_EQ(writer_->dropped().records + writer_->ignored(), 0u);
  Filter running;
  running.state = Lifecycle::kRunning;
  EXPECT_EQ(*probe_->rows.count(running), 0u);
}

}  // namespace
}  // namespace vsr::store
