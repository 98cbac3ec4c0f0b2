#include "store/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "json/writer.h"
#include "store/aggregate.h"
#include "store/cache_spend.h"
#include "store/conversations.h"
#include "store/memory_store.h"
#include "store/record_writer.h"
#include "store/render.h"
#include "store/sqlite_store.h"

namespace vsr::store {
namespace {

constexpr size_t kTrajectoryTurnsMax = 10'000;
constexpr int kHexBase = 16;
constexpr size_t kReadRows = 500;

// Where a list goes on, and how many records the whole of it has: counting them costs more than a
// page and is done for the first page only.
struct Cursor {
  int64_t sequence = 0;
  uint64_t total = 0;
};

std::string to_cursor(const Cursor& cursor) {
  return to_hex(static_cast<uint64_t>(cursor.sequence)) + to_hex(cursor.total);
}

// `text` is well-formed.
Cursor from_cursor(std::string_view text) {
  Cursor cursor;
  const char* const middle = text.data() + text.size() / 2;
  std::from_chars(text.data(), middle, cursor.sequence, kHexBase);
  std::from_chars(middle, text.data() + text.size(), cursor.total, kHexBase);
  return cursor;
}

bool is_newer(const Row& a, const Row& b) { return a.sequence > b.sequence; }

std::unexpected<Error> not_found(std::string message) {
  return fail(ErrorCode::kNotFound, std::move(message), ErrorSource::kClient);
}

void write_turn(json::JsonWriter& out, const Row& row, bool is_unsafe) {
  const Summary& summary = *row.summary;
  out.begin_object();
  out.field("id", row.id.hex()).field("timestamp", format_rfc3339(summary.timestamp));
  out.field("session_id", summary.session_id).field("conversation_id", summary.conversation_id);
  out.field("turn_index", summary.turn_index);
  out.field("model", summary.selected_model).field("previous_model", summary.previous_model);
  out.field("decision", summary.decision).field("action", summary.action);
  out.field("reason", summary.reason).field("mode", summary.mode).field("phase", summary.phase);
  out.field("is_switch", summary.is_switch).field("is_unsafe_switch", is_unsafe);
  out.field("lifecycle_state", to_string(summary.state));
  out.field("terminal_reason", summary.terminal_reason);
  out.field("duration_ms", summary.duration_ms);
  out.field("prompt_tokens", summary.prompt_tokens);
  out.field("cached_prompt_tokens", summary.cached_prompt_tokens);
  out.field("completion_tokens", summary.completion_tokens);
  out.field("total_tokens", summary.total_tokens);
  out.field("actual_cost", summary.actual_cost).field("baseline_cost", summary.baseline_cost);
  out.field("currency", summary.currency);
  out.end_object();
}

std::string trajectory_json(const ReplayQuery& query, const std::vector<Row>& rows, bool is_cut,
                            const Deliveries::Result& joined) {
  Totals totals;
  uint64_t switches = 0;
  uint64_t unsafe_switches = 0;
  uint64_t hard_locks = 0;
  json::JsonWriter out;
  out.begin_object().field("object", "router_replay.trajectory");
  out.field("session_id", query.session_id).field("conversation_id", query.conversation_id);
  out.field("count", rows.size()).field("truncated", is_cut);
  CacheSpend spend(query.prices);
  std::vector<std::vector<double>> history;
  out.key("turns").begin_array();
  for (const auto& row : rows) {
    spend.add(*row.summary);
    history.push_back(spend.sums());
    const bool is_unsafe = joined.is_unsafe(row.sequence);
    write_turn(out, row, is_unsafe);
    if (is_unsafe) ++unsafe_switches;
    totals.add(*row.summary);
    if (row.summary->is_switch) ++switches;
    if (row.summary->action == "hard_lock") ++hard_locks;
  }
  out.end_array();
  out.key("totals").begin_object().field("turns", rows.size());
  out.field("switches", switches).field("unsafe_switches", unsafe_switches);
  out.field("hard_locks", hard_locks);
  totals.write_spend(out);
  totals.write_tokens(out);
  out.end_object();
  if (query.prices) {
    out.key("sums_under_cache_model").begin_object();
    spend.write_history(out, history);
    out.end_object();
  }
  out.end_object();
  return out.take();
}

// Reads join what the writer holds with what the store holds. The writer is asked first: a record
// that moves from one to the other meanwhile is seen once, since its sequence is excluded there.
class StoreReplay final : public Replay {
 public:
  StoreReplay(std::unique_ptr<RecordStore> store, const WriterOptions& options)
      : writer_(std::move(store), options) {}

