#include "store/sqlite_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/check.h"
#include "store/sqlite_rows.h"
#include "store/sqlite_schema.h"

namespace vsr::store {
namespace {

namespace fs = std::filesystem;

// Big pages, since documents are a few kilobytes; free pages go back to the disk in steps, so that
// expiry makes room. A commit in the write-ahead log survives the end of the process at once and
// the end of the machine after the next checkpoint.
constexpr const char* kSetUpWriter =
    "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; "
    "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 1000; "
    "PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY;";
constexpr const char* kSetUpReader =
    "PRAGMA query_only = ON; PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY;";
constexpr const char* kVacuumStep = "PRAGMA incremental_vacuum(512)";

Text to_text(const SqliteStatement& statement, int column) {
  if (statement.is_null(column)) return nullptr;
  return std::make_shared<const std::string>(statement.text(column));
}

void bind_text(SqliteStatement& statement, int at, const Text& text) {
  if (text) {
    statement.bind(at, std::string_view(*text));
  } else {
    statement.bind_null(at);
  }
}

// Rows of `source`, which gives records under the name r, with their texts.
std::string select_rows(std::string_view source, bool bodies) {
  return fmt::format(
      "SELECT {}, b.document, b.prompt, e.document{} FROM {} r "
      "LEFT JOIN beginnings b ON b.seq = r.seq LEFT JOIN endings e ON e.seq = r.seq "
      "ORDER BY r.seq DESC",
      kRecordColumns, bodies ? ", b.request_body, e.response_body" : "", source);
}

Row read_row(const SqliteStatement& statement, bool bodies) {
  Row row = read_columns(statement);
  int at = kRecordColumnCount;
  row.routing = to_text(statement, at++);
  row.prompt = to_text(statement, at++);
  row.terminal = to_text(statement, at++);
  if (bodies) {
    row.request_body = to_text(statement, at++);
    row.response_body = to_text(statement, at++);
  }
  return row;
}

Status visit_rows(SqliteStatement& statement, const std::function<void()>& visit) {
  while (true) {
    const auto has_row = statement.step();
    if (!has_row) return std::unexpected(has_row.error());
    if (!*has_row) return {};
    visit();
  }
}

// Reads one page of each table's ends, which finds files that are cut or overwritten.
Status look_for_damage(SqliteDatabase& database) {
  for (const auto* table : {"records", "beginnings", "endings"}) {
    for (const auto* order : {"ASC", "DESC"}) {
      const auto row =
          database.integer(fmt::format("SELECT seq FROM {} ORDER BY seq {} LIMIT 1", table, order));
      if (!row) return std::unexpected(row.error());
    }
  }
  return {};
}

}  // namespace

// ---- writing ------------------------------------------------------------------------------------

struct SqliteStore::Writer {
  SqliteDatabase database;
  SqliteStatement upsert_record;
  SqliteStatement put_beginning;
  SqliteStatement put_ending;

