#include "router/eval_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <span>

#include "base/id.h"
#include "signals/patterns.h"

namespace vsr::router {

namespace {

std::string_view model_name(const Decision& decision, config::ModelId model) {
  return model == config::kNoModel ? std::string_view() : decision.config->models[model].name;
}

std::string label_of(const config::Config& config, size_t id) {
  return fmt::format("{}:{}", config::leaf_name(config.signals[id].type), config.signals[id].name);
}

void write_candidates(const Decision& decision, const Router& router, json::JsonWriter& w) {
  const learning::Choice& choice = decision.verdict.choice;
  w.key("candidates").begin_array();
  for (size_t i = 0; i < choice.cost_count; ++i) {
    const learning::CandidateCost& cost = choice.costs[i];
    w.begin_object()
        .field("model", model_name(decision, router.tables().model[cost.tier]))
        .short_field("first_call_usd", cost.first)
        .short_field("round_usd", cost.round)
        .short_field("failure_usd", cost.fail)
        .short_field("score_usd", cost.score())
        .field("current", cost.tier == choice.previous)
        .end_object();
  }
  w.end_array();
}

// The members base_scores, final_scores and candidate_traces of the additive policy.
void write_weighted_traces(const Decision& decision, const Router& router, json::JsonWriter& w) {
  const learning::WeightedChoice& choice = decision.verdict.weighted;
  const auto scores = std::span(choice.scores).first(choice.score_count);
  const auto name = [&](const learning::WeightedScore& score) {
    return model_name(decision, router.tables().model[score.tier]);
  };
  w.key("base_scores").begin_object();
  for (const auto& score : scores) w.short_field(name(score), score.base_score);
  w.end_object();
  w.key("final_scores").begin_object();
  for (const auto& score : scores) w.short_field(name(score), score.final_score);
  w.end_object();
  const auto current = std::ranges::find(scores, choice.previous, &learning::WeightedScore::tier);
  w.key("candidate_traces").begin_object();
  for (const auto& score : scores) {
    w.key(name(score)).begin_object();
    w.field("current", score.tier == choice.previous);
    w.short_field("base_score", score.base_score);
    w.short_field("final_score", score.final_score);
    w.short_field("handoff_penalty", score.handoff_penalty);
    w.short_field("prefix_cache_benefit", score.cache_benefit);
    w.short_field("prefix_cache_penalty", score.cache_penalty);
    w.short_field("net_switch_advantage",
                  current == scores.end() ? 0 : score.final_score - current->final_score);
    w.end_object();
  }
  w.end_object();
}

// What moving away from the current model would gain, and the margin that this had to clear. Of a
// current model that is the best itself: what the best of the others would gain, below 0.
void write_gain(const learning::Choice& choice, json::JsonWriter& w) {
  double gain = choice.gain;
  double margin = choice.margin;
  const auto costs = std::span(choice.costs).first(choice.cost_count);
  const auto current = std::ranges::find(costs, choice.previous, &learning::CandidateCost::tier);
  if (current != costs.end() && choice.best == choice.previous && costs.size() > 1) {
    const auto other = std::ranges::min_element(costs, {}, [&](const auto& cost) {
      return cost.tier == choice.previous ? std::numeric_limits<double>::infinity() : cost.score();
    });
    gain = current->score() - other->score();
    margin = learning::kHysteresis * std::max(0.0, other->first - current->first);
  }
  w.short_field("gain_usd", gain).short_field("margin_usd", margin);
}

void write_candidate_traces(const Decision& decision, const Router& router, json::JsonWriter& w) {
  const learning::Choice& choice = decision.verdict.choice;
  w.key("base_scores").begin_object();
  for (size_t i = 0; i < choice.cost_count; ++i) {
    w.short_field(model_name(decision, router.tables().model[choice.costs[i].tier]),
                  -choice.costs[i].fail);
  }
  w.end_object();
  w.key("final_scores").begin_object();
  for (size_t i = 0; i < choice.cost_count; ++i) {
    w.short_field(model_name(decision, router.tables().model[choice.costs[i].tier]),
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
    w.short_field("base_score", -cost.fail);
    w.short_field("final_score", -cost.score());
    w.short_field("handoff_penalty",
                  &cost == current ? 0 : learning::kHysteresis * std::max(0.0, surcharge));
    w.short_field("prefix_cache_benefit", std::max(0.0, -surcharge));
    w.short_field("prefix_cache_penalty", std::max(0.0, surcharge));
    w.short_field("net_switch_advantage", current == nullptr ? 0 : current->score() - cost.score());
    w.end_object();
  }
  w.end_object();
}

std::string_view name_of(policy::Tri tri) {
  switch (tri) {
    case policy::Tri::kTrue:
      return "true";
    case policy::Tri::kFalse:
      return "false";
    case policy::Tri::kUnknown:
      return "null";
  }
  return "null";
}

void write_rule(const config::Config& config, const policy::RuleTrace& rule, json::JsonWriter& w) {
  w.begin_object();
  switch (rule.op) {
    case config::RuleOp::kLeaf:
      w.field("type", config::leaf_name(config.signals[rule.signal].type));
      w.field("name", config.signals[rule.signal].name);
      break;
    case config::RuleOp::kAnd:
      w.field("operator", "AND");
      break;
    case config::RuleOp::kOr:
      w.field("operator", "OR");
      break;
    case config::RuleOp::kNot:
      w.field("operator", "NOT");
      break;
  }
  w.raw_field("matched", name_of(rule.matched));
  w.field("confidence", rule.confidence);
  if (!rule.children.empty()) {
    w.key("conditions").begin_array();
    for (const policy::RuleTrace& child : rule.children) write_rule(config, child, w);
    w.end_array();
  }
  w.end_object();
}

void write_decisions(const Decision& decision, const policy::Explanation& explanation,
                     json::JsonWriter& w) {
  const config::Config& config = *decision.config;
  w.key("decisions").begin_array();
  for (const policy::DecisionTrace& trace : explanation.decisions) {
    const config::Decision& rule = config.decisions[trace.decision];
    w.begin_object();
    w.field("name", rule.name);
    w.raw_field("matched", name_of(trace.matched));
    w.field("confidence", trace.confidence);
    w.field("tier", rule.tier);
    w.field("priority", rule.priority);
    w.key("rule");
    write_rule(config, trace.rule, w);
    w.field("first_failing", trace.first_failing);
    w.end_object();
  }
  w.end_array();
}

void collect(const config::RuleNode& rule, std::vector<char>& used) {
  if (rule.op == config::RuleOp::kLeaf) used[rule.signal] = 1;
  for (const config::RuleNode& child : rule.children) collect(child, used);
}

// Signals that the winning rule names, those of them that matched, and those that did not.
void write_used(const Decision& decision, const std::vector<config::SignalValue>& values,
                json::JsonWriter& w) {
  const config::Config& config = *decision.config;
  std::vector<char> used(config.signals.size(), 0);
  if (decision.rule() != nullptr) collect(decision.rule()->rules, used);
  const auto list = [&](std::string_view key, auto wanted) {
    std::map<std::string_view, std::vector<std::string_view>> families;
    for (size_t id = 0; id < used.size(); ++id) {
      if (wanted(id)) {
        families[config::family_name(config.signals[id].type)].push_back(config.signals[id].name);
      }
    }
    w.key(key).begin_object();
    for (const auto& [family, names] : families) {
      w.key(family).begin_array();
      for (const std::string_view name : names) w.value(name);
      w.end_array();
    }
    w.end_object();
  };
  list("used_signals", [&](size_t id) { return used[id] != 0; });
  list("matched_signals", [&](size_t id) { return values[id].matched; });
  list("unmatched_signals", [&](size_t id) { return values[id].evaluated && !values[id].matched; });
}

void write_result(const Decision& decision, const std::vector<config::SignalValue>& values,
                  json::JsonWriter& w) {
  const config::Decision* rule = decision.rule();
  w.key("decision_result").begin_object();
  w.field("decision_name", rule != nullptr ? rule->name : std::string());
  w.field("confidence", decision.confidence);
  w.field("tier", rule != nullptr ? rule->tier : 0);
  w.field("priority", rule != nullptr ? rule->priority : 0);
  w.field("algorithm", rule != nullptr ? rule->algorithm.name : std::string());
  w.key("plugins").begin_array();
  if (rule != nullptr) {
    for (const config::Plugin& plugin : rule->plugins) w.value(plugin.type);
  }
  w.end_array();
  write_used(decision, values, w);
  w.end_object();
  w.field("routing_decision", rule != nullptr ? rule->name : std::string());
  w.key("recommended_models").begin_array();
  for (const policy::Candidate& candidate : decision.selection.candidates) {
    w.value(model_name(decision, candidate.model));
  }
  w.end_array();
  w.field("selected_model", model_name(decision, decision.model));
  w.field("selection_status", policy::to_string(decision.selection.status));
  write_selection(decision, w);
  w.field("selection_method", rule != nullptr ? rule->algorithm.name : std::string("default"));
  w.field("selection_reason", decision.explicit_model ? "explicit_model"
                              : rule != nullptr       ? "matched"
                                                      : "no_decision");
  if (decision.reasoning) {
    w.field("use_reasoning", *decision.reasoning);
  } else {
    w.null_field("use_reasoning");
  }
  w.field("reasoning_effort", config::to_string(decision.effort));
}

}  // namespace

void write_matched(const config::Config& config, const std::vector<config::SignalValue>& values,
                   json::JsonWriter& w) {
  std::map<std::string_view, std::vector<std::string_view>> matched;
  for (size_t id = 0; id < values.size(); ++id) {
    if (values[id].matched) {
      matched[config::family_name(config.signals[id].type)].push_back(config.signals[id].name);
    }
  }
  w.begin_object();
  for (const auto& [family, names] : matched) {
    w.key(family).begin_array();
    for (const std::string_view name : names) w.value(name);
    w.end_array();
  }
  w.end_object();
}

void write_selection(const Decision& decision, json::JsonWriter& w) {
  w.key("candidate_scores").begin_object();
  for (const policy::Candidate& candidate : decision.selection.candidates) {
    w.short_field(model_name(decision, candidate.model), candidate.score);
  }
  w.end_object();
  if (!decision.selection.note.empty()) w.field("selection_note", decision.selection.note);
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
  for (const policy::ScoreTrace& score : explanation.scores)
    w.short_field(score.score, score.value);
  w.end_object();
  w.key("projection_trace").begin_array();
  for (const policy::ScoreTrace& score : explanation.scores) {
    w.begin_object().field("score", score.score).short_field("value", score.value);
    w.key("inputs").begin_array();
    for (const policy::InputTrace& input : score.inputs) {
      w.begin_object()
          .field("type", input.type)
          .field("name", input.name)
          .short_field("value", input.value)
          .short_field("weight", input.weight)
          .short_field("contribution", input.contribution)
          .end_object();
    }
    w.end_array();
    w.key("outputs").begin_array();
    for (const policy::OutputTrace& output : score.outputs) {
      w.begin_object()
          .field("name", output.name)
          .field("matched", output.matched)
          .short_field("confidence", output.confidence)
          .end_object();
    }
    w.end_array().end_object();
  }
  w.end_array();
}

void write_learning(const Router& router, const Decision& decision, json::JsonWriter& w) {
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
  if (verdict.mode == config::AdaptationMode::kObserve) {
    w.field("observed_model", model_name(decision, verdict.observed));
  }
  w.field("locked", verdict.locked);
  if (verdict.locked) w.field("lock_evidence", verdict.lock_origin_known ? "issued" : "lineage");
  if (!decision.dropped_state.empty()) {
    w.field("dropped_items", static_cast<uint64_t>(decision.dropped_state.size()));
  }
  w.short_field("idle_seconds", verdict.idle_seconds);
  if (!verdict.lock_ignored.empty()) w.field("lock_ignored", verdict.lock_ignored);
  w.field("turns", verdict.next.turns);
  w.field("switches", verdict.next.switches);
  write_gain(verdict.choice, w);
  w.key("belief").begin_object();
  for (size_t i = 0; i < router.tables().k; ++i) {
    w.short_field(model_name(decision, router.tables().model[i]), verdict.next.belief[i]);
  }
  w.end_object();
  w.key("cache").begin_object();
  for (size_t i = 0; i < router.tables().k; ++i) {
    learning::Step step = decision.step;
    step.prefix_hashes = decision.facts.prefix_hashes;
    const uint32_t hit =
        learning::ledger_hit(router.tables(), verdict.next, step, static_cast<learning::Tier>(i));
    if (hit > 0) w.field(model_name(decision, router.tables().model[i]), hit);
  }
  w.end_object();
  write_candidates(decision, router, w);
  if (decision.config->learning.policy == config::PolicyKind::kWeightedScore) {
    write_weighted_traces(decision, router, w);
  } else {
    w.short_field("quality_weight_usd", router.tables().lambda);
    write_candidate_traces(decision, router, w);
  }
}

namespace {

// What a keyword or pattern stands for in the prompt, as it is written there; "" if it matched
// another text or reading.
std::string_view matched_text(const config::Config& config, const signals::Evidence& evidence,
                              std::string_view prompt) {
  const config::SignalInfo& signal = config.signals[evidence.signal];
  if (signal.type != config::SignalType::kKeyword) return {};
  const config::KeywordRule& rule = config.rules.keywords[signal.rule];
  const std::string pattern = rule.method == config::KeywordMethod::kRegex
                                  ? std::string(evidence.what)
                                  : fmt::format("\\Q{}\\E", evidence.what);
  return signals::first_match(pattern, prompt, rule.case_sensitive);
}

void write_evidence(const Decision& decision, std::string_view prompt, json::JsonWriter& w) {
  w.key("evidence").begin_array();
  for (const signals::Evidence& evidence : decision.values.evidence) {
    w.begin_object().field("signal", label_of(*decision.config, evidence.signal));
    w.field("what", evidence.what);
    const std::string_view text = matched_text(*decision.config, evidence, prompt);
    if (!text.empty()) w.field("text", text);
    w.end_object();
  }
  w.end_array();
}

}  // namespace

std::string eval_document(const Router& router, const Decision& decision, std::string_view prompt) {
  const config::Config& config = *decision.config;
  const policy::Explanation explanation = router.explain(decision);
  json::JsonWriter w;
  w.begin_object();
  w.field("requested_model", decision.facts.requested_model);
  w.field("recipe", config.hash);
  w.field("recipe_name", config.name);
  write_result(decision, explanation.values, w);
  w.key("signal_confidences").begin_object();
  for (size_t id = 0; id < explanation.values.size(); ++id) {
    if (explanation.values[id].evaluated)
      w.field(label_of(config, id), explanation.values[id].confidence);
  }
  w.end_object();
  w.key("signal_values").begin_object();
  for (size_t id = 0; id < explanation.values.size(); ++id) {
    if (explanation.values[id].evaluated) w.field(label_of(config, id), explanation.values[id].raw);
  }
  w.end_object();
  w.key("signal_errors").begin_object();
  for (const signals::SignalError& error : decision.values.errors) {
    w.field(label_of(config, error.signal), error.message);
  }
  w.end_object();
  write_evidence(decision, prompt, w);
  write_projections(explanation, w);
  write_decisions(decision, explanation, w);
  w.field("context_tokens", decision.facts.needs.context_tokens);
  w.field("language", decision.values.language);
  w.key("learning").begin_object();
  if (decision.verdict.action != learning::Action::kNone) write_learning(router, decision, w);
  w.end_object();
  if (decision.error) {
    w.key("error").begin_object();
    w.field("code", decision.error->code).field("message", decision.error->message);
    w.end_object();
  }
  w.key("timings_us").begin_object();
  w.field("signals", decision.timings.signals_us);
  w.field("decision", decision.timings.decision_us);
  w.field("learning", decision.timings.learning_us);
  w.key("by_type").begin_object();
  for (size_t type = 0; type < config::kSignalTypes; ++type) {
    if (decision.values.microseconds[type] > 0) {
      w.field(config::leaf_name(static_cast<config::SignalType>(type)),
              decision.values.microseconds[type]);
    }
  }
  w.end_object().end_object();
  w.end_object();
  return w.take();
}

}  // namespace vsr::router
