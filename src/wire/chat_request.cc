#include "wire/chat_request.h"

#include <fmt/format.h>

#include <array>

#include "wire/hash.h"
#include "wire/request_reader.h"

namespace vsr::wire {
namespace {

constexpr std::array<std::string_view, kRoleCount> kRoles = {
    "system", "developer", "user", "assistant", "tool", "function", "unknown"};

using json::Kind;

// Walks the top level of one body.
class TopLevel : RequestReader {
 public:
  TopLevel(json::Reader& reader, json::Arena& arena, std::string_view body)
      : RequestReader(reader, arena), fields_(arena), messages_(arena) {
    request_.body = body;
  }

  ApiResult<ChatRequest> read(bool is_chat) {
    is_chat_ = is_chat;
    if (reader_.open(request_.body)) read_object();
    if (!failed()) reader_.at_end();
    if (failed()) return std::unexpected(take_error());
    if (!has(kModel)) return std::unexpected(missing("model"));
    if (is_chat && !has(kMessages)) return std::unexpected(missing("messages"));
    request_.fields = fields_.span();
    request_.messages = messages_.span();
    return request_;
  }

 private:
  // Every key that is read, each of which may stand there once.
  enum Key : uint8_t {
    kModel,
    kMessages,
    kStream,
    kStreamOptions,
    kTools,
    kMaxTokens,
    kMaxCompletionTokens,
    kReasoningEffort,
    kChatTemplateKwargs,
    kResponseFormat,
    kAudio,
    kPromptCacheKey,
    kPromptCacheKeyCamel,
    kUser,
    kMetadata,
    kPreviousResponseId,
    kConversation,
    kContainer,
    kKeyCount,
  };
  static constexpr std::array<std::string_view, kKeyCount> kKeys = {"model",
                                                                    "messages",
                                                                    "stream",
                                                                    "stream_options",
                                                                    "tools",
                                                                    "max_tokens",
                                                                    "max_completion_tokens",
                                                                    "reasoning_effort",
                                                                    "chat_template_kwargs",
                                                                    "response_format",
                                                                    "audio",
                                                                    "prompt_cache_key",
                                                                    "promptCacheKey",
                                                                    "user",
                                                                    "metadata",
                                                                    "previous_response_id",
                                                                    "conversation",
                                                                    "container"};
  static Key key_of(std::string_view name) {
    for (size_t i = 0; i < kKeys.size(); ++i) {
      if (kKeys[i] == name) return static_cast<Key>(i);
    }
    return kKeyCount;
  }

  bool has(Key key) const { return (seen_ >> key & 1) != 0; }

  static ApiError missing(std::string_view name) {
    return {400, "missing_required_parameter", std::string(name),
            fmt::format("The request body has no '{}', which is required.", name)};
  }

  void read_object() {
    if (!require("", Kind::kObject)) return;
    request_.object.offset = reader_.offset();
    reader_.begin_object();
    std::string_view name;
    while (!failed() && reader_.next_field(name)) {
      if (fields_.size() == json::kFieldsMax) {
        return error("too_many_fields", "",
                     fmt::format("has more than {} fields", json::kFieldsMax));
      }
      const json::Span key_span = reader_.key_span();
      const Key key = key_of(name);
      if (key == kKeyCount) {
        const std::string_view kept = reader_.keep_key(name, arena_);
        fields_.push_back({kept, key_span, reader_.skip()});
        continue;
      }
      if (has(key)) {
        return error("duplicate_key", kKeys[key], "is in the request body more than once");
      }
      seen_ |= 1u << key;
      const uint32_t start = reader_.offset();
      read_key(key);
      if (failed()) return;
      fields_.push_back({kKeys[key], key_span, {start, reader_.value_end() - start}});
    }
    if (!failed()) request_.object.length = reader_.value_end() - request_.object.offset;
  }

  void read_key(Key key) {
    const std::string_view name = kKeys[key];
    switch (key) {
      case kModel:
        if (require(name, Kind::kString)) reader_.read_string(arena_, request_.model);
        return;
      case kMessages:
        if (is_chat_) return read_messages();
        reader_.skip();
        return;
      case kStream:
        return read_optional_bool(name, request_.stream);
      case kStreamOptions:
        return read_stream_options();
      case kTools:
        return read_tools();
      case kMaxTokens:
      case kMaxCompletionTokens:
        return read_max_tokens(name, key == kMaxCompletionTokens);
      case kReasoningEffort:
        return read_optional_string(name, request_.reasoning_effort);
      case kChatTemplateKwargs:
        return read_optional_object(name, request_.chat_template_kwargs);
      case kResponseFormat:
        request_.has_response_format = reader_.kind() != Kind::kNull;
        reader_.skip();
        return;
      case kAudio:
        request_.asks_for_audio = reader_.kind() != Kind::kNull;
        reader_.skip();
        return;
      case kPromptCacheKey:
        return read_optional_string(name, request_.prompt_cache_key);
      case kPromptCacheKeyCamel: {
        std::string_view text;
        read_optional_string(name, text);
        if (request_.prompt_cache_key.empty()) request_.prompt_cache_key = text;
        return;
      }
      case kUser:
        return read_optional_string(name, request_.user);
      case kMetadata:
        return read_string_in(name, "user_id", false, request_.metadata_user_id);
      case kPreviousResponseId:
        return read_optional_string(name, request_.previous_response_id);
      case kConversation:
        return read_string_in(name, "id", true, request_.conversation);
      case kContainer:
        return read_string_in(name, "id", true, request_.container);
      case kKeyCount:
        return;
    }
  }

