#pragma once

// Records for tests and benchmarks, filled so that every field of the JSON shows.

#include <string>

#include "store/record.h"
#include "store/render.h"

namespace vsr::store::fixture {

constexpr UnixMillis kStart = 1'700'000'000'000;

inline Id128 id_of(uint32_t number) {
  Id128 id;
  for (size_t i = 0; i < sizeof(number); ++i) {
    id.bytes[i] = id.bytes[12 + i] = static_cast<uint8_t>(number >> (8 * i));
  }
  return id;
}

inline RoutingPart routing(uint32_t number = 0) {
  RoutingPart part;
  part.timestamp = kStart + number * 1000;
  part.request_id = "request-" + std::to_string(number);
  part.session_id = "session-" + std::to_string(number % 3);
  part.conversation_id = "conversation-" + std::to_string(number % 5);
  part.identity_source = "header";
  part.turn_index = number;
  part.decision = number % 2 == 0 ? "simple_general" : "complex_general";
  part.decision_tier = 2;
  part.decision_priority = 100;
  part.category = "math";
  part.original_model = "auto";
  part.proposal_model = "model-b";
  part.previous_model = "model-a";
  part.selected_model = number % 2 == 0 ? "model-a" : "model-b";
  part.reasoning_mode = "off";
  part.confidence = 0.75;
  part.selection_method = "static";
  part.decision_reason = "highest priority";
  part.learning_action = number % 2 == 0 ? "stay" : "switch";
  part.learning_reason = "cost";
  part.learning_scope = "conversation";
  part.learning_mode = "apply";
  part.session_phase = "user_turn";
  part.is_switch = number % 2 != 0;
  part.lineage = number + 1;
  part.prefix = UINT64_MAX - number;
  part.parent = number;
  part.policy_version = "0123456789abcdef";
  part.routing_us = 10.0 + number;
  part.prompt.text = "Prompt number " + std::to_string(number);
  part.request_body.text = R"({"model":"auto"})";
  part.details = [](json::JsonWriter& out) {
    out.key("learning").begin_object().field("verdict", "stay").end_object();
    out.key("signals").begin_object().key("keywords").begin_array().value("math").end_array();
    out.end_object();
  };
  return part;
}

inline TerminalPart terminal(uint32_t number = 0, Lifecycle state = Lifecycle::kCompleted) {
  TerminalPart part;
  part.state = state;
  if (state == Lifecycle::kFailed) part.reason = "upstream_error";
  if (state == Lifecycle::kAborted) part.reason = "client_disconnect";
  part.ended_at = kStart + number * 1000 + 500;
  part.duration_ms = 500;
  part.ttft_ms = 20;
  part.response_status = state == Lifecycle::kFailed ? 502 : 200;
  part.response_path = "upstream";
  part.backend_model = "served-model";
  part.endpoint = "vllm-1";
  part.attempts = {{"vllm-2", 503, 3.5, ""}, {"vllm-1", 200, 20, ""}};
  part.prompt_tokens = 100;
  part.cached_prompt_tokens = 60;
  part.cache_write_tokens = 40;
  part.completion_tokens = 10;
  part.total_tokens = 110;
  part.cached_tokens_source = "backend_reported";
  part.actual_cost = 0.25;
  part.baseline_cost = 1.0;
  part.currency = "USD";
  part.baseline_model = "model-b";
  part.dispatch_us = 30;
  part.response_body.text = R"({"choices":[]})";
  part.details = [](json::JsonWriter& out) {
    out.key("timings_us").begin_object().field("total", 500).end_object();
  };
  return part;
}

// A row as the writer makes it, `sequence` counting within the record's millisecond.
inline Row row(uint32_t number, bool with_end = true, Lifecycle state = Lifecycle::kCompleted) {
  Row out;
  out.id = id_of(number);
  out.sequence = first_sequence_at(kStart + number * 1000) + number;
  render_routing(routing(number), out);
  if (with_end) render_terminal(terminal(number, state), false, out);
  return out;
}

}  // namespace vsr::store::fixture
