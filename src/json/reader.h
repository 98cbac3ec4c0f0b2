#pragma once

// A pull reader over JSON text that is never copied. open() finds every structural byte at once
// (simdjson stage 1: UTF-8, quotes and control characters are checked there); the rest moves
// forward over that index, so skipping a value costs a step per token and not per byte. Reusable:
// keep one per event loop. Views point into the text or the arena given, keys with escapes into
// the reader until the next key. The text needs no padding. Limits: kDepthMax, kTextBytesMax.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "json/arena.h"

namespace vsr::json {

// A range of bytes of the text.
struct Span {
  uint32_t offset = 0;
  uint32_t length = 0;
  uint32_t end() const { return offset + length; }
  bool empty() const { return length == 0; }
  std::string_view in(std::string_view text) const { return text.substr(offset, length); }
  bool operator==(const Span&) const = default;
};

// A field of an object as it stands in the text.
struct Field {
  std::string_view key;  // unescaped
  Span key_span;         // quotes included
  Span value;
};

enum class Kind : uint8_t { kNone, kNull, kBool, kNumber, kString, kArray, kObject };
// "a string", "an object", … for messages.
std::string_view with_article(Kind kind);

constexpr uint32_t kDepthMax = 256;
constexpr size_t kTextBytesMax = size_t{1} << 30;

class Reader {
 public:
  Reader();
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  // False if the text is not JSON on the level of tokens, or empty. The reader then stands on the
  // first value.
  bool open(std::string_view text);
  // Goes back to the first value of the same text.
  void rewind();

  // The first thing that was wrong. Once failed, every other call returns false or nothing.
  bool failed() const { return !error_.empty(); }
  const std::string& error() const { return error_; }
  Error to_error(ErrorSource source = ErrorSource::kClient) const;
  // Records a fault found by the caller; keeps an earlier one.
  void fail(std::string_view why);

  // Of the value that comes next; kNone if there is none.
  Kind kind() const;
  // Offset of the next token.
  uint32_t offset() const { return token_ < token_count_ ? tokens_[token_] : size(); }

  // Offset behind the value that was read or skipped last.
  uint32_t value_end() const;

  // begin_object, then next_field until it is false; every value must be read or skipped.
  bool begin_object();
  bool next_field(std::string_view& key);
  Span key_span() const { return key_span_; }
  // The key just given, valid as long as the text and the arena.
  std::string_view keep_key(std::string_view key, Arena& arena) const {
    return key.data() == key_scratch_.data() ? arena.copy(key) : key;
  }
  bool begin_array();
  bool next_element();

  // Each takes the next value if it has the right kind, and fails the reader otherwise.
  bool read_string(Arena& arena, std::string_view& out);
  bool read_bool(bool& out);
  bool read_null();
  // Numbers with a fraction, an exponent or out of range give false without failing the reader.
  bool read_int(int64_t& out);
  bool read_double(double& out);

  // Steps over the next value, whose nesting is checked and whose scalars are not. Returns its
  // bytes, or an empty span after a failure.
  Span skip();
  // The same with the full grammar checked.
  Span skip_checked();
  // True if the text holds nothing after the first value; fails the reader otherwise.
  bool at_end();

  std::string_view text() const { return text_; }

 private:
  struct Impl;

  uint32_t size() const { return static_cast<uint32_t>(text_.size()); }
  char token_char(uint32_t token) const { return text_[tokens_[token]]; }
  bool expect(char c, const char* what);
  bool check_scalar(uint32_t token);
  Span string_span(uint32_t token);
  Span scalar_span(uint32_t token) const;
  bool begin(char open, const char* what);
  bool next(char close, const char* what);

  std::unique_ptr<Impl> impl_;
  std::string_view text_;
  const uint32_t* tokens_ = nullptr;
  uint32_t token_count_ = 0;
  uint32_t token_ = 0;
  uint32_t depth_ = 0;
  Span key_span_;
  std::string key_scratch_;
  std::string error_;
};

// Appends the text of a JSON string (without quotes) to `out`, which must have room for
// raw.size() bytes; returns the end, or nullptr if an escape is not JSON. A lone surrogate becomes
// U+FFFD.
char* unescape(std::string_view raw, char* out);

}  // namespace vsr::json
