#include "config/build_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/strings.h"
#include "config/load.h"

namespace vsr::config {

void fill(Build& build, const View& view, MetadataRule& rule) {
  rule.header = view["source"].choice().value_or(0) == 1;
  rule.key = rule.name;
  read(view["key"], rule.key);
  if (rule.header) rule.key = to_lower(rule.key);
  read(view["values"], rule.values);
  read(view["case_sensitive"], rule.case_sensitive);
  rule.predicate = read_rule_predicate(build, view["predicate"]);
}

void fill(Build&, const View& view, EventRule& rule) {
  read(view["event_types"], rule.event_types);
  read(view["severities"], rule.severities);
  read(view["action_codes"], rule.action_codes);
  read(view["temporal"], rule.temporal);
}

const std::vector<ClassifierHead>& classifier_heads() {
  static const std::vector<ClassifierHead> heads = {
      {"domain",
       {"biology", "business", "chemistry", "computer science", "economics", "engineering",
        "health", "history", "law", "math", "other", "philosophy", "physics", "psychology"}},
      {"difficulty", {"SIMPLE", "MEDIUM", "COMPLEX", "REASONING"}},
      {"harmful", {"harmful", "benign"}},
      {"jailbreak", {"attack", "benign"}},
  };
  return heads;
}

namespace {

// What is not there of a classifier that is no head and has no examples.
std::string missing_service(const std::string& model, const std::string& endpoint) {
  std::vector<std::string_view> names;
  for (const ClassifierHead& head : classifier_heads()) names.push_back(head.name);
  if (!endpoint.empty()) {
    return fmt::format("it needs the classification service at {}, and none is called from here",
                       endpoint);
  }
  return fmt::format(
      "{} is no classifier that is built in ({}) and has no examples: it needs a "
      "classification service, and none is called from here",
      quote(model), fmt::join(names, ", "));
}

void read_labels(Build& build, const View& view, ClassifierRule& rule, const ClassifierHead& head) {
  const View list = view["labels"];
  const bool binary = head.labels.size() == 2;
  for (const std::string& written : list.texts()) {
    const auto label = std::ranges::find_if(
        head.labels, [&](std::string_view known) { return iequals(known, written); });
    if (label == head.labels.end()) {
      build.unknown(list, fmt::format("label of {}", head.name), written, head.labels);
    } else {
      rule.labels.emplace_back(*label);
    }
  }
  if (!rule.labels.empty() || list) return;
  if (binary) {
    rule.labels.emplace_back(head.labels.front());
  } else {
    build.error(list, fmt::format("a rule about {} says which of its labels it means", head.name),
                "", fmt::format("some of {}", fmt::join(head.labels, ", ")));
  }
}

}  // namespace

void fill(Build& build, const View& view, ClassifierRule& rule) {
  std::string model = rule.name;
  std::string endpoint;
  read(view["model"], model);
  read(view["endpoint"], endpoint);
  read(view["threshold"], rule.threshold);
  read(view["examples"], rule.examples);
  read(view["counter_examples"], rule.counter_examples);
  const std::vector<ClassifierHead>& heads = classifier_heads();
  const auto head = std::ranges::find(heads, model, &ClassifierHead::name);
  if (!rule.examples.empty()) {
    rule.model = ClassifierModel::kExamples;
  } else if (endpoint.empty() && head != heads.end()) {
    rule.model = static_cast<ClassifierModel>(head - heads.begin());
    read_labels(build, view, rule, *head);
  } else {
    rule.missing = missing_service(model, endpoint);
    build.warn(view, fmt::format("classifier {} does not match: {}", rule.name, rule.missing),
               model, "a classifier that is built in, or examples");
  }
}

void build_roles(Build& build, const View& list) {
  Names names("role binding");
  std::vector<RoleRule>& rules = build.config.rules.roles;
  const auto add = [&](const RoleRule& rule) {
    if (build.config.find_signal(SignalType::kAuthz, rule.name) != kNoSignal) return;
    build.config.signals.push_back(
        {SignalType::kAuthz, static_cast<uint16_t>(rules.size()), 0, rule.name});
    rules.push_back(rule);
  };
  std::vector<RoleRule> bindings;
  for (const View& view : list.items()) {
    if (build.config.signals.size() + 2 + bindings.size() > kSignalsMax) {
      build.error(view, fmt::format("more than {} signals", kSignalsMax));
      break;
    }
    RoleRule binding;
    binding.name = names.take(build, view);
    binding.position = view["name"].position();
    if (binding.name.empty()) continue;
    binding.on_error_match = view["on_error"].choice().value_or(1) == 0;
    for (const View& subject : view["subjects"].items()) {
      const bool is_group = subject["kind"].choice().value_or(0) == 1;
      std::string name = build.required(subject["name"]);
      if (!name.empty()) (is_group ? binding.groups : binding.users).push_back(std::move(name));
    }
    if (view["subjects"].items().empty()) {
      build.error(view["subjects"], "a role binding needs subjects", "",
                  "a list of {kind: User or Group, name}");
    }
    RoleRule role = binding;
    read(view["role"], role.name);
    const SignalId known = build.config.find_signal(SignalType::kAuthz, role.name);
    if (known == kNoSignal) {
      add(role);
    } else {
      RoleRule& sum = rules[build.config.signals[known].rule];
      sum.users.insert(sum.users.end(), role.users.begin(), role.users.end());
      sum.groups.insert(sum.groups.end(), role.groups.begin(), role.groups.end());
    }
    bindings.push_back(std::move(binding));
  }
  // A binding can be named itself, unless a role has its name.
  for (const RoleRule& binding : bindings) add(binding);
}

}  // namespace vsr::config
