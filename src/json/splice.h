#pragma once

// Byte edits on a text that itself stays untouched: the result is a list of pieces that point into
// the text and into the splicer, so a large body is sent without being copied. The text and the
// splicer must outlive the pieces. Pure; edits must not overlap.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/reader.h"

namespace vsr::json {

class Splicer {
 public:
  explicit Splicer(std::string_view text) : text_(text) {}

  void replace(Span span, std::string_view replacement);
  void insert(uint32_t offset, std::string_view text) { replace({offset, 0}, text); }
  void erase(Span span) { replace(span, {}); }

  bool empty() const { return edits_.empty(); }
  // Bytes of the result.
  size_t size() const;
  // The result in order; no piece is empty.
  std::vector<std::string_view> pieces() const;
  std::string joined() const;
  std::string_view text() const { return text_; }

 private:
  struct Edit {
    Span span;
    uint32_t text_offset;  // into added_
    uint32_t text_length;
  };

  std::string_view text_;
  std::vector<Edit> edits_;  // ordered by offset; equal offsets in the order they came
  std::string added_;
};

// The bytes to erase so that the members of an object or array for which `goes` is true disappear
// and the commas stay right. `members` are all of them in order, keys included; `begin` is the
// offset behind the opening bracket.
std::vector<Span> erasures(uint32_t begin, std::span<const Span> members,
                           const std::vector<bool>& goes);

// Changes of one object's fields, with the commas right whatever is removed and added. Bytes of
// fields that stay are not touched. Keys are unescaped; values are JSON.
class ObjectEditor {
 public:
  // `object` is the span of the whole object in the text, `fields` all of its fields in order.
  ObjectEditor(Span object, std::span<const Field> fields) : object_(object), fields_(fields) {}

  // Replaces the value of the field (of each, if the key is repeated), or adds the field at the
  // end. The last call for a key counts.
  void set(std::string_view key, std::string_view json_value);
  void remove(std::string_view key);
  bool empty() const { return changes_.empty(); }
  void apply(Splicer& splicer) const;

 private:
  struct Change {
    std::string key;
    std::string value;  // empty: remove
  };
  const Change* change_of(std::string_view key) const;
  void add(std::string_view key, std::string_view value);

  Span object_;
  std::span<const Field> fields_;
  std::vector<Change> changes_;
};

// The fields of the object that the reader stands on, which is thereby read. Values are skipped.
// Empty after a failure, or if there are more than kFieldsMax.
constexpr size_t kFieldsMax = 4096;
std::span<const Field> read_fields(Reader& reader, Arena& arena);

}  // namespace vsr::json