  void begin(const Id128& id, RoutingPart part) override { writer_.begin(id, std::move(part)); }
  void end(const Id128& id, TerminalPart part) override { writer_.end(id, std::move(part)); }
  Result<std::string> show(const Id128& id, const ReplayQuery& access) override;
  Result<std::string> list(const ReplayQuery& query) override;
  Result<std::string> aggregate(const ReplayQuery& query) override;
  Result<std::string> trajectory(const ReplayQuery& query) override;
  Result<std::string> conversations(const ReplayQuery& query) override;
  Status read(UnixMillis to, const std::function<bool(const Row&)>& visit) override;
  Result<std::optional<Row>> find(const Id128& id) override;
  DropCounts dropped() const override { return writer_.dropped(); }
  ReplayHealth health() const override { return writer_.health(); }
  bool flush(std::chrono::milliseconds at_most) override { return writer_.flush(at_most); }

 private:
  struct Page {
    std::vector<Row> rows;
    bool has_more = false;
  };

  // The writer's rows that match; excludes all of the writer's rows from `filter`.
  std::vector<Row> take_pending(Filter& filter);
  void complete(Row& row);
  // The filter of a query, `unsafe` included. Rows before `oldest` are expired.
  Result<Filter> resolve(const ReplayQuery& query, UnixMillis oldest);
  Result<Page> merged_page(std::vector<Row> pending, const Filter& filter,
                           const ReplayQuery& query);
  // All rows that match, from the oldest to the newest, without texts.
  Status visit(Filter filter, const std::function<void(const Row&)>& visitor);
  // The same, and which of them were unsafe switches.
  Result<Deliveries::Result> visit_joined(const ReplayQuery& query,
                                          const std::function<void(const Row&)>& visitor);
  Result<Deliveries::Result> join(const std::vector<Row>& rows);
  // Adds the records, whatever filters say of them, that may have made what was delivered.
  Status add_makers(Deliveries& deliveries);

