#pragma once

// What a simulated backend reads of a request, and the text that its prefix cache sees: tools and
// messages as a chat template would write them. Pure.

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"
#include "sim/script.h"

namespace vsr::sim {

enum class Api : uint8_t { kChat, kCompletions, kEmbeddings };

struct GenerationRequest {
  Api api = Api::kChat;
  std::string model;  // as asked; may be empty
  bool stream = false;
  bool include_usage = false;
  std::string prompt;  // rendered
  std::string cache_salt;
  // Ids of the tool results that this request delivers: those after the last assistant message.
  std::vector<std::string> tool_results;
  std::vector<std::string> opaque_items;  // anywhere in the body
  // From headers: x-request-id, and the answer that x-sim-answer holds, as in a script.
  std::string request_id;
  std::optional<Answer> answer;
  std::vector<std::string> inputs;  // of an embeddings request
  bool base64_vectors = false;
};

// An answer that is not a success, in vLLM's terms.
struct Refusal {
  int status = 400;
  std::string message;
  std::string param;  // "": null
};

std::expected<GenerationRequest, Refusal> read_request(Api api, std::string_view body);

// An assistant message as it stands in a later prompt, without what opens it: what is generated
// after a prompt, so that prompt + this is the beginning of the next turn's prompt.
std::string render_assistant(const json::Value& message);

}  // namespace vsr::sim
