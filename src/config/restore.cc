// restore_redacted() of show.h.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "config/emit.h"
#include "config/show.h"
#include "config/yaml.h"

namespace vsr::config {

namespace {

struct Hidden {
  const Node* edited = nullptr;
  const Node* original = nullptr;  // null: nothing stands there
  std::string path;
};

// Walks the edited tree and the original one side by side.
class Finder {
 public:
  void visit(const Node& edited, const Node* original, const std::string& path) {
    if (edited.kind == NodeKind::kScalar) {
      if (trim(edited.text) == kRedacted) {
        const bool usable = original != nullptr && original->kind == NodeKind::kScalar &&
                            !original->is_null() && original->block == edited.block &&
                            trim(original->text) != kRedacted;
        hidden.push_back({&edited, usable ? original : nullptr, path});
      }
      return;
    }
    for (size_t i = 0; i < edited.items.size(); ++i) {
      visit(*edited.items[i], item_like(*edited.items[i], original, i),
            fmt::format("{}[{}]", path, i));
    }
    for (const Entry& entry : edited.entries) {
      if (entry.merged) continue;  // it stands elsewhere, and is found there
      const Node* there = original != nullptr ? original->find(entry.key) : nullptr;
      visit(*entry.value, there, path.empty() ? entry.key : path + "." + entry.key);
    }
  }

  std::vector<Hidden> hidden;

 private:
  static const Node* item_like(const Node& item, const Node* list, size_t index) {
    if (list == nullptr || list->kind != NodeKind::kSequence) return nullptr;
    const Node* name = item.find("name");
    if (name == nullptr) return index < list->items.size() ? list->items[index] : nullptr;
    for (const Node* other : list->items) {
      const Node* other_name = other->find("name");
      if (other_name != nullptr && other_name->text == name->text) return other;
    }
    return nullptr;
  }
};

}  // namespace

Result<std::string> restore_redacted(std::string_view edited, std::string_view original) {
  if (edited.find(kRedacted) == std::string_view::npos) return std::string(edited);
  Diagnostics ignored("");
  const Document document = parse_yaml(edited, ignored);
  // Its errors are for whoever validates it.
  if (document.root() == nullptr) return std::string(edited);
  const Document before = parse_yaml(original, ignored);
  Finder finder;
  finder.visit(*document.root(), before.root(), "");
  std::ranges::sort(finder.hidden, {}, [](const Hidden& one) { return one.edited->begin; });
  std::string out;
  size_t copied = 0;
  for (const Hidden& one : finder.hidden) {
    if (one.original == nullptr) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} reads {}, and the running recipe has no value there to put in "
                              "its place; write the value, or ${{NAME}} for an environment "
                              "variable",
                              one.path, kRedacted),
                  ErrorSource::kClient);
    }
    if (one.edited->begin < copied) continue;  // seen through an alias
    out += edited.substr(copied, one.edited->begin - copied);
    // Lines of a block keep their indentation, so they are taken as they stand.
    out += one.original->block
               ? original.substr(one.original->begin, one.original->end - one.original->begin)
               : yaml_scalar(one.original->text, one.original->plain);
    copied = one.edited->end;
  }
  out += edited.substr(copied);
  return out;
}

}  // namespace vsr::config
