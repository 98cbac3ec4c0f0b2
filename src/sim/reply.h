#pragma once

// The bodies a simulated backend sends, in vLLM's shapes: whole answers, the events of a stream,
// vectors, the model listing, errors. Pure.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/request.h"
#include "sim/script.h"

namespace vsr::sim {

constexpr size_t kVectorSize = 8;

// An answer with everything decided.
struct Reply {
  Api api = Api::kChat;
  std::string id;
  std::string model;  // the first served name, whatever was asked
  int64_t created_unix_s = 0;
  std::string content;
  std::string reasoning;
  std::vector<ScriptedToolCall> tool_calls;  // with ids
  std::string extra;
  int64_t chunks = 0;
  std::string usage;  // JSON, empty: none
};

// The assistant message of a chat answer, as JSON.
std::string message_json(const Reply& reply);
std::string whole_body(const Reply& reply);
// The data of each event, [DONE] included; the usage chunk only if asked for.
std::vector<std::string> stream_data(const Reply& reply, bool include_usage);
std::string embeddings_body(const Reply& reply, const GenerationRequest& request);

std::string error_json(int status, std::string_view message, std::string_view param = {});
std::string models_body(std::span<const std::string> models, int64_t created_unix_s);

}  // namespace vsr::sim
