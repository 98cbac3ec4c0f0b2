// The end of a call: usage, learning's ledger, metrics, the terminal part of the record, the live
// event. Runs once.
#include "base/check.h"
#include "gateway/call.h"
#include "gateway/record.h"
#include "json/writer.h"
#include "learning/cost.h"
#include "signals/detect.h"
#include "store/delivery.h"

namespace vsr::gateway {

namespace {

double milliseconds_between(MonoTime from, MonoTime to) {
  return from == MonoTime(0) || to == MonoTime(0)
             ? 0
             : std::chrono::duration<double, std::milli>(to - from).count();
}

uint64_t or_zero(int64_t value) { return value > 0 ? static_cast<uint64_t>(value) : 0; }

// What later requests may hand over of this answer.
std::string emitted_ids(const wire::Observation& seen) {
  std::vector<uint64_t> calls;
  std::vector<uint64_t> items;
  for (const wire::ObservedToolCall& call : seen.tool_calls) {
    if (!call.id.empty()) calls.push_back(learning::id_hash(call.id));
  }
  for (const wire::OpaqueItem& item : seen.opaque) items.push_back(item.hash);
  return store::id_list(calls, items);
}

// Event of the live view; the prompt is left out where the decision is private.
std::string live_event(const router::Decision& decision, const store::TerminalPart& part,
                       std::string_view replay_id, std::string_view prompt, bool failed,
                       double routing_us) {
  json::JsonWriter w;
  w.begin_object();
  w.field("id", replay_id);
  w.field("timestamp", format_rfc3339(part.ended_at));
  w.field("conversation_id", decision.identity.conversation_hash);
  w.field("session_id", decision.identity.session_hash);
  constexpr size_t kPromptBytesShown = 120;
  w.field("prompt", decision.is_private ? std::string_view("[private]")
                                        : prompt.substr(0, kPromptBytesShown));
  w.field("decision", decision.rule() != nullptr ? decision.rule()->name : std::string());
  w.field("model", part.backend_model);
  w.field("action", learning::to_string(decision.verdict.action));
  w.field("reason", decision.verdict.reason);
  w.field("status", part.response_status);
  w.field("failed", failed);
  w.field("lifecycle_state", store::to_string(part.state));
  w.field("terminal_reason", part.reason);
  w.field("routing_us", routing_us);
  w.field("duration_ms", part.duration_ms);
  w.field("ttft_ms", part.ttft_ms);
  w.field("prompt_tokens", part.prompt_tokens);
  w.field("cached_prompt_tokens", part.cached_prompt_tokens);
  w.field("completion_tokens", part.completion_tokens);
  w.field("cost", part.actual_cost);
  w.end_object();
  return w.take();
}

}  // namespace

void Call::settle(store::Lifecycle state, std::string_view reason) {
  VSR_CHECK(!settled_, "a call was settled twice");
  settled_ = true;
  const MonoTime ended = now();
  const config::Config& config = *runtime_->config;
  wire::Observation seen = whole_ ? std::move(*whole_) : stream_observer_.take();
  store::TerminalPart part;
  part.state = state;
  part.reason = reason;
  part.ended_at = services_.clock->unix_ms();
  part.duration_ms = milliseconds_between(received_, ended);
  part.ttft_ms = milliseconds_between(received_, first_byte_);
  part.dispatch_us = milliseconds_between(received_, dispatched_) * 1000;
  part.response_status = status_;
  part.response_path =
      attempts_.empty() ? (status_ < 400 ? "fast_response" : "error") : store::kUpstreamPath;
  part.attempts = std::move(attempts_);
  if (decision_.model != config::kNoModel) part.backend_model = model().name;
  if (backend_ != nullptr) part.endpoint = backend_->endpoint->key;

  learning::TokenCounts tokens;
  if (seen.usage.present) {
    tokens = {or_zero(seen.usage.prompt_tokens), or_zero(seen.usage.cached_tokens),
              or_zero(seen.usage.created_cache_tokens), or_zero(seen.usage.completion_tokens)};
    part.total_tokens = or_zero(seen.usage.total_tokens);
    part.cached_tokens_source = seen.usage.cached_tokens >= 0 ? "backend_reported" : "none";
  } else {
    part.cached_tokens_source = "none";
  }
  part.emitted = emitted_ids(seen);
  part.prompt_tokens = tokens.prompt;
  part.cached_prompt_tokens = tokens.cached;
  part.cache_write_tokens = tokens.cache_write;
  part.completion_tokens = tokens.completion;
  if (decision_.model != config::kNoModel) {
    part.actual_cost = learning::cost_of(model(), tokens);
    part.currency = model().pricing ? model().pricing->currency : "USD";
  }
  if (runtime_->baseline != config::kNoModel) {
    part.baseline_model = config.models[runtime_->baseline].name;
    part.baseline_cost = learning::cost_of(config.models[runtime_->baseline], tokens);
  }
  if (committed_ && state == store::Lifecycle::kCompleted) {
    state_log_.done_ms = services_.clock->unix_ms();
    state_log_.done_order =
        runtime_->router->done(decision_, tokens.prompt, tokens.completion, state_log_.done_ms);
  }
  count(part);
  const double routing_us = milliseconds_between(received_, dispatched_) * 1000;
  if (services_.events.wanted()) {
    services_.events.publish(live_event(decision_, part, replay_id_text_, request_.prompt(),
                                        state != store::Lifecycle::kCompleted, routing_us));
  }
  if (!recorded_) return;
  if (config.replay.capture_response_body) {
    part.response_body.text = std::move(seen.text);
    part.response_body.truncated = seen.text_truncated;
    if (decision_.is_private) {
      const auto entities = signals::detect_pii(part.response_body.text);
      // Behind the last one that is reported there may be more; then nobody has looked.
      if (entities.size() < signals::kEntitiesMax) {
        for (const signals::Entity& entity : entities) {
          part.response_body.redactions.push_back(
              {entity.start, entity.end, std::string(signals::to_string(entity.type))});
        }
        part.response_body.scan = store::Scan::kKept;
      }
    }
  }
  part.details = [calls = std::move(seen.tool_calls), finish = std::move(seen.finish_reason),
                  timings = decision_.timings, dispatch = part.dispatch_us, ttft = part.ttft_ms,
                  total = part.duration_ms, hide = decision_.is_private,
                  log = std::move(state_log_), key = services_.record_hash](json::JsonWriter& w) {
    w.key("timings_us").begin_object();
    w.field("parse", timings.parse_us);
    w.field("encode", timings.encode_us);
    w.field("signals", timings.signals_us);
    w.field("decision", timings.decision_us);
    w.field("learning", timings.learning_us);
    w.field("dispatch", dispatch);
    w.field("first_byte", ttft * 1000);
    w.field("total", total * 1000);
    w.end_object();
    write_state_log(log, key, w);
    w.field("finish_reason", finish);
    w.key("tool_calls").begin_array();
    for (const wire::ObservedToolCall& call : calls) {
      w.begin_object().field("id", call.id).field("name", call.name);
      if (!hide) w.field("arguments", call.arguments);
      w.end_object();
    }
    w.end_array();
  };
  services_.replay->end(replay_id_, std::move(part));
}

void Call::count(const store::TerminalPart& part) {
  Metrics& metrics = services_.metrics;
  if (dispatched_ != MonoTime(0)) {
    metrics.routing_seconds().Observe(part.dispatch_us * 1e-6);
  }
  if (decision_.decision != policy::kNoDecision) {
    runtime_->decisions[decision_.decision]->Increment();
  }
  for (size_t type = 0; type < config::kSignalTypes; ++type) {
    if (const uint32_t us = decision_.values.microseconds[type]; us > 0) {
      metrics.observe_signals(static_cast<config::SignalType>(type), us);
    }
  }
  if (decision_.verdict.action != learning::Action::kNone) {
    metrics.count_learning(std::string(learning::to_string(decision_.verdict.action)),
                           std::string(decision_.verdict.reason));
  }
  if (decision_.model == config::kNoModel) return;
  const ModelMetrics& of = runtime_->model_metrics[decision_.model];
  of.requests->Increment();
  of.cost->Increment(part.actual_cost);
  of.prompt_tokens->Increment(static_cast<double>(part.prompt_tokens));
  of.cached_tokens->Increment(static_cast<double>(part.cached_prompt_tokens));
  of.completion_tokens->Increment(static_cast<double>(part.completion_tokens));
  if (part.state == store::Lifecycle::kFailed) metrics.count_error(model().name, part.reason);
  if (committed_ && decision_.previous != config::kNoModel &&
      decision_.previous != decision_.model) {
    metrics.count_transition(runtime_->config->models[decision_.previous].name, model().name);
  }
  if (first_byte_ == MonoTime(0)) return;
  const double ttft_ms = milliseconds_between(dispatched_, first_byte_);
  backend_->endpoint->ttft.add(ttft_ms);
  of.ttft_seconds->Observe(ttft_ms * 1e-3);
  if (stream_ && part.completion_tokens > 1) {
    const double tpot_ms =
        (part.duration_ms - part.ttft_ms) / static_cast<double>(part.completion_tokens - 1);
    backend_->endpoint->tpot.add(tpot_ms);
    of.tpot_seconds->Observe(tpot_ms * 1e-3);
  }
}

}  // namespace vsr::gateway
