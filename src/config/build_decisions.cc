#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "config/build.h"
#include "config/load.h"

namespace vsr::config {
namespace {

RuleNode build_leaf(Build& build, const View& view) {
  RuleNode node;
  node.op = RuleOp::kLeaf;
  const View type_at = view["type"];
  const View name_at = view["name"];
  const std::string type_name = build.required(type_at);
  const std::string name = build.required(name_at);
  SignalType type{};
  if (type_name.empty()) return node;
  if (!parse_leaf_name(type_name, type)) {
    std::vector<std::string_view> known;
    for (size_t i = 0; i < kSignalTypes; ++i)
      known.push_back(leaf_name(static_cast<SignalType>(i)));
    build.unknown(type_at, "signal type", type_name, known);
    return node;
  }
  if (name.empty()) return node;
  node.signal = build.config.find_signal(type, name);
  if (node.signal != kNoSignal) return node;
  const std::vector<std::string_view> known = signal_names(build.config, type);
  const bool is_complexity = type == SignalType::kComplexity;
  if (is_complexity && build.config.find_signal(type, name + ":hard") != kNoSignal) {
    build.error(name_at,
                fmt::format("a complexity rule is named with its level: {0}:easy, "
                            "{0}:medium or {0}:hard",
                            name),
                name, fmt::format("{0}:easy, {0}:medium or {0}:hard", name));
    return node;
  }
  const std::string_view what = type == SignalType::kProjection ? "mapping output" : "signal";
  build.unknown(name_at, fmt::format("{} {}", type_name, what), name, known);
  return node;
}

RuleNode build_rule(Build& build, const View& view) {
  const View op = view["operator"];
  const View conditions = view["conditions"];
  const bool is_leaf = view["type"] || view["name"];
  if (is_leaf && !op && !conditions) return build_leaf(build, view);
  RuleNode node;
  const size_t choice = op.choice().value_or(0);
  node.op = choice == 0 ? RuleOp::kAnd : choice == 1 ? RuleOp::kOr : RuleOp::kNot;
  if (is_leaf) {
    build.error(view, "either a leaf with type and name, or operator and conditions, not both", "",
                "{type, name} or {operator, conditions}");
  }
  if (!op && conditions) {
    build.error(op, "missing: conditions need an operator", "", "AND, OR or NOT");
  }
  for (const View& child : conditions.items()) node.children.push_back(build_rule(build, child));
  if (node.op == RuleOp::kNot && node.children.size() != 1) {
    build.error(conditions ? conditions : view,
                fmt::format("NOT takes one condition, found {}", node.children.size()),
                std::to_string(node.children.size()), "one condition");
  }
  if (node.op == RuleOp::kOr && node.children.empty() && op) {
    build.warn(conditions ? conditions : view, "OR without conditions never matches");
  }
  return node;
}

void model_refs(Build& build, const View& list, Decision& decision) {
  for (const View& view : list.items()) {
    ModelRef ref;
    const View model = view["model"];
    ref.model = build.model(model);
    read(view["lora_name"], ref.lora_name);
    read(view["weight"], ref.weight);
    ref.use_reasoning = view["use_reasoning"].boolean();
    if (const auto effort = view["reasoning_effort"].choice()) {
      ref.reasoning_effort = static_cast<Effort>(*effort);
    }
    if (ref.model == kNoModel) continue;
    const Model& named = build.config.models[ref.model];
    if (!ref.lora_name.empty() &&
        std::ranges::find(named.loras, ref.lora_name, &Lora::name) == named.loras.end()) {
      std::vector<std::string_view> known;
      for (const Lora& lora : named.loras) known.push_back(lora.name);
      build.unknown(view["lora_name"], fmt::format("LoRA of {}", named.name), ref.lora_name, known);
    }
    decision.refs.push_back(std::move(ref));
  }
  if (list.items().empty()) {
    build.error(list, "a decision needs at least one model", "", "a list of {model: NAME}");
  }
}

void build_decision(Build& build, const View& view, Decision& decision) {
  decision.position = view["name"].position();
  read(view["description"], decision.description);
  read(view["priority"], decision.priority);
  read(view["tier"], decision.tier);
  const View rules = view["rules"];
  if (rules) {
    decision.rules = build_rule(build, rules);
  } else {
    build.warn(rules, "without rules this decision matches every request");
  }
  model_refs(build, view["modelRefs"], decision);
  build_algorithm(build, view["algorithm"], decision);
  build_adaptation(build, view["adaptations"], decision.adaptation);
  read(view["pin"], decision.pin);
  decision.replay_redact = view["replay"].choice().has_value();
  decision.capture_raw = view["capture"].choice().has_value();
  build_plugins(build, view["plugins"], decision);
}

}  // namespace

void build_decisions(Build& build, const View& routing, const View& router) {
  std::vector<Decision>& decisions = build.config.decisions;
  Names names("decision");
  const View list = routing["decisions"];
  for (const View& view : list.items()) {
    if (decisions.size() >= kDecisionsMax) {
      build.error(view, fmt::format("more than {} decisions", kDecisionsMax));
      break;
    }
    Decision decision;
    decision.name = names.take(build, view);
    build_decision(build, view, decision);
    if (!decision.name.empty()) decisions.push_back(std::move(decision));
  }
  const bool tiered = std::ranges::any_of(decisions, [](const auto& d) { return d.tier > 0; });
  build.config.strategy = tiered ? Strategy::kTiered : Strategy::kPriority;
  read_choice(router["strategy"], build.config.strategy);
  read_choice(routing["strategy"], build.config.strategy);
}

}  // namespace vsr::config
