#pragma once

// Level 3 of a chat request: the shape of the conversation, from the facts of all its messages.
// Who spoke last for real, whether a tool loop is open and which calls it waits for, what ties the
// request to a provider, and the hashes by which the conversation is known again. Pure; views live
// in the arena.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "json/arena.h"
#include "wire/chat_request.h"
#include "wire/message.h"

namespace vsr::wire {

struct ProviderState {
  OpaqueItem item;
  int32_t message = -1;  // index; -1: a top-level field of the request; -2: a tool's definition
  bool in_open_tool_loop = false;
  // It ties the request to the model that made it. Thinking of turns that are over does not: it may
  // be left out.
  bool binds() const { return item.kind != OpaqueKind::kThinking || in_open_tool_loop; }
};
constexpr int32_t kInTools = -2;

struct Conversation {
  // Indexes into messages; -1 if there is none. A real user message is not synthetic (the nearest
  // earlier message of another role is no tool result) and has text after envelopes are cut.
  int32_t first_user = -1;
  int32_t last_real_user = -1;
  uint32_t real_user_count = 0;
  uint32_t trailing_synthetic = 0;  // user messages after the last tool result

  bool tool_loop = false;
  // First message after the last assistant answer without tool calls: the open segment.
  uint32_t open_segment = 0;
  // Results delivered by the last run of tool messages, then calls without a result. Only when
  // tool_loop.
  std::span<const std::string_view> pending_tool_call_ids;
  uint32_t delivered_results = 0;  // how many of them, from the front, have their result here

  std::span<const ProviderState> provider_state;  // top level first, then by message
  Modalities modalities;
  TextSize size;  // of all messages, tools not included

  std::array<uint32_t, kRoleCount> role_counts{};
  uint32_t tool_calls = 0;        // made by assistant messages
  uint32_t tool_call_cycles = 0;  // assistant messages with calls of which one has a result

  uint64_t system_hash = 0;      // leading system and developer messages, envelopes cut
  uint64_t first_user_hash = 0;  // 0 if there is none
  uint64_t lineage_hash = 0;     // system text, tool names, first user message
  // prefix_hashes[i] covers the tools and messages 0..i, without cache_control and envelopes.
  std::span<const uint64_t> prefix_hashes;
  // Messages before the last run of assistant messages: those of the request that this one goes on
  // from. 0 if nobody has answered yet.
  uint32_t answered_messages = 0;
  uint32_t system_messages = 0;  // leading ones; prefix_hashes[system_messages-1] is their hash
};

// `facts` has one entry per message of the request, none null. The facts need not outlive the
// call.
Conversation analyse(const ChatRequest& request, std::span<const MessageFacts* const> facts,
                     const ToolsFacts& tools, json::Arena& arena);

// The text that signals read as the prompt: that of the last real user message, or all other text
// if there is none. Parses only the messages it needs.
ApiResult<std::string_view> prompt_text(json::Reader& reader, json::Arena& arena,
                                        const ChatRequest& request,
                                        const Conversation& conversation);

}  // namespace vsr::wire
