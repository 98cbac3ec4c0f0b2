#include "config/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_set>

#include "base/strings.h"
#include "config/effective.h"
#include "config/emit.h"

namespace vsr::config {
namespace {

// Keys that hold secrets wherever they stand, for parts that the key table does not describe.
bool is_secret_name(std::string_view name) {
  const std::string lower = to_lower(name);
  for (const std::string_view part :
       {"password", "passwd", "secret", "api_key", "apikey", "api-key", "access_key", "private_key",
        "credential", "authorization", "cookie"}) {
    // A key that names a variable holds no secret.
    if (lower.find(part) != std::string::npos) return !lower.ends_with("_env");
  }
  return lower == "token" || lower.ends_with("_token") || lower.ends_with("-token");
}

// user:password@ in an address.
bool has_user_info(std::string_view text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view authority = text.substr(scheme + 3);
  return authority.substr(0, authority.find('/')).find('@') != std::string_view::npos;
}

bool only_names_a_variable(std::string_view text) {
  return text.starts_with("${") && text.find('}') == text.size() - 1 &&
         text.find(":-") == std::string_view::npos;
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// Effective values as nodes for the emitter, with a comment for each scalar.
class Shower {
 public:
  explicit Shower(std::string file) : file_(std::move(file)) {}

  std::string run(const Effective& recipe) {
    const Node* root = node(recipe, false, "");
    return emit_yaml(*root, comments_);
  }

 private:
  Node* node(const Effective& from, bool secret, std::string_view origin_note) {
    secret =
        secret || (from.flags & kSecret) != 0 || (from.row == nullptr && is_secret_name(from.name));
    std::string note(origin_note);
    if (from.row != nullptr && from.row->use == Use::kAccepted) note = ", not acted on yet";
    Node* made = document_.make(from.kind, {});
    switch (from.kind) {
      case NodeKind::kMapping:
        for (const Effective& child : from.children) {
          // Names of keys hold no secret, and only the marked keys below them do.
          const bool below =
              (secret && from.row == nullptr) || (child.name == "value" && names_a_secret(from));
          made->entries.push_back({child.name, {}, node(child, below, note), false});
        }
        break;
      case NodeKind::kSequence:
        for (const Effective& child : from.children) {
          made->items.push_back(node(child, secret, note));
        }
        if (from.children.empty() || is_flat(from)) comments_[made] = origin(from, note);
        break;
      case NodeKind::kScalar: {
        const bool hide = !from.value.empty() && (secret || has_user_info(from.value));
        made->text = hide ? std::string(kRedacted) : from.value;
        made->plain = from.plain && !hide;
        comments_[made] = origin(from, note);
        break;
      }
    }
    return made;
  }

  // {name: Authorization, value: …}, as plugins write headers.
  static bool names_a_secret(const Effective& map) {
    const auto name = std::ranges::find(map.children, "name", &Effective::name);
    return name != map.children.end() && is_secret_name(name->value);
  }

  static bool is_flat(const Effective& list) {
    return std::ranges::all_of(list.children,
                               [](const auto& c) { return c.kind == NodeKind::kScalar; });
  }

  std::string origin(const Effective& from, const std::string& note) const {
    switch (from.origin) {
      case Origin::kFile:
        return fmt::format("{}:{}{}", file_, from.line, note);
      case Origin::kEnvironment:
        return fmt::format("{}:{}, environment{}", file_, from.line, note);
      case Origin::kDefault:
        return "default";
      case Origin::kComputed:
        return "computed";
    }
    return {};
  }

  std::string file_;
  Document document_;
  Comments comments_;
};

// Finds the scalars of a document that hold secrets.
class SecretFinder {
 public:
  void visit(const Node& node, const Key* key, bool secret) {
    secret = secret || (key != nullptr && (key->flags & kSecret) != 0);
    if (node.kind == NodeKind::kScalar) {
      const bool hide = secret || has_user_info(node.text);
      if (hide && !node.is_null() && !node.text.empty() && !only_names_a_variable(node.text))
        found_.insert(&node);
      return;
    }
    if (!seen_.insert({&node, key}).second) return;
    const bool known = key != nullptr && key->row->type != ValueType::kAny;
    for (const Node* item : node.items) visit(*item, known ? key->item : nullptr, secret);
    for (const Entry& entry : node.entries) {
      const Key* child = !known                                ? nullptr
                         : key->row->type == ValueType::kNamed ? key->item
                                                               : key->find(entry.key);
      const bool by_name = child == nullptr && (is_secret_name(entry.key) ||
                                                (entry.key == "value" && names_a_secret(node)));
      visit(*entry.value, child, by_name || (secret && !known));
    }
  }

  static bool names_a_secret(const Node& map) {
    const Node* name = map.find("name");
    return name != nullptr && is_secret_name(name->text);
  }

  std::vector<const Node*> take() {
    std::vector<const Node*> nodes(found_.begin(), found_.end());
    std::ranges::sort(nodes, {}, &Node::begin);
    return nodes;
  }

 private:
  std::unordered_set<const Node*> found_;
  std::set<std::pair<const Node*, const Key*>> seen_;
};

}  // namespace

ShowResult show_effective(std::string_view yaml, const std::string& filename,
                          const LoadOptions& options) {
  ShowResult result;
  Effective recipe;
  LoadResult loaded = load_effective(yaml, filename, options, recipe);
  result.diagnostics = std::move(loaded.diagnostics);
  if (loaded.config) {
    result.yaml = fmt::format("# {}, policy {}\n{}", filename, loaded.config->hash,
                              Shower(base_name(filename)).run(recipe));
  }
  return result;
}

std::string redact_yaml(std::string_view yaml) {
  Diagnostics ignored("");
  const Document document = parse_yaml(yaml, ignored);
  if (document.root() == nullptr) {
    return "# withheld: the text is no YAML, so its secrets cannot be told from the rest\n";
  }
  const KeyTree keys;
  SecretFinder finder;
  finder.visit(*document.root(), &keys.root(), false);
  const std::vector<const Node*> secrets = finder.take();
  std::string out;
  size_t copied = 0;
  for (const Node* secret : secrets) {
    if (secret->begin < copied || secret->end > yaml.size()) continue;
    out += yaml.substr(copied, secret->begin - copied);
    if (secret->block) {
      // Its lines keep their indentation.
      const std::string_view span = yaml.substr(secret->begin, secret->end - secret->begin);
      out += span.substr(0, span.find_first_not_of(' '));
      out += kRedacted;
      if (span.ends_with('\n')) out += '\n';
    } else {
      out += fmt::format("\"{}\"", kRedacted);
    }
    copied = secret->end;
  }
  out += yaml.substr(copied);
  return out;
}

}  // namespace vsr::config
