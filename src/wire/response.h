#pragma once

// Observers of what a backend answers: usage, tool calls, opaque items, a copy of the text. They
// never change or delay a byte. Bad JSON is counted and otherwise ignored. One observer per
// answer, used on one thread; limits in ObserverLimits and below.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/arena.h"
#include "json/reader.h"
#include "wire/opaque.h"

namespace vsr::wire {

constexpr size_t kObservedToolCallsMax = 256;
constexpr size_t kObservedIdBytesMax = 512;

struct Usage {
  bool present = false;
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = -1;         // prompt_tokens_details.cached_tokens; -1: not reported
  int64_t created_cache_tokens = -1;  // prompt_tokens_details.created_cache_tokens
  int64_t completion_tokens = 0;
  int64_t reasoning_tokens = -1;
  int64_t total_tokens = 0;
};

struct ObservedToolCall {
  int64_t index = -1;  // as the stream numbers it; -1 if it does not
  std::string id;
  std::string name;
  std::string arguments;  // up to the capture limit
};

struct ObservedError {
  std::string message;
  std::string type;
  std::string code;  // numbers as text
};

struct ObserverLimits {
  size_t text_bytes_max = 64 * 1024;
  size_t arguments_bytes_max = 16 * 1024;  // of all tool calls together
};

struct Observation {
  Usage usage;
  std::string id;     // of the response
  std::string model;  // as the backend calls it
  std::string text;   // content, up to the limit
  std::string reasoning;
  bool text_truncated = false;
  bool reasoning_truncated = false;
  bool arguments_truncated = false;
  std::vector<ObservedToolCall> tool_calls;
  std::vector<OpaqueItem> opaque;
  std::string finish_reason;
  bool has_content = false;  // any non-empty content, reasoning or refusal
  bool has_tool_call = false;
  bool has_error = false;
  ObservedError error;
  bool done = false;           // [DONE] was seen (streams)
  uint64_t chunks = 0;         // data payloads (streams), 1 for a whole body
  uint64_t bad_chunks = 0;     // of these, not JSON or not an object
  uint64_t content_bytes = 0;  // also what was not captured

  // A good answer has one of these; a 200 without is a failure.
  bool is_empty() const { return !has_content && !has_tool_call && !usage.present; }
};

class StreamObserver {
 public:
  explicit StreamObserver(ObserverLimits limits = {}) : limits_(limits) {}

  struct Chunk {
    bool done = false;        // the payload is [DONE]
    bool error = false;       // it holds an error object
    bool usage_only = false;  // usage and no choice: drop it if the client had not asked
    bool has_output = false;  // content, reasoning or a piece of a tool call
    bool bad = false;         // not understood
  };
  // One SSE data payload. `reader` may be shared with others on the same thread.
  Chunk on_data(json::Reader& reader, std::string_view payload);

  const Observation& result() const { return seen_; }
  Observation take() { return std::move(seen_); }

 private:
  ObserverLimits limits_;
  Observation seen_;
  json::Arena arena_{0};
};

// A whole answer of /v1/chat/completions, /v1/completions or /v1/embeddings.
Observation observe_body(json::Reader& reader, std::string_view body, ObserverLimits limits = {});

}  // namespace vsr::wire
