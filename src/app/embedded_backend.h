#pragma once

// The embedded default backend: a llama.cpp server with a small instruct model, as a child process
// that is watched, restarted with back-off and stopped with us. Thread-safe; one thread of its own.
// Limits: restarts wait Backoff::kMin doubling to kMax, and start over after kHealthyAfter.

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "app/child_process.h"
#include "base/result.h"

namespace vsr::app {

struct EmbeddedOptions {
  std::string folder;      // what `scripts/setup backend` prepared: wheels unzipped, start script
  std::string model_path;  // "" = the model that came with it
  std::string address = "127.0.0.1";
  uint16_t port = 8090;
  std::string log_file;
};

struct EmbeddedStatus {
  bool running = false;
  int pid = -1;
  uint32_t restarts = 0;
  std::string last_problem;  // "" if nothing went wrong
};

// How long a program that ended rests before its next start.
class Backoff {
 public:
  static constexpr std::chrono::milliseconds kMin{500};
  static constexpr std::chrono::milliseconds kMax{30'000};
  static constexpr std::chrono::seconds kHealthyAfter{60};

  // `ran` is how long it had run.
  std::chrono::milliseconds next(std::chrono::nanoseconds ran);

 private:
  std::chrono::milliseconds next_ = kMin;
};

class EmbeddedBackend {
 public:
  // Starts the process and its watcher. Fails at once, saying what to do, if the folder is not
  // there; a process that ends later is restarted, not reported as an error.
  static Result<std::unique_ptr<EmbeddedBackend>> start(EmbeddedOptions options);
  ~EmbeddedBackend();

  EmbeddedStatus status() const;
  const EmbeddedOptions& options() const { return options_; }

 private:
  explicit EmbeddedBackend(EmbeddedOptions options);
  void watch();
  // False when it is time to stop.
  bool pause(std::chrono::milliseconds time);

  const EmbeddedOptions options_;
  int stop_fd_ = -1;
  mutable std::mutex mutex_;
  EmbeddedStatus status_;
  std::thread watcher_;
};

// The command line of the backend, for the supervisor and for `vllm-sr backend --print`.
ChildOptions embedded_command(const EmbeddedOptions& options);

// Where the backend's files are: $VLLM_SR_BACKEND_DIR, else share/vllm-sr/backend beside the
// program's bin/, else build/backend above the program. "" if none of them exists.
std::string find_backend_folder(const std::string& from_environment,
                                const std::string& program_path);

}  // namespace vsr::app
