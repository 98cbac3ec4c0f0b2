#include "config/effective.h"

#include <fmt/format.h>
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

}  // namespace

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
