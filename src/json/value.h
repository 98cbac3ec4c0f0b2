#pragma once

// A small JSON tree for cold paths: bodies of the operator API, command line, tests. Owns its
// text. Numbers keep their kind (int64 or double). Objects keep the order of their fields; of a
// repeated key get() returns the last. Limits as of Reader, and kNodesMax values.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "json/reader.h"
#include "json/writer.h"

namespace vsr::json {

class Value {
 public:
  using Array = std::vector<Value>;
  using Object = std::vector<std::pair<std::string, Value>>;

  Value() = default;
  explicit Value(bool truth) : data_(truth) {}
  explicit Value(int64_t number) : data_(number) {}
  explicit Value(double number) : data_(number) {}
  explicit Value(std::string text) : data_(std::move(text)) {}
  explicit Value(Array items) : data_(std::move(items)) {}
  explicit Value(Object fields) : data_(std::move(fields)) {}

  static constexpr size_t kNodesMax = 1'000'000;
  // The error's message says what is wrong and at which byte.
  static Result<Value> parse(std::string_view text);

  Kind kind() const;
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_object() const { return kind() == Kind::kObject; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_number() const { return kind() == Kind::kNumber; }
  bool is_bool() const { return kind() == Kind::kBool; }

  // The value if it has that kind, otherwise the fallback.
  bool as_bool(bool fallback = false) const;
  int64_t as_int(int64_t fallback = 0) const;  // a double is truncated if it fits
  double as_double(double fallback = 0) const;
  std::string_view as_string(std::string_view fallback = {}) const;
  // Empty if it is not an array or object.
  const Array& items() const;
  const Object& fields() const;

  // The field, or nullptr. Of arrays and scalars: nullptr.
  const Value* find(std::string_view key) const;
  // The field or element; a null value if there is none, so that lookups chain.
  const Value& operator[](std::string_view key) const;
  const Value& operator[](size_t index) const;
  size_t size() const;

  void write(JsonWriter& writer) const;
  std::string dump() const;
  bool operator==(const Value&) const = default;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> data_;
};

}  // namespace vsr::json
