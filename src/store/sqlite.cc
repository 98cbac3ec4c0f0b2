#include "store/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/check.h"
#include "store/filter.h"

namespace vsr::store {
namespace {

void contains_text(sqlite3_context* context, int, sqlite3_value** values) {
  const auto text_of = [](sqlite3_value* value) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    return std::string_view(text == nullptr ? "" : text,
                            static_cast<size_t>(sqlite3_value_bytes(value)));
  };
  sqlite3_result_int(context, contains(text_of(values[0]), text_of(values[1])) ? 1 : 0);
}

// Binding and registering fail only for a wrong position or an exhausted heap.
void check(int code) { VSR_CHECK(code == SQLITE_OK, "{}", sqlite3_errstr(code)); }

}  // namespace

Error sqlite_error(sqlite3* database, int code) {
  Error error;
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      error.code = ErrorCode::kCorrupt;
      error.message = "The replay file is damaged.";
      break;
    case SQLITE_FULL:
      error.code = ErrorCode::kIo;
      error.message = "The disk of the replay file is full; free some space.";
      break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      error.code = ErrorCode::kIo;
      error.message =
          fmt::format("The replay file cannot be read or written ({}); look at its disk.",
                      sqlite3_errstr(code));
      break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      error.code = ErrorCode::kPermissionDenied;
      error.message = "The replay file cannot be written; look at its owner and permissions.";
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      error.code = ErrorCode::kUnavailable;
      error.message = "The replay file is locked by another program; close that program.";
      break;
    default:
      error.code = ErrorCode::kInternal;
      error.message = fmt::format("The replay file refused a command: {}.",
                                  database == nullptr ? "" : sqlite3_errmsg(database));
  }
  return error;
}

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void SqliteStatement::bind(int at, int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), at, value));
}

void SqliteStatement::bind(int at, double value) {
  check(sqlite3_bind_double(statement_.get(), at, value));
}

void SqliteStatement::bind(int at, std::string_view text) {
  const char* const data = text.data() == nullptr ? "" : text.data();
  check(sqlite3_bind_text64(statement_.get(), at, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void SqliteStatement::bind_blob(int at, std::string_view bytes) {
  check(sqlite3_bind_blob64(statement_.get(), at, bytes.data(), bytes.size(), SQLITE_STATIC));
}

void SqliteStatement::bind_null(int at) { check(sqlite3_bind_null(statement_.get(), at)); }

Result<bool> SqliteStatement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  sqlite3* const database = sqlite3_db_handle(statement_.get());
  return std::unexpected(sqlite_error(database, sqlite3_extended_errcode(database)));
}

Status SqliteStatement::run() {
  const auto stepped = step();
  reset();
  if (!stepped) return std::unexpected(stepped.error());
  return {};
}

void SqliteStatement::reset() { sqlite3_reset(statement_.get()); }

int64_t SqliteStatement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double SqliteStatement::real(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}

std::string_view SqliteStatement::text(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int bytes = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? std::string_view() : std::string_view(data, static_cast<size_t>(bytes));
}

bool SqliteStatement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void SqliteDatabase::Close::operator()(sqlite3* database) const { sqlite3_close(database); }

Result<SqliteDatabase> SqliteDatabase::open(const std::string& path, const char* vfs) {
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, kFlags, vfs);
  SqliteDatabase database;
  database.database_.reset(handle);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(handle, code));
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, kBusyMs);
  return database;
}

Status SqliteDatabase::execute(const std::string& sql) {
  const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(database_.get(), code));
  return {};
}

Result<SqliteStatement> SqliteDatabase::prepare(std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()), 0,
                                      &handle, nullptr);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(database_.get(), code));
  SqliteStatement statement;
  statement.statement_.reset(handle);
  return statement;
}

Result<int64_t> SqliteDatabase::integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  const auto row = statement->step();
  if (!row) return std::unexpected(row.error());
  return *row ? statement->integer(0) : 0;
}

int64_t SqliteDatabase::changes() const { return sqlite3_changes64(database_.get()); }

Status SqliteDatabase::add_contains_function() {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  const int code = sqlite3_create_function_v2(database_.get(), "contains_text", 2, kFlags, nullptr,
                                              contains_text, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(sqlite_error(database_.get(), code));
  return {};
}

}  // namespace vsr::store
