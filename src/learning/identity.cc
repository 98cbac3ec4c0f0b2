#include "learning/identity.h"

#include <span>

#include "base/id.h"
#include "base/sha256.h"
#include "json/value.h"
#include "wire/hash.h"

namespace vsr::learning {

namespace {

constexpr size_t kIdBytesMax = 512;
constexpr size_t kTurnMetadataBytesMax = 16 * 1024;

std::string short_hash(std::string_view text) {
  return to_hex(std::span<const uint8_t>(sha256(text)).first(8));
}

// Length first, so that parts cannot run into each other.
uint64_t scoped(uint64_t seed, std::string_view kind, std::string_view id) {
  return wire::fold(wire::fold(wire::fold(seed, wire::hash_bytes(kind)), id.size()),
                    wire::hash_bytes(id));
}

bool usable(std::string_view id) { return !id.empty() && id.size() <= kIdBytesMax; }

std::string_view first_header(const IdentityInput& input,
                              std::initializer_list<std::string_view> names, std::string& source) {
  for (const std::string_view name : names) {
    const std::string_view value = input.header(name);
    if (!usable(value)) continue;
    source = "header:" + std::string(name);
    return value;
  }
  return "";
}

std::string turn_metadata(const std::function<std::string_view(std::string_view)>& header,
                          std::string_view key) {
  const std::string_view text = header("x-codex-turn-metadata");
  if (text.empty() || text.size() > kTurnMetadataBytesMax) return "";
  const Result<json::Value> parsed = json::Value::parse(text);
  return parsed ? std::string((*parsed)[key].as_string()) : "";
}

void find_session(const config::Learning& settings, const IdentityInput& input, Identity& out) {
  std::string_view id = first_header(input, {settings.session_header}, out.session_source);
  out.session_given = !id.empty();
  if (id.empty() && settings.derive_identity) {
    id = first_header(input,
                      {"x-inferoa-session-id", "x-claude-code-session-id", "session-id",
                       "session_id", "thread-id", "x-session-affinity"},
                      out.session_source);
    if (id.empty() && usable(input.prompt_cache_key)) {
      id = input.prompt_cache_key;
      out.session_source = "body:prompt_cache_key";
    }
    if (id.empty() && usable(input.metadata_user_id)) {
      id = input.metadata_user_id;
      out.session_source = "body:metadata.user_id";
    }
  }
  if (!id.empty()) {
    out.session_raw = id;
    out.session_hash = short_hash(id);
    out.session_key = scoped(input.api_key_hash, "session", id);
  } else if (settings.derive_identity) {
    uint64_t key = wire::fold(input.api_key_hash, wire::hash_bytes("derived-session"));
    key = wire::fold(wire::fold(key, input.system_hash), input.first_user_hash);
    // Two users may well begin with the same words.
    if (!input.user.empty()) key = scoped(key, "user", input.user);
    out.session_source = "derived";
    out.session_key = key;
    out.session_hash = to_hex(key);
  }
}

void find_conversation(const config::Learning& settings, const IdentityInput& input,
                       Identity& out) {
  std::string turn_id;
  std::string_view id =
      first_header(input, {settings.conversation_header}, out.conversation_source);
  out.conversation_given = !id.empty();
  if (id.empty() && settings.derive_identity) {
    id = first_header(input, {"x-inferoa-conversation-id", "x-inferoa-run-id"},
                      out.conversation_source);
    if (id.empty()) {
      turn_id = turn_metadata(input.header, "turn_id");
      if (usable(turn_id)) {
        id = turn_id;
        out.conversation_source = "header:x-codex-turn-metadata";
      }
    }
  }
  if (!id.empty()) {
    out.conversation_raw = id;
    out.conversation_hash = short_hash(id);
    // An explicit session narrows an explicit conversation; a derived one is never mixed in.
    const uint64_t scope = out.session_given ? out.session_key : input.api_key_hash;
    out.conversation_key = scoped(scope, "conversation", id);
    if (!out.session_given && out.session_source == "derived")
      out.session_key = out.conversation_key;
  } else if (settings.derive_identity && out.session_key != 0) {
    const uint64_t key = wire::fold(wire::fold(out.session_key, wire::hash_bytes("derived-turn")),
                                    static_cast<uint64_t>(input.last_real_user_index + 1));
    out.conversation_source = "derived";
    out.conversation_key = key;
    out.conversation_hash = to_hex(key);
  }
}

}  // namespace

Identity find_identity(const config::Learning& settings, const IdentityInput& input) {
  Identity out;
  find_session(settings, input, out);
  find_conversation(settings, input, out);
  return out;
}

bool is_auxiliary_class(const std::function<std::string_view(std::string_view)>& header) {
  for (const std::string_view key : {"request_kind", "thread_source"}) {
    const std::string kind = turn_metadata(header, key);
    for (const std::string_view word : {"compaction", "reflection", "verification", "background"}) {
      if (kind == word) return true;
    }
  }
  return false;
}

}  // namespace vsr::learning
