#include "config/keys.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "config/diagnostics.h"

namespace vsr::config {
namespace {

// Rows outlive every tree.
constexpr KeyRow kRoot;

// Cuts the last segment off: ("a.b[]", "c"), ("a.b", "[]"), ("", "a").
std::pair<std::string_view, std::string_view> split_last(std::string_view path) {
  if (path.ends_with("[]")) return {path.substr(0, path.size() - 2), "[]"};
  const size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return {"", path};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

}  // namespace

const Key* Key::find(std::string_view key) const {
  const auto found = std::ranges::find(children, key, &Key::name);
  return found == children.end() ? nullptr : *found;
}

std::vector<std::string_view> Key::child_names() const {
  std::vector<std::string_view> names;
  for (const Key* child : children) names.push_back(child->name);
  return names;
}

KeyTree::KeyTree() {
  root_ = &keys_.emplace_back();
  root_->row = &kRoot;
  for (const auto rows : {provider_keys(), routing_keys(), decision_keys(), global_keys()}) {
    for (const KeyRow& row : rows) insert(row);
  }
  // A link has the children of its target, which may be above it: the tree is then a graph.
  for (Key& key : keys_) {
    if (key.row->type != ValueType::kLink) continue;
    const Key* target = walk(key.row->choices);
    key.row = target->row;
    key.children = target->children;
    key.item = target->item;
  }
}

void KeyTree::insert(const KeyRow& row) {
  const auto [above, name] = split_last(row.path);
  Key* parent = walk(above);
  Key& key = keys_.emplace_back();
  key.name = name;
  key.row = &row;
  key.flags = row.flags | (parent->flags & (kStrict | kLenient | kOperator | kTypos));
  if (name == "[]" || name == "*") {
    parent->item = &key;
  } else {
    VSR_CHECK(parent->find(name) == nullptr, "two rows for {}", row.path);
    parent->children.push_back(&key);
  }
}

Key* KeyTree::walk(std::string_view path) {
  if (path.empty()) return root_;
  const auto [above, name] = split_last(path);
  Key* parent = walk(above);
  Key* found = nullptr;
  if (name == "[]" || name == "*") {
    found = parent->item;
  } else {
    const auto at = std::ranges::find(parent->children, name, &Key::name);
    if (at != parent->children.end()) found = *at;
  }
  VSR_CHECK(found != nullptr, "no row for {}", path);
  return found;
}

std::string describe(const KeyRow& row) {
  switch (row.type) {
    case ValueType::kMap:
    case ValueType::kNamed:
    case ValueType::kLink:
      return "a mapping";
    case ValueType::kList:
      return "a list";
    case ValueType::kStrings:
      return "a list of texts";
    case ValueType::kAny:
      return "anything";
    case ValueType::kText:
      return "a text";
    case ValueType::kTextOrMap:
      return "a text or a mapping";
    case ValueType::kBool:
      return "true or false";
    case ValueType::kInteger:
      return "a whole number";
    case ValueType::kCount:
      return "a whole number from 0";
    case ValueType::kNumber:
      return "a number";
    case ValueType::kAmount:
      return "a number from 0";
    case ValueType::kPositive:
      return "a number above 0";
    case ValueType::kUnit:
      return "a number from 0 to 1";
    case ValueType::kPort:
      return "a port from 1 to 65535";
    case ValueType::kDuration:
      return "a duration such as 1200s, 5m or 100ms";
    case ValueType::kTokens:
      return "a number of tokens such as 8K or 1M";
    case ValueType::kBytes:
      return "a number of bytes such as 65536, 64K or 64MiB";
    case ValueType::kChoice:
      return alternatives(split(row.choices, '|'));
  }
  VSR_CHECK(false, "no such type of value");
}

}  // namespace vsr::config
