#include "wire/opaque_scan.h"

#include <algorithm>
#include <array>

#include "wire/hash.h"

namespace vsr::wire {
namespace {

using json::Kind;

constexpr std::array<std::string_view, kOpaqueKindCount> kNames = {
    "previous_response_id", "conversation",      "item_reference", "thinking",
    "thought_signature",    "encrypted_content", "server_tool",    "file"};

// Values under these keys are opaque wherever they stand.
struct DecisiveKey {
  std::string_view key;
  OpaqueKind kind;
};
constexpr DecisiveKey kDecisiveKeys[] = {
    {"thought_signature", OpaqueKind::kThoughtSignature},
    {"thoughtSignature", OpaqueKind::kThoughtSignature},
    {"encrypted_content", OpaqueKind::kEncryptedContent},
    {"encrypted_index", OpaqueKind::kEncryptedContent},
    {"file_id", OpaqueKind::kFile},
    {"file_ids", OpaqueKind::kFile},
    {"file_uri", OpaqueKind::kFile},
    {"fileUri", OpaqueKind::kFile},
    {"vector_store_ids", OpaqueKind::kFile},
    {"container_id", OpaqueKind::kServerTool},
};

// Blocks of tools that ran at the provider: server_tool_use, mcp_tool_use and their results, and
// stored items of such runs. Calls that the client runs are none of them.
constexpr std::string_view kServerTools[] = {
    "server_tool_use",       "mcp_tool_use",     "mcp_call",
    "web_search_call",       "file_search_call", "code_interpreter_call",
    "image_generation_call",
};
bool is_server_tool(std::string_view type) {
  return std::ranges::find(kServerTools, type) != std::end(kServerTools) ||
         (type.ends_with("_tool_result") && type != "tool_result");
}

}  // namespace

std::string_view to_string(OpaqueKind kind) { return kNames[static_cast<size_t>(kind)]; }

std::string_view* ObjectMarks::member(std::string_view key) {
  if (key == "type") return &type;
  if (key == "id") return &id;
  if (key == "tool_use_id") return &tool_use_id;
  if (key == "signature") return &signature;
  if (key == "data") return &data;
  return nullptr;
}

void OpaqueScanner::add(OpaqueKind kind, std::string_view decisive) {
  if (decisive.empty() || items_.size() == kOpaqueItemsMax) return;
  items_.push_back({kind, hash_bytes(decisive)});
}

void OpaqueScanner::note(std::string_view key, const ObjectMarks& marks) {
  const std::string_view type = marks.type;
  if (type == "thinking" || type.starts_with("reasoning")) {
    add(OpaqueKind::kThinking, marks.signature);
    if (type == "reasoning.encrypted") add(OpaqueKind::kEncryptedContent, marks.data);
  } else if (type == "redacted_thinking") {
    add(OpaqueKind::kThinking, marks.data);
  } else if (type == "item_reference") {
    add(OpaqueKind::kItemReference, marks.id);
  } else if (is_server_tool(type)) {
    add(OpaqueKind::kServerTool, marks.id.empty() ? marks.tool_use_id : marks.id);
  } else if (key == "audio") {
    // An earlier audio answer is sent back as its handle alone.
    add(OpaqueKind::kItemReference, marks.id);
  }
}

void OpaqueScanner::note(std::string_view key, std::string_view value) {
  for (const DecisiveKey& decisive : kDecisiveKeys) {
    if (key == decisive.key) add(decisive.kind, value);
  }
}

uint64_t OpaqueScanner::scan(std::string_view key) {
  switch (reader_.kind()) {
    case Kind::kString: {
      std::string_view value;
      if (!reader_.read_string(arena_, value)) return 0;
      note(key, value);
      return hash_bytes(value);
    }
    case Kind::kArray: {
      uint64_t hash = hash_bytes("[");
      reader_.begin_array();
      while (reader_.next_element()) hash = fold(hash, scan(key));
      return hash;
    }
    case Kind::kObject:
      return scan_object(key);
    default:
      return hash_bytes(reader_.skip().in(reader_.text()));
  }
}

uint64_t OpaqueScanner::scan_object(std::string_view key) {
  ObjectMarks marks;
  uint64_t hash = hash_bytes("{");
  std::string_view name;
  reader_.begin_object();
  while (reader_.next_field(name)) {
    if (name == "cache_control") {
      reader_.skip();
      continue;
    }
    const uint64_t name_hash = hash_bytes(name);
    std::string_view* const mark = marks.member(name);
    if (mark != nullptr && reader_.kind() == Kind::kString) {
      if (!reader_.read_string(arena_, *mark)) return 0;
      hash += fold(name_hash, hash_bytes(*mark));
    } else {
      const std::string_view kept = reader_.keep_key(name, arena_);
      hash += fold(name_hash, scan(kept));
    }
  }
  note(key, marks);
  return hash;
}

}  // namespace vsr::wire
