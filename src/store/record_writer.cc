#include "store/record_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "store/render.h"

namespace vsr::store {
namespace {

// A new process starts at a random place of the count, so that it does not meet a record of the
// same millisecond that an earlier process has written.
uint64_t random_count() {
  std::array<uint8_t, sizeof(uint64_t)> bytes{};
  random_bytes(bytes);
  uint64_t count = 0;
  std::memcpy(&count, bytes.data(), sizeof(count));
  return count;
}

void drop(Text& text) { text = nullptr; }

}  // namespace

void RecordWriter::Load::add(const Load& other) {
  prompt_bytes += other.prompt_bytes;
  body_bytes += other.body_bytes;
  bodies += other.bodies;
}

RecordWriter::RecordWriter(std::unique_ptr<RecordStore> store, const WriterOptions& options)
    : store_(std::move(store)), options_(options), sequence_count_(random_count()) {
  VSR_CHECK(options.clock != nullptr, "a writer needs a clock");
  thread_ = std::thread([this] { run(); });
}

RecordWriter::~RecordWriter() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    retry_pause_ = {};
  }
  work_.notify_one();
  thread_.join();
}

// ---- the request path ---------------------------------------------------------------------------

int64_t RecordWriter::next_sequence(UnixMillis time) {
  constexpr uint64_t kMask = (uint64_t{1} << kSequenceBits) - 1;
  return first_sequence_at(time) | static_cast<int64_t>(++sequence_count_ & kMask);
}

void RecordWriter::begin(const Id128& id, RoutingPart part) {
  if (part.timestamp <= 0) part.timestamp = options_.clock->unix_ms();
  const size_t body_bytes = part.request_body.text.size();
  const Load load{part.prompt.text.size(), body_bytes, body_bytes > 0 ? 1u : 0u};
  const UnixMillis time = part.timestamp;
  auto entry = std::make_shared<Entry>();
  entry->id = id;
  entry->is_private = part.redact;
  entry->routing = std::make_unique<RoutingPart>(std::move(part));

  const std::lock_guard lock(mutex_);
  if (entries_.size() >= options_.open_records_max) {
    ++dropped_.records;
    return;
  }
  if (!entries_.try_emplace(id, entry).second) {
    ++ignored_;
    return;
  }
  entry->row.id = id;
  entry->row.sequence = next_sequence(time);
  enqueue(entry, load);
}

void RecordWriter::end(const Id128& id, TerminalPart part) {
  const size_t body_bytes = part.response_body.text.size();
  const Load load{0, body_bytes, body_bytes > 0 ? 1u : 0u};
  auto terminal = std::make_unique<TerminalPart>(std::move(part));

  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(id);
  if (at == entries_.end() || at->second->is_ended) {
    ++ignored_;
    return;
  }
  const EntryPtr entry = at->second;
  entry->is_ended = true;
  entry->terminal = std::move(terminal);
  enqueue(entry, load);
}

void RecordWriter::enqueue(const EntryPtr& entry, const Load& load) {
  ++tickets_;
  if (!entry->is_queued) {
    entry->is_queued = true;
    entry->ticket = tickets_;
    queue_.push_back(entry);
  }
  if (load.bodies > 0) with_body_.push_back(entry);
  entry->load.add(load);
  queued_bytes_ += load.bytes();
  enforce_limits();
  if (is_idle_ || queue_.size() == kBatchRowsMax) {
    is_idle_ = false;
    work_.notify_one();
  }
}

void RecordWriter::enforce_limits() {
  while (queued_bytes_ > options_.queue_body_bytes_max) {
    if (!drop_oldest_body() && !drop_oldest_record()) break;
  }
  while (queue_.size() + batch_.size() > options_.queue_records_max) {
    if (!drop_oldest_record()) break;
  }
}

bool RecordWriter::drop_oldest_body() {
  while (!with_body_.empty()) {
    const EntryPtr entry = std::move(with_body_.front());
    with_body_.pop_front();
    if (!entry->is_queued || entry->load.bodies == 0) continue;
    if (entry->routing) entry->routing->request_body.text = {};
    if (entry->terminal) entry->terminal->response_body.text = {};
    drop(entry->row.request_body);
    drop(entry->row.response_body);
    entry->are_bodies_dropped = true;
    dropped_.bodies += entry->load.bodies;
    queued_bytes_ -= entry->load.body_bytes;
    entry->load.body_bytes = entry->load.bodies = 0;
    return true;
  }
  return false;
}

