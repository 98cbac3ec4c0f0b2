#include "gateway/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/id.h"
#include "json/writer.h"
#include "signals/detect.h"

namespace vsr::gateway {

namespace {

constexpr size_t kRejectedShown = 3;

std::string hash_of_sources(const learning::Identity& identity) {
  if (identity.session_source.empty()) return identity.conversation_source;
  if (identity.conversation_source.empty()) return identity.session_source;
  return identity.session_source + "," + identity.conversation_source;
}

// Text that holds private values, with what was found marked for replacement. Where nothing was
// found in it the scan stays kNone, and the store withholds all of a private text.
store::TextField private_text(std::string_view text,
                              const std::vector<std::pair<std::string, std::string>>& values,
                              size_t bytes_max) {
  store::TextField out;
  std::vector<store::Redaction> found;
  for (const auto& [type, value] : values) {
    for (size_t at = text.find(value); at != std::string_view::npos && !value.empty();
         at = text.find(value, at + value.size())) {
      found.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(at + value.size()), type});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.start < b.start; });
  size_t end = 0;
  for (store::Redaction& redaction : found) {
    if (redaction.start < end) continue;
    end = redaction.end;
    out.redactions.push_back(std::move(redaction));
  }
  if (!out.redactions.empty()) out.scan = store::Scan::kWhole;
  out.truncated = text.size() > bytes_max;
  out.text = text.substr(0, bytes_max);
  return out;
}

