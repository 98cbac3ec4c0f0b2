#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "app/embedded_backend.h"
#include "app/platform.h"
#include "app/server.h"
#include "cli/program.h"
#include "cli/running.h"

namespace vsr::cli {

namespace fs = std::filesystem;

namespace {

struct ServeArguments {
  app::ServeOptions options;
  std::string platform;
  std::string backend = "embedded";
  std::vector<std::string> resolve;
  std::vector<std::string> store_override;
  std::string log_level = "info";
  std::string log_format = "text";
  bool detach = false;
};

void set_up_logs(const ServeArguments& arguments) {
  spdlog::set_level(spdlog::level::from_str(arguments.log_level));
  if (arguments.log_format == "json") {
    spdlog::set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})",
                        spdlog::pattern_time_type::utc);
  } else {
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  }
  spdlog::flush_on(spdlog::level::info);
}

std::string last_lines(const std::string& path) {
  constexpr size_t kBytes = 600;
  std::ifstream in(path);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (text.size() > kBytes) text.erase(0, text.find('\n', text.size() - kBytes) + 1);
  return text;
}

// Continues in a child without a terminal; the parent returns once the child serves or has ended.
// nullopt in the child.
std::optional<int> detach(const std::string& state_folder) {
  std::error_code error;
  fs::create_directories(state_folder, error);
  const std::string log = state_folder + "/vllm-sr.log";
  if (const auto running = find_running(state_folder)) {
    fmt::print(stderr,
               "vllm-sr already runs with this state folder (pid {}); `vllm-sr stop` ends it, "
               "--state-dir and other ports let a second one run beside it\n",
               running->pid);
    return kFailed;
  }
  const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (fd < 0) {
    fmt::print(stderr, "cannot write {}\n", log);
    return kFailed;
  }
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    const int null_fd = open("/dev/null", O_RDONLY);
    dup2(null_fd, STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    return std::nullopt;
  }
  constexpr int kTries = 300;
  for (int i = 0; i < kTries; ++i) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) {
      fmt::print(stderr, "vllm-sr ended at once; the end of {} says:\n{}", log, last_lines(log));
      return WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
    }
    const auto running = find_running(state_folder);
    if (running && running->pid == child) {
      fmt::print(
          "vllm-sr runs in the background (pid {}); its log is {}\n"
          "`vllm-sr status` looks at it, `vllm-sr stop` ends it\n",
          child, log);
      return kOk;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  fmt::print(stderr, "vllm-sr does not become ready; see {}\n", log);
  return kFailed;
}

int run_serve(ServeArguments& arguments, Context& context) {
  app::ServeOptions& options = arguments.options;
  options.version = context.version;
  options.state_folder = context.state_folder;
  for (const std::string& mapping : arguments.resolve) {
    const size_t equals = mapping.find('=');
    const bool named =
        equals != std::string::npos && app::parse_host_port(mapping.substr(0, equals)).has_value();
    const auto to = app::parse_host_port(named ? mapping.substr(equals + 1) : "");
    if (!to) {
      fmt::print(stderr,
                 "--resolve {}: write NAME:PORT=HOST:PORT, for example "
                 "vllm:8000=127.0.0.1:8090\n",
                 mapping);
      return kBadUsage;
    }
    options.resolve[mapping.substr(0, equals)] = *to;
  }
  for (const std::string& chosen : arguments.store_override) {
    options.replay_store =
        chosen == "replay=memory" ? config::StoreBackend::kMemory : config::StoreBackend::kSqlite;
  }
  options.backend =
      arguments.backend == "none" ? app::BackendMode::kNone : app::BackendMode::kEmbedded;
  if (options.config.empty()) {
    for (const std::string& place :
         {std::string("config.yaml"), context.state_folder + "/config.yaml"}) {
      std::error_code error;
      if (options.config.empty() && fs::exists(place, error)) options.config = place;
    }
    if (options.config.empty()) {
      fmt::print(stderr,
                 "no recipe: serving in setup mode, where the API answers 503. Choose one at\n"
                 "  http://{}/\nor start again with\n  vllm-sr serve --config {}\n",
                 options.dashboard, find_shared(context, "recipes/agentic-saars.yaml"));
    }
  }
  options.models = model_files(context);
  options.recipes_folder = find_shared(context, "recipes");
  options.backend_folder =
      app::find_backend_folder(environment("VLLM_SR_BACKEND_DIR"), context.program);
  if (!arguments.platform.empty()) {
    fmt::print("{}", app::describe_platform(app::look_at_platform(arguments.platform)));
  }
  if (arguments.detach) {
    if (const auto status = detach(context.state_folder)) return *status;
  }
  set_up_logs(arguments);
  return app::serve(options);
}

}  // namespace

void add_serve(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<ServeArguments>();
  app::ServeOptions& options = arguments->options;
  CLI::App* serve = app.add_subcommand("serve", "Route requests by a recipe");
  serve->add_option("--config", options.config, "The recipe (default: config.yaml here)")
      ->check(CLI::ExistingFile);
  serve->add_option("--platform", arguments->platform, "What this machine is")
      ->check(CLI::IsMember({"cpu", "amd", "nvidia"}));
  serve->add_option("--listen", options.listen, "ADDRESS:PORT of the API in place of the recipe's");
  serve->add_option("--dashboard", options.dashboard, "ADDRESS:PORT for the operator")
      ->capture_default_str();
  serve->add_option("--state-dir", context.state_folder, "Where state is kept")
      ->capture_default_str();
  serve->add_option("--resolve", arguments->resolve,
                    "NAME:PORT=HOST:PORT: where a backend of the recipe is");
  serve
      ->add_option("--backend", arguments->backend,
                   "embedded: start the built-in model if no backend answers; none: never")
      ->check(CLI::IsMember({"embedded", "none"}))
      ->capture_default_str();
  serve->add_option("--embedded-model", options.embedded_model, "Another GGUF for it")
      ->check(CLI::ExistingFile);
  serve->add_option("--embedded-port", options.embedded_port, "Port of the embedded backend")
      ->capture_default_str();
  serve
      ->add_option("--store-override", arguments->store_override,
                   "replay=sqlite: the built-in store in place of the recipe's outside one")
      ->check(CLI::IsMember({"replay=sqlite", "replay=memory"}));
  serve->add_option("--drain-seconds", options.drain_seconds, "Longest wait for running requests")
      ->capture_default_str();
  constexpr uint32_t kThreadsMax = 256;
  serve->add_option("--threads", options.threads, "Event loops (default: one per core)")
      ->check(CLI::Range(0U, kThreadsMax));
  serve->add_option("--log-level", arguments->log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
  serve->add_option("--log-format", arguments->log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  serve->add_flag("--detach", arguments->detach, "Run in the background");
  serve->callback([arguments, &context] { context.status = run_serve(*arguments, context); });
}

}  // namespace vsr::cli