  Status write(const Row& row);
  Status write_all(std::span<const Row> rows);
  Result<size_t> expire(int64_t oldest, uint64_t keep, size_t rows_max);
  // All of `body` or nothing.
  Status in_transaction(const std::function<Status()>& body);
};

Status SqliteStore::Writer::in_transaction(const std::function<Status()>& body) {
  if (const Status begun = database.execute("BEGIN IMMEDIATE"); !begun) return begun;
  Status status = body();
  if (status) status = database.execute("COMMIT");
  // Fails when SQLite has rolled back by itself already, as for a full disk.
  if (!status) (void)database.execute("ROLLBACK");
  return status;
}

Status SqliteStore::Writer::write(const Row& row) {
  bind_columns(upsert_record, row);
  if (const Status status = upsert_record.run(); !status) return status;
  if (row.routing) {
    put_beginning.bind(1, row.sequence);
    bind_text(put_beginning, 2, row.routing);
    bind_text(put_beginning, 3, row.prompt);
    bind_text(put_beginning, 4, row.request_body);
    if (const Status status = put_beginning.run(); !status) return status;
  }
  if (row.terminal) {
    put_ending.bind(1, row.sequence);
    bind_text(put_ending, 2, row.terminal);
    bind_text(put_ending, 3, row.response_body);
    if (const Status status = put_ending.run(); !status) return status;
  }
  return {};
}

Status SqliteStore::Writer::write_all(std::span<const Row> rows) {
  return in_transaction([&]() -> Status {
    for (const auto& row : rows) {
      if (const Status status = write(row); !status) return status;
    }
    return {};
  });
}

Result<size_t> SqliteStore::Writer::expire(int64_t oldest, uint64_t keep, size_t rows_max) {
  const auto records = database.integer("SELECT count(*) FROM records");
  if (!records) return std::unexpected(records.error());
  const auto total = static_cast<uint64_t>(*records);
  const uint64_t over = std::min<uint64_t>(total - std::min(total, keep), rows_max);
  // The oldest rows that are over the number or over the age, whichever are more.
  auto victims = database.prepare(
      "SELECT count(*), max(seq) FROM (SELECT seq FROM (SELECT seq FROM records ORDER BY seq "
      "LIMIT ?1) WHERE seq < ?2 OR seq IN (SELECT seq FROM records ORDER BY seq LIMIT ?3))");
  if (!victims) return std::unexpected(victims.error());
  victims->bind(1, static_cast<uint64_t>(rows_max));
  victims->bind(2, oldest);
  victims->bind(3, over);
  if (const auto row = victims->step(); !row) return std::unexpected(row.error());
  const auto removed = static_cast<size_t>(victims->integer(0));
  const int64_t last = victims->integer(1);
  victims->reset();
  if (removed == 0) return 0;
  const Status status = in_transaction([&] {
    return database.execute(fmt::format(
        "DELETE FROM records WHERE seq <= {0}; DELETE FROM beginnings WHERE seq <= {0}; "
        "DELETE FROM endings WHERE seq <= {0};",
        last));
  });
  if (!status) return std::unexpected(status.error());
  if (const Status vacuumed = database.execute(kVacuumStep); !vacuumed) {
    return std::unexpected(vacuumed.error());
  }
  return removed;
}

Status SqliteStore::with_writer(const std::function<Status(Writer&)>& use) {
  const std::lock_guard lock(writer_mutex_);
  Status status;
  if (!writer_) status = open_writer();
  if (status) status = use(*writer_);
  if (status || status.error().code != ErrorCode::kCorrupt) return status;
  if (const Status recovered = recover_locked(); !recovered) return recovered;
  return use(*writer_);
}

Status SqliteStore::write(std::span<const Row> rows) {
  return with_writer([rows](Writer& writer) { return writer.write_all(rows); });
}

Status SqliteStore::close_unfinished(UnixMillis now) {
  return with_writer([now](Writer& writer) {
    return writer.database.execute(fmt::format(
        "UPDATE records SET state = {}, terminal_reason = '{}', ended_at = {} WHERE state = {}",
        static_cast<int>(Lifecycle::kAborted), kCrashReason, now,
        static_cast<int>(Lifecycle::kRunning)));
  });
}

Result<size_t> SqliteStore::expire(int64_t oldest, uint64_t keep, size_t rows_max) {
  size_t removed = 0;
  const Status status = with_writer([&](Writer& writer) -> Status {
    const auto result = writer.expire(oldest, keep, rows_max);
    if (!result) return std::unexpected(result.error());
    removed = *result;
    return {};
  });
  if (!status) return std::unexpected(status.error());
  return removed;
}

// ---- opening and damage -------------------------------------------------------------------------

SqliteStore::SqliteStore(SqliteOptions options, FileLock lock)
    : options_(std::move(options)),
      path_((fs::path(options_.folder) / kFileName).string()),
      lock_(std::move(lock)) {}

SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteOptions& options) {
  VSR_CHECK(options.clock != nullptr, "a store needs a clock");
  auto lock = FileLock::acquire((fs::path(options.folder) / kFileName).string() + ".lock");
  if (!lock) return std::unexpected(lock.error());
  std::unique_ptr<SqliteStore> store(new SqliteStore(options, *std::move(lock)));
  // Damage is dealt with in there, as at any later time.
  const Status status =
      store->with_writer([](Writer& writer) { return look_for_damage(writer.database); });
  if (!status) return std::unexpected(status.error());
  return store;
}

