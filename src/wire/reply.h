#pragma once

// Answers that the router makes itself: a chat completion (plain or as a stream of SSE events) and
// the model listing. Pure; the caller gives ids and times.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vsr::wire {

struct ChatReply {
  std::string_view id;  // "chatcmpl-…"
  std::string_view model;
  int64_t created_unix_s = 0;
  std::string_view text;
  std::string_view finish_reason = "stop";
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
};

std::string chat_completion(const ChatReply& reply);
// All events including "data: [DONE]"; the usage chunk only if the client asked for it.
std::string chat_completion_stream(const ChatReply& reply, bool include_usage);

struct ModelEntry {
  std::string_view id;
  std::string_view owned_by;
  std::string_view description;  // empty: left out
  int64_t created_unix_s = 0;
  int64_t context_window_tokens = 0;  // 0: left out
};
std::string model_object(const ModelEntry& model);
std::string model_list(std::span<const ModelEntry> models);

}  // namespace vsr::wire
