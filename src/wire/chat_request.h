#pragma once

// A chat-completions request body as far as the router reads it. Level 1 (parse_chat) walks the
// top-level keys and the messages array once, as cheaply as possible: a message is its role, its
// bytes and their hash. Level 2 (message.h) reads one message and is needed only for messages that
// were not seen before. Views and spans point into the body and the arena, which must outlive the
// request. Pure; limits below.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "json/arena.h"
#include "json/reader.h"
#include "json/splice.h"
#include "wire/api_error.h"
#include "wire/opaque.h"

namespace vsr::wire {

enum class Role : uint8_t {
  kSystem,
  kDeveloper,
  kUser,
  kAssistant,
  kTool,
  kFunction,
  kUnknown,  // forwarded; counts for nothing
};
constexpr size_t kRoleCount = 7;
Role role_of(std::string_view name);
std::string_view to_string(Role role);

constexpr size_t kMessagesMax = 100'000;
constexpr size_t kToolsMax = 16'384;

struct MessageRef {
  Role role = Role::kUnknown;
  json::Span raw;         // the whole object
  uint64_t raw_hash = 0;  // of exactly those bytes: the key for cached facts
};

// An object that may be edited later, with its fields.
struct ObjectRef {
  json::Span span;
  std::span<const json::Field> fields;
};

struct ChatRequest {
  std::string_view body;
  json::Span object;                    // the top-level object
  std::span<const json::Field> fields;  // all top-level fields in order

  std::string_view model;  // unescaped
  bool stream = false;
  bool include_usage = false;  // the client asked for usage on its stream

  std::span<const MessageRef> messages;

  // As sent; unset if absent or null.
  std::optional<ObjectRef> stream_options;
  std::optional<ObjectRef> chat_template_kwargs;
  std::optional<int64_t> max_tokens;  // max_completion_tokens, else max_tokens
  std::string_view reasoning_effort;  // empty if absent

  // The tools array: its bytes, their hash (the key for cached tool facts). Empty if absent.
  json::Span tools;
  uint64_t tools_raw_hash = 0;

  bool has_response_format = false;
  bool asks_for_audio = false;  // modalities or audio output parameters

  // Identity and provider state at the top level; empty if absent, null or "".
  std::string_view prompt_cache_key;  // or promptCacheKey
  std::string_view user;
  std::string_view metadata_user_id;
  std::string_view previous_response_id;
  std::string_view conversation;  // the id, whether sent as a string or as {"id"}
  std::string_view container;     // a server-side tool sandbox; the id as above
};

// Errors: invalid_json, duplicate_key, missing_required_parameter, invalid_type, invalid_value,
// too_many_messages. The reader is left anywhere.
ApiResult<ChatRequest> parse_chat(json::Reader& reader, json::Arena& arena, std::string_view body);

// The bodies of /v1/completions and /v1/embeddings as far as the router reads them: top-level
// fields only, so that `model` can be spliced. `messages` stays empty; `prompt`/`input` unread.
ApiResult<ChatRequest> parse_passthrough(json::Reader& reader, json::Arena& arena,
                                         std::string_view body);

// Level 2 of the tools array.
struct Tools {
  std::span<const std::string_view> names;  // in order; "" for tools without a name
  uint64_t names_hash = 0;
  uint64_t canonical_hash = 0;  // of the whole array without cache_control and white space
  uint32_t bytes = 0;           // of the array as sent, for token estimates
  // Sandboxes and files at a provider that the definitions of its own tools name.
  std::span<const OpaqueItem> opaque;
};
// `raw` is request.tools in the body; an empty one gives no tools.
ApiResult<Tools> parse_tools(json::Reader& reader, json::Arena& arena, std::string_view raw);

// What is worth keeping of tools between requests, under tools_raw_hash.
struct ToolsFacts {
  uint32_t count = 0;
  uint32_t bytes = 0;
  uint64_t names_hash = 0;
  uint64_t canonical_hash = 0;
  std::vector<OpaqueItem> opaque;
};
ToolsFacts facts_of(const Tools& tools);

}  // namespace vsr::wire
