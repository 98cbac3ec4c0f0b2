#include "config/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/strings.h"
#include "config/check.h"
#include "config/scalar.h"

namespace vsr::config {
namespace {

bool may_be(const KeyRow& item, NodeKind kind) {
  switch (item.type) {
    case ValueType::kAny:
      return true;
    case ValueType::kMap:
      return kind == NodeKind::kMapping;
    case ValueType::kTextOrMap:
      return kind != NodeKind::kSequence;
    case ValueType::kStrings:
    case ValueType::kList:
      return kind == NodeKind::kSequence;
    default:
      return kind == NodeKind::kScalar;
  }
}

}  // namespace

View View::operator[](std::string_view key) const {
  const bool known_row = key_ != nullptr && key_->row->type != ValueType::kAny;
  const Key* child = known_row ? key_->find(key) : nullptr;
  VSR_CHECK(child != nullptr || !known_row, "{} has no row for {}", path_, key);
  std::string path = path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
  if (node_ != nullptr) {
    for (const Entry& entry : node_->entries) {
      if (entry.key != key) continue;
      // A scalar is where its text is; a mapping or a list where its key is.
      const bool scalar = entry.value->kind == NodeKind::kScalar && !entry.value->is_null();
      return {entry.value, child, scalar ? entry.value->position : entry.position, std::move(path)};
    }
  }
  return {nullptr, child, position_, std::move(path)};
}

std::vector<View> View::items() const {
  std::vector<View> views;
  if (node_ == nullptr || node_->kind != NodeKind::kSequence) return views;
  const Key* item = key_ == nullptr ? nullptr : key_->item;
  for (size_t i = 0; i < node_->items.size(); ++i) {
    const NodeKind kind = node_->items[i]->kind;
    if (item != nullptr && !may_be(*item->row, kind)) continue;
    views.emplace_back(node_->items[i], item, node_->items[i]->position,
                       fmt::format("{}[{}]", path_, i));
  }
  return views;
}

std::vector<std::pair<std::string, View>> View::named() const {
  std::vector<std::pair<std::string, View>> views;
  if (node_ == nullptr) return views;
  const Key* item = key_ == nullptr ? nullptr : key_->item;
  for (const Entry& entry : node_->entries) {
    views.emplace_back(
        entry.key, View(entry.value, item, entry.position, fmt::format("{}.{}", path_, entry.key)));
  }
  return views;
}

const std::string* View::valid_text() const {
  if (!*this || node_->kind != NodeKind::kScalar) return nullptr;
  if (key_ != nullptr && !is_valid_scalar(*key_->row, node_->text)) return nullptr;
  return &node_->text;
}

std::optional<std::string> View::text() const {
  const std::string* text = valid_text();
  return text == nullptr ? std::nullopt : std::optional(*text);
}

std::vector<std::string> View::texts() const {
  std::vector<std::string> texts;
  if (!*this) return texts;
  if (node_->kind == NodeKind::kScalar) texts.push_back(node_->text);
  for (const Node* item : node_->items) {
    if (item->kind == NodeKind::kScalar) texts.push_back(item->text);
  }
  return texts;
}

std::optional<bool> View::boolean() const {
  const std::string* text = valid_text();
  return text == nullptr ? std::nullopt : parse_bool(*text);
}

std::optional<double> View::number() const {
  const std::string* text = valid_text();
  return text == nullptr ? std::nullopt : parse_number(*text);
}

std::optional<int64_t> View::integer() const {
  const std::string* text = valid_text();
  return text == nullptr ? std::nullopt : parse_integer(*text);
}

std::optional<uint64_t> View::duration_ms() const {
  const std::string* text = valid_text();
  return text == nullptr ? std::nullopt : parse_duration_ms(*text);
}

std::optional<uint64_t> View::tokens() const {
  const std::string* text = valid_text();
  return text == nullptr ? std::nullopt : parse_tokens(*text);
}

std::optional<uint64_t> View::bytes() const {
  const std::string* text = valid_text();
  return text == nullptr ? std::nullopt : parse_bytes(*text);
}

std::optional<size_t> View::choice() const {
  const std::string* text = valid_text();
  if (text == nullptr || key_ == nullptr) return std::nullopt;
  const auto choices = split(key_->row->choices, '|');
  for (size_t i = 0; i < choices.size(); ++i) {
    if (iequals(choices[i], *text)) return i;
  }
  return std::nullopt;
}

void read(const View& view, std::string& into) {
  if (auto text = view.text()) into = *std::move(text);
}

void read(const View& view, bool& into) { into = view.boolean().value_or(into); }

void read(const View& view, double& into) { into = view.number().value_or(into); }

void read(const View& view, int& into) {
  if (const auto number = view.integer()) {
    into = static_cast<int>(std::min<int64_t>(*number, std::numeric_limits<int>::max()));
  }
}

void read(const View& view, uint32_t& into) {
  if (const auto number = view.integer()) {
    into = static_cast<uint32_t>(std::min<int64_t>(*number, UINT32_MAX));
  }
}

void read(const View& view, std::optional<double>& into) {
  if (const auto number = view.number()) into = number;
}

void read(const View& view, std::vector<std::string>& into) {
  if (view) into = view.texts();
}

void read_tokens(const View& view, uint64_t& into) { into = view.tokens().value_or(into); }
void read_bytes(const View& view, uint64_t& into) { into = view.bytes().value_or(into); }
void read_duration(const View& view, uint64_t& into_ms) {
  into_ms = view.duration_ms().value_or(into_ms);
}
void read_count(const View& view, uint64_t& into) {
  if (const auto number = view.integer()) into = static_cast<uint64_t>(*number);
}

}  // namespace vsr::config
