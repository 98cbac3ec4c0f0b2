#pragma once

// Level 2 of a chat request: one message read completely. A Message is views into the body and
// the arena; MessageFacts is the small owned rest that may be cached under raw_hash for as long as
// one likes (no text in it). Pure. Limits: kPartsMax and kToolCallsMax of one message.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/arena.h"
#include "json/reader.h"
#include "wire/chat_request.h"
#include "wire/opaque.h"
#include "wire/other_text.h"

namespace vsr::wire {

constexpr size_t kPartsMax = 16'384;
constexpr size_t kToolCallsMax = 4'096;

struct ToolCall {
  std::string_view id;  // "" if it has none
  std::string_view name;
  std::string_view arguments;  // JSON as the model wrote it, unescaped
};

// What the other side will have to read, by script, as input to a token estimate.
struct TextSize {
  uint32_t ascii_bytes = 0;
  uint32_t cjk_chars = 0;    // Han, kana, hangul
  uint32_t other_chars = 0;  // everything else outside ASCII
  TextSize& operator+=(const TextSize& other);
  bool operator==(const TextSize&) const = default;
};
TextSize text_size(std::string_view text);

struct Modalities {
  bool image = false;
  bool audio = false;
  bool file = false;
  bool video = false;
  bool operator==(const Modalities&) const = default;
};

struct MessageFacts {
  Role role = Role::kUnknown;
  bool has_text = false;        // text remains after envelopes are cut
  bool is_tool_result = false;  // role tool or function, or a user message with tool_result blocks
  bool has_others = false;      // Message::others
  Modalities modalities;
  uint32_t tool_call_count = 0;
  TextSize size;                // text, tool-call arguments and tool results, envelopes included
  uint64_t text_hash = 0;       // of the text without envelopes
  uint64_t canonical_hash = 0;  // of the whole message without cache_control and envelopes
  std::vector<std::string> tool_call_ids;    // of calls made here, in order; "" where missing
  std::vector<std::string> tool_result_ids;  // of calls answered here
  std::vector<OpaqueItem> opaque;
};

struct Message {
  Role role = Role::kUnknown;
  std::span<const std::string_view> texts;  // of text parts as sent, envelopes included, in order
  std::string_view text;                    // parts joined by one space, envelopes cut
  std::span<const ToolCall> tool_calls;
  std::span<const std::string_view> tool_result_ids;
  std::span<const OpaqueItem> opaque;
  std::string_view name;
  std::span<const OtherField> others;  // what is sent and not in the members above
  bool is_tool_result = false;
  Modalities modalities;
  TextSize size;
  uint64_t canonical_hash = 0;
};

// `raw` is the bytes of one message object. `where` is put before the field name in errors
// ("messages[3]").
ApiResult<Message> parse_message(json::Reader& reader, json::Arena& arena, std::string_view raw,
                                 size_t index);
MessageFacts facts_of(const Message& message);

// With one space between two of them; in the arena if there are several.
std::string_view joined(std::span<const std::string_view> texts, json::Arena& arena);

}  // namespace vsr::wire
