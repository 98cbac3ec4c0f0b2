#pragma once

// Where replay records rest: the one seam between the replay and a database. write() and expire()
// are called by one thread at a time, reads by any number. A failed call leaves the store as it
// was and may be tried again. Implementations share one conformance suite.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "store/filter.h"
#include "store/row.h"

namespace vsr::store {

class RecordStore {
 public:
  virtual ~RecordStore() = default;

  // All rows or none. A row replaces the columns of the stored row with its sequence; the texts it
  // has are stored, others stay as they are.
  virtual Status write(std::span<const Row> rows) = 0;

  // Newest first. Rows come with all texts, the bodies only with `bodies`.
  virtual Result<std::vector<Row>> page(const Filter& filter, size_t offset, size_t limit,
                                        bool bodies) = 0;
  virtual Result<uint64_t> count(const Filter& filter) = 0;
  virtual Result<std::optional<Row>> find(const Id128& id) = 0;
  // Visits the rows from the oldest to the newest, without texts unless the filter searches.
  virtual Status scan(const Filter& filter, const std::function<void(const Row&)>& visit) = 0;

  // Ends what a previous process left running.
  virtual Status close_unfinished(UnixMillis now) = 0;
  // Removes at most `rows_max` rows: those older than `oldest`, then the oldest over `keep`.
  // Returns how many.
  virtual Result<size_t> expire(int64_t oldest, uint64_t keep, size_t rows_max) = 0;

  virtual std::string_view name() const = 0;
  // What happened to the store and was dealt with, "" if nothing did.
  virtual std::string notice() const { return {}; }
};

}  // namespace vsr::store
