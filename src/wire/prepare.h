#pragma once

// The phase `prepare`: which bytes of a chat body change before it goes to a backend. Everything
// else, earlier messages above all, stays byte for byte, because a backend's prefix cache depends
// on it. Pure.

#include <cstdint>
#include <span>
#include <string_view>

#include "json/reader.h"
#include "json/splice.h"
#include "wire/chat_request.h"
#include "wire/conversation.h"

namespace vsr::wire {

enum class ReasoningParameter : uint8_t {
  kNone,                // the model has no reasoning family: nothing is added or removed
  kChatTemplateKwargs,  // chat_template_kwargs.<name> = true or false
  kReasoningEffort,     // an effort, where depends on the backend; off: removed
};

struct Reasoning {
  ReasoningParameter parameter = ReasoningParameter::kNone;
  std::string_view name;  // the family's parameter, e.g. "enable_thinking"
  bool on = false;
  std::string_view effort;  // "low", "medium", "high"
  // Effort as chat_template_kwargs.<name> (vLLM) instead of top-level reasoning_effort.
  bool effort_in_template_kwargs = false;
};

enum class SystemPromptMode : uint8_t {
  kNone,
  kReplace,  // the content of the first message if it is a system message, else as a new first one
  kInsert,   // in front of its content
};

struct PrepareOptions {
  std::string_view provider_model;  // what the backend calls the model
  Reasoning reasoning;
  bool ask_for_usage = false;  // on streams: stream_options.include_usage = true
  SystemPromptMode system_prompt_mode = SystemPromptMode::kNone;
  std::string_view system_prompt;
  // Opaque items of another provider, from Conversation::provider_state: dropped as whole blocks,
  // texts around them stay.
  std::span<const ProviderState> drop;
};

// Adds the edits to `splicer`, whose text is request.body. A model that is already right is not
// edited.
ApiResult<void> prepare(const ChatRequest& request, const PrepareOptions& options,
                        json::Reader& reader, json::Arena& arena, json::Splicer& splicer);

}  // namespace vsr::wire
