#pragma once

// Who a request belongs to: a session (the user's client) and a conversation (one agent run). Ids
// are scoped by API key, length-prefixed and hashed, so that no id is a prefix of another and empty
// ids never meet. Pure.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "config/config.h"

namespace vsr::learning {

struct Identity {
  uint64_t session_key = 0;       // 0: none
  uint64_t conversation_key = 0;  // 0: none
  bool session_given = false;     // by the configured header
  bool conversation_given = false;
  // Where each came from: "header:x-session-id", "body:prompt_cache_key", "derived", "" = missing.
  std::string session_source;
  std::string conversation_source;
  std::string session_raw;  // as given; "" when derived
  std::string conversation_raw;
  std::string session_hash;  // first 16 hex digits of SHA-256 of the raw id, for records
  std::string conversation_hash;
};

// What identity may be read from. Views live as long as the call.
struct IdentityInput {
  std::function<std::string_view(std::string_view)> header;  // "" if absent
  uint64_t api_key_hash = 0;
  std::string_view prompt_cache_key;
  std::string_view metadata_user_id;
  uint64_t system_hash = 0;
  uint64_t first_user_hash = 0;
  std::string_view user;              // of the body
  int64_t last_real_user_index = -1;  // of the message; -1: none
};

Identity find_identity(const config::Learning& settings, const IdentityInput& input);

// The request says itself that it is a compaction, a reflection, a check or background work.
bool is_auxiliary_class(const std::function<std::string_view(std::string_view)>& header);

}  // namespace vsr::learning
