#include "config/load.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <unordered_set>

#include "base/strings.h"
#include "config/build_rules.h"
#include "config/check.h"
#include "config/effective.h"

namespace vsr::config {
namespace {

constexpr std::string_view kVersion = "v0.3";

std::optional<std::string> process_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// Replaces ${VAR} in every text, each once however many aliases lead to it.
class Substituter {
 public:
  Substituter(const Environment& environment, Diagnostics& out)
      : environment_(environment), out_(out) {}

  void run(Node& node, std::string& path) {
    if (node.kind == NodeKind::kScalar) return text(node, path);
    if (!seen_.insert(&node).second) return;
    const size_t length = path.size();
    for (size_t i = 0; i < node.items.size(); ++i) {
      path += fmt::format("[{}]", i);
      run(*node.items[i], path);
      path.resize(length);
    }
    for (const Entry& entry : node.entries) {
      if (!path.empty()) path += '.';
      path += entry.key;
      run(*entry.value, path);
      path.resize(length);
    }
  }

 private:
  void text(Node& node, const std::string& path) {
    if (node.text.find("${") == std::string::npos || !seen_.insert(&node).second) return;
    Substitution result = substitute(node.text, environment_);
    if (!result.unset.empty()) {
      out_.add(Severity::kError, node.position, path,
               fmt::format("environment variable {} is not set; set it or write ${{{}:-DEFAULT}}",
                           result.unset, result.unset),
               result.unset, "a variable that is set");
      node.plain = true;  // reads as nothing, so that its type is not complained about as well
      node.text.clear();
      return;
    }
    node.substituted = result.text != node.text;
    node.text = std::move(result.text);
  }

  const Environment& environment_;
  Diagnostics& out_;
  std::unordered_set<const Node*> seen_;
};

void check_version(Build& build, const View& view) {
  const std::string found = view.text().value_or("");
  if (found == kVersion) return;
  const bool older = found.starts_with("v0.1") || found.starts_with("v0.2") || found.empty();
  build.error(view,
              fmt::format("{}; this program reads {}{}",
                          found.empty() ? "missing" : fmt::format("found {}", quote(found)),
                          kVersion, older ? "; vllm-sr config migrate converts older files" : ""),
              found, std::string(kVersion));
}

// The routing block that is acted on: `routing`, or else that of the first recipe.
View effective_routing(Build& build, const View& root) {
  const View routing = root["routing"];
  const std::vector<View> recipes = root["recipes"].items();
  const bool first = !routing && !recipes.empty();
  read(root["name"], build.config.name);
  if (first) read(recipes.front()["name"], build.config.name);
  for (size_t i = first ? 1 : 0; i < recipes.size(); ++i) {
    build.warn(recipes[i], fmt::format("accepted, not acted on yet: only {} is",
                                       first ? "the first recipe" : "routing"));
  }
  return first ? recipes.front()["routing"] : routing;
}

void build_all(Build& build, const View& root) {
  check_version(build, root["version"]);
  const View routing = effective_routing(build, root);
  const View global = root["global"];
  const View router = global["router"];
  build_listeners(build, root["listeners"]);
  build_models(build, root["providers"], routing["modelCards"]);
  build_thresholds(build, global["model_catalog"]);
  build_knowledge_bases(build, global["model_catalog"]["kbs"]);
  build_signals(build, routing["signals"]);
  build_projections(build, routing["projections"]);
  build_global(build, global);
  build_learning(build, router["learning"]);
  build_decisions(build, routing, router);
  build_ladder(build, router["learning"]["policy"]["ladder"]);
  build_auto_names(build, router, root["entrypoints"]);
}

// What decides about requests and stands in other files than the recipe.
std::string texts_of_files(const Config& config) {
  std::string out;
  for (const KnowledgeBase& kb : config.rules.knowledge_bases) {
    if (!kb.from_file) continue;
    for (const KbLabel& label : kb.labels) {
      out += fmt::format("{} {} {}\n", kb.name.size(), kb.name, label.name);
      for (const std::string& text : label.exemplars)
        out += fmt::format("{} {}\n", text.size(), text);
    }
  }
  for (const Decision& decision : config.decisions) {
    if (!decision.algorithm.outcomes_from_file) continue;
    for (const Outcome& outcome : decision.algorithm.outcomes) {
      out += fmt::format("{} {} {} {} {}\n", decision.name, outcome.model, outcome.quality,
                         outcome.prompt.size(), outcome.prompt);
    }
  }
  return out;
}

}  // namespace

LoadResult load_text(std::string_view yaml, std::string filename, const LoadOptions& options) {
  Effective recipe;
  return load_effective(yaml, std::move(filename), options, recipe);
}

LoadResult load_effective(std::string_view yaml, std::string filename, const LoadOptions& options,
                          Effective& recipe) {
  const Environment environment =
      options.environment ? options.environment : Environment(process_environment);
  Diagnostics out(filename);
  LoadResult result;
  Document document = parse_yaml(yaml, out);
  if (document.root() == nullptr || document.root()->is_null()) {
    if (!out.has_errors()) {
      out.add(Severity::kError, {}, "",
              "the file is empty; a recipe begins with \"version: v0.3\"");
    }
    result.diagnostics = out.take();
    return result;
  }
  std::string path;
  Substituter(environment, out).run(*document.root(), path);
  const KeyTree keys;
  check_document(*document.root(), keys, out);
  if (document.root()->kind == NodeKind::kMapping) {
    auto config = std::make_shared<Config>();
    config->file = std::move(filename);
    Build build{*config, out, environment};
    build_all(build, View(document.root(), &keys.root(), {}, ""));
    if (!out.has_errors()) {
      recipe = effective_recipe(*document.root(), keys, *config);
      config->hash = policy_hash(recipe, texts_of_files(*config));
      config->rule_hashes = rule_hashes(recipe, *config);
      result.config = std::move(config);
    }
  }
  result.diagnostics = out.take();
  return result;
}

Result<std::string> read_recipe(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(ErrorCode::kNotFound,
                fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  }
  std::string text(kYamlBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.fail() && !file.eof())) {
    return fail(ErrorCode::kIo, fmt::format("cannot read {}", path));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

LoadResult load_file(const std::string& path, const LoadOptions& options) {
  Result<std::string> text = read_recipe(path);
  if (text) return load_text(*text, path, options);
  Diagnostics out(path);
  out.add(Severity::kError, {}, "", text.error().message);
  return {nullptr, out.take()};
}

}  // namespace vsr::config