  void read_optional_object(std::string_view name, std::optional<ObjectRef>& out) {
    if (skip_null()) return;
    if (!require(name, Kind::kObject, "or null")) return;
    const uint32_t start = reader_.offset();
    const auto fields = json::read_fields(reader_, arena_);
    if (!failed()) out = ObjectRef{{start, reader_.value_end() - start}, fields};
  }

  void read_stream_options() {
    read_optional_object("stream_options", request_.stream_options);
    if (failed() || !request_.stream_options) return;
    for (const json::Field& field : request_.stream_options->fields) {
      if (field.key != "include_usage") continue;
      const std::string_view value = field.value.in(request_.body);
      request_.include_usage = value == "true";
      if (value != "true" && value != "false" && value != "null") {
        return error("invalid_type", "stream_options.include_usage", "must be true or false");
      }
    }
  }

  void read_tools() {
    if (skip_null()) return;
    if (!require("tools", Kind::kArray, "or null")) return;
    request_.tools = reader_.skip();
    request_.tools_raw_hash = hash_bytes(request_.tools.in(request_.body));
  }

  void read_max_tokens(std::string_view name, bool is_newer_name) {
    if (skip_null()) return;
    if (!require(name, Kind::kNumber, "or null")) return;
    int64_t number = 0;
    if (!reader_.read_int(number)) {
      return error("invalid_type", name, "must be a whole number");
    }
    if (is_newer_name || !request_.max_tokens) request_.max_tokens = number;
  }

  // The string `field` of an object; the string itself if `or_string`.
  void read_string_in(std::string_view name, std::string_view field, bool or_string,
                      std::string_view& out) {
    if (skip_null()) return;
    if (or_string && reader_.kind() == Kind::kString) {
      reader_.read_string(arena_, out);
      return;
    }
    if (!require(name, Kind::kObject, or_string ? "a string or null" : "or null")) return;
    reader_.begin_object();
    std::string_view key;
    while (!failed() && reader_.next_field(key)) {
      if (key == field) {
        read_optional_string(Param(Param(name), field), out);
      } else {
        reader_.skip();
      }
    }
  }

  void read_messages() {
    if (!require("messages", Kind::kArray)) return;
    reader_.begin_array();
    while (!failed() && reader_.next_element()) {
      if (messages_.size() == kMessagesMax) {
        return error("too_many_messages", "messages",
                     fmt::format("holds more than {} messages", kMessagesMax));
      }
      read_message_ref();
    }
  }

  void read_message_ref() {
    const Param where("messages", messages_.size());
    if (!require(where, Kind::kObject)) return;
    MessageRef message;
    message.raw.offset = reader_.offset();
    bool has_role = false;
    bool has_content = false;
    bool has_calls = false;
    std::string_view key;
    // Notes that a key is there; false if it was there before.
    const auto once = [&](bool& seen) {
      if (seen) error("duplicate_key", Param(where, key), "is there more than once");
      return !std::exchange(seen, true);
    };
    reader_.begin_object();
    while (!failed() && reader_.next_field(key)) {
      if (key == "role") {
        if (!once(has_role)) return;
        if (!require(Param(where, key), Kind::kString)) return;
        std::string_view role;
        reader_.read_string(arena_, role);
        message.role = role_of(role);
        continue;
      }
      if (key == "content") {
        if (!once(has_content)) return;
        const Kind kind = reader_.kind();
        if (kind != Kind::kString && kind != Kind::kArray && kind != Kind::kNull) {
          return wrong_type(Param(where, key), "a string, an array of parts, or null");
        }
      } else if (key == "tool_calls") {
        if (!once(has_calls)) return;
        const Kind kind = reader_.kind();
        if (kind != Kind::kArray && kind != Kind::kNull) {
          return wrong_type(Param(where, key), "an array or null");
        }
      }
      reader_.skip();
    }
    if (failed()) return;
    if (!has_role) {
      return error("missing_required_parameter", Param(where, "role"),
                   "is missing; it names who speaks");
    }
    message.raw.length = reader_.value_end() - message.raw.offset;
    message.raw_hash = hash_bytes(message.raw.in(request_.body));
    messages_.push_back(message);
  }

  ChatRequest request_;
  json::ArenaList<json::Field> fields_;
  json::ArenaList<MessageRef> messages_;
  uint32_t seen_ = 0;  // a bit per Key
  bool is_chat_ = true;
};

}  // namespace

Role role_of(std::string_view name) {
  for (size_t i = 0; i + 1 < kRoles.size(); ++i) {
    if (kRoles[i] == name) return static_cast<Role>(i);
  }
  return Role::kUnknown;
}

std::string_view to_string(Role role) { return kRoles[static_cast<size_t>(role)]; }

ApiResult<ChatRequest> parse_chat(json::Reader& reader, json::Arena& arena, std::string_view body) {
  return TopLevel(reader, arena, body).read(true);
}

ApiResult<ChatRequest> parse_passthrough(json::Reader& reader, json::Arena& arena,
                                         std::string_view body) {
  return TopLevel(reader, arena, body).read(false);
}

}  // namespace vsr::wire
