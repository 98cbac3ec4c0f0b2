#pragma once

// Router Replay: the writer with its bounded queue in front of a store. Thread-safe. A record is
// readable from begin() on, from the pending map until its batch is in the store. Limits:
// kQueueRecordsMax records and kQueueBodyBytesMax body bytes; over them the oldest body goes first,
// then the oldest record, and dropped() counts both.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "config/config.h"
#include "store/record.h"
#include "store/row.h"

namespace vsr::store {

// Filters of lists and aggregates; empty strings and zeros do not filter.
struct ReplayQuery {
  uint32_t limit = 20;  // at most kListMax
  std::string cursor;   // `next_cursor` of the page before
  uint32_t offset = 0;
  std::string session_id;       // raw or hash
  std::string conversation_id;  // raw or hash
  std::string api_key_name;     // with `own_only`
  bool own_only = false;
  std::string decision, model, action, status;  // kNone as a value: those without one
  UnixMillis from = 0, to = 0;                  // from <= timestamp < to
  std::string search;          // in prompt, decision and models, without ASCII case
  std::optional<bool> unsafe;  // delivered something to a model that had not made it; delivery.h
  bool details = false;
  std::string bucket;  // aggregate: minute, hour or day
  // Aggregate: at whose prices always_one_model is worked out; null: it is empty.
  std::shared_ptr<const config::Config> prices;
};
constexpr uint32_t kListMax = 100;

// Reads the query string of the HTTP API ("limit=5&decision=x"); an unknown or malformed parameter
// is an error that names it and what is allowed.
Result<ReplayQuery> parse_replay_query(std::string_view query_string);

struct DropCounts {
  uint64_t bodies = 0;
  uint64_t records = 0;
};

struct ReplayHealth {
  bool ok = true;
  std::string problem;  // what is wrong and what to do, "" when ok
  std::string notice;   // something that happened and was dealt with, e.g. a file moved aside
  uint64_t queued = 0;  // records not yet in the store
  std::string backend;  // "sqlite", "memory", …
};

class Replay {
 public:
  virtual ~Replay() = default;

  // The routing part; the record is readable when this returns. Never blocks on the store.
  virtual void begin(const Id128& id, RoutingPart part) = 0;
  // The terminal part; exactly once per begun record (a second call is ignored and counted).
  virtual void end(const Id128& id, TerminalPart part) = 0;

  // JSON documents of the HTTP API, section "API" of the replay specification. They may read a
  // disk: not for an event loop. show() gives the whole record, bodies included, and looks at
  // own_only and api_key_name only; a record of somebody else is as unknown as an expired one.
  virtual Result<std::string> show(const Id128& id, const ReplayQuery& access) = 0;
  virtual Result<std::string> list(const ReplayQuery& query) = 0;
  virtual Result<std::string> aggregate(const ReplayQuery& query) = 0;
  virtual Result<std::string> trajectory(const ReplayQuery& query) = 0;
  // One row per conversation, the latest first; `limit` and `offset` count conversations.
  virtual Result<std::string> conversations(const ReplayQuery& query) = 0;

  // Calls `visit` with the records before `to` from the newest to the oldest until it says false,
  // with the routing and terminal documents and the prompt but without bodies. 0: no bound.
  virtual Status read(UnixMillis to, const std::function<bool(const Row&)>& visit) = 0;
  // One record with its bodies; nothing if it is unknown.
  virtual Result<std::optional<Row>> find(const Id128& id) = 0;

  virtual DropCounts dropped() const = 0;
  virtual ReplayHealth health() const = 0;
  // Returns when everything begun or ended before the call is in the store, or the time is up.
  virtual bool flush(std::chrono::milliseconds at_most) = 0;
};

struct ReplayOptions {
  config::Replay config;
  std::string state_folder;  // where replay.sqlite lives
  const Clock* clock = nullptr;
};

// Opens the store. A corrupt SQLite file is moved aside and said so (in health() and `notice`);
// a store that cannot be opened at all is an error only for `sqlite` with an unwritable folder —
// then the caller may fall back to memory.
Result<std::unique_ptr<Replay>> open_replay(const ReplayOptions& options, std::string* notice);

// The first 16 hex digits of SHA-256: how session and conversation ids are stored.
std::string identity_hash(std::string_view raw);

}  // namespace vsr::store