  RecordWriter writer_;
};

void StoreReplay::complete(Row& row) {
  if (row.routing && (row.terminal || row.summary->state == Lifecycle::kRunning)) return;
  const auto stored = writer_.store().find(row.id);
  if (stored && *stored) fill_texts(row, **stored);
}

std::vector<Row> StoreReplay::take_pending(Filter& filter) {
  std::vector<Row> rows = writer_.pending();
  std::vector<Row> matching;
  for (auto& row : rows) {
    if (!matches_columns(filter, row)) continue;
    if (!filter.search.empty()) complete(row);
    if (matches_search(filter, row)) matching.push_back(row);
  }
  for (const auto& row : rows) filter.without.insert(row.sequence);
  std::ranges::sort(matching, is_newer);
  return matching;
}

Result<std::string> StoreReplay::show(const Id128& id, const ReplayQuery& access) {
  std::optional<Row> row = writer_.pending(id);
  if (row) {
    complete(*row);
  } else {
    auto stored = writer_.store().find(id);
    if (!stored) return std::unexpected(stored.error());
    row = *std::move(stored);
  }
  const bool is_visible = row && row->sequence >= first_sequence_at(writer_.oldest()) &&
                          (!access.own_only || row->summary->api_key_name == access.api_key_name);
  if (!is_visible) {
    return not_found(fmt::format("There is no replay record {}, or it has expired.", id.hex()));
  }
  const auto joined = join({*row});
  if (!joined) return std::unexpected(joined.error());
  return compose(*row, true, joined->is_unsafe(row->sequence));
}

// The rows before the offset are skipped in the store as far as they must be there: of the first
// `offset` rows of the merged order, at most pending.size() are the writer's.
Result<StoreReplay::Page> StoreReplay::merged_page(std::vector<Row> pending, const Filter& filter,
                                                   const ReplayQuery& query) {
  const size_t skipped = query.offset - std::min<size_t>(query.offset, pending.size());
  const size_t ahead = query.offset - skipped;
  auto stored = writer_.store().page(filter, skipped, ahead + query.limit + 1, query.details);
  if (!stored) return std::unexpected(stored.error());
  std::vector<Row> merged;
  std::ranges::merge(*stored, pending, std::back_inserter(merged), is_newer);
  Page page;
  page.has_more = merged.size() > ahead + query.limit;
  merged.resize(std::min(merged.size(), ahead + query.limit));
  merged.erase(merged.begin(), merged.begin() + std::min(ahead, merged.size()));
  for (auto& row : merged) complete(row);
  page.rows = std::move(merged);
  return page;
}

Result<std::string> StoreReplay::list(const ReplayQuery& query) {
  VSR_CHECK(query.limit >= 1 && query.limit <= kListMax, "limit {}", query.limit);
  auto resolved = resolve(query, writer_.oldest());
  if (!resolved) return std::unexpected(resolved.error());
  Filter& filter = *resolved;
  std::vector<Row> pending = take_pending(filter);
  uint64_t total = 0;
  if (query.cursor.empty()) {
    const auto stored = writer_.store().count(filter);
    if (!stored) return std::unexpected(stored.error());
    total = *stored + pending.size();
  } else {
    const Cursor cursor = from_cursor(query.cursor);
    total = cursor.total;
    filter.to = std::min(filter.to, cursor.sequence);
    std::erase_if(pending, [&](const Row& row) { return row.sequence >= filter.to; });
  }
  const auto page = merged_page(std::move(pending), filter, query);
  if (!page) return std::unexpected(page.error());
  const auto joined = join(page->rows);
  if (!joined) return std::unexpected(joined.error());

  json::JsonWriter out;
  out.begin_object().field("object", "router_replay.list");
  out.field("count", page->rows.size()).field("total", total).field("has_more", page->has_more);
  if (page->has_more) {
    out.field("next_cursor", to_cursor({page->rows.back().sequence, total}));
  } else {
    out.null_field("next_cursor");
  }
  out.key("data").begin_array();
  for (const auto& row : page->rows) {
    out.raw(compose(row, query.details, joined->is_unsafe(row.sequence)));
  }
  out.end_array().end_object();
  return out.take();
}

Result<Filter> StoreReplay::resolve(const ReplayQuery& query, UnixMillis oldest) {
  Filter filter = make_filter(query, oldest);
  if (!query.unsafe) return filter;
  ReplayQuery all = query;
  all.unsafe.reset();
  const auto joined = visit_joined(all, [](const Row&) {});
  if (!joined) return std::unexpected(joined.error());
  std::unordered_set<int64_t> unsafe(joined->unsafe.begin(), joined->unsafe.end());
  if (*query.unsafe) {
    filter.only = std::move(unsafe);
  } else {
    filter.without = std::move(unsafe);
  }
  return filter;
}

Status StoreReplay::add_makers(Deliveries& deliveries) {
  const Deliveries::Places& places = deliveries.places();
  if (places.sessions.empty()) return {};
  Filter makers = make_filter({}, writer_.oldest());
  makers.makes_ids = true;
  const auto add = [&](const Row& row) { deliveries.add_maker(row); };
  if (places.anywhere) return visit(makers, add);
  Filter in_conversations = makers;
  makers.session_ids.assign(places.sessions.begin(), places.sessions.end());
  in_conversations.conversation_ids.assign(places.conversations.begin(),
                                           places.conversations.end());
  if (const Status status = visit(makers, add); !status) return status;
  return visit(in_conversations, add);
}

Result<Deliveries::Result> StoreReplay::join(const std::vector<Row>& rows) {
  Deliveries deliveries;
  for (const Row& row : rows) deliveries.add(row);
  if (const Status status = add_makers(deliveries); !status) {
    return std::unexpected(status.error());
  }
  return deliveries.join();
}

Result<Deliveries::Result> StoreReplay::visit_joined(
    const ReplayQuery& query, const std::function<void(const Row&)>& visitor) {
  const UnixMillis oldest = writer_.oldest();
  const auto filter = resolve(query, oldest);
  if (!filter) return std::unexpected(filter.error());
  Deliveries deliveries;
  Status status = visit(*filter, [&](const Row& row) {
    visitor(row);
    deliveries.add(row);
  });
  const bool saw_all = *filter == make_filter({.to = query.to}, oldest);
  if (status && !saw_all) status = add_makers(deliveries);
  if (!status) return std::unexpected(status.error());
  return deliveries.join();
}

Status StoreReplay::visit(Filter filter, const std::function<void(const Row&)>& visitor) {
  const std::vector<Row> pending = take_pending(filter);  // the newest first
  auto next = pending.rbegin();
  const Status status = writer_.store().scan(filter, [&](const Row& row) {
    for (; next != pending.rend() && next->sequence < row.sequence; ++next) visitor(*next);
    visitor(row);
  });
  if (!status) return status;
  for (; next != pending.rend(); ++next) visitor(*next);
  return {};
}

Status StoreReplay::read(UnixMillis to, const std::function<bool(const Row&)>& visit) {
  Filter filter = make_filter({.to = to}, writer_.oldest());
  const std::vector<Row> pending = take_pending(filter);
  auto next = pending.begin();
  for (;;) {
    const auto page = writer_.store().page(filter, 0, kReadRows, false);
    if (!page) return std::unexpected(page.error());
    for (const Row& row : *page) {
      for (; next != pending.end() && next->sequence > row.sequence; ++next) {
        Row whole = *next;
        complete(whole);
        if (!visit(whole)) return {};
      }
      if (!visit(row)) return {};
    }
    if (page->size() < kReadRows) break;
    filter.to = page->back().sequence;
  }
  for (; next != pending.end(); ++next) {
    Row whole = *next;
    complete(whole);
    if (!visit(whole)) return {};
  }
  return {};
}

Result<std::optional<Row>> StoreReplay::find(const Id128& id) {
  std::optional<Row> row = writer_.pending(id);
  if (!row) return writer_.store().find(id);
  complete(*row);
  return row;
}

Result<std::string> StoreReplay::aggregate(const ReplayQuery& query) {
  Aggregate sums(query.bucket, query.prices);
  const auto joined = visit_joined(query, [&sums](const Row& row) { sums.add(row); });
  if (!joined) return std::unexpected(joined.error());
  if (sums.has_too_many_buckets()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("The time range has more than {} buckets of one {}; narrow it with "
                            "from and to, or take a longer bucket.",
                            Aggregate::kBucketsMax, query.bucket),
                ErrorSource::kClient);
  }
  return sums.to_json(*joined);
}

Result<std::string> StoreReplay::conversations(const ReplayQuery& query) {
  Conversations sums;
  const auto joined = visit_joined(query, [&sums](const Row& row) { sums.add(row); });
  if (!joined) return std::unexpected(joined.error());
  return sums.to_json(query.offset, query.limit, *joined);
}

Result<std::string> StoreReplay::trajectory(const ReplayQuery& query) {
  if (query.session_id.empty() && query.conversation_id.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "A trajectory needs session_id, conversation_id or both.", ErrorSource::kClient);
  }
  std::vector<Row> rows;
  bool is_cut = false;
  const auto joined = visit_joined(query, [&](const Row& row) {
    is_cut = is_cut || rows.size() == kTrajectoryTurnsMax;
    if (rows.size() < kTrajectoryTurnsMax) rows.push_back(row);
  });
  if (!joined) return std::unexpected(joined.error());
  if (rows.empty()) return not_found("There are no replay records of this session.");
  std::ranges::sort(rows, {}, &Row::sequence);
  return trajectory_json(query, rows, is_cut, *joined);
}

