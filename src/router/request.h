#pragma once

// One chat request as the router sees it: the typed view, the facts of every message (most of them
// from the cache), the shape of the conversation, and the input of signals. Everything points into
// the body and this object; it is reusable, one request at a time, one thread.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "router/facts_cache.h"
#include "signals/input.h"
#include "wire/chat_request.h"
#include "wire/conversation.h"

namespace vsr::router {

// Fields of `metadata` beyond these are not read.
inline constexpr size_t kMetadataFieldsMax = 64;

class Request final : private signals::TextSource {
 public:
  Request();
  ~Request() override;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // Reads the body; it must stay where it is while this request is in use. The error is what the
  // client is told.
  wire::ApiResult<void> read_chat(std::string_view body, FactsCache& cache);
  // Bodies of completions and embeddings: top-level fields only, no conversation.
  wire::ApiResult<void> read_passthrough(std::string_view body);

  const wire::ChatRequest& chat() const { return chat_; }
  const wire::Conversation& conversation() const { return conversation_; }
  const wire::ToolsFacts& tools() const { return tools_; }
  const signals::Input& input() const { return input_; }
  std::string_view prompt() const { return input_.prompt; }
  // Estimate over everything that would be sent, before calibration by observed usage.
  uint64_t context_tokens() const { return input_.context_tokens; }
  // Estimate of the last real user message alone.
  uint64_t prompt_tokens() const;
  // Messages whose facts were not cached.
  size_t messages_parsed() const { return messages_parsed_; }

  // For later phases that read or edit the body.
  json::Reader& reader() { return reader_; }
  json::Arena& arena() { return arena_; }

 private:
  Result<signals::MessageText> read(size_t message) override;
  wire::ApiResult<void> read_facts(FactsCache& cache);
  void fill_input();
  void add_fields();
  wire::ApiResult<void> read_metadata();

  json::Reader reader_;
  json::Arena arena_{16 * 1024};
  wire::ChatRequest chat_;
  wire::Conversation conversation_;
  wire::ToolsFacts tools_;
  std::vector<std::shared_ptr<const wire::MessageFacts>> facts_;
  std::vector<const wire::MessageFacts*> fact_pointers_;
  std::vector<signals::Message> messages_;
  std::vector<signals::Attribute> metadata_;
  std::vector<wire::OtherField> fields_;     // beside the messages: what signals read of them
  std::vector<std::string_view> schemas_;    // tools, and functions as they were called before
  std::vector<wire::OtherField> documents_;  // `documents`: retrieved for the model
  signals::Input input_;
  size_t messages_parsed_ = 0;
};

// Tokens of a text by script: bytes per token of ASCII text, tokens per character of the others.
// Averages over the tokenizers of the models in use; the gateway corrects them by observed usage.
uint64_t estimate_tokens(const wire::TextSize& size);

}  // namespace vsr::router
