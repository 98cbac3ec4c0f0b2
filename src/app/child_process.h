#pragma once

// A program that we started: it gets its own process group, its output goes to a file, and it ends
// when we end (PR_SET_PDEATHSIG). Owned by one thread; the destructor stops the child.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace vsr::app {

struct ChildOptions {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH unless it has a slash
  std::vector<std::pair<std::string, std::string>> environment;  // added to ours
  std::string log_file;                                          // appended to; both output streams
};

class ChildProcess {
 public:
  static Result<ChildProcess> start(const ChildOptions& options);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  int pid() const { return pid_; }
  // Exit status as a shell would print it (128 + signal when killed), nothing if it still runs
  // after `at_most`. `wake_fd` readable ends the wait early.
  std::optional<int> wait(std::chrono::milliseconds at_most, int wake_fd = -1);
  // SIGTERM, then SIGKILL to the group if it has not ended within `grace`.
  void stop(std::chrono::milliseconds grace);

 private:
  ChildProcess(int pid, int pid_fd) : pid_(pid), pid_fd_(pid_fd) {}

  int pid_ = -1;
  int pid_fd_ = -1;
  std::optional<int> status_;
};

}  // namespace vsr::app
