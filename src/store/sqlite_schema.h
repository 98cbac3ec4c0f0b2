#pragma once

// The tables of replay.sqlite and how older files become new ones. A record has one row in each
// table under its sequence: the columns that filters use, what was known before dispatch, and how
// it ended. Each text is written once and never again.

#include "base/result.h"
#include "store/sqlite.h"

namespace vsr::store {

// Brings an empty or older file to the newest version. kCorrupt: the file belongs to something
// else. kUnsupported: it was written by a newer program and must not be touched.
Status migrate_replay_schema(SqliteDatabase& database);

// The version that migrate_replay_schema leads to.
int replay_schema_version();

}  // namespace vsr::store
