#pragma once

// Walks values of a message or an answer whose shape is not fixed, finds opaque items by the keys
// and types under which providers put them, and hashes what it walks in canonical form: without
// cache_control, white space and the order of keys. On the stack; uses a reader that stands on
// the value. Depth is bounded by the reader, items by kOpaqueItemsMax.

#include <cstdint>
#include <span>
#include <string_view>

#include "json/arena.h"
#include "json/reader.h"
#include "wire/opaque.h"

namespace vsr::wire {

// The strings of one object that say whether it is opaque.
struct ObjectMarks {
  std::string_view type;
  std::string_view id;
  std::string_view tool_use_id;
  std::string_view signature;
  std::string_view data;
  // The member for that key, or nullptr.
  std::string_view* member(std::string_view key);
};

class OpaqueScanner {
 public:
  OpaqueScanner(json::Reader& reader, json::Arena& arena)
      : reader_(reader), arena_(arena), items_(arena) {}

  // Takes the next value, which stands under `key`. Returns its canonical hash.
  uint64_t scan(std::string_view key);
  // For objects and strings that the caller has walked itself.
  void note(std::string_view key, const ObjectMarks& marks);
  void note(std::string_view key, std::string_view value);
  void add(OpaqueKind kind, std::string_view decisive);

  std::span<const OpaqueItem> items() { return items_.span(); }

 private:
  uint64_t scan_object(std::string_view key);

  json::Reader& reader_;
  json::Arena& arena_;
  json::ArenaList<OpaqueItem> items_;
};

}  // namespace vsr::wire
