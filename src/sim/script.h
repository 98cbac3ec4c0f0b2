#pragma once

// Scripted answers: what POST /sim/script takes, checked field by field. Values. Limits below.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vsr::sim {

constexpr size_t kAnswersMax = 10'000;
constexpr int64_t kDelayMsMax = 600'000;
constexpr int64_t kChunksMax = 100'000;

enum class Fault : uint8_t {
  kNone,
  kCloseBeforeHead,
  kCloseAfterHead,
  kCloseMidStream,  // half of the body
  kHang,
  kHangAfterHead,
  kErrorObject,         // 200, then data: {"error":…} and [DONE]; without a stream the object alone
  kEmpty,               // 200 with neither content nor usage
  kBadSse,              // a good stream among broken events and odd framing
  kBadJson,             // nothing in it is JSON
  kWrongContentLength,  // announces more than it sends, then closes
  kNoDone,
};

struct ScriptedToolCall {
  std::string id;  // empty: one is made
  std::string name;
  std::string arguments = "{}";
  std::string extra;  // a JSON object merged into the call, or empty
};

enum class UsageKind : uint8_t { kComputed, kGiven, kNone };

struct Answer {
  bool has_content = false;  // otherwise the default text, if there is nothing else to say
  std::string content;
  std::string reasoning;
  std::vector<ScriptedToolCall> tool_calls;
  std::string extra;  // a JSON object merged into the message or the first delta, or empty
  int status = 200;
  bool has_error_body = false;
  std::string error_body;
  std::vector<std::pair<std::string, std::string>> headers;
  int64_t chunks = 0;  // 0: one per word
  int64_t chunk_delay_ms = 0;
  int64_t first_byte_delay_ms = 0;  // after the head of a stream, before the head of a whole body
  int64_t delay_ms = 0;             // before anything
  UsageKind usage_kind = UsageKind::kComputed;
  std::string usage;  // JSON, if given
  Fault fault = Fault::kNone;
};

// {"answers":[…]}. The error's message names the field at fault: "answers[1].chunks must be …".
Result<std::vector<Answer>> parse_script(std::string_view body);

}  // namespace vsr::sim
