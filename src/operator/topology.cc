// topology_document() of recipes.h.
#include <fmt/format.h>

#include <algorithm>

#include "config/config.h"
#include "json/writer.h"
#include "operator/recipes.h"

namespace vsr::operator_api {

namespace {

std::string id_of(const config::SignalInfo& signal) {
  return fmt::format("{}:{}", config::leaf_name(signal.type), signal.name);
}

std::optional<double> threshold_of(const config::SignalRules& rules,
                                   const config::SignalInfo& signal) {
  using Type = config::SignalType;
  switch (signal.type) {
    case Type::kEmbedding:
      return rules.embeddings[signal.rule].threshold;
    case Type::kComplexity:
      return rules.complexity[signal.rule].threshold;
    case Type::kPii:
      return rules.pii[signal.rule].threshold;
    case Type::kJailbreak:
      return rules.jailbreak[signal.rule].threshold;
    case Type::kLanguage:
      return rules.language[signal.rule].threshold;
    case Type::kClassifier:
      return rules.classifiers[signal.rule].threshold;
    case Type::kReask:
    case Type::kUserFeedback:
    case Type::kFactCheck:
    case Type::kPreference:
    case Type::kModality:
      return rules.others[signal.rule].threshold;
    default:
      return std::nullopt;
  }
}

void write_bounds(const config::Predicate& bounds, json::JsonWriter& w) {
  w.key("bounds").begin_object();
  if (bounds.gt) w.field("gt", *bounds.gt);
  if (bounds.gte) w.field("gte", *bounds.gte);
  if (bounds.lt) w.field("lt", *bounds.lt);
  if (bounds.lte) w.field("lte", *bounds.lte);
  w.end_object();
}

void write_projections(const config::Config& config, json::JsonWriter& w) {
  w.key("projections").begin_array();
  for (const config::Mapping& mapping : config.mappings) {
    const config::Score& score = config.scores[mapping.score];
    for (const config::MappingOutput& output : mapping.outputs) {
      w.begin_object();
      w.field("id", id_of(config.signals[output.signal])).field("name", output.name);
      w.field("score", score.name);
      write_bounds(output.bounds, w);
      w.key("inputs").begin_array();
      for (const config::ScoreInput& input : score.inputs) {
        w.begin_object();
        w.field("id", input.signal != config::kNoSignal
                          ? id_of(config.signals[input.signal])
                          : fmt::format("score:{}", config.scores[input.score].name));
        w.field("weight", input.weight).end_object();
      }
      w.end_array().end_object();
    }
  }
  w.end_array();
}

void collect_signals(const config::RuleNode& node, std::vector<config::SignalId>& out) {
  if (node.op == config::RuleOp::kLeaf && std::ranges::find(out, node.signal) == out.end()) {
    out.push_back(node.signal);
  }
  for (const config::RuleNode& child : node.children) collect_signals(child, out);
}

void write_decisions(const config::Config& config, json::JsonWriter& w) {
  w.key("decisions").begin_array();
  for (const config::Decision& decision : config.decisions) {
    w.begin_object();
    w.field("name", decision.name).field("description", decision.description);
    w.field("tier", decision.tier).field("priority", decision.priority);
    w.field("mode", config::to_string(decision.adaptation.mode));
    w.field("algorithm", decision.algorithm.name);
    std::vector<config::SignalId> signals;
    collect_signals(decision.rules, signals);
    w.key("signals").begin_array();
    for (const config::SignalId signal : signals) w.value(id_of(config.signals[signal]));
    w.end_array().key("models").begin_array();
    for (const config::ModelRef& ref : decision.refs) w.value(config.models[ref.model].name);
    w.end_array().end_object();
  }
  w.end_array();
}

}  // namespace

std::string topology_document(const config::Config& config) {
  json::JsonWriter w;
  w.begin_object();
  w.field("recipe", config.hash).field("recipe_name", config.name);
  w.field("default_model",
          config.default_model == config::kNoModel ? "" : config.models[config.default_model].name);
  w.key("signals").begin_array();
  for (const config::SignalInfo& signal : config.signals) {
    if (signal.type == config::SignalType::kProjection) continue;
    w.begin_object();
    w.field("id", id_of(signal)).field("type", config::leaf_name(signal.type));
    w.field("name", signal.name).field("family", config::family_name(signal.type));
    if (const auto threshold = threshold_of(config.rules, signal)) w.field("threshold", *threshold);
    w.end_object();
  }
  w.end_array();
  write_projections(config, w);
  write_decisions(config, w);
  w.key("models").begin_array();
  for (const config::Model& model : config.models) {
    w.begin_object().field("name", model.name);
    w.key("endpoints").begin_array();
    for (const config::BackendRef& ref : model.backends) {
      w.value(fmt::format("{}:{}", ref.host, ref.port));
    }
    w.end_array().end_object();
  }
  w.end_array().end_object();
  return w.take();
}

}  // namespace vsr::operator_api
