#pragma once

// What deciding and learning read of a request beside the results of its rules: numbers, flags and
// hashes, no text but the name of the model that was asked for. A live request gives them once;
// a record keeps them, so that the request can be decided again (Router::decide_again). Values
// that own what they hold.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "policy/select.h"
#include "signals/input.h"
#include "wire/conversation.h"

namespace vsr::router {

// Token counts are kept in 32 bits; more than that is as good as the most.
inline uint32_t at_most_32_bits(uint64_t value) {
  return static_cast<uint32_t>(std::min<uint64_t>(value, UINT32_MAX));
}

struct RequestFacts {
  UnixMillis unix_ms = 0;
  std::string requested_model;  // as the client wrote it
  policy::Needs needs;          // with the estimated prompt tokens
  uint32_t user_tokens = 0;     // of the last real user message
  signals::ConversationFacts shape;
  bool tool_loop = false;
  bool auxiliary_class = false;
  uint32_t tool_count = 0;
  uint32_t system_messages = 0;  // leading ones
  uint32_t answered_messages = 0;
  uint64_t session_key = 0;  // 0: none
  uint64_t conversation_key = 0;
  uint64_t lineage_hash = 0;
  uint64_t system_hash = 0;
  std::vector<uint64_t> prefix_hashes;  // after each message
  std::vector<uint64_t> pending_calls;  // of calls whose results are delivered or due
  std::vector<wire::ProviderState> provider_state;
  std::vector<policy::ModelState> models;  // by ModelId
};

}  // namespace vsr::router