Result<std::unique_ptr<RecordStore>> open_store(const ReplayOptions& options) {
  switch (options.config.backend) {
    case config::StoreBackend::kMemory:
      return std::make_unique<MemoryStore>(options.config.max_records);
    case config::StoreBackend::kSqlite:
      return SqliteStore::open({.folder = options.state_folder, .clock = options.clock});
    case config::StoreBackend::kPostgres:
    case config::StoreBackend::kRedis:
      break;
  }
  return fail(ErrorCode::kUnsupported,
              "This build keeps replay records in memory or sqlite only; set "
              "global.services.router_replay.store_backend to one of them, or start with "
              "--store-override replay=sqlite.");
}

}  // namespace

Result<std::unique_ptr<Replay>> open_replay(const ReplayOptions& options, std::string* notice) {
  auto store = open_store(options);
  if (!store) return std::unexpected(store.error());
  const Status closed = (*store)->close_unfinished(options.clock->unix_ms());
  if (!closed) return std::unexpected(closed.error());
  if (notice != nullptr) *notice = (*store)->notice();
  WriterOptions writer;
  writer.clock = options.clock;
  writer.sync_interval = std::chrono::milliseconds(options.config.sync_interval_ms);
  writer.ttl = std::chrono::milliseconds(static_cast<int64_t>(options.config.ttl_seconds * 1000));
  writer.records_max = options.config.max_records;
  return std::make_unique<StoreReplay>(*std::move(store), writer);
}

}  // namespace vsr::store
