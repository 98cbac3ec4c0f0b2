#include "app/embedded_backend.h"

#include <fmt/format.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace vsr::app {

namespace fs = std::filesystem;

namespace {
constexpr std::chrono::milliseconds kWatchInterval{60'000};
constexpr std::chrono::milliseconds kStopGrace{2'000};
constexpr const char* kScript = "backend.py";
}  // namespace

std::chrono::milliseconds Backoff::next(std::chrono::nanoseconds ran) {
  if (ran > kHealthyAfter) next_ = kMin;
  return std::exchange(next_, std::min(next_ * 2, kMax));
}

ChildOptions embedded_command(const EmbeddedOptions& options) {
  ChildOptions child;
  child.argv = {"python3",          (fs::path(options.folder) / kScript).string(),
                "--host",           options.address,
                "--port",           fmt::format("{}", options.port),
                "--die-with-parent"};
  if (!options.model_path.empty()) {
    child.argv.push_back("--model-path");
    child.argv.push_back(options.model_path);
  }
  child.log_file = options.log_file;
  return child;
}

std::string find_backend_folder(const std::string& from_environment,
                                const std::string& program_path) {
  const fs::path program(program_path);
  std::vector<fs::path> places;
  if (!from_environment.empty()) {
    places = {fs::path(from_environment)};
  } else {
    places = {program.parent_path().parent_path() / "share/vllm-sr/backend",
              program.parent_path().parent_path() / "backend"};
  }
  for (const fs::path& place : places) {
    std::error_code error;
    if (fs::exists(place / kScript, error)) return place.string();
  }
  return "";
}

Result<std::unique_ptr<EmbeddedBackend>> EmbeddedBackend::start(EmbeddedOptions options) {
  if (options.folder.empty()) {
    return fail(ErrorCode::kNotFound,
                "the embedded backend is not installed: run `scripts/setup backend` (or set "
                "VLLM_SR_BACKEND_DIR), or start with --backend none and a backend of your own");
  }
  std::unique_ptr<EmbeddedBackend> backend(new EmbeddedBackend(std::move(options)));
  backend->stop_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (backend->stop_fd_ < 0) return fail(ErrorCode::kIo, "cannot make an eventfd");
  backend->watcher_ = std::thread([raw = backend.get()] { raw->watch(); });
  return backend;
}

EmbeddedBackend::EmbeddedBackend(EmbeddedOptions options) : options_(std::move(options)) {}

EmbeddedBackend::~EmbeddedBackend() {
  if (watcher_.joinable()) {
    eventfd_write(stop_fd_, 1);
    watcher_.join();
  }
  if (stop_fd_ >= 0) close(stop_fd_);
}

EmbeddedStatus EmbeddedBackend::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

bool EmbeddedBackend::pause(std::chrono::milliseconds time) {
  pollfd fd{stop_fd_, POLLIN, 0};
  return poll(&fd, 1, static_cast<int>(time.count())) == 0;
}

void EmbeddedBackend::watch() {
  Backoff backoff;
  do {
    const auto started = std::chrono::steady_clock::now();
    Result<ChildProcess> child = ChildProcess::start(embedded_command(options_));
    std::string problem;
    if (child) {
      {
        const std::lock_guard lock(mutex_);
        status_.running = true;
        status_.pid = child->pid();
      }
      spdlog::info("embedded backend started: pid {}, {}:{}", child->pid(), options_.address,
                   options_.port);
      std::optional<int> exit;
      while (!exit && pause(std::chrono::milliseconds(0))) {
        exit = child->wait(kWatchInterval, stop_fd_);
      }
      if (!exit) {
        child->stop(kStopGrace);
        return;
      }
      problem = fmt::format("the embedded backend ended with status {}; its log is {}", *exit,
                            options_.log_file);
    } else {
      problem = child.error().message;
    }
    const auto rest = backoff.next(std::chrono::steady_clock::now() - started);
    spdlog::warn("{}; starting it again in {} ms", problem, rest.count());
    {
      const std::lock_guard lock(mutex_);
      status_.running = false;
      status_.pid = -1;
      status_.restarts += 1;
      status_.last_problem = problem;
    }
    if (!pause(rest)) return;
  } while (true);
}

}  // namespace vsr::app
