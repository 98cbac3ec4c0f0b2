#pragma once

// The bounded queue and the one thread between the request path and a RecordStore. begin() and
// end() only move a part into the queue; parts are rendered and written in batches on the writer's
// thread. Every record that runs or waits has an entry here, from which readers see it at once. A
// store that fails keeps its records in the queue and is tried again with growing pauses.
//
// Locks: render_mutex_ before mutex_; neither is held while the store works, nor mutex_ while a
// part is rendered, so that a request waits for a queue operation at most.

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "store/id_hash.h"
#include "store/record_store.h"

namespace vsr::store {

struct WriterOptions {
  static constexpr size_t kQueueRecordsMax = 8192;
  static constexpr size_t kQueueBodyBytesMax = size_t{64} << 20;
  static constexpr size_t kOpenRecordsMax = 65'536;

  const Clock* clock = nullptr;
  std::chrono::milliseconds sync_interval{200};
  std::chrono::milliseconds ttl{0};  // 0: none
  uint64_t records_max = UINT64_MAX;
  size_t queue_records_max = kQueueRecordsMax;
  size_t queue_body_bytes_max = kQueueBodyBytesMax;  // prompts count too
  size_t open_records_max = kOpenRecordsMax;         // running or waiting
};

class RecordWriter {
 public:
  static constexpr size_t kBatchRowsMax = 64;
  static constexpr size_t kExpireRowsMax = 512;
  static constexpr std::chrono::seconds kExpireEvery{60};
  static constexpr std::chrono::milliseconds kRetryFirst{100};
  static constexpr std::chrono::milliseconds kRetryMax{5000};

  RecordWriter(std::unique_ptr<RecordStore> store, const WriterOptions& options);
  // Writes what waits, once; what the store refuses is lost.
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  void begin(const Id128& id, RoutingPart part);
  void end(const Id128& id, TerminalPart part);

  // Rows that run or wait, rendered. Texts that are in the store already may be absent.
  std::vector<Row> pending();
  std::optional<Row> pending(const Id128& id);
  RecordStore& store() { return *store_; }

  DropCounts dropped() const;
  // Ends without a begun record, second ends and second begins.
  uint64_t ignored() const;
  ReplayHealth health() const;
  bool flush(std::chrono::milliseconds at_most);
  // Records before this time are expired.
  UnixMillis oldest() const;

 private:
  // Text held in memory by a change that waits, as it was when the change came.
  struct Load {
    size_t prompt_bytes = 0;
    size_t body_bytes = 0;
    size_t bodies = 0;
    size_t bytes() const { return prompt_bytes + body_bytes; }
    void add(const Load& other);
  };
  struct Entry {
    Id128 id;
    std::unique_ptr<RoutingPart> routing;  // until rendered
    std::unique_ptr<TerminalPart> terminal;
    Row row;
    bool is_private = false;
    bool is_ended = false;
    bool is_stored = false;  // its beginning is in the store
    bool is_queued = false;
    bool are_bodies_dropped = false;  // since rendering began
    uint64_t ticket = 0;              // of the first change that waits
    Load load;                        // what waits
  };
  using EntryPtr = std::shared_ptr<Entry>;
  struct BatchItem {
    EntryPtr entry;
    uint64_t ticket = 0;
    Load load;
    Row row;
  };

  int64_t next_sequence(UnixMillis time);
  void enqueue(const EntryPtr& entry, const Load& load);
  void enforce_limits();
  bool drop_oldest_body();
  bool drop_oldest_record();
  Row render(const EntryPtr& entry);

  void run();
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  bool is_due() const;
  std::vector<BatchItem> take_batch();
  void write_batch(std::unique_lock<std::mutex>& lock);
  void settle_written(const BatchItem& item);
  void settle_failed(const BatchItem& item);
  void note_problem(const Error& error);
  void expire(std::unique_lock<std::mutex>& lock);
  bool is_written(uint64_t ticket) const;

  const std::unique_ptr<RecordStore> store_;
  const WriterOptions options_;

  std::mutex render_mutex_;   // one rendering at a time
  mutable std::mutex mutex_;  // all below, entries included
  std::condition_variable work_;
  std::condition_variable settled_;
  std::unordered_map<Id128, EntryPtr, IdHash> entries_;
  std::deque<EntryPtr> queue_;
  std::deque<EntryPtr> with_body_;  // may hold entries that have none left
  std::vector<BatchItem> batch_;    // at the store
  size_t queued_bytes_ = 0;         // with the batch's
  uint64_t tickets_ = 0;
  uint64_t flush_ticket_ = 0;
  uint64_t sequence_count_ = 0;
  DropCounts dropped_;
  uint64_t ignored_ = 0;
  std::string problem_;
  std::chrono::milliseconds retry_pause_{0};  // 0: the store works
  MonoTime next_expiry_{0};
  bool is_hurried_ = false;  // a flush wants a try now
  bool is_idle_ = false;
  bool is_stopping_ = false;

  std::thread thread_;  // last, so that it starts when all else stands
};

}  // namespace vsr::store