// Prompts are nobody else's business; SQLite gives the log the mode of the file.
void SqliteStore::create_file() const {
  const int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
}

Status SqliteStore::open_writer() {
  create_file();
  auto database = SqliteDatabase::open(path_, options_.vfs);
  if (!database) return std::unexpected(database.error());
  auto writer = std::make_unique<Writer>();
  writer->database = *std::move(database);
  Status status = writer->database.execute(kSetUpWriter);
  if (status) status = migrate_replay_schema(writer->database);
  if (!status) return status;
  const auto prepare = [&](SqliteStatement& statement, const char* sql) {
    auto prepared = status ? writer->database.prepare(sql) : SqliteStatement();
    if (!prepared) status = std::unexpected(prepared.error());
    if (prepared) statement = *std::move(prepared);
  };
  prepare(writer->upsert_record, kUpsertRecord);
  prepare(writer->put_beginning,
          "INSERT OR REPLACE INTO beginnings (seq, document, prompt, request_body) "
          "VALUES (?,?,?,?)");
  prepare(writer->put_ending,
          "INSERT OR REPLACE INTO endings (seq, document, response_body) VALUES (?,?,?)");
  if (status) writer_ = std::move(writer);
  return status;
}

Status SqliteStore::recover(uint64_t generation) {
  const std::lock_guard lock(writer_mutex_);
  {
    const std::lock_guard pool_lock(pool_mutex_);
    if (generation != generation_) return {};
  }
  return recover_locked();
}

// Every connection is closed before the file moves: SQLite removes the log by its name when the
// last one closes, and by then that name would be the new file's.
Status SqliteStore::recover_locked() {
  std::unique_lock lock(pool_mutex_);
  is_recovering_ = true;
  returned_.wait(lock, [this] { return leased_ == 0; });
  idle_.clear();
  writer_.reset();
  Status status = move_aside();
  if (status) status = open_writer();
  ++generation_;
  is_recovering_ = false;
  returned_.notify_all();
  return status;
}

Status SqliteStore::move_aside() {
  std::string stamp = format_rfc3339(options_.clock->unix_ms());
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':' || c == '.'; });
  std::string target = fmt::format("{}.corrupt-{}", path_, stamp);
  for (int copy = 2; fs::exists(target); ++copy) {
    target = fmt::format("{}.corrupt-{}-{}", path_, stamp, copy);
  }
  for (const auto* suffix : {"", "-wal", "-shm"}) {
    std::error_code error;
    fs::rename(path_ + suffix, target + suffix, error);
    if (!error || error == std::errc::no_such_file_or_directory) continue;
    return fail(ErrorCode::kIo,
                fmt::format("The damaged replay file {} cannot be moved aside ({}); move it by "
                            "hand.",
                            path_, error.message()));
  }
  notice_ = fmt::format(
      "The replay file {} was damaged and has been moved to {}; a new one has been started.", path_,
      target);
  return {};
}

std::string SqliteStore::notice() const {
  const std::lock_guard lock(pool_mutex_);
  return notice_;
}

// ---- reading ------------------------------------------------------------------------------------

SqliteStore::Lease SqliteStore::lease() {
  std::unique_lock lock(pool_mutex_);
  returned_.wait(lock, [this] { return !is_recovering_ && leased_ < kReadersMax; });
  ++leased_;
  Lease lease{nullptr, generation_};
  if (!idle_.empty()) {
    lease.reader = std::move(idle_.back());
    idle_.pop_back();
  }
  return lease;
}

