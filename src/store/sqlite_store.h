#pragma once

// Records in replay.sqlite in the state folder: write-ahead log, synchronous=NORMAL, one connection
// that writes and up to kReadersMax that read beside it. A damaged file is moved aside when it is
// opened or whenever damage shows, and a new one is started; what is lost with it is the records in
// it. One process per folder. Thread-safe.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/file_lock.h"
#include "store/record_store.h"
#include "store/sqlite.h"

namespace vsr::store {

struct SqliteOptions {
  std::string folder;
  const Clock* clock = nullptr;  // names files that are moved aside
  const char* vfs = nullptr;     // SQLite's file system, null: the system's
};

class SqliteStore final : public RecordStore {
 public:
  static constexpr size_t kReadersMax = 4;
  static constexpr std::string_view kFileName = "replay.sqlite";

  static Result<std::unique_ptr<SqliteStore>> open(const SqliteOptions& options);
  ~SqliteStore() override;

  Status write(std::span<const Row> rows) override;
  Result<std::vector<Row>> page(const Filter& filter, size_t offset, size_t limit,
                                bool bodies) override;
  Result<uint64_t> count(const Filter& filter) override;
  Result<std::optional<Row>> find(const Id128& id) override;
  Status scan(const Filter& filter, const std::function<void(const Row&)>& visit) override;
  Status close_unfinished(UnixMillis now) override;
  Result<size_t> expire(int64_t oldest, uint64_t keep, size_t rows_max) override;
  std::string_view name() const override { return "sqlite"; }
  std::string notice() const override;

 private:
  struct Writer;  // the connection that writes, with its statements
  using Reader = std::unique_ptr<SqliteDatabase>;
  struct Lease {
    Reader reader;
    uint64_t generation = 0;
  };

  SqliteStore(SqliteOptions options, FileLock lock);
  void create_file() const;
  Status open_writer();
  Status move_aside();
  // Starts a new file unless somebody did since `generation`.
  Status recover(uint64_t generation);
  Status recover_locked();
  // Runs `use` on the connection that writes; once more if the file was damaged and replaced.
  Status with_writer(const std::function<Status(Writer&)>& use);

  Lease lease();
  void give_back(Lease lease);
  Status open_reader(Lease& lease);
  // Runs `read` on a connection of the pool; once more if the file was damaged and replaced.
  template <typename T>
  Result<T> with_reader(const std::function<Result<T>(SqliteDatabase&)>& read);

  const SqliteOptions options_;
  const std::string path_;
  const FileLock lock_;

  std::mutex writer_mutex_;  // before pool_mutex_
  std::unique_ptr<Writer> writer_;

  mutable std::mutex pool_mutex_;
  std::condition_variable returned_;
  std::vector<Reader> idle_;
  size_t leased_ = 0;
  uint64_t generation_ = 0;  // of the file
  bool is_recovering_ = false;
  std::string notice_;
};

}  // namespace vsr::store
