#pragma once

// A replay record: one routed request, why it went where it went, and how it ended. The request
// path fills plain fields and moves the record into the writer's queue; the long documents are
// closures that render on the writer's thread (or on a reader's, while the record is pending), so
// that a request pays for none of its own JSON. Move-only.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "json/writer.h"

namespace vsr::store {

enum class Lifecycle : uint8_t { kRunning, kCompleted, kFailed, kAborted };
std::string_view to_string(Lifecycle state);
std::optional<Lifecycle> parse_lifecycle(std::string_view name);

// Byte range of sensitive text inside one of the text fields, and what stands there.
struct Redaction {
  uint32_t start = 0;
  uint32_t end = 0;
  std::string type;  // "EMAIL", "API_KEY", …
};

// How much of a text the privacy and secret detectors have seen.
enum class Scan : uint8_t {
  kNone,   // nothing
  kKept,   // the text as it is kept here; what was cut off behind it is unknown
  kWhole,  // the whole text before it was cut; spans may reach past the cut
};

struct TextField {
  std::string text;
  bool truncated = false;
  Scan scan = Scan::kNone;
  std::vector<Redaction> redactions;  // ascending, not overlapping, in bytes of `text`
};

// What may be stored and shown of a text, or nothing if it is empty. `redact` says that the request
// is private. Every span becomes "[TYPE]". The whole text becomes kWithheld when it is not certain
// that the spans cover everything sensitive in it:
//   redact, Scan::kNone, no spans             nobody looked
//   redact or spans, cut, scanned after it    half a span at the cut goes unnoticed
//   spans overlapping, unordered, past the end of a text that was not cut
// A span that begins before a cut and ends behind it (Scan::kWhole) is replaced up to the cut. A
// private text without spans that was scanned in full is kept, as is any text of a request that is
// not private and has no spans.
std::optional<std::string> stored_text(const TextField& field, bool redact);
constexpr std::string_view kWithheld = "[REDACTED]";

struct Attempt {
  std::string endpoint;
  int status = 0;  // 0 = no answer
  double ms = 0;
  std::string error;  // "" when answered
};

// The part that is known when the model is final, before dispatch.
struct RoutingPart {
  UnixMillis timestamp = 0;
  std::string request_id;
  std::string session_id;       // as it will be stored: hash or raw, by configuration
  std::string conversation_id;  // likewise
  std::string identity_source;
  std::string api_key_name;  // "" without keys; lists on the public listener filter by it
  uint32_t turn_index = 0;

  std::string decision;  // "" for an explicit model or no match
  int decision_tier = 0;
  int decision_priority = 0;
  std::string category;
  std::string original_model;  // as the client wrote it
  std::string proposal_model;
  std::string previous_model;
  std::string selected_model;
  std::string reasoning_mode;  // "on", "off" or ""
  double confidence = 0;
  std::string selection_method;
  std::string decision_reason;

  std::string learning_action;  // "" when learning is off
  std::string learning_reason;
  std::string learning_scope;
  std::string learning_mode;
  std::string session_phase;
  std::string hard_lock_reason;
  // By which prompts of a conversation are known to go on from each other, keyed (KeyedHash): of
  // the lineage, of all messages, and of those before the last answer. 0: not known.
  uint64_t lineage = 0;
  uint64_t prefix = 0;
  uint64_t parent = 0;
  bool is_switch = false;  // the final model differs from the previous one of this lineage

  std::string delivered;  // ids of tool calls and opaque items in the request, see delivery.h

  bool streaming = false;
  std::string policy_version;
  bool redact = false;  // a private decision or a private signal: never write raw text
  double routing_us = 0;

  TextField prompt;
  TextField request_body;

  // Writes further members of the record object: learning, session_policy, signals,
  // signal_values, signal_confidences, projections, projection_scores, projection_trace,
  // rejected_decisions, signal_errors, pii_entities, tool_definitions, tool_trace. Called any
  // number of times, on any thread, one at a time. Its text must be redacted already.
  std::function<void(json::JsonWriter&)> details;
};

// How a request was answered that went to a backend.
constexpr std::string_view kUpstreamPath = "upstream";

// The part that is known at the end; written once.
struct TerminalPart {
  Lifecycle state = Lifecycle::kCompleted;
  std::string reason;  // "" when completed; else upstream_error, client_disconnect, …
  UnixMillis ended_at = 0;
  double duration_ms = 0;
  double ttft_ms = 0;  // 0 = no first byte
  int response_status = 0;
  bool from_cache = false;
  std::string response_path;  // kUpstreamPath, cache, fast_response, rate_limited, error

  std::string backend_model;
  std::string endpoint;
  std::vector<Attempt> attempts;

  uint64_t prompt_tokens = 0;
  uint64_t cached_prompt_tokens = 0;
  uint64_t cache_write_tokens = 0;
  uint64_t completion_tokens = 0;
  uint64_t total_tokens = 0;
  std::string cached_tokens_source;  // backend_reported, router_estimated, none
  double actual_cost = 0;
  double baseline_cost = 0;
  std::string currency;
  std::string baseline_model;
  std::string emitted;  // ids of tool calls and opaque items in the answer

  double dispatch_us = 0;
  TextField response_body;
  // Writes further members: timings_us, tool calls emitted.
  std::function<void(json::JsonWriter&)> details;
};

}  // namespace vsr::store
