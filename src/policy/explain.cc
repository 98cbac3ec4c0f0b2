// The same evaluation as plan.cc, written down for a person: what each score added up to, and which
// leaf of each decision held or failed.
#include <fmt/format.h>

#include "policy/plan.h"

namespace vsr::policy {

using config::RuleNode;
using config::RuleOp;
using config::SignalValue;

namespace {

std::string signal_label(const config::Config& config, config::SignalId id) {
  const config::SignalInfo& info = config.signals[id];
  return fmt::format("{}:{}", config::leaf_name(info.type), info.name);
}

RuleTrace trace_rule(const RuleNode& rule, std::span<const Bound> signals) {
  RuleTrace trace;
  trace.op = rule.op;
  trace.signal = rule.signal;
  const Bound bound = bound_rule(rule, signals);
  trace.matched = bound.match;
  trace.confidence = bound.match == Tri::kTrue ? bound.confidence.lo : 0;
  for (const RuleNode& child : rule.children) {
    trace.children.push_back(trace_rule(child, signals));
  }
  return trace;
}

// The first leaf, in reading order, that keeps the rule from matching.
std::string first_failing(const config::Config& config, const RuleTrace& trace) {
  if (trace.matched == Tri::kTrue) return "";
  switch (trace.op) {
    case RuleOp::kLeaf:
      return signal_label(config, trace.signal);
    case RuleOp::kNot: {
      const RuleTrace& child = trace.children.front();
      return child.op == RuleOp::kLeaf ? "NOT " + signal_label(config, child.signal) : "NOT (…)";
    }
    case RuleOp::kAnd:
    case RuleOp::kOr:
      break;
  }
  for (const RuleTrace& child : trace.children) {
    if (std::string failing = first_failing(config, child); !failing.empty()) return failing;
  }
  return "no condition";
}

double traced_value(const config::ScoreInput& input, const Bound& bound, double raw) {
  const bool matched = bound.match == Tri::kTrue;
  switch (input.source) {
    case config::ValueSource::kBinary:
      return matched ? input.match : input.miss;
    case config::ValueSource::kConfidence:
      return matched ? bound.confidence.lo : 0;
    case config::ValueSource::kRaw:
      return raw;
  }
  return 0;
}

}  // namespace

ScoreTrace Plan::trace_score(size_t score, std::span<const SignalValue> values,
                             const Scratch& scratch) const {
  ScoreTrace trace;
  trace.score = config_->scores[score].name;
  trace.value = scratch.scores[score].lo;
  for (const config::ScoreInput& input : config_->scores[score].inputs) {
    InputTrace in;
    in.weight = input.weight;
    if (input.signal == config::kNoSignal) {
      in.type = config::leaf_name(config::SignalType::kProjection);
      in.name = config_->scores[input.score].name;
      in.value = scratch.scores[input.score].lo;
    } else {
      const config::SignalInfo& info = config_->signals[input.signal];
      in.type = config::leaf_name(info.type);
      in.name = info.name;
      in.value = traced_value(input, scratch.signals[input.signal], values[input.signal].raw);
    }
    in.contribution = in.value * in.weight;
    trace.inputs.push_back(std::move(in));
  }
  for (const config::Mapping& mapping : config_->mappings) {
    if (mapping.score != score) continue;
    for (const config::MappingOutput& output : mapping.outputs) {
      const Bound& bound = scratch.signals[output.signal];
      trace.outputs.push_back({output.name, bound.match == Tri::kTrue, bound.confidence.lo});
    }
  }
  return trace;
}

Explanation Plan::explain(std::span<const SignalValue> values, Scratch& scratch) const {
  Explanation out;
  bound_all(values, Missing::kFalse, scratch);
  for (size_t s = 0; s < config_->scores.size(); ++s) {
    out.scores.push_back(trace_score(s, values, scratch));
  }
  out.values.assign(values.begin(), values.end());
  for (size_t id = 0; id < values.size(); ++id) {
    const Bound& bound = scratch.signals[id];
    SignalValue& value = out.values[id];
    const config::SignalInfo& info = config_->signals[id];
    if (info.type == config::SignalType::kProjection) {
      const double score = scratch.scores[config_->mappings[info.rule].score].lo;
      value = {true, bound.match == Tri::kTrue, bound.confidence.lo, score};
    } else if (partition_of_[id] >= 0) {
      value.evaluated = value.evaluated || bound.match == Tri::kTrue;
      value.matched = bound.match == Tri::kTrue;
      if (value.matched) value.confidence = bound.confidence.lo;
    }
  }

  bound_all(values, Missing::kUnknown, scratch);
  for (uint16_t d = 0; d < config_->decisions.size(); ++d) {
    DecisionTrace trace;
    trace.decision = d;
    trace.rule = trace_rule(config_->decisions[d].rules, scratch.signals);
    trace.matched = trace.rule.matched;
    trace.confidence = trace.rule.confidence;
    trace.first_failing = first_failing(*config_, trace.rule);
    out.decisions.push_back(std::move(trace));
  }
  return out;
}

}  // namespace vsr::policy
