#include "store/sqlite_schema.h"

#include <fmt/format.h>

#include <array>

namespace vsr::store {
namespace {

constexpr int64_t kApplicationId = 0x76737270;  // "vsrp"

// Entry n leads from version n to n + 1. Entries never change once released.
constexpr auto kMigrations = std::to_array<const char*>({R"sql(
  CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    session_id TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    api_key_name TEXT NOT NULL,
    turn_index INTEGER NOT NULL,
    decision TEXT NOT NULL,
    original_model TEXT NOT NULL,
    previous_model TEXT NOT NULL,
    selected_model TEXT NOT NULL,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    mode TEXT NOT NULL,
    phase TEXT NOT NULL,
    is_switch INTEGER NOT NULL,
    routing_us REAL NOT NULL,
    signals TEXT NOT NULL,
    state INTEGER NOT NULL,
    terminal_reason TEXT NOT NULL,
    ended_at INTEGER NOT NULL,
    duration_ms REAL NOT NULL,
    response_status INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cached_prompt_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    total_tokens INTEGER NOT NULL,
    actual_cost REAL NOT NULL,
    baseline_cost REAL NOT NULL,
    currency TEXT NOT NULL
  );
  CREATE UNIQUE INDEX records_id ON records (id);
  CREATE INDEX records_session ON records (session_id);
  CREATE INDEX records_conversation ON records (conversation_id);
  CREATE INDEX records_api_key ON records (api_key_name);
  CREATE INDEX records_decision ON records (decision);
  CREATE INDEX records_model ON records (selected_model);
  CREATE INDEX records_action ON records (action);
  CREATE INDEX records_state ON records (state);
  CREATE TABLE beginnings (
    seq INTEGER PRIMARY KEY,
    document TEXT NOT NULL,
    prompt TEXT,
    request_body TEXT
  );
  CREATE TABLE endings (
    seq INTEGER PRIMARY KEY,
    document TEXT NOT NULL,
    response_body TEXT
  );
)sql",
                                                         R"sql(
  ALTER TABLE records ADD COLUMN lineage INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE records ADD COLUMN prefix INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE records ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;
)sql",
                                                         R"sql(
  ALTER TABLE records ADD COLUMN delivered TEXT NOT NULL DEFAULT '';
  ALTER TABLE records ADD COLUMN emitted TEXT NOT NULL DEFAULT '';
)sql"});

}  // namespace

int replay_schema_version() { return static_cast<int>(kMigrations.size()); }

Status migrate_replay_schema(SqliteDatabase& database) {
  const auto version = database.integer("PRAGMA user_version");
  const auto owner = database.integer("PRAGMA application_id");
  const auto tables = database.integer("SELECT count(*) FROM sqlite_schema");
  for (const auto* read : {&version, &owner, &tables}) {
    if (!*read) return std::unexpected(read->error());
  }
  if (*tables > 0 && *owner != kApplicationId) {
    return fail(ErrorCode::kCorrupt, "The replay file belongs to another program.");
  }
  if (*version > replay_schema_version()) {
    return fail(ErrorCode::kUnsupported,
                fmt::format("The replay file was written by a newer version (schema {}, this one "
                            "knows {}); update this program or move the file away.",
                            *version, replay_schema_version()));
  }
  for (int64_t from = *version; from < replay_schema_version(); ++from) {
    const std::string sql = fmt::format(
        "BEGIN IMMEDIATE; {} PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;",
        kMigrations[static_cast<size_t>(from)], kApplicationId, from + 1);
    const Status status = database.execute(sql);
    if (status) continue;
    (void)database.execute("ROLLBACK");
    return status;
  }
  return {};
}

}  // namespace vsr::store
