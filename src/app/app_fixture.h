#pragma once

// For tests of this room: a backend of a few lines that answers GET with what it is told, and a
// Runtime of a recipe.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/check.h"
#include "base/clock.h"
#include "config/load.h"
#include "gateway/runtime.h"
#include "router/router.h"

namespace vsr::app {

// A socket on a free port of loopback, which is put into `port`.
inline int bound_socket(int& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  VSR_CHECK(fd >= 0 && bind(fd, plain, size) == 0 && getsockname(fd, plain, &size) == 0,
            "no socket for a test");
  port = ntohs(address.sin_port);
  return fd;
}

// Listens on a free port of loopback; one connection at a time, one answer each. Unknown paths are
// answered 404.
class ScriptedServer {
 public:
  ScriptedServer() {
    fd_ = bound_socket(port_);
    VSR_CHECK(listen(fd_, 64) == 0 && pipe(stop_) == 0, "no socket for a test");
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    release();
    close(stop_[1]);
    thread_.join();
    close(stop_[0]);
    close(fd_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  int port() const { return port_; }
  std::string address() const { return fmt::format("127.0.0.1:{}", port_); }

  void answer(const std::string& path, int status, std::string body = "") {
    const std::lock_guard lock(mutex_);
    answers_[path] = {status, std::move(body)};
  }
  void serve_models(std::initializer_list<const char*> names) {
    std::string list;
    for (const char* name : names) {
      list += fmt::format(R"({}{{"id":"{}"}})", list.empty() ? "" : ",", name);
    }
    answer("/v1/models", 200, fmt::format(R"({{"data":[{}]}})", list));
  }
  // Requests wait for their answer until release().
  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void release() {
    {
      const std::lock_guard lock(mutex_);
      held_ = false;
    }
    changed_.notify_all();
  }
  // Waits until that many requests came, at most ten seconds.
  bool await_requests(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return requests_ >= count; });
  }
  size_t requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  struct Answer {
    int status = 404;
    std::string body;
  };

  void serve() {
    for (;;) {
      pollfd fds[2] = {{fd_, POLLIN, 0}, {stop_[0], POLLIN | POLLHUP, 0}};
      if (poll(fds, 2, -1) < 0 || fds[1].revents != 0) return;
      const int connection = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      serve_one(connection);
      close(connection);
    }
  }

  void serve_one(int connection) {
    std::string head;
    char buffer[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = read(connection, buffer, sizeof(buffer));
      if (got <= 0) return;
      head.append(buffer, static_cast<size_t>(got));
    }
    const size_t path_at = head.find(' ') + 1;
    const std::string path = head.substr(path_at, head.find(' ', path_at) - path_at);
    std::unique_lock lock(mutex_);
    ++requests_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !held_; });
    const Answer answer = answers_.contains(path) ? answers_[path] : Answer{};
    lock.unlock();
    const std::string text =
        fmt::format("HTTP/1.1 {} Text\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{}",
                    answer.status, answer.body.size(), answer.body);
    size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t n = send(connection, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<size_t>(n);
    }
  }

  int fd_ = -1;
  int stop_[2] = {-1, -1};
  int port_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Answer> answers_;
  bool held_ = false;
  size_t requests_ = 0;
  std::thread thread_;
};

// A port of loopback on which nothing listens: bound and never listened on, for as long as this
// object lives.
class ClosedPort {
 public:
  ClosedPort() { fd_ = bound_socket(port_); }
  ~ClosedPort() { close(fd_); }
  ClosedPort(const ClosedPort&) = delete;
  ClosedPort& operator=(const ClosedPort&) = delete;
  int port() const { return port_; }

 private:
  int fd_ = -1;
  int port_ = 0;
};

inline std::shared_ptr<const gateway::Runtime> make_runtime(const std::string& recipe,
                                                            gateway::Services& services) {
  static const SystemClock clock;
  services.clock = &clock;
  const config::LoadResult loaded = config::load_text(recipe, "recipe.yaml");
  VSR_CHECK(loaded.config != nullptr, "{}", config::format_all(loaded.diagnostics));
  auto router = router::Router::make(loaded.config, {}, nullptr, clock);
  VSR_CHECK(router.has_value(), "{}", router.error().message);
  return std::make_shared<const gateway::Runtime>(loaded.config, *router, services);
}

}  // namespace vsr::app
