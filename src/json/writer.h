#pragma once

// Streaming JSON writer into a string. Commas and colons are its business; invalid UTF-8 becomes
// U+FFFD; doubles are the shortest text that reads back equal, not-a-number and infinities are
// null. A wrong order of calls is a bug (VSR_CHECK). Not thread-safe; nesting up to kDepthMax.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace vsr::json {

class JsonWriter {
 public:
  JsonWriter() = default;
  // Appends to `out`, which must outlive the writer.
  explicit JsonWriter(std::string& out) : out_(&out) {}
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth);
  JsonWriter& value(double number);
  template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
  JsonWriter& value(T number) {
    if constexpr (std::is_signed_v<T>) {
      return integer(static_cast<int64_t>(number));
    } else {
      return unsigned_integer(static_cast<uint64_t>(number));
    }
  }
  JsonWriter& null();
  // Inserts a value that is JSON already.
  JsonWriter& raw(std::string_view json);

  template <typename T>
  JsonWriter& field(std::string_view name, const T& v) {
    return key(name).value(v);
  }
  // A measured value: six significant digits are enough for a reader.
  JsonWriter& short_field(std::string_view name, double number);
  JsonWriter& null_field(std::string_view name) { return key(name).null(); }
  JsonWriter& raw_field(std::string_view name, std::string_view json) {
    return key(name).raw(json);
  }

  // True when exactly one complete value has been written.
  bool complete() const { return stack_.empty() && has_value_; }
  const std::string& str() const { return *out_; }
  // The text of a writer made without a string of its own.
  std::string take() { return std::move(own_); }

 private:
  void before_value();
  void open(char c);
  void close(char c);
  JsonWriter& integer(int64_t number);
  JsonWriter& unsigned_integer(uint64_t number);

  std::string own_;
  std::string* out_ = &own_;
  std::string stack_;       // one of '{' '[' per level
  bool has_value_ = false;  // something stands before at this level
  bool after_key_ = false;
};

// Appends a JSON string with its quotes.
void append_quoted(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

}  // namespace vsr::json
