#include "net/signals.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vsr::net {

namespace {

sigset_t set_of(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  return set;
}

}  // namespace

void block_signals(std::initializer_list<int> signals) {
  const sigset_t set = set_of(signals);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Result<std::unique_ptr<SignalWatch>> SignalWatch::open(Loop& loop,
                                                       std::initializer_list<int> signals,
                                                       OnSignal on_signal) {
  block_signals(signals);
  const sigset_t set = set_of(signals);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) return fail(ErrorCode::kIo, std::strerror(errno));
  std::unique_ptr<SignalWatch> out(new SignalWatch(loop, fd, std::move(on_signal)));
  if (Status added = loop.add_level(fd, *out); !added) return std::unexpected(added.error());
  return out;
}

SignalWatch::~SignalWatch() {
  loop_.remove(fd_, *this);
  close(fd_);
}

void SignalWatch::on_events(uint32_t) {
  signalfd_siginfo info;
  if (read(fd_, &info, sizeof(info)) == sizeof(info)) on_signal_(static_cast<int>(info.ssi_signo));
}

}  // namespace vsr::net
