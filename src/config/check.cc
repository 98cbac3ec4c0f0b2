#include "config/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/strings.h"
#include "config/scalar.h"

namespace vsr::config {
namespace {

std::string_view kind_name(NodeKind kind) {
  switch (kind) {
    case NodeKind::kScalar:
      return "a text";
    case NodeKind::kSequence:
      return "a list";
    case NodeKind::kMapping:
      return "a mapping";
  }
  return "";
}

std::string found_text(const Node& node) {
  return node.kind == NodeKind::kScalar ? node.text : std::string(kind_name(node.kind));
}

std::string found_phrase(const Node& node) {
  return node.kind == NodeKind::kScalar ? quote(node.text) : std::string(kind_name(node.kind));
}

// Further from a known key than this, an unknown one may be of another version of the schema.
constexpr size_t kTypoEdits = 2;

class Checker {
 public:
  Checker(const KeyTree& keys, Diagnostics& out) : keys_(keys), out_(out) {}

  void run(const Node& root) {
    if (root.kind != NodeKind::kMapping) {
      out_.add(Severity::kError, root.position, "",
               fmt::format("a recipe is a mapping that begins with \"version: v0.3\", found {}",
                           found_phrase(root)),
               found_text(root), "a mapping");
      return;
    }
    std::string path;
    map(root, keys_.root(), path);
    for (const auto& [key, place] : accepted_) {
      out_.add(Severity::kWarning, place.position, place.path,
               fmt::format("accepted, not acted on yet{}", count_phrase(place.count)));
    }
    if (built_in_.count > 0) {
      out_.add(Severity::kNote, built_in_.position, built_in_.path,
               fmt::format("ignored, the models it names are built in here{}",
                           count_phrase(built_in_.count)));
    }
  }

 private:
  struct Place {
    Position position;
    std::string path;
    size_t count = 0;
  };

  static std::string count_phrase(size_t count) {
    return count > 1 ? fmt::format(" (and {} more like it)", count - 1) : std::string();
  }

  static void note(Place& place, Position position, const std::string& path) {
    if (place.count++ == 0) {
      place.position = position;
      place.path = path;
    }
  }

  void map(const Node& node, const Key& key, std::string& path) {
    for (const Entry& entry : node.entries) {
      const size_t length = path.size();
      if (!path.empty()) path += '.';
      path += entry.key;
      const Key* child = key.row->type == ValueType::kNamed ? key.item : key.find(entry.key);
      if (child == nullptr) {
        unknown(entry, key, path);
      } else if (use(*child, entry.position, path)) {
        value(*entry.value, *child, path);
      }
      path.resize(length);
    }
  }

  // Says what is to be said of a key that nothing acts on. False if its value does not matter.
  bool use(const Key& key, Position position, const std::string& path) {
    switch (key.row->use) {
      case Use::kAccepted:
        note(accepted_[key.row], position, path);
        return true;
      case Use::kBuiltIn:
        note(built_in_, position, path);
        return false;
      case Use::kUsed:
      case Use::kNeedless:
        return true;
    }
    return true;
  }

  void unknown(const Entry& entry, const Key& parent, const std::string& path) {
    if ((parent.flags & kLenient) != 0) {
      note(built_in_, entry.position, path);
      return;
    }
    const std::vector<std::string_view> names = parent.child_names();
    const std::string_view close = nearest(entry.key, names);
    std::string message = fmt::format("unknown key {}", quote(entry.key));
    if (!close.empty()) {
      message += fmt::format("; did you mean {}?", quote(close));
    } else {
      message += fmt::format("; known here: {}", fmt::join(names, ", "));
    }
    // A rule without its threshold or history, or a recipe without its listeners, is another one.
    const bool is_typo = ((parent.flags & kTypos) != 0 || &parent == &keys_.root()) &&
                         !close.empty() && edit_distance(entry.key, close) <= kTypoEdits;
    const bool strict = (parent.flags & kStrict) != 0 || is_typo;
    out_.add(strict ? Severity::kError : Severity::kWarning, entry.position, path,
             std::move(message), entry.key,
             close.empty() ? fmt::format("{}", fmt::join(names, ", ")) : std::string(close));
  }

