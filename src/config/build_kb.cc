#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "config/build_rules.h"
#include "config/load.h"

namespace vsr::config {
namespace {

constexpr std::string_view kWhatKb = "knowledge base of global.model_catalog.kbs";

std::vector<std::string_view> names_of(const auto& list) {
  std::vector<std::string_view> names;
  for (const auto& one : list) names.push_back(one.name);
  return names;
}

template <typename Item>
uint16_t index_of(const std::vector<Item>& list, std::string_view name) {
  const auto found = std::ranges::find(list, name, &Item::name);
  return found == list.end() ? kNoIndex : static_cast<uint16_t>(found - list.begin());
}

// The label of that name, made if it is new.
KbLabel& label_named(KnowledgeBase& kb, std::string_view name) {
  const uint16_t index = index_of(kb.labels, name);
  if (index != kNoIndex) return kb.labels[index];
  kb.labels.push_back({std::string(name), {}, 0});
  return kb.labels.back();
}

std::vector<std::string> texts_of(const Node* list) {
  std::vector<std::string> texts;
  if (list == nullptr) return texts;
  for (const Node* item : list->items) {
    if (item->kind == NodeKind::kScalar && !item->text.empty()) texts.push_back(item->text);
  }
  return texts;
}

// {"labels": {NAME: {"description", "exemplars": […]}}}. JSON is read as the YAML that it is.
std::string read_manifest(const std::string& path, KnowledgeBase& kb) {
  const Result<std::string> text = read_recipe(path);
  if (!text) return text.error().message;
  Diagnostics out(path);
  Document document = parse_yaml(*text, out);
  if (out.has_errors() || document.root() == nullptr) {
    const std::vector<Diagnostic> problems = out.take();
    return problems.empty() ? path + " is empty" : format(problems.front());
  }
  const Node* const labels = document.root()->find("labels");
  if (labels == nullptr || labels->kind != NodeKind::kMapping) {
    return path + ": has no mapping \"labels\"";
  }
  for (const Entry& entry : labels->entries) {
    if (kb.labels.size() >= kKbLabelsMax) break;
    KbLabel& label = label_named(kb, entry.key);
    label.exemplars = texts_of(entry.value->find("exemplars"));
    const Node* const description = entry.value->find("description");
    if (label.exemplars.empty() && description != nullptr) {
      label.exemplars.push_back(description->text);
    }
  }
  return {};
}

void read_inline(Build& build, const View& labels, KnowledgeBase& kb) {
  for (const auto& [name, view] : labels.named()) {
    KbLabel& label = label_named(kb, name);
    read(view["exemplars"], label.exemplars);
    std::erase(label.exemplars, "");
    const auto description = view["description"].text();
    if (label.exemplars.empty() && description) label.exemplars.push_back(*description);
    if (label.exemplars.empty()) {
      build.error(view, "a label needs exemplars to compare with", "",
                  "exemplars or a description");
    }
  }
}

void read_groups(Build& build, const View& groups, KnowledgeBase& kb) {
  for (const auto& [name, view] : groups.named()) {
    KbGroup group{name, {}};
    for (const std::string& text : view.texts()) {
      const uint16_t label = index_of(kb.labels, text);
      if (label != kNoIndex) {
        group.labels.push_back(label);
      } else if (kb.problem.empty()) {
        build.unknown(view, fmt::format("label of {}", kb.name), text, names_of(kb.labels));
      }
    }
    kb.groups.push_back(std::move(group));
  }
}

uint16_t group_at(Build& build, const View& view, const KnowledgeBase& kb) {
  const std::string name = build.required(view);
  if (name.empty()) return kNoIndex;
  const uint16_t group = index_of(kb.groups, name);
  if (group == kNoIndex) {
    build.unknown(view, fmt::format("group of {}", kb.name), name, names_of(kb.groups));
  }
  return group;
}

void read_metrics(Build& build, const View& list, KnowledgeBase& kb) {
  kb.metrics = {{"best_score", KbMetricType::kBestScore, kNoIndex, kNoIndex},
                {"best_matched_score", KbMetricType::kBestMatchedScore, kNoIndex, kNoIndex}};
  for (const View& view : list.items()) {
    KbMetric metric;
    metric.name = build.required(view["name"]);
    metric.type = KbMetricType::kGroupMargin;
    metric.positive = group_at(build, view["positive_group"], kb);
    metric.negative = group_at(build, view["negative_group"], kb);
    if (metric.name.empty()) continue;
    if (index_of(kb.metrics, metric.name) != kNoIndex) {
      build.error(view["name"],
                  fmt::format("{} has a metric {} already", kb.name, quote(metric.name)),
                  metric.name, "a name that is not taken");
      continue;
    }
    kb.metrics.push_back(std::move(metric));
  }
}

void read_source(Build& build, const View& source, KnowledgeBase& kb) {
  if (!source) return;
  kb.from_file = true;
  std::string folder;
  std::string manifest = "labels.json";
  read(source["path"], folder);
  read(source["manifest"], manifest);
  const std::filesystem::path recipe(build.config.file);
  const std::string path = (recipe.parent_path() / folder / manifest).string();
  kb.problem = read_manifest(path, kb);
  if (kb.problem.empty()) return;
  build.warn(source,
             fmt::format("rules of knowledge base {} do not match: {}", kb.name, kb.problem));
}

void check_size(Build& build, const View& view, KnowledgeBase& kb) {
  size_t exemplars = 0;
  for (const KbLabel& label : kb.labels) exemplars += label.exemplars.size();
  if (exemplars > kKbExemplarsMax || kb.labels.size() > kKbLabelsMax) {
    build.error(view, fmt::format("{} labels with {} exemplars, more than {} or {}",
                                  kb.labels.size(), exemplars, kKbLabelsMax, kKbExemplarsMax));
  } else if (kb.labels.empty() && kb.problem.empty()) {
    kb.problem = "it has no labels";
    build.warn(view,
               fmt::format("rules of knowledge base {} do not match: it has no labels", kb.name),
               "", "labels, or source with a manifest");
  }
}

}  // namespace

void build_knowledge_bases(Build& build, const View& list) {
  Names names("knowledge base");
  for (const View& view : list.items()) {
    KnowledgeBase kb;
    kb.name = names.take(build, view);
    kb.position = view["name"].position();
    if (kb.name.empty()) continue;
    read_source(build, view["source"], kb);
    read_inline(build, view["labels"], kb);
    check_size(build, view, kb);
    double threshold = 0.5;
    read(view["threshold"], threshold);
    for (KbLabel& label : kb.labels) label.threshold = threshold;
    for (const auto& [name, at] : view["label_thresholds"].named()) {
      const uint16_t label = index_of(kb.labels, name);
      if (label != kNoIndex) {
        read(at, kb.labels[label].threshold);
      } else if (kb.problem.empty()) {
        build.unknown(at, fmt::format("label of {}", kb.name), name, names_of(kb.labels));
      }
    }
    read_groups(build, view["groups"], kb);
    read_metrics(build, view["metrics"], kb);
    build.config.rules.knowledge_bases.push_back(std::move(kb));
  }
}

void fill(Build& build, const View& view, KbRule& rule) {
  const View kb_at = view["kb"];
  rule.kb_name = build.required(kb_at);
  rule.best = view["match"].choice().value_or(0) == 0;
  const View target = view["target"];
  rule.is_group = target["kind"].choice().value_or(0) == 1;
  const std::vector<KnowledgeBase>& bases = build.config.rules.knowledge_bases;
  rule.kb = index_of(bases, rule.kb_name);
  if (rule.kb_name.empty()) return;
  if (rule.kb == kNoIndex) {
    build.unknown(kb_at, kWhatKb, rule.kb_name, names_of(bases));
    return;
  }
  const KnowledgeBase& kb = bases[rule.kb];
  const View value = target["value"];
  const std::string name = build.required(value);
  if (name.empty() || !kb.problem.empty()) return;
  rule.target = rule.is_group ? index_of(kb.groups, name) : index_of(kb.labels, name);
  if (rule.target != kNoIndex) return;
  build.unknown(value, fmt::format("{} of {}", rule.is_group ? "group" : "label", kb.name), name,
                rule.is_group ? names_of(kb.groups) : names_of(kb.labels));
}

SignalId kb_metric(Build& build, const View& input) {
  const std::string kb_name = build.required(input["kb"]);
  const std::string name = build.required(input["metric"]);
  if (kb_name.empty() || name.empty()) return kNoSignal;
  const std::vector<KnowledgeBase>& bases = build.config.rules.knowledge_bases;
  const uint16_t kb = index_of(bases, kb_name);
  if (kb == kNoIndex) {
    build.unknown(input["kb"], kWhatKb, kb_name, names_of(bases));
    return kNoSignal;
  }
  const uint16_t metric = index_of(bases[kb].metrics, name);
  if (metric == kNoIndex) {
    build.unknown(input["metric"], fmt::format("metric of {}", kb_name), name,
                  names_of(bases[kb].metrics));
    return kNoSignal;
  }
  const std::string label = fmt::format("{}:{}", kb_name, name);
  const SignalId known = build.config.find_signal(SignalType::kKb, label);
  if (known != kNoSignal) return known;
  if (build.config.signals.size() >= kSignalsMax) {
    build.error(input, fmt::format("more than {} signals", kSignalsMax));
    return kNoSignal;
  }
  build.config.signals.push_back({SignalType::kKb, kb, static_cast<uint16_t>(metric + 1), label});
  return static_cast<SignalId>(build.config.signals.size() - 1);
}

}  // namespace vsr::config