void SqliteStore::give_back(Lease lease) {
  const std::lock_guard lock(pool_mutex_);
  --leased_;
  if (lease.reader) idle_.push_back(std::move(lease.reader));
  returned_.notify_all();
}

Status SqliteStore::open_reader(Lease& lease) {
  if (lease.reader) return {};
  auto database = SqliteDatabase::open(path_, options_.vfs);
  if (!database) return std::unexpected(database.error());
  if (const Status status = database->execute(kSetUpReader); !status) return status;
  if (const Status status = database->add_contains_function(); !status) return status;
  lease.reader = std::make_unique<SqliteDatabase>(*std::move(database));
  return {};
}

template <typename T>
Result<T> SqliteStore::with_reader(const std::function<Result<T>(SqliteDatabase&)>& read) {
  for (bool is_second_try = false;; is_second_try = true) {
    Lease leased = lease();
    const uint64_t generation = leased.generation;
    const Status opened = open_reader(leased);
    Result<T> result = opened ? read(*leased.reader) : std::unexpected(opened.error());
    give_back(std::move(leased));
    if (result || result.error().code != ErrorCode::kCorrupt || is_second_try) return result;
    if (const Status status = recover(generation); !status) {
      return std::unexpected(status.error());
    }
  }
}

Result<std::vector<Row>> SqliteStore::page(const Filter& filter, size_t offset, size_t limit,
                                           bool bodies) {
  const Where where(filter);
  const std::string sql = select_rows(
      fmt::format("(SELECT * FROM records r{} ORDER BY r.seq DESC LIMIT ? OFFSET ?)", where.sql()),
      bodies);
  return with_reader<std::vector<Row>>([&](auto& database) -> Result<std::vector<Row>> {
    auto statement = database.prepare(sql);
    if (!statement) return std::unexpected(statement.error());
    const int next = where.bind(*statement);
    statement->bind(next, static_cast<uint64_t>(limit));
    statement->bind(next + 1, static_cast<uint64_t>(offset));
    std::vector<Row> rows;
    const Status status =
        visit_rows(*statement, [&] { rows.push_back(read_row(*statement, bodies)); });
    if (!status) return std::unexpected(status.error());
    return rows;
  });
}

Result<uint64_t> SqliteStore::count(const Filter& filter) {
  const Where where(filter);
  return with_reader<uint64_t>([&](auto& database) -> Result<uint64_t> {
    auto statement = database.prepare("SELECT count(*) FROM records r" + where.sql());
    if (!statement) return std::unexpected(statement.error());
    where.bind(*statement);
    if (const auto row = statement->step(); !row) return std::unexpected(row.error());
    return static_cast<uint64_t>(statement->integer(0));
  });
}

Result<std::optional<Row>> SqliteStore::find(const Id128& id) {
  const std::string sql = select_rows("(SELECT * FROM records WHERE id = ?)", true);
  return with_reader<std::optional<Row>>([&](auto& database) -> Result<std::optional<Row>> {
    auto statement = database.prepare(sql);
    if (!statement) return std::unexpected(statement.error());
    statement->bind_blob(1, {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
    const auto has_row = statement->step();
    if (!has_row) return std::unexpected(has_row.error());
    if (!*has_row) return std::optional<Row>();
    return std::optional<Row>(read_row(*statement, true));
  });
}

Status SqliteStore::scan(const Filter& filter, const std::function<void(const Row&)>& visit) {
  const Where where(filter);
  const std::string sql =
      fmt::format("SELECT {} FROM records r{} ORDER BY r.seq", kRecordColumns, where.sql());
  return with_reader<void>([&](auto& database) -> Status {
    auto statement = database.prepare(sql);
    if (!statement) return std::unexpected(statement.error());
    where.bind(*statement);
    return visit_rows(*statement, [&] { visit(read_columns(*statement)); });
  });
}

}  // namespace vsr::store
