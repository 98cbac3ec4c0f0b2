// Any bytes as a chat request: all three levels and the edits of `prepare`. A body that is accepted
// stays acceptable after the edits, with the model that was wanted.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "wire/conversation.h"
#include "wire/prepare.h"

namespace {

using namespace vsr::wire;

void check_prepare(const ChatRequest& request, const Conversation& conversation,
                   vsr::json::Reader& reader, vsr::json::Arena& arena) {
  PrepareOptions options;
  options.provider_model = "m/1";
  options.reasoning = {request.stream ? ReasoningParameter::kChatTemplateKwargs
                                      : ReasoningParameter::kReasoningEffort,
                       "enable_thinking", request.include_usage, "high", request.max_tokens > 9};
  options.ask_for_usage = true;
  options.system_prompt_mode =
      request.user.empty() ? SystemPromptMode::kInsert : SystemPromptMode::kReplace;
  options.system_prompt = "p";
  if (request.body.size() % 2 == 0) options.drop = conversation.provider_state;
  vsr::json::Splicer splicer(request.body);
  VSR_CHECK(prepare(request, options, reader, arena, splicer).has_value(), "prepare failed");
  const std::string text = splicer.joined();
  const auto again = parse_chat(reader, arena, text);
  VSR_CHECK(again.has_value(), "not accepted after the edits: {}", again.error().message);
  VSR_CHECK(again->model == "m/1" && (!again->stream || again->include_usage),
            "an edit is missing");
  VSR_CHECK(!again->messages.empty(), "the system prompt is missing");
  for (size_t i = 0; i < again->messages.size(); ++i) {
    VSR_CHECK(parse_message(reader, arena, again->messages[i].raw.in(text), i).has_value(),
              "message {} is broken", i);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  vsr::json::Reader reader;
  vsr::json::Arena arena;
  (void)parse_passthrough(reader, arena, body);
  const auto request = parse_chat(reader, arena, body);
  if (!request) {
    VSR_CHECK(request.error().status == 400 && !request.error().message.empty(), "no reason given");
    return 0;
  }
  std::vector<MessageFacts> facts;
  for (size_t i = 0; i < request->messages.size(); ++i) {
    const auto message = parse_message(reader, arena, request->messages[i].raw.in(body), i);
    if (!message) return 0;
    VSR_CHECK(message->role == request->messages[i].role, "the levels disagree about a role");
    (void)text_of(reader, arena, message->others);
    facts.push_back(facts_of(*message));
  }
  const auto tools = parse_tools(reader, arena, request->tools.in(body));
  if (!tools) return 0;
  std::vector<const MessageFacts*> pointers;
  for (const MessageFacts& f : facts) pointers.push_back(&f);
  const Conversation conversation = analyse(*request, pointers, facts_of(*tools), arena);
  VSR_CHECK(conversation.prefix_hashes.size() == facts.size(), "a prefix hash is missing");
  VSR_CHECK(prompt_text(reader, arena, *request, conversation).has_value(), "no prompt");
  check_prepare(*request, conversation, reader, arena);
  return 0;
}
