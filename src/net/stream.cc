#include "net/stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace vsr::net {

Stream::Stream(Loop& loop, int fd) : loop_(loop), fd_(fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const Status added = loop_.add(fd, *this);
  VSR_CHECK(added.has_value(), "{}", added.error().message);
}

Stream::~Stream() {
  VSR_CHECK(reader_ == nullptr && writer_ == nullptr, "a stream was closed under its reader");
  if (destroyed_ != nullptr) *destroyed_ = true;
  if (ssl_ != nullptr) SSL_free(ssl_);
  loop_.remove(fd_, *this);
  close(fd_);
}

void Stream::shutdown_write() {
  if (ssl_ != nullptr) SSL_shutdown(ssl_);
  shutdown(fd_, SHUT_WR);
}

void Stream::cancel_on_hang_up(CancelSource* source) {
  cancel_on_hang_up_ = source;
  if (source != nullptr && hung_up_) source->cancel();
}

void Stream::set_idle(bool idle) { idle_ = idle; }

void Stream::on_events(uint32_t events) {
  bool destroyed = false;
  destroyed_ = &destroyed;
  const bool closed = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (closed || (idle_ && (events & EPOLLIN) != 0)) {
    hung_up_ = true;
    if (cancel_on_hang_up_ != nullptr) cancel_on_hang_up_->cancel();
  }
  // Under TLS a read may wait for the socket to be writable and the other way round.
  const bool readable = closed || (events & EPOLLIN) != 0 || ssl_ != nullptr;
  const bool writable = (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 || ssl_ != nullptr;
  if (readable && reader_ != nullptr) reader_->notify();
  if (!destroyed && writable && writer_ != nullptr) writer_->notify();
  if (!destroyed) destroyed_ = nullptr;
}

void StreamOp::begin_wait() {
  StreamOp*& place = reads_ ? stream_.reader_ : stream_.writer_;
  VSR_CHECK(place == nullptr, "two operations in one direction of a stream");
  place = this;
}

void StreamOp::end_wait() { (reads_ ? stream_.reader_ : stream_.writer_) = nullptr; }

Error StreamOp::error_of(int number) const {
  if (aborted_ == ErrorCode::kTimeout) return {ErrorCode::kTimeout, {}, {}, "timed out"};
  if (aborted_) return {ErrorCode::kCancelled, {}, {}, "cancelled"};
  return {ErrorCode::kClosed, {}, {}, std::strerror(number)};
}

bool Stream::ReadOp::attempt() {
  if (ssl() != nullptr) {
    ERR_clear_error();
    const int got = SSL_read(ssl(), buffer_.data(), static_cast<int>(buffer_.size()));
    if (got > 0) {
      got_ = static_cast<size_t>(got);
      return true;
    }
    const int why = SSL_get_error(ssl(), got);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
    if (why != SSL_ERROR_ZERO_RETURN) error_ = why == SSL_ERROR_SYSCALL && errno ? errno : EPROTO;
    return true;
  }
  for (;;) {
    const ssize_t got = recv(stream_.fd(), buffer_.data(), buffer_.size(), 0);
    if (got >= 0) {
      got_ = static_cast<size_t>(got);
      return true;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return false;
    error_ = errno;
    return true;
  }
}

Result<size_t> Stream::ReadOp::await_resume() {
  if (aborted_ || error_ != 0) return std::unexpected(error_of(error_));
  return got_;
}

Stream::WriteOp::WriteOp(Stream& stream, std::span<const std::string_view> pieces,
                         MonoTime deadline, CancelSource* cancel)
    : StreamOp(stream, false, deadline, cancel), pieces_(pieces) {}

bool Stream::WriteOp::attempt() { return ssl() != nullptr ? attempt_tls() : attempt_plain(); }

bool Stream::WriteOp::attempt_plain() {
  while (piece_ < pieces_.size()) {
    iovec vectors[kPiecesMax];
    size_t count = 0;
    for (size_t i = piece_; i < pieces_.size() && count < kPiecesMax; ++i) {
      const std::string_view rest = pieces_[i].substr(i == piece_ ? offset_ : 0);
      if (!rest.empty()) vectors[count++] = {const_cast<char*>(rest.data()), rest.size()};
    }
    if (count == 0) {
      piece_ = pieces_.size();
      return true;
    }
    msghdr message{};
    message.msg_iov = vectors;
    message.msg_iovlen = count;
    const ssize_t sent = sendmsg(stream_.fd(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return false;
      error_ = errno;
      return true;
    }
    size_t left = static_cast<size_t>(sent) + offset_;
    while (piece_ < pieces_.size() && left >= pieces_[piece_].size()) {
      left -= pieces_[piece_++].size();
    }
    offset_ = left;
  }
  return true;
}

bool Stream::WriteOp::attempt_tls() {
  for (; piece_ < pieces_.size(); ++piece_, offset_ = 0) {
    while (offset_ < pieces_[piece_].size()) {
      const std::string_view rest = pieces_[piece_].substr(offset_);
      ERR_clear_error();
      const int sent =
          SSL_write(ssl(), rest.data(), static_cast<int>(std::min(rest.size(), size_t{1} << 30)));
      if (sent > 0) {
        offset_ += static_cast<size_t>(sent);
        continue;
      }
      const int why = SSL_get_error(ssl(), sent);
      if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return false;
      error_ = why == SSL_ERROR_SYSCALL && errno ? errno : EPROTO;
      return true;
    }
  }
  return true;
}

Status Stream::WriteOp::await_resume() {
  if (aborted_ || error_ != 0) return std::unexpected(error_of(error_));
  return {};
}

namespace {

class ConnectOp final : public Op, private Watched {
 public:
  ConnectOp(Loop& loop, int fd, MonoTime deadline, CancelSource* cancel)
      : Op(loop, deadline, cancel), fd_(fd) {}
  ~ConnectOp() override {
    if (watching_) loop_.remove(fd_, *this);
  }
  // 0, or the errno of the connect; -1 when it was cut short.
  int await_resume() const { return aborted_ ? -1 : error_; }
  bool timed_out() const { return aborted_ == ErrorCode::kTimeout; }

 protected:
  bool attempt() override { return done_; }
  void begin_wait() override { watching_ = loop_.add(fd_, *this).has_value(); }
  void end_wait() override {
    if (watching_) loop_.remove(fd_, *this);
    watching_ = false;
  }

 private:
  void on_events(uint32_t events) override {
    if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return;
    socklen_t size = sizeof(error_);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error_, &size);
    done_ = true;
    notify();
  }

  const int fd_;
  bool watching_ = false;
  bool done_ = false;
  int error_ = 0;
};

// False if `ip` is not a numeric address.
bool parse_address(const std::string& ip, uint16_t port, sockaddr_storage& out, socklen_t& size) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out);
  if (inet_pton(AF_INET, ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    size = sizeof(*v4);
    return true;
  }
  if (inet_pton(AF_INET6, ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    size = sizeof(*v6);
    return true;
  }
  return false;
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> connect(Loop& loop, std::string ip, uint16_t port,
                                              MonoTime deadline, CancelSource* cancel) {
  sockaddr_storage address{};
  socklen_t size = 0;
  if (!parse_address(ip, port, address, size)) {
    co_return fail(ErrorCode::kInvalidArgument, ip + " is not a numeric address");
  }
  const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) co_return fail(ErrorCode::kUnavailable, std::strerror(errno));
  int error = ::connect(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 ? 0 : errno;
  bool timed_out = false;
  if (error == EINPROGRESS) {
    ConnectOp op(loop, fd, deadline, cancel);
    error = co_await op;
    timed_out = op.timed_out();
  }
  if (error == 0) co_return std::make_unique<Stream>(loop, fd);
  close(fd);
  if (error > 0) {
    co_return fail(ErrorCode::kUnavailable, std::strerror(error), ErrorSource::kUpstream,
                   Retry::kYes);
  }
  if (timed_out) {
    co_return fail(ErrorCode::kTimeout, "no connection in time", ErrorSource::kUpstream,
                   Retry::kYes);
  }
  co_return fail(ErrorCode::kCancelled, "the connect was cancelled");
}

}  // namespace vsr::net
