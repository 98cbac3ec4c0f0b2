#include "app/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

extern char** environ;

namespace vsr::app {

namespace {

// Everything that the child needs after fork, prepared before it, since only async-signal-safe
// calls may follow a fork in a program with threads.
struct Image {
  std::vector<std::string> environment;
  std::vector<char*> argv;
  std::vector<char*> envp;
};

Image prepare(const ChildOptions& options) {
  Image image;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view line(*entry);
    const std::string_view name = line.substr(0, line.find('='));
    bool replaced = false;
    for (const auto& [key, value] : options.environment) replaced |= key == name;
    if (!replaced) image.environment.emplace_back(line);
  }
  for (const auto& [key, value] : options.environment) {
    image.environment.push_back(key + "=" + value);
  }
  for (std::string& line : image.environment) image.envp.push_back(line.data());
  image.envp.push_back(nullptr);
  for (const std::string& word : options.argv) {
    image.argv.push_back(const_cast<char*>(word.c_str()));
  }
  image.argv.push_back(nullptr);
  return image;
}

[[noreturn]] void run_child(const Image& image, int log_fd, int error_fd, int parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);  // the parent ended before we asked to be told
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null_fd >= 0) dup2(null_fd, STDIN_FILENO);
  dup2(log_fd, STDOUT_FILENO);
  dup2(log_fd, STDERR_FILENO);
  execvpe(image.argv[0], image.argv.data(), image.envp.data());
  const int error = errno;
  if (write(error_fd, &error, sizeof(error)) < 0) _exit(126);
  _exit(127);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const ChildOptions& options) {
  const std::string& log_file = options.log_file.empty() ? "/dev/null" : options.log_file;
  const int log_fd = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (log_fd < 0) {
    return fail(ErrorCode::kIo,
                fmt::format("cannot write the log {}: {}", log_file, std::strerror(errno)));
  }
  int error_pipe[2];
  if (pipe2(error_pipe, O_CLOEXEC) != 0) {
    close(log_fd);
    return fail(ErrorCode::kIo, fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  const Image image = prepare(options);
  const int parent = getpid();
  const int pid = fork();
  if (pid == 0) run_child(image, log_fd, error_pipe[1], parent);
  close(log_fd);
  close(error_pipe[1]);
  int exec_error = pid < 0 ? errno : 0;
  if (pid > 0 && read(error_pipe[0], &exec_error, sizeof(exec_error)) <= 0) exec_error = 0;
  close(error_pipe[0]);
  if (exec_error != 0) {
    if (pid > 0) waitpid(pid, nullptr, 0);
    return fail(ErrorCode::kUnavailable,
                fmt::format("cannot start {}: {}", options.argv[0], std::strerror(exec_error)));
  }
  const int pid_fd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  return ChildProcess(pid, pid_fd);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pid_fd_(std::exchange(other.pid_fd_, -1)),
      status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pid_fd_, other.pid_fd_);
  std::swap(status_, other.status_);
  return *this;
}

ChildProcess::~ChildProcess() {
  constexpr std::chrono::milliseconds kGrace{2000};
  if (pid_ > 0) stop(kGrace);
  if (pid_fd_ >= 0) close(pid_fd_);
}

std::optional<int> ChildProcess::wait(std::chrono::milliseconds at_most, int wake_fd) {
  if (status_ || pid_ <= 0) return status_;
  pollfd fds[2] = {{pid_fd_, POLLIN, 0}, {wake_fd, POLLIN, 0}};
  poll(fds, wake_fd >= 0 ? 2 : 1, static_cast<int>(at_most.count()));
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return status_;
}

void ChildProcess::stop(std::chrono::milliseconds grace) {
  if (status_ || pid_ <= 0) return;
  kill(pid_, SIGTERM);
  if (wait(grace)) return;
  kill(-pid_, SIGKILL);
  constexpr std::chrono::milliseconds kKillWait{5000};
  wait(kKillWait);
}

}  // namespace vsr::app
