#include "config/effective.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <xxhash.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "config/scalar.h"

namespace vsr::config {
namespace {

class Merger {
 public:
  explicit Merger(const Config& config) {
    std::vector<std::string> ladder;
    for (const ModelId id : config.learning.ladder) ladder.push_back(config.models[id].name);
    computed_.emplace("routing.strategy", std::vector{std::string(to_string(config.strategy))});
    computed_.emplace("global.router.auto_model_names", config.auto_names);
    computed_.emplace("global.router.learning.policy.ladder", std::move(ladder));
  }

  Effective mapping(const Node* node, const Key& key) {
    Effective out = start(NodeKind::kMapping, key, node);
    for (const Key* child : key.children) {
      const Node* value = node == nullptr ? nullptr : node->find(child->name);
      if (value != nullptr && value->is_null()) value = nullptr;
      add(out, value, *child);
    }
    return out;
  }

 private:
  static Effective start(NodeKind kind, const Key& key, const Node* node) {
    Effective out;
    out.kind = kind;
    const bool is_item = key.name == "[]" || key.name == "*";
    if (!is_item) out.name = key.name;
    out.row = key.row;
    out.flags = key.flags;
    out.origin = node == nullptr ? Origin::kDefault : Origin::kFile;
    out.line = node == nullptr ? 0 : node->position.line;
    return out;
  }

  static Effective scalar(std::string value, Origin origin) {
    Effective out;
    out.kind = NodeKind::kScalar;
    out.value = std::move(value);
    out.origin = origin;
    return out;
  }

  // A node that no row describes further.
  static Effective raw(const Node& node) {
    Effective out;
    out.kind = node.kind;
    out.value = node.is_null() ? "null" : node.text;  // "x:" and "x: null" are the same
    out.plain = node.plain;
    out.origin = node.substituted ? Origin::kEnvironment : Origin::kFile;
    out.line = node.position.line;
    for (const Node* item : node.items) out.children.push_back(raw(*item));
    for (const Entry& entry : node.entries) {
      out.children.push_back(raw(*entry.value));
      out.children.back().name = entry.key;
    }
    return out;
  }

  void add(Effective& parent, const Node* node, const Key& key) {
    const KeyRow& row = *key.row;
    // Of what nothing acts on there are no defaults.
    if (node == nullptr && row.use != Use::kUsed) return;
    switch (row.type) {
      case ValueType::kMap: {
        if (node == nullptr && (row.flags & kOptional) != 0) return;
        Effective map = mapping(node, key);
        if (node != nullptr || !map.children.empty()) parent.children.push_back(std::move(map));
        return;
      }
      case ValueType::kNamed:
        if (node != nullptr) parent.children.push_back(named(*node, key));
        return;
      case ValueType::kList:
        if (node != nullptr || row.initial == "[{}]") parent.children.push_back(list(node, key));
        return;
      default:
        break;
    }
    Effective out;
    if (node != nullptr) {
      out = raw(*node);
      if (row.type == ValueType::kStrings && node->kind == NodeKind::kScalar) {
        out = Effective{
            .kind = NodeKind::kSequence, .origin = out.origin, .line = out.line, .children = {out}};
      }
    } else if (const auto known = computed_.find(row.path); known != computed_.end()) {
      if (known->second.empty()) return;
      out = computed(known->second, row);
    } else if (row.initial.empty()) {
      return;
    } else {
      out = scalar(std::string(row.initial), Origin::kDefault);
      if (row.initial == "[]") out.kind = NodeKind::kSequence;
    }
    out.name = key.name;
    out.row = &row;
    out.flags = key.flags;
    parent.children.push_back(std::move(out));
  }

  static Effective computed(const std::vector<std::string>& values, const KeyRow& row) {
    if (row.type != ValueType::kStrings) return scalar(values.front(), Origin::kComputed);
    Effective out;
    out.kind = NodeKind::kSequence;
    out.origin = Origin::kComputed;
    for (const std::string& value : values) {
      out.children.push_back(scalar(value, Origin::kComputed));
    }
    return out;
  }

  Effective named(const Node& node, const Key& key) {
    Effective out = start(NodeKind::kMapping, key, &node);
    for (const Entry& entry : node.entries) {
      if (entry.value->is_null()) continue;
      out.children.push_back(item(entry.value, *key.item));
      out.children.back().name = entry.key;
    }
    return out;
  }

  Effective list(const Node* node, const Key& key) {
    Effective out = start(NodeKind::kSequence, key, node);
    if (node == nullptr) {
      out.children.push_back(mapping(nullptr, *key.item));
      return out;
    }
    for (const Node* child : node->items) out.children.push_back(item(child, *key.item));
    return out;
  }

  Effective item(const Node* node, const Key& key) {
    const bool is_map = key.row->type == ValueType::kMap || key.row->type == ValueType::kTextOrMap;
    if (is_map && node->kind == NodeKind::kMapping) return mapping(node, key);
    Effective out = raw(*node);
    out.row = key.row;
    out.flags = key.flags;
    return out;
  }

