#include "gateway/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "gateway/private_text.h"
#include "json/writer.h"
#include "router/eval_document.h"
#include "store/delivery.h"

namespace vsr::gateway {

namespace {

constexpr size_t kRejectedShown = 3;
constexpr size_t kEntitiesShown = 1024;

std::string hash_of_sources(const learning::Identity& identity) {
  if (identity.session_source.empty()) return identity.conversation_source;
  if (identity.conversation_source.empty()) return identity.session_source;
  return identity.session_source + "," + identity.conversation_source;
}

// What the request hands over of what models made before: results of tool calls and opaque items.
// A call whose result is not here hands over nothing, nor does an item that is left out.
std::string delivered_ids(const router::Decision& decision,
                          const wire::Conversation& conversation) {
  std::vector<uint64_t> calls;
  std::vector<uint64_t> items;
  for (const std::string_view id :
       conversation.pending_tool_call_ids.first(conversation.delivered_results)) {
    calls.push_back(learning::id_hash(id));
  }
  for (const wire::ProviderState& state : conversation.provider_state) {
    const bool is_dropped =
        std::ranges::any_of(decision.dropped_state, [&](const wire::ProviderState& dropped) {
          return dropped.message == state.message && dropped.item == state.item;
        });
    if (!is_dropped) items.push_back(state.item.hash);
  }
  const auto chooser = decision.explicit_model ? store::Chooser::kCaller
                       : decision.is_bypass()  ? store::Chooser::kBypass
                                               : store::Chooser::kRoute;
  return store::id_list(calls, items, chooser);
}

// ---- details, rendered on the writer's thread ---------------------------------------------------

void write_signals(const config::Config& config, const std::vector<config::SignalValue>& values,
                   json::JsonWriter& w) {
  w.key("signals");
  router::write_matched(config, values, w);
  const auto label = [&](size_t id) {
    return fmt::format("{}:{}", config::leaf_name(config.signals[id].type),
                       config.signals[id].name);
  };
  w.key("signal_values").begin_object();
  for (size_t id = 0; id < values.size(); ++id) {
    if (values[id].evaluated) w.short_field(label(id), values[id].raw);
  }
  w.end_object();
  w.key("signal_confidences").begin_object();
  for (size_t id = 0; id < values.size(); ++id) {
    if (values[id].evaluated) w.short_field(label(id), values[id].confidence);
  }
  w.end_object();
}

void write_rejected(const router::Decision& decision, const policy::Explanation& explanation,
                    json::JsonWriter& w) {
  w.key("rejected_decisions").begin_array();
  size_t shown = 0;
  for (const policy::DecisionTrace& trace : explanation.decisions) {
    if (trace.decision == decision.decision || shown == kRejectedShown) continue;
    w.begin_object()
        .field("name", decision.config->decisions[trace.decision].name)
        .field("matched", trace.matched == policy::Tri::kTrue)
        .field("evaluated", trace.matched != policy::Tri::kUnknown)
        .field("first_failing", trace.first_failing)
        .end_object();
    ++shown;
  }
  w.end_array();
}

void write_details(const router::Decision& decision, const router::Router& routing,
                   json::JsonWriter& w) {
  const config::Config& config = *decision.config;
  std::string learning = "{}";
  if (decision.verdict.action != learning::Action::kNone) {
    json::JsonWriter facts;
    facts.begin_object();
    router::write_learning(routing, decision, facts);
    facts.end_object();
    learning = facts.take();
  }
  w.key("learning").begin_object().key("adaptations").begin_object();
  w.raw_field("session_aware", learning).end_object().end_object();
  w.raw_field("session_policy", learning);
  w.field("signals_complete", decision.complete);
  // Of a request for a named model only the rules about privacy were evaluated, and no decision.
  policy::Explanation explanation;
  explanation.values = decision.values.signals;
  if (!decision.explicit_model) explanation = routing.explain(decision);
  write_signals(config, explanation.values, w);
  w.key("signal_errors").begin_object();
  for (const signals::SignalError& error : decision.values.errors) {
    w.field(fmt::format("{}:{}", config::leaf_name(config.signals[error.signal].type),
                        config.signals[error.signal].name),
            error.message);
  }
  w.end_object();
  router::write_projections(explanation, w);
  router::write_selection(decision, w);
  write_rejected(decision, explanation, w);
  w.key("pii_entities").begin_array();
  const auto& entities = decision.values.entities;
  for (const signals::FoundEntity& found :
       std::span(entities).first(std::min(entities.size(), kEntitiesShown))) {
    w.begin_object()
        .field("type", signals::to_string(found.entity.type))
        .field("message", found.message)
        .field("start", found.entity.start)
        .field("end", found.entity.end)
        .end_object();
  }
  w.end_array();
}

std::string_view model_name(const router::Decision& decision, config::ModelId model) {
  return model == config::kNoModel ? std::string_view() : decision.config->models[model].name;
}

}  // namespace

store::RoutingPart routing_part(std::shared_ptr<const router::Decision> shared,
                                router::Request& request, const Runtime& runtime,
                                const KeyedHash& key, RecordFacts facts) {
  const router::Decision& decision = *shared;
  const config::Config& config = *runtime.config;
  const learning::Identity& identity = decision.identity;
  const bool raw = config.replay.store_raw_identity;
  store::RoutingPart part;
  part.timestamp = facts.timestamp;
  part.request_id = std::move(facts.request_id);
  part.api_key_name = std::move(facts.api_key_name);
  part.session_id =
      raw && !identity.session_raw.empty() ? identity.session_raw : identity.session_hash;
  part.conversation_id = raw && !identity.conversation_raw.empty() ? identity.conversation_raw
                                                                   : identity.conversation_hash;
  part.identity_source = hash_of_sources(identity);
  part.turn_index = request.conversation().real_user_count;
  if (const config::Decision* rule = decision.rule()) {
    part.decision = rule->name;
    part.decision_tier = rule->tier;
    part.decision_priority = rule->priority;
    part.selection_method = rule->algorithm.name;
    part.decision_reason = "matched";
  } else {
    part.decision_reason = decision.explicit_model ? "explicit_model" : "no_decision";
  }
  part.category = decision.category;
  part.original_model = decision.facts.requested_model;
  part.proposal_model = model_name(decision, decision.proposal);
  part.previous_model = model_name(decision, decision.previous);
  part.selected_model = model_name(decision, decision.model);
  if (decision.reasoning) part.reasoning_mode = *decision.reasoning ? "on" : "off";
  part.confidence = decision.confidence;
  part.learning_action = learning::to_string(decision.verdict.action);
  part.learning_reason = decision.verdict.reason;
  if (!part.learning_action.empty()) {
    part.learning_scope = config::to_string(decision.verdict.scope);
    part.learning_mode = config::to_string(decision.verdict.mode);
  }
  part.session_phase = router::to_string(decision.phase);
  if (decision.verdict.action == learning::Action::kHardLock) {
    part.hard_lock_reason = decision.verdict.reason;
  }
  part.is_switch = decision.previous != config::kNoModel && decision.model != config::kNoModel &&
                   decision.previous != decision.model && !decision.is_bypass();
  const std::vector<uint64_t>& prefixes = decision.facts.prefix_hashes;
  if (!prefixes.empty()) {
    const uint32_t answered = decision.facts.answered_messages;
    part.lineage = key(decision.facts.lineage_hash);
    part.prefix = key(prefixes.back());
    part.parent = answered == 0 ? 0 : key(prefixes[answered - 1]);
  }
  part.delivered = delivered_ids(decision, request.conversation());
  part.streaming = facts.streaming;
  part.policy_version = config.hash;
  part.redact = decision.is_private;
  part.routing_us = facts.routing_us;
  const size_t bytes_max = config.replay.max_body_bytes;
  const std::string_view body = request.chat().body;
  if (decision.is_private) {
    part.prompt = private_text(request.prompt(), decision.private_values, bytes_max);
    // The body is JSON, in which a value may be written in many ways; the store withholds it.
    if (config.replay.capture_request_body) part.request_body.text = store::kWithheld;
  } else {
    part.prompt = plain_text(request.prompt(), bytes_max);
    if (config.replay.capture_request_body) part.request_body = plain_text(body, bytes_max);
  }
  part.details = [shared = std::move(shared), routing = runtime.router, key,
                  tools = request.tools().count,
                  tool_loop = request.conversation().tool_loop](json::JsonWriter& w) {
    write_details(*shared, *routing, w);
    // Only requests of chats can be decided again.
    if (!shared->facts.prefix_hashes.empty()) {
      w.field("rerun", router::encode_rerun(*routing, *shared, key));
    }
    w.field("tool_definitions", tools);
    w.key("tool_trace")
        .begin_object()
        .field("stage", tool_loop ? "tool_loop" : "none")
        .end_object();
  };
  return part;
}

void write_state_log(const router::StateLog& log, const KeyedHash& key, json::JsonWriter& w) {
  w.field("rerun_state", router::encode_state_log(log, key));
}

}  // namespace vsr::gateway