// A record whose beginning is in the store stays, or it would run there for ever; there are only as
// many of them as requests were running when the store failed.
bool RecordWriter::drop_oldest_record() {
  for (size_t left = queue_.size(); left > 0; --left) {
    const EntryPtr entry = std::move(queue_.front());
    queue_.pop_front();
    if (entry->is_stored) {
      queue_.push_back(entry);
      continue;
    }
    entry->is_queued = false;
    queued_bytes_ -= entry->load.bytes();
    entries_.erase(entry->id);
    ++dropped_.records;
    return true;
  }
  return false;
}

// ---- readers ------------------------------------------------------------------------------------

Row RecordWriter::render(const EntryPtr& entry) {
  const std::lock_guard one_at_a_time(render_mutex_);
  std::unique_ptr<RoutingPart> routing;
  std::unique_ptr<TerminalPart> terminal;
  Row row;
  {
    const std::lock_guard lock(mutex_);
    routing = std::move(entry->routing);
    terminal = std::move(entry->terminal);
    row = entry->row;
    entry->are_bodies_dropped = false;
  }
  if (!routing && !terminal) return row;
  if (routing) render_routing(*routing, row);
  if (terminal) render_terminal(*terminal, entry->is_private, row);
  const std::lock_guard lock(mutex_);
  if (entry->are_bodies_dropped) {
    drop(row.request_body);
    drop(row.response_body);
  }
  return entry->row = row;
}

std::vector<Row> RecordWriter::pending() {
  std::vector<EntryPtr> entries;
  {
    const std::lock_guard lock(mutex_);
    entries.reserve(entries_.size());
    for (const auto& [id, entry] : entries_) entries.push_back(entry);
  }
  std::vector<Row> rows;
  rows.reserve(entries.size());
  for (const auto& entry : entries) rows.push_back(render(entry));
  return rows;
}

std::optional<Row> RecordWriter::pending(const Id128& id) {
  EntryPtr entry;
  {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(id);
    if (at == entries_.end()) return std::nullopt;
    entry = at->second;
  }
  return render(entry);
}

DropCounts RecordWriter::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

uint64_t RecordWriter::ignored() const {
  const std::lock_guard lock(mutex_);
  return ignored_;
}

ReplayHealth RecordWriter::health() const {
  ReplayHealth health;
  health.backend = store_->name();
  health.notice = store_->notice();
  const std::lock_guard lock(mutex_);
  health.queued = queue_.size() + batch_.size();
  health.ok = problem_.empty();
  if (!health.ok) {
    health.problem = fmt::format(
        "{} {} of at most {} records wait in memory and are written as soon as it works again.",
        problem_, health.queued, options_.queue_records_max);
  }
  return health;
}

UnixMillis RecordWriter::oldest() const {
  return options_.ttl.count() == 0 ? 0 : options_.clock->unix_ms() - options_.ttl.count();
}

bool RecordWriter::is_written(uint64_t ticket) const {
  const auto is_before = [ticket](const auto& waiting) { return waiting <= ticket; };
  return std::ranges::none_of(batch_, is_before, &BatchItem::ticket) &&
         std::ranges::none_of(queue_, is_before, [](const EntryPtr& e) { return e->ticket; });
}

bool RecordWriter::flush(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  const uint64_t ticket = tickets_;
  if (is_written(ticket)) return true;
  flush_ticket_ = ticket;
  is_hurried_ = true;
  work_.notify_one();
  return settled_.wait_for(lock, at_most, [&] { return is_written(ticket); });
}

// ---- the writer's thread ------------------------------------------------------------------------

void RecordWriter::run() {
  std::unique_lock lock(mutex_);
  while (wait_for_work(lock)) {
    if (!queue_.empty()) write_batch(lock);
    expire(lock);
  }
  dropped_.records += queue_.size();
}

