#include "app/recipes.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "config/show.h"
#include "eval/probes.h"
#include "json/value.h"
#include "json/writer.h"
#include "store/replay.h"
#include "text/utf8.h"

namespace vsr::app {

namespace fs = std::filesystem;
using operator_api::Activation;
using operator_api::Refusal;

namespace {

// Time of the last change of a file in ns, 0 if it is not there.
int64_t changed_at(const std::string& path) {
  struct stat info{};
  if (path.empty() || stat(path.c_str(), &info) != 0) return 0;
  return static_cast<int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec;
}

std::string tag_of(std::string_view text) { return store::identity_hash(text); }

std::unexpected<Refusal> refused(int status, std::string code, std::string message,
                                 std::vector<config::Diagnostic> diagnostics = {}) {
  return std::unexpected(
      Refusal{{status, std::move(code), "", std::move(message)}, std::move(diagnostics)});
}

// The first sentence of the comment at the top of a recipe.
std::string title_of(std::string_view yaml) {
  std::string text;
  while (yaml.starts_with('#')) {
    const size_t end = yaml.find('\n');
    const std::string_view line = trim(yaml.substr(1, end == yaml.npos ? yaml.npos : end - 1));
    text += (text.empty() ? "" : " ") + std::string(line);
    if (end == std::string_view::npos || text.find(". ") != std::string::npos) break;
    yaml.remove_prefix(end + 1);
  }
  const size_t sentence = text.find(". ");
  if (sentence != std::string::npos) text.resize(sentence);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// The start of the last user message of a chat request.
std::string last_prompt(std::string_view body) {
  constexpr size_t kBytesShown = 400;
  const Result<json::Value> request = json::Value::parse(body);
  std::string prompt;
  if (!request) return prompt;
  for (const json::Value& message : (*request)["messages"].items()) {
    if (message["role"].as_string() == "user") prompt = message["content"].as_string();
  }
  if (prompt.size() > kBytesShown) prompt.resize(text::floor_code_point(prompt, kBytesShown));
  return prompt;
}

bool same_listeners(const config::Config& a, const config::Config& b) {
  return std::ranges::equal(a.listeners, b.listeners, [](const auto& x, const auto& y) {
    return x.address == y.address && x.port == y.port;
  });
}

}  // namespace

Recipes::Recipes(Parts parts)
    : parts_(std::move(parts)), versions_(parts_.state_folder + "/recipes"), path_(parts_.path) {}

std::string Recipes::path() const {
  const std::lock_guard lock(mutex_);
  return path_;
}

std::string Recipes::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

Recipes::ConfigPtr Recipes::config() const {
  const std::lock_guard lock(mutex_);
  return config_;
}

void Recipes::note(std::string path, ConfigPtr config, std::string problem) {
  const std::lock_guard lock(mutex_);
  path_ = std::move(path);
  config_ = std::move(config);
  problem_ = std::move(problem);
}

void Recipes::keep(std::string_view text, const config::Config& config, std::string_view source) {
  const Result<uint64_t> kept = versions_.keep(text, config.hash, source);
  if (!kept) spdlog::warn("this version of the recipe is not kept: {}", kept.error().message);
}

std::expected<Recipes::ConfigPtr, int> Recipes::load() {
  const std::lock_guard lock(change_mutex_);
  const std::string file = path();
  if (file.empty()) return nullptr;
  changed_at_ = changed_at(file);
  const config::LoadResult loaded = config::load_file(file);
  fmt::print(stderr, "{}", config::format_all(loaded.diagnostics));
  if (!loaded.config) {
    fmt::print(stderr, "{} cannot be served; mend the errors above\n", file);
    return std::unexpected(2);
  }
  first_ = loaded.config;
  note(file, loaded.config, "");
  if (const auto text = config::read_recipe(file)) keep(*text, *loaded.config, "start");
  return loaded.config;
}

void Recipes::reload_if_changed(bool force, std::string_view why) {
  const std::lock_guard lock(change_mutex_);
  const std::string file = path();
  const int64_t changed = changed_at(file);
  if (changed == 0 || (!force && changed == changed_at_)) return;
  changed_at_ = changed;
  const config::LoadResult loaded = config::load_file(file);
  std::string problem;
  if (!loaded.config) {
    problem = config::format_all(loaded.diagnostics);
  } else if (const auto put = parts_.prepare(loaded.config)) {
    (*put)();
    note(file, loaded.config, "");
    spdlog::info("recipe reloaded ({}): {}", why, loaded.config->hash);
    for (const std::string& one : notes_for(*loaded.config)) spdlog::warn("{}", one);
    if (const auto text = config::read_recipe(file)) keep(*text, *loaded.config, "file");
    return;
  } else {
    problem = put.error().message;
  }
  spdlog::error("the changed recipe is not used, the old one keeps running:\n{}", problem);
  note(file, config(), std::move(problem));
}

Result<operator_api::RunningRecipe> Recipes::running() {
  const std::string file = path();
  if (file.empty()) {
    return fail(ErrorCode::kNotFound, "no recipe is active", ErrorSource::kClient);
  }
  const Result<std::string> text = config::read_recipe(file);
  if (!text) return std::unexpected(text.error());
  return operator_api::RunningRecipe{config::redact_yaml(*text), tag_of(*text)};
}

std::vector<std::string> Recipes::notes_for(const config::Config& next) const {
  std::vector<std::string> notes;
  const config::Config defaults;
  const config::Config& opened = first_ ? *first_ : defaults;
  if (!next.listeners.empty() && first_ && !same_listeners(opened, next)) {
    notes.emplace_back("the listeners change at the next start");
  }
  if (opened.replay.enabled != next.replay.enabled ||
      opened.replay.backend != next.replay.backend) {
    notes.emplace_back("where records are kept changes at the next start");
  }
  if (opened.learning.state_ttl_seconds != next.learning.state_ttl_seconds) {
    notes.emplace_back("how long sessions are remembered changes at the next start");
  }
  return notes;
}

std::expected<Activation, Refusal> Recipes::put_in_use(const std::string& text,
                                                       std::string_view source) {
  const std::string file = path();
  const std::string target = file.empty() ? parts_.state_folder + "/config.yaml" : file;
  // The name counts: files that a recipe names are looked for beside it.
  config::LoadResult loaded = config::load_text(text, target);
  if (!loaded.config) {
    const auto first = std::ranges::find(loaded.diagnostics, config::Severity::kError,
                                         &config::Diagnostic::severity);
    return refused(400, "invalid_recipe",
                   fmt::format("the recipe has errors and is not activated; the first is {}",
                               config::format(*first)),
                   std::move(loaded.diagnostics));
  }
  const auto put = parts_.prepare(loaded.config);
  if (!put) return refused(400, "invalid_recipe", put.error().message);
  if (const Status written = replace_file(target, text); !written) {
    return refused(409, "recipe_not_written",
                   written.error().message +
                       "; the recipe that runs is unchanged. Make the file "
                       "writable, or edit it where it comes from");
  }
  (*put)();
  changed_at_ = changed_at(target);
  note(target, loaded.config, "");
  spdlog::info("recipe activated ({}): {}", source, loaded.config->hash);
  keep(text, *loaded.config, source);
  const std::vector<RecipeVersion> kept = versions_.list();
  return Activation{kept.empty() ? 0 : kept.front().id, loaded.config->hash,
                    std::move(loaded.diagnostics), notes_for(*loaded.config)};
}

std::expected<Activation, Refusal> Recipes::activate(std::string_view yaml,
                                                     std::string_view if_match) {
  const std::lock_guard lock(change_mutex_);
  std::string current;
  if (const std::string file = path(); !file.empty()) {
    if (const auto text = config::read_recipe(file)) current = *text;
  }
  if (!if_match.empty() && if_match != tag_of(current)) {
    return refused(412, "recipe_changed",
                   "the running recipe is another one than the one that was edited: somebody "
                   "changed it since. Load it again and repeat the change");
  }
  const Result<std::string> text = config::restore_redacted(yaml, current);
  if (!text) return refused(400, "secret_missing", text.error().message);
  return put_in_use(*text, "put");
}

std::expected<Activation, Refusal> Recipes::roll_back(uint64_t version) {
  const std::lock_guard lock(change_mutex_);
  const Result<std::string> text = versions_.text(version);
  if (!text) return refused(404, "unknown_version", text.error().message);
  return put_in_use(*text, "rollback");
}

std::vector<operator_api::KeptVersion> Recipes::versions() {
  const std::lock_guard lock(change_mutex_);
  std::vector<operator_api::KeptVersion> out;
  for (const RecipeVersion& version : versions_.list()) {
    // The file in use may be broken by now; what runs is the version kept last.
    out.push_back({version.id, version.activated_at, version.policy, version.source, version.bytes,
                   out.empty() && config() != nullptr});
  }
  return out;
}

Result<std::string> Recipes::version_text(uint64_t id) {
  const std::lock_guard lock(change_mutex_);
  const Result<std::string> text = versions_.text(id);
  if (!text) return text;
  return config::redact_yaml(*text);
}

std::vector<std::pair<std::string, std::string>> Recipes::shipped() {
  std::vector<std::pair<std::string, std::string>> out;
  std::error_code error;
  for (fs::directory_iterator it(parts_.shipped_folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.ends_with(".yaml") || name.ends_with(".probes.yaml")) continue;
    const Result<std::string> text = config::read_recipe(it->path().string());
    if (text) out.emplace_back(name.substr(0, name.size() - 5), title_of(*text));
  }
  std::ranges::sort(out);
  return out;
}

Result<std::string> Recipes::shipped_text(std::string_view name) {
  for (const auto& [known, title] : shipped()) {
    if (known == name) {
      return config::read_recipe(fmt::format("{}/{}.yaml", parts_.shipped_folder, known));
    }
  }
  return fail(ErrorCode::kNotFound, fmt::format("no recipe {} came with this program", name),
              ErrorSource::kClient);
}

wire::ApiResult<std::string> Recipes::run_probes(std::string_view yaml, std::string_view probes) {
  const auto wrong = [](std::string code, std::string message) {
    return std::unexpected(wire::ApiError{400, std::move(code), "", std::move(message)});
  };
  ConfigPtr recipe = config();
  const std::string file_in_use = path();
  if (!yaml.empty()) {
    const config::LoadResult loaded =
        config::load_text(yaml, file_in_use.empty() ? "recipe.yaml" : file_in_use);
    if (!loaded.config) return wrong("invalid_recipe", config::format_all(loaded.diagnostics));
    recipe = loaded.config;
  }
  if (!recipe) return wrong("not_configured", "no recipe is active; send one as `config`");
  std::string text(probes);
  std::string file = "probes";
  if (text.empty()) {
    file = fs::path(file_in_use).replace_extension(".probes.yaml").string();
    const Result<std::string> beside = config::read_recipe(file);
    if (!beside) {
      return wrong("no_probes", fmt::format("there are no probes beside the recipe ({}); send them "
                                            "as `probes`",
                                            file));
    }
    text = *beside;
  }
  const Result<std::vector<eval::Probe>> loaded = eval::load_probes(text, file);
  if (!loaded) return wrong("invalid_probes", loaded.error().message);
  if (loaded->size() > kProbesMax) {
    return wrong("invalid_probes", fmt::format("{} probes are more than the {} that are run here; "
                                               "use vllm-sr eval --probes",
                                               loaded->size(), kProbesMax));
  }
  const auto router = parts_.make_router(recipe);
  if (!router) return wrong("invalid_recipe", router.error().message);

  struct Count {
    uint64_t passed = 0;
    uint64_t failed = 0;
  };
  std::map<std::string, Count> by_decision;
  Count all;
  json::JsonWriter failures;
  failures.begin_array();
  for (const eval::Probe& probe : *loaded) {
    const eval::ProbeResult result = eval::run_probe(**router, probe, *parts_.clock);
    Count& count = by_decision[probe.decision];
    ++(result.passed ? count.passed : count.failed);
    ++(result.passed ? all.passed : all.failed);
    if (result.passed) continue;
    failures.begin_object();
    failures.field("id", probe.id).field("got", result.got).field("why", result.why);
    failures.field("prompt", last_prompt(probe.body));
    failures.end_object();
  }
  failures.end_array();
  json::JsonWriter w;
  w.begin_object().field("passed", all.passed).field("failed", all.failed);
  w.key("by_decision").begin_object();
  for (const auto& [decision, count] : by_decision) {
    w.key(decision).begin_object();
    w.field("passed", count.passed).field("failed", count.failed).end_object();
  }
  w.end_object();
  w.raw_field("failures", failures.str());
  w.end_object();
  return w.take();
}

}  // namespace vsr::app
