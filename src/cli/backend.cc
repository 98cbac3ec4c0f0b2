#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "app/child_process.h"
#include "app/embedded_backend.h"
#include "app/platform.h"
#include "cli/program.h"
#include "http/client.h"
#include "json/writer.h"

namespace vsr::cli {

namespace {

struct BackendArguments {
  std::string platform = "cpu";
  bool print = false;
  uint16_t port = 8090;
};

constexpr std::chrono::milliseconds kProbe{1'000};

bool answers(uint16_t port) {
  const auto response =
      http::fetch("GET", fmt::format("http://127.0.0.1:{}/v1/models", port), {}, "", kProbe);
  return response && response->status == 200;
}

std::string pid_file(const Context& context) { return context.state_folder + "/backend.pid"; }

int read_pid(const Context& context) {
  std::ifstream in(pid_file(context));
  int pid = 0;
  in >> pid;
  return pid > 0 && kill(pid, 0) == 0 ? pid : 0;
}

// Runs the embedded backend in the foreground of a process group of its own.
int up_embedded(const BackendArguments& arguments, const Context& context) {
  app::EmbeddedOptions options;
  options.folder = app::find_backend_folder(environment("VLLM_SR_BACKEND_DIR"), context.program);
  options.port = arguments.port;
  app::ChildOptions command = app::embedded_command(options);
  if (arguments.print) {
    fmt::print("{}", app::shell_text(command.argv));
    return kOk;
  }
  if (options.folder.empty()) {
    fmt::print(stderr,
               "the embedded backend is not installed; run `scripts/setup backend` or "
               "`make install`\n");
    return kFailed;
  }
  if (answers(arguments.port)) {
    fmt::print("a backend already answers on 127.0.0.1:{}\n", arguments.port);
    return kOk;
  }
  // It is to outlive this command.
  std::erase(command.argv, "--die-with-parent");
  const std::string log = context.state_folder + "/backend.log";
  std::error_code error;
  std::filesystem::create_directories(context.state_folder, error);
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0640);
    dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    std::vector<char*> argv;
    for (std::string& word : command.argv) argv.push_back(word.data());
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  std::ofstream(pid_file(context)) << child << '\n';
  constexpr int kTries = 120;
  for (int i = 0; i < kTries; ++i) {
    if (answers(arguments.port)) {
      fmt::print("the embedded backend serves http://127.0.0.1:{}/v1 (pid {}, log {})\n",
                 arguments.port, child, log);
      return kOk;
    }
    if (waitpid(child, nullptr, WNOHANG) == child) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  fmt::print(stderr, "the embedded backend does not answer; see {}\n", log);
  return kFailed;
}

int up_container(const BackendArguments& arguments) {
  const std::vector<std::string> command = app::container_command(arguments.platform);
  if (arguments.print) {
    fmt::print("docker network create vllm-sr-network 2>/dev/null || true\n{}",
               app::shell_text(command));
    return kOk;
  }
  const app::Platform platform = app::look_at_platform(arguments.platform);
  if (!platform.gpu || !platform.docker) {
    fmt::print(stderr, "{}", app::describe_platform(platform));
    return kFailed;
  }
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  fmt::print(stderr, "cannot run docker\n");
  return kFailed;
}

int down(const Context& context) {
  const int pid = read_pid(context);
  if (pid == 0) {
    fmt::print("no backend was started by `vllm-sr backend up`\n");
    return kOk;
  }
  kill(pid, SIGTERM);
  constexpr int kTries = 50;
  for (int i = 0; i < kTries && kill(pid, 0) == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  std::error_code error;
  std::filesystem::remove(pid_file(context), error);
  fmt::print("the backend (pid {}) is stopped\n", pid);
  return kOk;
}

int status(const BackendArguments& arguments, const Context& context) {
  const bool up = answers(arguments.port);
  const int pid = read_pid(context);
  if (context.json) {
    json::JsonWriter w;
    w.begin_object().field("address", fmt::format("127.0.0.1:{}", arguments.port));
    w.field("answers", up).field("embedded_pid", pid).end_object();
    fmt::print("{}\n", w.str());
    return up ? kOk : kFailed;
  }
  fmt::print("127.0.0.1:{} {}{}\n", arguments.port, up ? "answers" : "does not answer",
             pid > 0 ? fmt::format(", embedded backend pid {}", pid) : "");
  return up ? kOk : kFailed;
}

}  // namespace

void add_backend(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<BackendArguments>();
  CLI::App* backend = app.add_subcommand("backend", "Start, stop or look at a local backend");
  backend->require_subcommand(1);
  CLI::App* up = backend->add_subcommand("up", "Start one: vLLM in a container, or the embedded");
  up->add_option("--platform", arguments->platform, "amd and nvidia: vLLM; cpu: the embedded one")
      ->check(CLI::IsMember({"cpu", "amd", "nvidia"}))
      ->capture_default_str();
  up->add_flag("--print", arguments->print, "Only show the command");
  up->add_option("--port", arguments->port, "Of the embedded backend")->capture_default_str();
  up->callback([arguments, &context] {
    context.status =
        arguments->platform == "cpu" ? up_embedded(*arguments, context) : up_container(*arguments);
  });
  backend->add_subcommand("down", "Stop the embedded one")->callback([&context] {
    context.status = down(context);
  });
  CLI::App* look = backend->add_subcommand("status", "Does one answer?");
  look->add_option("--port", arguments->port, "Port to ask")->capture_default_str();
  look->add_flag("--json", context.json, "As JSON");
  look->callback([arguments, &context] { context.status = status(*arguments, context); });
}

}  // namespace vsr::cli
