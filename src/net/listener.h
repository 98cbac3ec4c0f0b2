#pragma once

// A listening socket of one loop. Several loops may listen on one address (SO_REUSEPORT); the
// kernel spreads connections over them. Out of descriptors, it pauses for kAcceptPauseMs.

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/loop.h"

namespace vsr::net {

class Listener final : private Watched, private Timer {
 public:
  static constexpr int kBacklog = 1024;
  static constexpr int kAcceptsPerTurn = 64;
  static constexpr std::chrono::milliseconds kAcceptPauseMs{100};

  // Called on the loop with a connected non-blocking descriptor and the peer's address.
  using OnAccept = std::function<void(int fd, std::string peer)>;

  // `address` is numeric; port 0 takes a free one. Errors say who holds the port if that is it.
  static Result<std::unique_ptr<Listener>> open(Loop& loop, const std::string& address,
                                                uint16_t port, OnAccept on_accept);
  ~Listener() override;

  uint16_t port() const { return port_; }
  // Starts to accept; on the loop's thread.
  Status start();
  // Takes the connections that the kernel has accepted already, then closes; on the loop's thread.
  void close_now();

 private:
  Listener(Loop& loop, int fd, uint16_t port, OnAccept on_accept);
  void on_events(uint32_t events) override;
  void on_time() override;
  // False if there was none, with errno.
  bool accept_one();

  Loop& loop_;
  int fd_;
  const uint16_t port_;
  OnAccept on_accept_;
  bool added_ = false;
};

// An error if another program listens there. For our own loops, which share a port by SO_REUSEPORT
// and would otherwise share it with a second router unseen.
Status port_is_free(const std::string& address, uint16_t port);

}  // namespace vsr::net