store::TextField plain_text(std::string_view text, size_t bytes_max) {
  store::TextField out;
  size_t limit = std::min(text.size(), bytes_max);
  // Not in the middle of a character.
  while (limit < text.size() && limit > 0 &&
         (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) {
    --limit;
  }
  out.truncated = limit < text.size();
  out.text = text.substr(0, limit);
  return out;
}

// ---- details, rendered on the writer's thread ---------------------------------------------------

void write_signals(const config::Config& config, const std::vector<config::SignalValue>& values,
                   json::JsonWriter& w) {
  std::map<std::string_view, std::vector<std::string_view>> matched;
  for (size_t id = 0; id < values.size(); ++id) {
    if (values[id].matched) {
      matched[config::family_name(config.signals[id].type)].push_back(config.signals[id].name);
    }
  }
  w.key("signals").begin_object();
  for (const auto& [family, names] : matched) {
    w.key(family).begin_array();
    for (const std::string_view name : names) w.value(name);
    w.end_array();
  }
  w.end_object();
  const auto label = [&](size_t id) {
    return fmt::format("{}:{}", config::leaf_name(config.signals[id].type),
                       config.signals[id].name);
  };
  w.key("signal_values").begin_object();
  for (size_t id = 0; id < values.size(); ++id) {
    if (values[id].evaluated) w.field(label(id), values[id].raw);
  }
  w.end_object();
  w.key("signal_confidences").begin_object();
  for (size_t id = 0; id < values.size(); ++id) {
    if (values[id].evaluated) w.field(label(id), values[id].confidence);
  }
  w.end_object();
}

void write_projections(const policy::Explanation& explanation, json::JsonWriter& w) {
  w.key("projections").begin_array();
  for (const policy::ScoreTrace& score : explanation.scores) {
    for (const policy::OutputTrace& output : score.outputs) {
      if (output.matched) w.value(output.name);
    }
  }
  w.end_array();
  w.key("projection_scores").begin_object();
  for (const policy::ScoreTrace& score : explanation.scores) w.field(score.score, score.value);
  w.end_object();
  w.key("projection_trace").begin_array();
  for (const policy::ScoreTrace& score : explanation.scores) {
    w.begin_object().field("score", score.score).field("value", score.value);
    w.key("inputs").begin_array();
    for (const policy::InputTrace& input : score.inputs) {
      w.begin_object()
          .field("type", input.type)
          .field("name", input.name)
          .field("value", input.value)
          .field("weight", input.weight)
          .field("contribution", input.contribution)
          .end_object();
    }
    w.end_array();
    w.key("outputs").begin_array();
    for (const policy::OutputTrace& output : score.outputs) {
      w.begin_object()
          .field("name", output.name)
          .field("matched", output.matched)
          .field("confidence", output.confidence)
          .end_object();
    }
    w.end_array().end_object();
  }
  w.end_array();
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

std::string_view model_name(const router::Decision& decision, config::ModelId model) {
  return model == config::kNoModel ? std::string_view() : decision.config->models[model].name;
}

void write_candidates(const router::Decision& decision, const router::Router& router,
                      json::JsonWriter& w) {
  const learning::Choice& choice = decision.verdict.choice;
  w.key("candidates").begin_array();
  for (size_t i = 0; i < choice.cost_count; ++i) {
    const learning::CandidateCost& cost = choice.costs[i];
    w.begin_object()
        .field("model", model_name(decision, router.tables().model[cost.tier]))
        .field("first_call_usd", cost.first)
        .field("round_usd", cost.round)
        .field("failure_usd", cost.fail)
        .field("score_usd", cost.score())
        .field("current", cost.tier == choice.previous)
        .end_object();
  }
  w.end_array();
}

void write_candidate_traces(const router::Decision& decision, const router::Router& router,
                            json::JsonWriter& w) {
  const learning::Choice& choice = decision.verdict.choice;
  w.key("base_scores").begin_object();
  for (const policy::Candidate& candidate : decision.selection.candidates) {
    w.field(model_name(decision, candidate.model), candidate.score);
  }
  w.end_object();
  w.key("final_scores").begin_object();
  for (size_t i = 0; i < choice.cost_count; ++i) {
    w.field(model_name(decision, router.tables().model[choice.costs[i].tier]),
            -choice.costs[i].score());
  }
  w.end_object();
  const learning::CandidateCost* current = nullptr;
  for (size_t i = 0; i < choice.cost_count; ++i) {
    if (choice.costs[i].tier == choice.previous) current = &choice.costs[i];
  }
  w.key("candidate_traces").begin_object();
  for (size_t i = 0; i < choice.cost_count; ++i) {
    const learning::CandidateCost& cost = choice.costs[i];
    const double surcharge = current == nullptr ? 0 : cost.first - current->first;
    w.key(model_name(decision, router.tables().model[cost.tier])).begin_object();
    w.field("current", &cost == current);
    w.field("base_score", -cost.fail);
    w.field("final_score", -cost.score());
    w.field("handoff_penalty",
            &cost == current ? 0 : learning::kHysteresis * std::max(0.0, surcharge));
    w.field("prefix_cache_benefit", std::max(0.0, -surcharge));
    w.field("prefix_cache_penalty", std::max(0.0, surcharge));
    w.field("net_switch_advantage", current == nullptr ? 0 : current->score() - cost.score());
    w.end_object();
  }
  w.end_object();
}

}  // namespace

void write_session_aware(const router::Decision& decision, const router::Router& router,
                         json::JsonWriter& w) {
  const learning::Verdict& verdict = decision.verdict;
  w.field("action", learning::to_string(verdict.action));
  w.field("reason", verdict.reason);
  w.field("scope", config::to_string(verdict.scope));
  w.field("mode", config::to_string(verdict.mode));
  w.key("identity").begin_object();
  w.field("session", decision.identity.session_hash);
  w.field("session_source", decision.identity.session_source);
  w.field("conversation", decision.identity.conversation_hash);
  w.field("conversation_source", decision.identity.conversation_source);
  w.field("lineage", to_hex(decision.handle.lineage_hash));
  w.end_object();
  w.field("previous_model", model_name(decision, decision.previous));
  w.field("proposal_model", model_name(decision, decision.proposal));
  w.field("final_model", model_name(decision, decision.model));
  w.field("locked", verdict.locked);
  if (!verdict.lock_ignored.empty()) w.field("lock_ignored", verdict.lock_ignored);
  w.field("turns", verdict.next.turns);
  w.field("switches", verdict.next.switches);
  w.field("gain_usd", verdict.choice.gain);
  w.field("margin_usd", verdict.choice.margin);
  w.key("belief").begin_object();
  for (size_t i = 0; i < router.tables().k; ++i) {
    w.field(model_name(decision, router.tables().model[i]), verdict.next.belief[i]);
  }
  w.end_object();
  w.key("cache").begin_object();
  for (size_t i = 0; i < router.tables().k; ++i) {
    learning::Step step = decision.step;
    step.prefix_hashes = decision.prefix_hashes;
    const uint32_t hit =
        learning::ledger_hit(router.tables(), verdict.next, step, static_cast<learning::Tier>(i));
    if (hit > 0) w.field(model_name(decision, router.tables().model[i]), hit);
  }
  w.end_object();
  write_candidates(decision, router, w);
  write_candidate_traces(decision, router, w);
}

store::RoutingPart routing_part(const router::Decision& decision, router::Request& request,
                                const Runtime& runtime, RecordFacts facts) {
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
  part.original_model = decision.requested_model;
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
                   decision.previous != decision.model && !decision.verdict.bypass;
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
  part.details = [copy = std::make_shared<const router::Decision>(decision),
                  router = runtime.router, tools = request.tools().count,
                  tool_loop = request.conversation().tool_loop](json::JsonWriter& w) {
    const policy::Explanation explanation = router->explain(*copy);
    w.key("learning").begin_object().key("adaptations").begin_object();
    w.key("session_aware").begin_object();
    if (copy->verdict.action != learning::Action::kNone) write_session_aware(*copy, *router, w);
    w.end_object().end_object().end_object();
    w.key("session_policy").begin_object();
    if (copy->verdict.action != learning::Action::kNone) write_session_aware(*copy, *router, w);
    w.end_object();
    w.field("signals_complete", copy->complete);
    write_signals(*copy->config, explanation.values, w);
    w.key("signal_errors").begin_object();
    for (const signals::SignalError& error : copy->values.errors) {
      w.field(fmt::format("{}:{}", config::leaf_name(copy->config->signals[error.signal].type),
                          copy->config->signals[error.signal].name),
              error.message);
    }
    w.end_object();
    write_projections(explanation, w);
    write_rejected(*copy, explanation, w);
    w.key("pii_entities").begin_array();
    for (const signals::FoundEntity& found : copy->values.entities) {
      w.begin_object()
          .field("type", signals::to_string(found.entity.type))
          .field("message", found.message)
          .field("start", found.entity.start)
          .field("end", found.entity.end)
          .end_object();
    }
    w.end_array();
    w.field("tool_definitions", tools);
    w.key("tool_trace")
        .begin_object()
        .field("stage", tool_loop ? "tool_loop" : "none")
        .end_object();
  };
  return part;
}

}  // namespace vsr::gateway
