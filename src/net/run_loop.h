#pragma once

// For tests: runs a coroutine on a loop of its own, to its end.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <utility>

#include "net/loop.h"
#include "net/stream.h"

namespace vsr::net {

template <typename Body>
void run_loop(Body body) {
  Loop loop;
  const auto outer = [&]() -> Task<void> {
    co_await body(loop);
    loop.stop();
  };
  loop.spawn(outer());
  loop.run();
  EXPECT_EQ(loop.running_tasks(), 0u);
}

// Two connected descriptors that do not block.
inline std::pair<int, int> socket_pair() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
  return {fds[0], fds[1]};
}

}  // namespace vsr::net
