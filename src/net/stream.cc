#include "net/stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
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

bool Stream::peek_unread() {
  if (ssl_ != nullptr && SSL_has_pending(ssl_) != 0) return true;
  char byte;
  return recv(fd_, &byte, 1, MSG_PEEK) >= 0 || errno != EAGAIN;
}

void Stream::on_events(uint32_t events) {
  bool destroyed = false;
  destroyed_ = &destroyed;
  const bool closed = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (closed || (events & EPOLLIN) != 0) readable_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) writable_ = true;
  if (closed || (idle_ && readable_)) {
    hung_up_ = true;
    if (cancel_on_hang_up_ != nullptr) cancel_on_hang_up_->cancel();
  }
  // Both are asked after any event: under TLS a read may wait for the socket to be writable and
  // the other way round, and a write may yield to a read. Asking costs no system call.
  if (reader_ != nullptr) reader_->notify();
  if (!destroyed && writer_ != nullptr) writer_->notify();
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

// ---- reading ------------------------------------------------------------------------------------

bool Stream::ReadOp::attempt() {
  if (ssl() != nullptr) return attempt_tls();
  if (!kernel_readable()) return false;
  for (;;) {
    const ssize_t got = recv(stream_.fd(), buffer_.data(), buffer_.size(), 0);
    if (got >= 0) {
      got_ = static_cast<size_t>(got);
      // A short read emptied the socket, so the next bytes make a new edge. An end that was
      // reported together with them does not.
      if (got_ > 0 && got_ < buffer_.size() && !stream_.hung_up()) kernel_readable() = false;
      return true;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      kernel_readable() = false;
      return false;
    }
    error_ = errno;
    return true;
  }
}

bool Stream::ReadOp::attempt_tls() {
  ERR_clear_error();
  errno = 0;
  const int got = SSL_read(ssl(), buffer_.data(), static_cast<int>(buffer_.size()));
  if (got > 0) {
    got_ = static_cast<size_t>(got);
    return true;
  }
  const int why = SSL_get_error(ssl(), got);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    kernel_readable() = false;
    return false;
  }
  if (why != SSL_ERROR_ZERO_RETURN) error_ = why == SSL_ERROR_SYSCALL && errno ? errno : EPROTO;
  return true;
}

Result<size_t> Stream::ReadOp::await_resume() {
  if (aborted_ || error_ != 0) return std::unexpected(error_of(error_));
  return got_;
}

Result<std::optional<size_t>> Stream::try_read(std::span<char> buffer) {
  ReadOp op(*this, buffer, kNever, nullptr);
  if (!op.attempt()) return std::nullopt;
  const Result<size_t> got = op.await_resume();
  if (!got) return std::unexpected(got.error());
  return *got;
}

Status Stream::ReadableOp::await_resume() {
  if (aborted_) return std::unexpected(error_of(0));
  return {};
}

// ---- writing ------------------------------------------------------------------------------------

Stream::WriteOp::WriteOp(Stream& stream, std::span<const std::string_view> pieces,
                         MonoTime deadline, CancelSource* cancel)
    : StreamOp(stream, false, deadline, cancel), pieces_(pieces) {}

bool Stream::WriteOp::attempt() { return ssl() != nullptr ? attempt_tls() : attempt_plain(); }

void Stream::WriteOp::advance(size_t bytes) {
  size_t left = bytes + offset_;
  while (piece_ < pieces_.size() && left >= pieces_[piece_].size()) {
    left -= pieces_[piece_++].size();
  }
  offset_ = left;
}

// What attempt() says when the kernel takes no more.
bool Stream::WriteOp::blocked() { return yields_to_reads_ && kernel_readable(); }

bool Stream::WriteOp::attempt_plain() {
  advance(0);
  while (piece_ < pieces_.size()) {
    if (!kernel_writable()) return blocked();
    iovec vectors[kPiecesMax];
    size_t count = 0;
    size_t bytes = 0;
    for (size_t i = piece_; i < pieces_.size() && count < kPiecesMax; ++i) {
      const std::string_view rest = pieces_[i].substr(i == piece_ ? offset_ : 0);
      if (rest.empty()) continue;
      vectors[count++] = {const_cast<char*>(rest.data()), rest.size()};
      bytes += rest.size();
    }
    msghdr message{};
    message.msg_iov = vectors;
    message.msg_iovlen = count;
    const ssize_t sent = sendmsg(stream_.fd(), &message, MSG_NOSIGNAL);
    if (sent >= 0) {
      advance(static_cast<size_t>(sent));
      // Less than all: the socket is full, and epoll will say when it is not.
      if (static_cast<size_t>(sent) < bytes) kernel_writable() = false;
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      kernel_writable() = false;
      continue;
    }
    error_ = errno;
    return true;
  }
  return true;
}

std::string_view Stream::WriteOp::next_record(std::span<char> joined) const {
  std::string_view first = pieces_[piece_].substr(offset_);
  if (first.size() >= joined.size() || piece_ + 1 == pieces_.size()) {
    return first.substr(0, std::min(first.size(), size_t{1} << 30));
  }
  size_t used = 0;
  for (size_t i = piece_; i < pieces_.size() && used < joined.size(); ++i) {
    const std::string_view rest = pieces_[i].substr(i == piece_ ? offset_ : 0);
    const size_t take = std::min(rest.size(), joined.size() - used);
    std::memcpy(joined.data() + used, rest.data(), take);
    used += take;
  }
  return {joined.data(), used};
}

bool Stream::WriteOp::attempt_tls() {
  char joined[SSL3_RT_MAX_PLAIN_LENGTH];
  advance(0);
  while (piece_ < pieces_.size()) {
    // After "want write" OpenSSL wants the same bytes again, which this gives.
    const std::string_view record = next_record(joined);
    ERR_clear_error();
    errno = 0;
    const int sent = SSL_write(ssl(), record.data(), static_cast<int>(record.size()));
    if (sent > 0) {
      advance(static_cast<size_t>(sent));
      continue;
    }
    const int why = SSL_get_error(ssl(), sent);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return blocked();
    error_ = why == SSL_ERROR_SYSCALL && errno ? errno : EPROTO;
    return true;
  }
  return true;
}

Status Stream::WriteOp::await_resume() {
  if (aborted_ || error_ != 0) return std::unexpected(error_of(error_));
  return {};
}

// ---- connecting ---------------------------------------------------------------------------------

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
