#include <fmt/format.h>

#include "base/strings.h"
#include "config/build.h"

namespace vsr::config {
namespace {

// Settings of a plugin beyond this are not taken over.
constexpr size_t kPluginSettingsMax = 10'000;

struct PluginType {
  std::string_view name;
  bool acted_on;
};

constexpr PluginType kPluginTypes[] = {
    {"router_replay", true},   {"system_prompt", true},
    {"header_mutation", true}, {"fast_response", true},
    {"request_params", true},  {"response_cache", false},
    {"tools", false},          {"tool_selection", false},
    {"hallucination", false},  {"response_jailbreak", false},
    {"memory", false},         {"rag", false},
    {"image_gen", false},      {"pii", false},
    {"jailbreak", false},
};

// Scalars under `node` by dotted name; items of a list by their number.
void flatten(const Node& node, const std::string& name, std::map<std::string, std::string>& into) {
  if (into.size() >= kPluginSettingsMax) return;
  const auto below = [&](std::string_view part) {
    return name.empty() ? std::string(part) : fmt::format("{}.{}", name, part);
  };
  switch (node.kind) {
    case NodeKind::kScalar:
      if (!node.is_null()) into.emplace(name, node.text);
      break;
    case NodeKind::kSequence:
      for (size_t i = 0; i < node.items.size(); ++i) {
        flatten(*node.items[i], below(std::to_string(i)), into);
      }
      break;
    case NodeKind::kMapping:
      for (const Entry& entry : node.entries) flatten(*entry.value, below(entry.key), into);
      break;
  }
}

// add and update set a header, delete and remove drop one; set is a plain mapping.
void header_mutation(Build& build, const View& view, Plugin& plugin) {
  for (const char* key : {"add", "update"}) {
    for (const View& header : view[key].items()) {
      const std::string name = build.required(header["name"]);
      plugin.set_headers.emplace_back(to_lower(name), header["value"].text().value_or(""));
    }
  }
  for (const auto& [name, value] : view["set"].named()) {
    plugin.set_headers.emplace_back(to_lower(name), value.text().value_or(""));
  }
  for (const char* key : {"delete", "remove"}) {
    for (const std::string& name : view[key].texts()) {
      plugin.remove_headers.push_back(to_lower(name));
    }
  }
}

std::string canonical_type(std::string_view name) {
  std::string type = to_lower(name);
  for (char& c : type) {
    if (c == '-') c = '_';
  }
  return type == "semantic_cache" ? "response_cache" : type;
}

}  // namespace

void build_plugins(Build& build, const View& list, Decision& decision) {
  for (const View& view : list.items()) {
    Plugin plugin;
    const View type_at = view["type"];
    const std::string written = build.required(type_at);
    if (written.empty()) continue;
    plugin.type = canonical_type(written);
    plugin.position = type_at.position();
    const PluginType* known = nullptr;
    std::vector<std::string_view> names;
    for (const PluginType& type : kPluginTypes) {
      names.push_back(type.name);
      if (type.name == plugin.type) known = &type;
    }
    const View settings = view["configuration"];
    if (settings) flatten(*settings.node(), "", plugin.settings);
    if (settings) read(settings["enabled"], plugin.enabled);
    if (plugin.type == "header_mutation" && settings) header_mutation(build, settings, plugin);
    if (known == nullptr) {
      const std::string_view close = nearest(plugin.type, names);
      build.warn(type_at,
                 fmt::format("unknown plugin {}; {}", quote(written),
                             close.empty() ? "it is ignored"
                                           : fmt::format("did you mean {}?", quote(close))),
                 written, std::string(close));
    } else if (!known->acted_on) {
      build.warn(type_at, fmt::format("plugin {}: accepted, not acted on yet", quote(written)),
                 written);
    }
    decision.plugins.push_back(std::move(plugin));
  }
}

}  // namespace vsr::config
