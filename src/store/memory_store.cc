#include "store/memory_store.h"

namespace vsr::store {
namespace {

// A row's own size beside its texts: summary, map nodes, control blocks.
constexpr size_t kRowBytes = 1024;

size_t bytes_of(const Row& row) { return kRowBytes + text_bytes(row); }

}  // namespace

Status MemoryStore::write(std::span<const Row> rows) {
  const std::lock_guard lock(mutex_);
  for (const auto& row : rows) put(row);
  while (rows_.size() > records_max_ || (bytes_ > bytes_max_ && rows_.size() > 1)) remove_oldest();
  return {};
}

void MemoryStore::put(const Row& row) {
  const auto [at, is_new] = rows_.try_emplace(row.sequence, row);
  Row& stored = at->second;
  if (is_new) {
    sequences_[row.id] = row.sequence;
  } else {
    bytes_ -= bytes_of(stored);
    Row merged = row;
    fill_texts(merged, stored);
    stored = std::move(merged);
  }
  bytes_ += bytes_of(stored);
}

void MemoryStore::remove_oldest() {
  const auto oldest = rows_.begin();
  bytes_ -= bytes_of(oldest->second);
  sequences_.erase(oldest->second.id);
  rows_.erase(oldest);
}

Result<std::vector<Row>> MemoryStore::page(const Filter& filter, size_t offset, size_t limit,
                                           bool bodies) {
  const std::lock_guard lock(mutex_);
  std::vector<Row> out;
  size_t skipped = 0;
  const auto oldest = rows_.lower_bound(filter.from);
  for (auto at = rows_.lower_bound(filter.to); at != oldest && out.size() < limit;) {
    const Row& row = (--at)->second;
    if (!matches(filter, row) || skipped++ < offset) continue;
    out.push_back(row);
    if (!bodies) out.back().request_body = out.back().response_body = nullptr;
  }
  return out;
}

Result<uint64_t> MemoryStore::count(const Filter& filter) {
  uint64_t found = 0;
  const Status status = scan(filter, [&found](const Row&) { ++found; });
  if (!status) return std::unexpected(status.error());
  return found;
}

Result<std::optional<Row>> MemoryStore::find(const Id128& id) {
  const std::lock_guard lock(mutex_);
  const auto at = sequences_.find(id);
  if (at == sequences_.end()) return std::nullopt;
  return rows_.at(at->second);
}

Status MemoryStore::scan(const Filter& filter, const std::function<void(const Row&)>& visit) {
  const std::lock_guard lock(mutex_);
  const auto end = rows_.end();
  for (auto at = rows_.lower_bound(filter.from); at != end && at->first < filter.to; ++at) {
    if (matches(filter, at->second)) visit(at->second);
  }
  return {};
}

Status MemoryStore::close_unfinished(UnixMillis now) {
  const std::lock_guard lock(mutex_);
  for (auto& [sequence, row] : rows_) {
    if (row.summary->state != Lifecycle::kRunning) continue;
    row.summary = crashed(*row.summary, now);
  }
  return {};
}

Result<size_t> MemoryStore::expire(int64_t oldest, uint64_t keep, size_t rows_max) {
  const std::lock_guard lock(mutex_);
  size_t removed = 0;
  while (removed < rows_max && !rows_.empty() &&
         (rows_.begin()->first < oldest || rows_.size() > keep)) {
    remove_oldest();
    ++removed;
  }
  return removed;
}

}  // namespace vsr::store
