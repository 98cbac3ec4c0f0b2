#pragma once

// A thin hold on the SQLite C interface: handles that close themselves, statements that bind and
// read by position, errors as Result. One thread at a time per database. Strings read from a
// statement are copies.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace vsr::store {

class SqliteStatement {
 public:
  SqliteStatement() = default;

  // Positions count from 1.
  void bind(int at, int64_t value);
  void bind(int at, uint64_t value) { bind(at, static_cast<int64_t>(value)); }
  void bind(int at, int value) { bind(at, static_cast<int64_t>(value)); }
  void bind(int at, double value);
  // The text must live until the statement is reset.
  void bind(int at, std::string_view text);
  void bind_blob(int at, std::string_view bytes);
  void bind_null(int at);

  // True: a row can be read; false: done.
  Result<bool> step();
  // Steps once and makes the statement ready for the next use, also after an error.
  Status run();
  void reset();

  // Columns count from 0.
  int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;  // until the next step
  bool is_null(int column) const;

 private:
  friend class SqliteDatabase;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class SqliteDatabase {
 public:
  // Another thread's or process's lock is waited for this long.
  static constexpr int kBusyMs = 5000;

  // `vfs` names the file system of SQLite's to use, null: the system's.
  static Result<SqliteDatabase> open(const std::string& path, const char* vfs);

  Status execute(const std::string& sql);
  Result<SqliteStatement> prepare(std::string_view sql);
  Result<int64_t> integer(std::string_view sql);
  int64_t changes() const;

  // contains_text(text, needle) in SQL, as contains() of filter.h.
  Status add_contains_function();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
};

// kCorrupt if the file is not a database or damaged; kIo for a full or failing disk.
Error sqlite_error(sqlite3* database, int code);

}  // namespace vsr::store
