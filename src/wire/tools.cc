#include <fmt/format.h>

#include "wire/chat_request.h"
#include "wire/hash.h"
#include "wire/opaque_scan.h"
#include "wire/request_reader.h"

namespace vsr::wire {
namespace {

using json::Kind;

class ToolsReader : RequestReader {
 public:
  ToolsReader(json::Reader& reader, json::Arena& arena)
      : RequestReader(reader, arena),
        scanner_(reader, arena),
        schema_scanner_(reader, arena),
        names_(arena) {}

  ApiResult<Tools> read(std::string_view raw) {
    Tools tools;
    tools.bytes = static_cast<uint32_t>(raw.size());
    if (reader_.open(raw) && require("tools", Kind::kArray)) {
      reader_.begin_array();
      while (!failed() && reader_.next_element()) {
        if (names_.size() == kToolsMax) {
          error("too_many_tools", "tools", fmt::format("holds more than {} tools", kToolsMax));
          break;
        }
        tools.canonical_hash = fold(tools.canonical_hash, read_tool());
      }
    }
    if (failed()) return std::unexpected(take_error());
    for (const std::string_view name : names_) {
      tools.names_hash = fold(tools.names_hash, hash_bytes(name));
    }
    tools.names = names_.span();
    tools.opaque = scanner_.items();
    return tools;
  }

 private:
  // {"type":"function","function":{"name":…}}, or with the name at the top as other APIs have it.
  uint64_t read_tool() {
    const Param where("tools", names_.size());
    if (!require(where, Kind::kObject)) return 0;
    uint64_t hash = 0;
    std::string_view outer_name;
    std::string_view inner_name;
    std::string_view key;
    reader_.begin_object();
    while (!failed() && reader_.next_field(key)) {
      if (key == "cache_control") {
        reader_.skip();
      } else if (key == "name") {
        read_optional_string(Param(where, "name"), outer_name);
      } else if (key == "function") {
        if (!require(Param(where, "function"), Kind::kObject)) return 0;
        hash += read_function(Param(where, "function"), inner_name);
      } else if (key == "container" && reader_.kind() == Kind::kString) {
        std::string_view container;
        if (!reader_.read_string(arena_, container)) return 0;
        scanner_.add(OpaqueKind::kServerTool, container);
        hash += fold(hash_bytes("container"), hash_bytes(container));
      } else if (key == "parameters" || key == "input_schema") {
        const std::string_view kept = reader_.keep_key(key, arena_);
        hash += fold(hash_bytes(kept), schema_scanner_.scan(kept));
      } else {
        const std::string_view kept = reader_.keep_key(key, arena_);
        hash += fold(hash_bytes(kept), scanner_.scan(kept));
      }
    }
    const std::string_view name = inner_name.empty() ? outer_name : inner_name;
    names_.push_back(name);
    return fold(hash, hash_bytes(name));
  }

  uint64_t read_function(const Param& where, std::string_view& name) {
    uint64_t hash = 0;
    std::string_view key;
    reader_.begin_object();
    while (!failed() && reader_.next_field(key)) {
      if (key == "name") {
        read_optional_string(Param(where, "name"), name);
        continue;
      }
      const std::string_view kept = reader_.keep_key(key, arena_);
      hash += fold(hash_bytes(kept), schema_scanner_.scan(kept));
    }
    return hash;
  }

  OpaqueScanner scanner_;
  OpaqueScanner schema_scanner_;  // what a schema gives as an example binds nobody
  json::ArenaList<std::string_view> names_;
};

}  // namespace

ApiResult<Tools> parse_tools(json::Reader& reader, json::Arena& arena, std::string_view raw) {
  if (raw.empty()) return Tools{};
  return ToolsReader(reader, arena).read(raw);
}

ToolsFacts facts_of(const Tools& tools) {
  return {static_cast<uint32_t>(tools.names.size()),
          tools.bytes,
          tools.names_hash,
          tools.canonical_hash,
          {tools.opaque.begin(), tools.opaque.end()}};
}

}  // namespace vsr::wire
