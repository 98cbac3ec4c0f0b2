#pragma once

// What signals read of a request. The texts of messages are asked for one by one and only when no
// result for that message is cached, so that an old history need not even be unescaped. Views live
// until the evaluation of the request is over; nothing is owned.

#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/result.h"

namespace vsr::signals {

enum class Role : uint8_t {
  kSystem,
  kDeveloper,
  kUser,
  kAssistant,
  kTool,   // tool and function messages, and user messages that hold tool results
  kOther,  // unknown roles: read like a user's
  // No messages: what else of a request is sent.
  kFields,       // fields beside the messages: read for secrets and personal data only
  kToolSchemas,  // the tools array as sent: read for secrets only
};
constexpr size_t kRoles = static_cast<size_t>(Role::kToolSchemas) + 1;
constexpr bool is_message(Role role) { return role < Role::kFields; }

// System and developer text and tool schemas are the operator's own: only secrets are sought there.
constexpr bool is_operator(Role role) {
  return role == Role::kSystem || role == Role::kDeveloper || role == Role::kToolSchemas;
}

struct Message {
  Role role = Role::kUser;
  // Of all that read() would give for this message: the same hash means the same texts.
  uint64_t content_hash = 0;
  bool has_fields = false;  // MessageText::fields may hold something
};

struct MessageText {
  std::string_view text;  // parts joined by one space, envelopes cut
  // Tool-call arguments: read for secrets and personal data.
  std::span<const std::string_view> arguments;
  // The parts as sent, where envelopes were cut from `text`; schemas. Read for secrets and, except
  // of the operator's own, for personal data other than e-mail, names and IP addresses.
  std::span<const std::string_view> extra;
  // Other fields of the message, or of the request, a string a line. Read for secrets and, except
  // of the operator's own messages, for personal data.
  std::string_view fields = {};
};

class TextSource {
 public:
  virtual ~TextSource() = default;
  // Called at most once per message and request. The views live as long as the Input.
  virtual Result<MessageText> read(size_t message) = 0;
};

struct ConversationFacts {
  std::array<uint32_t, kRoles> messages_by_role{};
  uint32_t tool_definitions = 0;
  uint32_t assistant_tool_calls = 0;
  uint32_t assistant_tool_cycles = 0;  // assistant messages with a call that has a result
  bool active_tool_loop = false;
};

// Where the vector of a text comes from that rules compare by meaning.
enum class Encoding : uint8_t {
  kNow,    // encoded on the spot, which takes milliseconds
  kKnown,  // only what was encoded before; Values::wants_encoding says that more was asked for
  kOff,    // not at all: rules that compare meanings carry an error
};

// A field of the body's `metadata`: texts unescaped, other values as they are sent.
struct Attribute {
  std::string_view name;
  std::string_view value;
};
using HeaderSource = std::function<std::string_view(std::string_view)>;  // "" if absent

struct Input {
  // Text of the last real user prompt, envelopes cut; all other text if there is none.
  std::string_view prompt;
  int32_t prompt_message = -1;  // index into messages whose text is the prompt; -1: none
  std::span<const Message> messages;
  TextSource* texts = nullptr;  // may be null if messages is empty
  ConversationFacts conversation;
  Encoding encoding = Encoding::kNow;
  uint64_t context_tokens = 0;  // estimate over everything that would be sent
  std::span<const Attribute> metadata;
  const HeaderSource* header = nullptr;  // null: no headers
  std::string_view api_key_name;         // of the key that the caller came with
};

}  // namespace vsr::signals