bool RecordWriter::is_due() const {
  if (is_stopping_ || is_hurried_) return true;
  if (retry_pause_.count() > 0 || queue_.empty()) return false;
  return queue_.size() >= kBatchRowsMax || queue_.front()->ticket <= flush_ticket_;
}

bool RecordWriter::wait_for_work(std::unique_lock<std::mutex>& lock) {
  if (queue_.empty()) {
    is_idle_ = true;
    work_.wait_for(lock, kExpireEvery, [this] { return !queue_.empty() || is_due(); });
    is_idle_ = false;
  }
  if (!queue_.empty()) {
    const auto pause = retry_pause_.count() > 0 ? retry_pause_ : options_.sync_interval;
    work_.wait_for(lock, pause, [this] { return is_due(); });
  }
  is_hurried_ = false;
  return !is_stopping_ || (!queue_.empty() && retry_pause_.count() == 0);
}

std::vector<RecordWriter::BatchItem> RecordWriter::take_batch() {
  std::vector<BatchItem> batch;
  batch.reserve(kBatchRowsMax);
  while (!queue_.empty() && batch.size() < kBatchRowsMax) {
    const EntryPtr entry = std::move(queue_.front());
    queue_.pop_front();
    entry->is_queued = false;
    batch.push_back({entry, entry->ticket, std::exchange(entry->load, Load()), Row()});
  }
  while (!with_body_.empty() &&
         (!with_body_.front()->is_queued || with_body_.front()->load.bodies == 0)) {
    with_body_.pop_front();
  }
  return batch;
}

void RecordWriter::write_batch(std::unique_lock<std::mutex>& lock) {
  batch_ = take_batch();
  lock.unlock();
  // The writer alone changes batch_; the lock is for those who look at it.
  std::vector<Row> rows;
  rows.reserve(batch_.size());
  for (auto& item : batch_) rows.push_back(item.row = render(item.entry));
  const Status status = store_->write(rows);
  lock.lock();

  const std::vector<BatchItem> batch = std::exchange(batch_, {});
  if (status) {
    problem_.clear();
    retry_pause_ = {};
    for (const auto& item : batch) settle_written(item);
  } else {
    note_problem(status.error());
    for (auto item = batch.rbegin(); item != batch.rend(); ++item) settle_failed(*item);
    enforce_limits();
  }
  settled_.notify_all();
}

void RecordWriter::settle_written(const BatchItem& item) {
  Entry& entry = *item.entry;
  queued_bytes_ -= item.load.bytes();
  entry.is_stored = true;
  if (entry.is_ended && !entry.is_queued) {
    entries_.erase(entry.id);
    return;
  }
  const auto forget = [](Text& text, const Text& written) {
    if (text == written) drop(text);
  };
  forget(entry.row.routing, item.row.routing);
  forget(entry.row.prompt, item.row.prompt);
  forget(entry.row.request_body, item.row.request_body);
  forget(entry.row.terminal, item.row.terminal);
  forget(entry.row.response_body, item.row.response_body);
}

void RecordWriter::settle_failed(const BatchItem& item) {
  Entry& entry = *item.entry;
  entry.load.add(item.load);
  entry.ticket = item.ticket;
  if (item.load.bodies > 0) with_body_.push_front(item.entry);
  if (entry.is_queued) return;
  entry.is_queued = true;
  queue_.push_front(item.entry);
}

void RecordWriter::note_problem(const Error& error) {
  problem_ = error.message;
  retry_pause_ = retry_pause_.count() == 0 ? kRetryFirst : std::min(retry_pause_ * 2, kRetryMax);
}

void RecordWriter::expire(std::unique_lock<std::mutex>& lock) {
  if (options_.clock->mono() < next_expiry_) return;
  size_t removed = kExpireRowsMax;
  while (removed == kExpireRowsMax && queue_.size() < kBatchRowsMax && !is_stopping_) {
    lock.unlock();
    removed = store_->expire(first_sequence_at(oldest()), options_.records_max, kExpireRowsMax)
                  .value_or(0);
    lock.lock();
  }
  if (removed < kExpireRowsMax) next_expiry_ = options_.clock->mono() + kExpireEvery;
}

}  // namespace vsr::store
