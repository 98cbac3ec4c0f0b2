#include <fmt/format.h>

#include <algorithm>

#include "cli/program.h"
#include "config/load.h"
#include "config/migrate.h"
#include "config/show.h"
#include "json/writer.h"
#include "signals/engine.h"

namespace vsr::cli {

std::vector<config::Diagnostic> all_problems(config::LoadResult loaded, const std::string& name) {
  if (!loaded.config) return loaded.diagnostics;
  for (const signals::RuleProblem& problem : signals::check_rules(*loaded.config)) {
    config::Diagnostic diagnostic;
    diagnostic.file = name;
    diagnostic.position = problem.position;
    diagnostic.severity = problem.severity;
    diagnostic.path = problem.path;
    diagnostic.message = problem.message;
    loaded.diagnostics.push_back(std::move(diagnostic));
  }
  return loaded.diagnostics;
}

namespace {

int validate(const std::string& path, bool strict, const Context& context) {
  const config::LoadResult loaded = config::load_file(path);
  const std::vector<config::Diagnostic> problems = all_problems(loaded, path);
  const bool valid = !config::has_errors(problems);
  const bool has_warnings = std::ranges::any_of(problems, [](const config::Diagnostic& problem) {
    return problem.severity == config::Severity::kWarning;
  });
  const int status = !valid ? kBadUsage : strict && has_warnings ? kFailed : kOk;
  if (context.json) {
    fmt::print("{}\n", json::JsonWriter()
                           .begin_object()
                           .field("valid", valid)
                           .raw_field("diagnostics", config::to_json(problems))
                           .end_object()
                           .str());
    return status;
  }
  fmt::print(stderr, "{}", config::format_all(problems));
  if (!valid) return kBadUsage;
  fmt::print("{} is valid: {} models, {} signals, {} decisions, policy {}\n", path,
             loaded.config->models.size(), loaded.config->signals.size(),
             loaded.config->decisions.size(), loaded.config->hash);
  if (status != kOk) fmt::print(stderr, "there are warnings, which --strict does not accept\n");
  return status;
}

int show(const std::string& path, bool effective) {
  const Result<std::string> text = config::read_recipe(path);
  if (!text) {
    fmt::print(stderr, "{}\n", text.error().message);
    return kBadUsage;
  }
  if (!effective) {
    fmt::print("{}", config::redact_yaml(*text));
    return kOk;
  }
  const config::ShowResult shown = config::show_effective(*text, path);
  fmt::print(stderr, "{}", config::format_all(shown.diagnostics));
  fmt::print("{}", shown.yaml);
  return shown.yaml.empty() ? kBadUsage : kOk;
}

int migrate(const std::string& path) {
  const Result<std::string> text = config::read_recipe(path);
  if (!text) {
    fmt::print(stderr, "{}\n", text.error().message);
    return kBadUsage;
  }
  const config::MigrateResult migrated = config::migrate(*text, path);
  fmt::print(stderr, "{}", config::format_all(migrated.diagnostics));
  fmt::print("{}", migrated.yaml);
  return migrated.yaml.empty() ? kBadUsage : kOk;
}

// The recipe is FILE or `--config FILE`.
void add_recipe(CLI::App& command, const std::shared_ptr<std::string>& path,
                std::function<void()> run) {
  const auto named = std::make_shared<std::string>();
  command.add_option("FILE", *path, "The recipe")->option_text(" ");
  command.add_option("--config", *named, "The same as FILE");
  command.callback([path, named, run = std::move(run)] {
    if (path->empty() && named->empty()) throw CLI::RequiredError("FILE or --config FILE");
    if (!path->empty() && !named->empty()) {
      throw CLI::ArgumentMismatch(
          fmt::format("give one recipe: FILE or --config FILE, not both {} and {}", *named, *path));
    }
    if (path->empty()) *path = *named;
    run();
  });
}

}  // namespace

void add_config(CLI::App& app, Context& context) {
  auto path = std::make_shared<std::string>();
  auto strict = std::make_shared<bool>(false);
  CLI::App* check = app.add_subcommand("validate", "Check a recipe and list every problem");
  add_recipe(*check, path,
             [path, strict, &context] { context.status = validate(*path, *strict, context); });
  check->add_flag("--strict", *strict, "End with 1 if there are warnings");
  check->add_flag("--json", context.json, "As JSON");

  CLI::App* config = app.add_subcommand("config", "Show or convert a recipe");
  config->require_subcommand(1);
  auto effective = std::make_shared<bool>(false);
  CLI::App* shown = config->add_subcommand("show", "The recipe without its secrets");
  add_recipe(*shown, path,
             [path, effective, &context] { context.status = show(*path, *effective); });
  shown->add_flag("--effective", *effective, "With defaults, and where each value comes from");
  CLI::App* migrated = config->add_subcommand("migrate", "An older recipe as v0.3");
  add_recipe(*migrated, path, [path, &context] { context.status = migrate(*path); });
}

}  // namespace vsr::cli