  std::map<std::string_view, std::vector<std::string>> computed_;
};

// One spelling for each value: 0.50 and .5, 5m and 300s, TRUE and true.
std::string canonical_value(const Effective& node) {
  const ValueType type = node.row == nullptr ? ValueType::kText : node.row->type;
  switch (type) {
    case ValueType::kBool:
      return parse_bool(node.value).value_or(false) ? "true" : "false";
    case ValueType::kInteger:
    case ValueType::kCount:
    case ValueType::kNumber:
    case ValueType::kAmount:
    case ValueType::kPositive:
    case ValueType::kUnit:
      return fmt::format("{}", parse_number(node.value).value_or(0));
    case ValueType::kDuration:
      return std::to_string(parse_duration_ms(node.value).value_or(0));
    case ValueType::kTokens:
      return std::to_string(parse_tokens(node.value).value_or(0));
    case ValueType::kChoice:
      if (node.value.empty()) return to_lower(node.row->initial);
      return to_lower(node.value);
    default:
      return node.value;
  }
}

void append_canonical(const Effective& node, std::string& out) {
  switch (node.kind) {
    case NodeKind::kScalar: {
      const std::string value = canonical_value(node);
      fmt::format_to(std::back_inserter(out), "{}:{}", value.size(), value);
      return;
    }
    case NodeKind::kSequence:
      out += '[';
      for (const Effective& child : node.children) {
        append_canonical(child, out);
        out += ',';
      }
      out += ']';
      return;
    case NodeKind::kMapping:
      break;
  }
  // The order of keys says nothing.
  std::vector<const Effective*> children;
  for (const Effective& child : node.children) {
    const bool silent = child.row != nullptr && child.row->use != Use::kUsed;
    if (!silent && (child.flags & (kOperator | kSecret)) == 0) children.push_back(&child);
  }
  std::ranges::sort(children, {}, &Effective::name);
  out += '{';
  for (const Effective* child : children) {
    fmt::format_to(std::back_inserter(out), "{}:{}=", child->name.size(), child->name);
    append_canonical(*child, out);
    out += ';';
  }
  out += '}';
}

const Effective* child_of(const Effective* node, std::string_view name) {
  if (node == nullptr) return nullptr;
  const auto found = std::ranges::find(node->children, name, &Effective::name);
  return found == node->children.end() ? nullptr : &*found;
}

const Effective* item_named(const Effective& list, std::string_view name) {
  for (const Effective& item : list.children) {
    const Effective* const own = child_of(&item, "name");
    if (own != nullptr && own->value == name) return &item;
  }
  return nullptr;
}

// Rules whose result depends on the other rules of their family.
bool is_ranked(SignalType type) {
  switch (type) {
    case SignalType::kEmbedding:
    case SignalType::kUserFeedback:
    case SignalType::kFactCheck:
    case SignalType::kPreference:
    case SignalType::kModality:
    case SignalType::kKb:
      return true;
    default:
      return false;
  }
}

void append_text(std::string_view text, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{}:{};", text.size(), text);
}

// What rules of a type read beside their family.
void append_settings(const Config& config, SignalType type, std::string& out) {
  const auto to = std::back_inserter(out);
  const EmbeddingConfig& embedding = config.embedding;
  fmt::format_to(to, "{} {} {} {};", embedding.top_k, embedding.min_score_threshold,
                 embedding.enable_soft_matching, embedding.calibrated);
  const ClassifierConfig& classifier = config.classifier;
  fmt::format_to(to, "{} {} {};", classifier.domain_threshold, classifier.pii_threshold,
                 classifier.jailbreak_threshold);
  if (type == SignalType::kAuthz) {
    append_text(config.authz.user_id_header, out);
    append_text(config.authz.user_groups_header, out);
  }
  if (type != SignalType::kKb) return;
  for (const KnowledgeBase& kb : config.rules.knowledge_bases) {
    append_text(kb.name, out);
    for (const KbLabel& label : kb.labels) {
      append_text(label.name, out);
      fmt::format_to(to, "{};", label.threshold);
      for (const std::string& text : label.exemplars) append_text(text, out);
    }
    for (const KbGroup& group : kb.groups) {
      append_text(group.name, out);
      fmt::format_to(to, "{};", fmt::join(group.labels, ","));
    }
    for (const KbMetric& metric : kb.metrics) {
      append_text(metric.name, out);
      fmt::format_to(to, "{} {} {};", static_cast<int>(metric.type), metric.positive,
                     metric.negative);
    }
  }
}

}  // namespace

std::vector<uint64_t> rule_hashes(const Effective& recipe, const Config& config) {
  std::vector<uint64_t> out;
  const Effective* const families = child_of(child_of(&recipe, "routing"), "signals");
  for (const SignalInfo& info : config.signals) {
    if (info.type == SignalType::kProjection) {
      out.push_back(0);
      continue;
    }
    std::string described;
    append_text(leaf_name(info.type), described);
    append_text(info.name, described);
    append_settings(config, info.type, described);
    if (const Effective* family = child_of(families, family_name(info.type))) {
      const std::string_view name = std::string_view(info.name).substr(
          0, info.type == SignalType::kComplexity ? info.name.rfind(':') : info.name.size());
      const Effective* const rule = item_named(*family, name);
      append_canonical(rule == nullptr || is_ranked(info.type) ? *family : *rule, described);
    }
    out.push_back(XXH3_64bits(described.data(), described.size()));
  }
  return out;
}

Effective effective_recipe(const Node& root, const KeyTree& keys, const Config& config) {
  return Merger(config).mapping(&root, keys.root());
}

std::string policy_hash(const Effective& recipe, std::string_view more) {
  std::string canonical;
  append_canonical(recipe, canonical);
  canonical += more;
  return fmt::format("{:016x}", XXH3_64bits(canonical.data(), canonical.size()));
}

}  // namespace vsr::config
