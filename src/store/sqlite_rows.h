#pragma once

// How rows and filters are told to SQLite, for the tables of sqlite_schema.cc. Pure.

#include <string>
#include <variant>
#include <vector>

#include "store/filter.h"
#include "store/row.h"
#include "store/sqlite.h"

namespace vsr::store {

// Columns of `records r` in the order that read_columns and bind_columns use.
extern const char* const kRecordColumns;
extern const char* const kUpsertRecord;

void bind_columns(SqliteStatement& statement, const Row& row);
Row read_columns(const SqliteStatement& statement);
constexpr int kRecordColumnCount = 35;

// A condition on `records r`, with its values; owns them, so it must outlive the statement's use.
class Where {
 public:
  explicit Where(const Filter& filter);
  const std::string& sql() const { return sql_; }
  // Binds from position 1 on and returns the next free position.
  int bind(SqliteStatement& statement) const;

 private:
  using Value = std::variant<int64_t, std::string>;
  void add(std::string_view condition);
  void add(std::string_view condition, Value value);
  void add_any_of(std::string_view column, const std::vector<std::string>& wanted);
  void add_search(const std::string& search);

  std::string sql_;
  std::vector<Value> values_;
};

}  // namespace vsr::store
