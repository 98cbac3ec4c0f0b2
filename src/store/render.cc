#include "store/render.h"

#include <utility>

#include "base/strings.h"
#include "json/reader.h"
#include "json/writer.h"

namespace vsr::store {
namespace {

using json::JsonWriter;

Text to_text(std::optional<std::string> text) {
  return text ? std::make_shared<const std::string>(*std::move(text)) : nullptr;
}

void text_or_null(JsonWriter& out, std::string_view name, std::string_view text) {
  if (text.empty()) {
    out.null_field(name);
  } else {
    out.field(name, text);
  }
}

void time_or_null(JsonWriter& out, std::string_view name, UnixMillis time) {
  text_or_null(out, name, time == 0 ? std::string() : format_rfc3339(time));
}

// The bytes of one member of a JSON object, "" if there is none.
std::string member(const std::string& object, std::string_view name) {
  json::Reader reader;
  std::string_view key;
  if (!reader.open(object) || !reader.begin_object()) return {};
  while (reader.next_field(key)) {
    const bool wanted = key == name;
    const json::Span value = reader.skip();
    if (wanted) return std::string(value.in(object));
  }
  return {};
}

void write_ids(JsonWriter& out, std::string_view name, std::string_view list) {
  out.key(name).begin_array();
  for (const std::string_view id : split(list, ' ')) {
    if (!id.empty()) out.value(id);
  }
  out.end_array();
}

bool is_policy_applied(const RoutingPart& part) {
  return part.learning_mode == "apply" && !part.learning_action.empty();
}

void write_diagnostics(const RoutingPart& part, JsonWriter& out) {
  out.key("route_diagnostics").begin_object();
  out.field("decision", part.decision);
  out.field("decision_tier", part.decision_tier);
  out.field("decision_priority", part.decision_priority);
  out.field("selection_method", part.selection_method);
  out.field("original_model", part.original_model);
  out.field("proposal_model", part.proposal_model);
  out.field("previous_model", part.previous_model);
  out.field("selected_model", part.selected_model);
  out.field("session_policy_applied", is_policy_applied(part));
  out.field("session_action", part.learning_action);
  out.field("session_phase", part.session_phase);
  out.field("session_reason", part.learning_reason);
  out.field("session_scope", part.learning_scope);
  out.field("session_mode", part.learning_mode);
  out.field("hard_lock_reason", part.hard_lock_reason);
  out.field("decision_reason", part.decision_reason);
  out.end_object();
}

std::string routing_document(const RoutingPart& part) {
  JsonWriter out;
  out.begin_object();
  out.field("timestamp", format_rfc3339(part.timestamp));
  out.field("request_id", part.request_id);
  out.field("session_id", part.session_id);
  out.field("conversation_id", part.conversation_id);
  out.field("identity_source", part.identity_source);
  text_or_null(out, "api_key_name", part.api_key_name);
  out.field("turn_index", part.turn_index);
  out.field("decision", part.decision);
  out.field("decision_tier", part.decision_tier);
  out.field("decision_priority", part.decision_priority);
  text_or_null(out, "category", part.category);
  out.field("original_model", part.original_model);
  out.field("selected_model", part.selected_model);
  text_or_null(out, "reasoning_mode", part.reasoning_mode);
  out.field("confidence_score", part.confidence);
  out.field("selection_method", part.selection_method);
  out.field("is_switch", part.is_switch);
  write_ids(out, "delivered_ids", part.delivered);
  out.field("streaming", part.streaming);
  out.field("policy_version", part.policy_version);
  out.field("redacted", part.redact);
  out.field("routing_latency_us", part.routing_us);
  write_diagnostics(part, out);
  if (part.details) part.details(out);
  out.field("prompt_truncated", part.prompt.truncated);
  out.field("request_body_truncated", part.request_body.truncated);
  out.end_object();
  return out.take();
}

void write_lifecycle(JsonWriter& out, Lifecycle state, std::string_view reason,
                     UnixMillis ended_at) {
  out.field("lifecycle_state", to_string(state));
  text_or_null(out, "terminal_reason", reason);
  time_or_null(out, "ended_at", ended_at);
}

void write_backend(const TerminalPart& part, JsonWriter& out) {
  out.key("backend").begin_object();
  out.field("model", part.backend_model);
  out.field("endpoint", part.endpoint);
  out.key("attempts").begin_array();
  for (const auto& attempt : part.attempts) {
    out.begin_object();
    out.field("endpoint", attempt.endpoint).field("status", attempt.status);
    out.field("ms", attempt.ms);
    text_or_null(out, "error", attempt.error);
    out.end_object();
  }
  out.end_array().end_object();
}

std::string terminal_document(const TerminalPart& part) {
  JsonWriter out;
  out.begin_object();
  write_lifecycle(out, part.state, part.reason, part.ended_at);
  out.field("duration_ms", part.duration_ms);
  out.field("ttft_ms", part.ttft_ms);
  out.field("response_status", part.response_status);
  out.field("response_path", part.response_path);
  out.field("from_cache", part.from_cache);
  write_backend(part, out);
  out.field("prompt_tokens", part.prompt_tokens);
  out.field("cached_prompt_tokens", part.cached_prompt_tokens);
  out.field("cache_write_tokens", part.cache_write_tokens);
  out.field("completion_tokens", part.completion_tokens);
  out.field("total_tokens", part.total_tokens);
  out.field("cached_tokens_source", part.cached_tokens_source);
  out.field("actual_cost", part.actual_cost);
  out.field("baseline_cost", part.baseline_cost);
  out.field("cost_savings", part.baseline_cost - part.actual_cost);
  out.field("currency", part.currency);
  out.field("baseline_model", part.baseline_model);
  write_ids(out, "emitted_ids", part.emitted);
  out.field("dispatch_latency_us", part.dispatch_us);
  if (part.details) part.details(out);
  out.field("response_body_truncated", part.response_body.truncated);
  out.end_object();
  return out.take();
}

// What is left of a record whose routing document is lost.
std::string routing_document(const Summary& summary) {
  JsonWriter out;
  out.begin_object();
  out.field("timestamp", format_rfc3339(summary.timestamp));
  out.field("session_id", summary.session_id);
  out.field("conversation_id", summary.conversation_id);
  out.field("turn_index", summary.turn_index);
  out.field("decision", summary.decision);
  out.field("original_model", summary.original_model);
  out.field("selected_model", summary.selected_model);
  out.end_object();
  return out.take();
}

// Of a record that runs, or whose end was written by somebody else.
std::string terminal_document(const Summary& summary) {
  JsonWriter out;
  out.begin_object();
  write_lifecycle(out, summary.state, summary.terminal_reason, summary.ended_at);
  out.end_object();
  return out.take();
}

// Members of a JSON object, without its braces.
std::string_view members(std::string_view object) { return object.substr(1, object.size() - 2); }

void append_text(std::string& out, std::string_view name, const Text& text) {
  out.append(",\"").append(name).append("\":");
  if (text) {
    json::append_quoted(out, *text);
  } else {
    out.append("null");
  }
}

}  // namespace

void render_routing(const RoutingPart& part, Row& row) {
  std::string document = routing_document(part);
  Summary summary;
  summary.timestamp = part.timestamp;
  summary.session_id = part.session_id;
  summary.conversation_id = part.conversation_id;
  summary.api_key_name = part.api_key_name;
  summary.turn_index = part.turn_index;
  summary.decision = part.decision;
  summary.original_model = part.original_model;
  summary.previous_model = part.previous_model;
  summary.selected_model = part.selected_model;
  summary.action = part.learning_action;
  summary.reason = part.learning_reason;
  summary.mode = part.learning_mode;
  summary.phase = part.session_phase;
  summary.is_switch = part.is_switch;
  summary.lineage = part.lineage;
  summary.prefix = part.prefix;
  summary.parent = part.parent;
  summary.routing_us = part.routing_us;
  summary.signals = member(document, "signals");
  summary.delivered = part.delivered;
  row.summary = std::make_shared<const Summary>(std::move(summary));
  row.routing = to_text(std::move(document));
  row.prompt = to_text(stored_text(part.prompt, part.redact));
  row.request_body = to_text(stored_text(part.request_body, part.redact));
}

void render_terminal(const TerminalPart& part, bool redact, Row& row) {
  Summary summary = row.summary ? *row.summary : Summary();
  summary.state = part.state;
  summary.terminal_reason = part.reason;
  summary.ended_at = part.ended_at;
  summary.duration_ms = part.duration_ms;
  summary.response_status = part.response_status;
  summary.prompt_tokens = part.prompt_tokens;
  summary.cached_prompt_tokens = part.cached_prompt_tokens;
  summary.cache_write_tokens = part.cache_write_tokens;
  summary.completion_tokens = part.completion_tokens;
  summary.total_tokens = part.total_tokens;
  summary.actual_cost = part.actual_cost;
  summary.baseline_cost = part.baseline_cost;
  summary.currency = part.currency;
  summary.emitted = part.emitted;
  // What was answered here, for example because no endpoint could be used, was handed to no model.
  if (part.response_path != kUpstreamPath) summary.delivered.clear();
  row.summary = std::make_shared<const Summary>(std::move(summary));
  row.terminal = to_text(terminal_document(part));
  row.response_body = to_text(stored_text(part.response_body, redact));
}

std::string compose(const Row& row, bool details, bool is_unsafe_switch) {
  const std::string lost_routing = row.routing ? "" : routing_document(*row.summary);
  const std::string no_terminal = row.terminal ? "" : terminal_document(*row.summary);
  std::string out;
  out.reserve(text_bytes(row) + 512);
  out.append("{\"id\":\"").append(row.id.hex()).append("\",");
  out.append(members(row.routing ? *row.routing : lost_routing));
  out.append(is_unsafe_switch ? ",\"is_unsafe_switch\":true" : ",\"is_unsafe_switch\":false");
  append_text(out, "prompt", row.prompt);
  if (details) append_text(out, "request_body", row.request_body);
  out.append(",").append(members(row.terminal ? *row.terminal : no_terminal));
  if (details) append_text(out, "response_body", row.response_body);
  return out.append("}");
}

std::string render_record(const Id128& id, const RoutingPart& routing, const TerminalPart* terminal,
                          bool details) {
  Row row;
  row.id = id;
  render_routing(routing, row);
  if (terminal != nullptr) render_terminal(*terminal, routing.redact, row);
  return compose(row, details, false);
}

}  // namespace vsr::store
