#pragma once

// Signals of the process as events of one loop. The signals are blocked for the whole process: call
// block_signals before the first thread starts, and unblock in a child before exec. One watch per
// set of signals.

#include <functional>
#include <initializer_list>
#include <memory>

#include "base/result.h"
#include "net/loop.h"

namespace vsr::net {

// For the calling thread and those that it starts from now on.
void block_signals(std::initializer_list<int> signals);

class SignalWatch final : private Watched {
 public:
  using OnSignal = std::function<void(int signal)>;

  // Blocks the signals, and calls `on_signal` on the loop's thread for each that arrives.
  static Result<std::unique_ptr<SignalWatch>> open(Loop& loop, std::initializer_list<int> signals,
                                                   OnSignal on_signal);
  ~SignalWatch() override;
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  SignalWatch(Loop& loop, int fd, OnSignal on_signal)
      : loop_(loop), fd_(fd), on_signal_(std::move(on_signal)) {}
  void on_events(uint32_t events) override;

  Loop& loop_;
  const int fd_;
  const OnSignal on_signal_;
};

}  // namespace vsr::net
