#pragma once

// Records in memory: a ring bounded by records and by bytes of text, from which the oldest leaves.
// Lost with the process. Thread-safe.

#include <map>
#include <mutex>
#include <unordered_map>

#include "store/id_hash.h"
#include "store/record_store.h"

namespace vsr::store {

class MemoryStore final : public RecordStore {
 public:
  static constexpr size_t kBytesMax = size_t{256} << 20;

  explicit MemoryStore(uint64_t records_max, size_t bytes_max = kBytesMax)
      : records_max_(records_max), bytes_max_(bytes_max) {}

  Status write(std::span<const Row> rows) override;
  Result<std::vector<Row>> page(const Filter& filter, size_t offset, size_t limit,
                                bool bodies) override;
  Result<uint64_t> count(const Filter& filter) override;
  Result<std::optional<Row>> find(const Id128& id) override;
  Status scan(const Filter& filter, const std::function<void(const Row&)>& visit) override;
  Status close_unfinished(UnixMillis now) override;
  Result<size_t> expire(int64_t oldest, uint64_t keep, size_t rows_max) override;
  std::string_view name() const override { return "memory"; }

 private:
  void put(const Row& row);
  void remove_oldest();

  const uint64_t records_max_;
  const size_t bytes_max_;
  mutable std::mutex mutex_;
  std::map<int64_t, Row> rows_;  // by sequence
  std::unordered_map<Id128, int64_t, IdHash> sequences_;
  size_t bytes_ = 0;
};

}  // namespace vsr::store