  void value(const Node& node, const Key& key, std::string& path) {
    if (node.is_null()) return;  // as if it were absent
    switch (key.row->type) {
      case ValueType::kAny:
        return;
      case ValueType::kMap:
      case ValueType::kNamed:
        if (node.kind == NodeKind::kMapping) return map(node, key, path);
        return wrong(node, key, path);
      case ValueType::kTextOrMap:
        if (node.kind == NodeKind::kMapping) return map(node, key, path);
        if (node.kind == NodeKind::kScalar) return;
        return wrong(node, key, path);
      case ValueType::kList:
        if (node.kind == NodeKind::kSequence) return list(node, key, path);
        return wrong(node, key, path);
      case ValueType::kStrings:
        if (node.kind == NodeKind::kSequence) return texts(node, path);
        if (node.kind != NodeKind::kScalar) wrong(node, key, path);
        return;
      default:
        if (node.kind != NodeKind::kScalar || !is_valid_scalar(*key.row, node.text)) {
          wrong(node, key, path);
        }
    }
  }

  void list(const Node& node, const Key& key, std::string& path) {
    const size_t length = path.size();
    for (size_t i = 0; i < node.items.size(); ++i) {
      path += fmt::format("[{}]", i);
      const Node& item = *node.items[i];
      if (item.is_null() && key.item->row->type != ValueType::kAny) {
        wrong(item, *key.item, path);
      } else {
        value(item, *key.item, path);
      }
      path.resize(length);
    }
  }

  void texts(const Node& node, const std::string& path) {
    for (size_t i = 0; i < node.items.size(); ++i) {
      const Node& item = *node.items[i];
      if (item.kind == NodeKind::kScalar) continue;
      out_.add(Severity::kError, item.position, fmt::format("{}[{}]", path, i),
               fmt::format("expected a text, found {}", kind_name(item.kind)),
               std::string(kind_name(item.kind)), "a text");
    }
  }

  void wrong(const Node& node, const Key& key, const std::string& path) {
    const std::string allowed = describe(*key.row);
    std::string message = fmt::format("expected {}, found {}", allowed,
                                      node.is_null() ? "nothing" : found_phrase(node));
    if (key.row->type == ValueType::kChoice && node.kind == NodeKind::kScalar) {
      const std::string_view close = nearest(node.text, split(key.row->choices, '|'));
      if (!close.empty()) message += fmt::format("; did you mean {}?", quote(close));
    }
    out_.add(Severity::kError, node.position, path, std::move(message), found_text(node), allowed);
  }

  const KeyTree& keys_;
  Diagnostics& out_;
  std::map<const KeyRow*, Place> accepted_;
  Place built_in_;
};

bool in_range(std::optional<double> number, double low, double high) {
  return number && *number >= low && *number <= high;
}

// The largest count: beyond it a double no longer holds every whole number.
constexpr int64_t kCountMax = int64_t{1} << 53;

}  // namespace

bool is_valid_scalar(const KeyRow& row, std::string_view text) {
  switch (row.type) {
    case ValueType::kBool:
      return parse_bool(text).has_value();
    case ValueType::kInteger: {
      const auto number = parse_integer(text);
      return number && *number >= INT32_MIN && *number <= INT32_MAX;
    }
    case ValueType::kCount: {
      const auto number = parse_integer(text);
      return number && *number >= 0 && *number <= kCountMax;
    }
    case ValueType::kNumber:
      return parse_number(text).has_value();
    case ValueType::kAmount:
      return in_range(parse_number(text), 0, 1e300);
    case ValueType::kPositive:
      return in_range(parse_number(text), 1e-300, 1e300);
    case ValueType::kUnit:
      return in_range(parse_number(text), 0, 1);
    case ValueType::kPort: {
      const auto number = parse_integer(text);
      return number && *number >= 1 && *number <= 65'535;
    }
    case ValueType::kDuration:
      return parse_duration_ms(text).has_value();
    case ValueType::kTokens:
      return parse_tokens(text).has_value();
    case ValueType::kBytes:
      return parse_bytes(text).has_value();
    case ValueType::kChoice: {
      if (text.empty()) return true;  // the default
      const auto choices = split(row.choices, '|');
      return std::ranges::any_of(choices, [&](auto choice) { return iequals(choice, text); });
    }
    default:
      return true;
  }
}

void check_document(const Node& root, const KeyTree& keys, Diagnostics& diagnostics) {
  Checker(keys, diagnostics).run(root);
}

}  // namespace vsr::config
