#include "net/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vsr::net {

namespace {

std::string text_of(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof(text));
  } else {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text,
              sizeof(text));
  }
  return text;
}

// False if `address` is not numeric.
bool parse_listen_address(const std::string& address, uint16_t port, sockaddr_storage& out,
                          socklen_t& size) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out);
  if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    size = sizeof(*v4);
    return true;
  }
  if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    size = sizeof(*v6);
    return true;
  }
  return false;
}

std::unexpected<Error> bad_address(const std::string& address) {
  return fail(
      ErrorCode::kInvalidArgument,
      fmt::format("{} is not an IP address to listen on (try 127.0.0.1 or 0.0.0.0)", address));
}

std::unexpected<Error> cannot_listen(const std::string& address, uint16_t port, int error) {
  return fail(error == EADDRINUSE ? ErrorCode::kAlreadyExists : ErrorCode::kIo,
              fmt::format("cannot listen on {}:{}: {}", address, port, std::strerror(error)));
}

}  // namespace

Status port_is_free(const std::string& address, uint16_t port) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (!parse_listen_address(address, port, storage, size)) return bad_address(address);
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return fail(ErrorCode::kIo, std::strerror(errno));
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool bound = bind(fd, reinterpret_cast<sockaddr*>(&storage), size) == 0;
  const int error = errno;
  close(fd);
  if (!bound) return cannot_listen(address, port, error);
  return {};
}

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const std::string& address,
                                                 uint16_t port, OnAccept on_accept) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (!parse_listen_address(address, port, storage, size)) return bad_address(address);
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return fail(ErrorCode::kIo, std::strerror(errno));
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (bind(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0 || listen(fd, kBacklog) != 0) {
    const int error = errno;
    close(fd);
    return cannot_listen(address, port, error);
  }
  getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  const uint16_t bound =
      ntohs(storage.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(storage).sin_port
                                         : reinterpret_cast<sockaddr_in6&>(storage).sin6_port);
  return std::unique_ptr<Listener>(new Listener(loop, fd, bound, std::move(on_accept)));
}

Listener::Listener(Loop& loop, int fd, uint16_t port, OnAccept on_accept)
    : loop_(loop), fd_(fd), port_(port), on_accept_(std::move(on_accept)) {}

Listener::~Listener() { close_now(); }

Status Listener::start() {
  Status added = loop_.add_level(fd_, *this);
  added_ = added.has_value();
  return added;
}

void Listener::close_now() {
  disarm();
  if (added_) {
    while (accept_one()) {
    }
    loop_.remove(fd_, *this);
  }
  added_ = false;
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void Listener::on_time() {
  if (fd_ >= 0) added_ = loop_.add_level(fd_, *this).has_value();
}

bool Listener::accept_one() {
  for (;;) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    const int fd =
        accept4(fd_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      on_accept_(fd, text_of(peer));
      return true;
    }
    if (errno != EINTR && errno != ECONNABORTED) return false;
  }
}

void Listener::on_events(uint32_t) {
  for (int i = 0; i < kAcceptsPerTurn && fd_ >= 0; ++i) {
    if (accept_one()) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      loop_.remove(fd_, *this);
      added_ = false;
      loop_.arm(*this, loop_.after(kAcceptPauseMs));
    }
    return;
  }
}

}  // namespace vsr::net
