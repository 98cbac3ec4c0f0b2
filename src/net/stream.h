#pragma once

// A connected TCP socket, plain or under TLS, on one loop. At most one read and one write wait at a
// time; both may wait together. Not thread-safe. TCP_NODELAY is always on. Reads and writes are
// awaited directly and make no coroutine of their own; what the kernel is known not to have ready
// costs no system call.

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/loop.h"

typedef struct ssl_st SSL;

namespace vsr::net {

// Pieces that go into one system call.
constexpr size_t kPiecesMax = 64;
// What one read takes at most, so that a fast sender shares the loop.
constexpr size_t kReadBytesMax = 256UL << 10;

class StreamOp;

class Stream final : private Watched {
 public:
  class ReadOp;
  class ReadableOp;
  class WriteOp;

  // Takes the descriptor, which is connected and non-blocking.
  Stream(Loop& loop, int fd);
  ~Stream() override;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Bytes read, at least one; 0 at the end of the stream. Into `buffer`, which is not empty.
  ReadOp read_some(std::span<char> buffer, MonoTime deadline, CancelSource* cancel = nullptr);
  // Waits until there may be something to read, the end included. Needs no buffer meanwhile.
  ReadableOp readable(MonoTime deadline, CancelSource* cancel = nullptr);
  // All pieces in order with as few system calls as the kernel allows. The pieces must stay valid
  // until it is done. The deadline counts for the whole.
  WriteOp write_all(std::span<const std::string_view> pieces, MonoTime deadline,
                    CancelSource* cancel = nullptr);
  // What read_some would give without waiting; nothing if it would wait.
  Result<std::optional<size_t>> try_read(std::span<char> buffer);

  // No more writes from us; the other side sees the end.
  void shutdown_write();
  // The other side closed, or the connection broke. For an idle connection also: bytes came that
  // nobody had asked for.
  bool hung_up() const { return hung_up_; }
  // Cancels `source` when the other side closes; nullptr to stop.
  void cancel_on_hang_up(CancelSource* source);
  // While idle, bytes count as a hang-up.
  void set_idle(bool idle);
  // Unread bytes or an end are waiting in the kernel, as far as epoll has told.
  bool has_unread() { return readable_ && peek_unread(); }
  // The same, by asking the kernel.
  bool peek_unread();

  // Takes ownership of a TLS session that is bound to this socket.
  void attach_tls(SSL* ssl) { ssl_ = ssl; }
  bool is_tls() const { return ssl_ != nullptr; }
  int fd() const { return fd_; }
  Loop& loop() const { return loop_; }

 private:
  friend class StreamOp;
  void on_events(uint32_t events) override;

  Loop& loop_;
  int fd_;
  SSL* ssl_ = nullptr;
  StreamOp* reader_ = nullptr;
  StreamOp* writer_ = nullptr;
  CancelSource* cancel_on_hang_up_ = nullptr;
  // Edges: false once the kernel has said "would block", true again once epoll reports it. What is
  // there already when the descriptor is added, epoll reports too.
  bool readable_ = false;
  bool writable_ = true;
  bool hung_up_ = false;
  bool idle_ = false;
  bool* destroyed_ = nullptr;  // of the on_events call that is running
};

// Waits in one of the stream's two places.
class StreamOp : public Op {
 public:
  StreamOp(Stream& stream, bool reads, MonoTime deadline, CancelSource* cancel)
      : Op(stream.loop(), deadline, cancel), stream_(stream), reads_(reads) {}

 protected:
  void begin_wait() override;
  void end_wait() override;
  SSL* ssl() const { return stream_.ssl_; }
  bool& kernel_readable() { return stream_.readable_; }
  bool& kernel_writable() { return stream_.writable_; }
  // The error of an operation that ended from outside or by the errno given.
  Error error_of(int number) const;
  Stream& stream_;

 private:
  const bool reads_;
};

class [[nodiscard]] Stream::ReadOp final : public StreamOp {
 public:
  ReadOp(Stream& stream, std::span<char> buffer, MonoTime deadline, CancelSource* cancel)
      : StreamOp(stream, true, deadline, cancel),
        buffer_(buffer.first(std::min(buffer.size(), kReadBytesMax))) {}
  Result<size_t> await_resume();

 protected:
  bool attempt() override;

 private:
  friend class Stream;
  bool attempt_tls();
  std::span<char> buffer_;
  size_t got_ = 0;
  int error_ = 0;
};

class [[nodiscard]] Stream::ReadableOp final : public StreamOp {
 public:
  ReadableOp(Stream& stream, MonoTime deadline, CancelSource* cancel)
      : StreamOp(stream, true, deadline, cancel) {}
  Status await_resume();

 protected:
  bool attempt() override { return kernel_readable(); }
};

class [[nodiscard]] Stream::WriteOp final : public StreamOp {
 public:
  WriteOp(Stream& stream, std::span<const std::string_view> pieces, MonoTime deadline,
          CancelSource* cancel);
  // Once the kernel takes no more: stop waiting as soon as there may be something to read.
  WriteOp& yield_to_reads() {
    yields_to_reads_ = true;
    return *this;
  }
  // After it stopped for that reason it may be awaited again and goes on where it was.
  bool complete() const { return piece_ == pieces_.size(); }
  Status await_resume();

 protected:
  bool attempt() override;

 private:
  bool attempt_plain();
  bool attempt_tls();
  // The next record: a piece, or small ones joined in `joined`.
  std::string_view next_record(std::span<char> joined) const;
  void advance(size_t bytes);
  bool blocked();

  std::span<const std::string_view> pieces_;
  size_t piece_ = 0;   // the first that is not all written
  size_t offset_ = 0;  // what of it is written
  int error_ = 0;
  bool yields_to_reads_ = false;
};

inline Stream::ReadOp Stream::read_some(std::span<char> buffer, MonoTime deadline,
                                        CancelSource* cancel) {
  return ReadOp(*this, buffer, deadline, cancel);
}
inline Stream::ReadableOp Stream::readable(MonoTime deadline, CancelSource* cancel) {
  return ReadableOp(*this, deadline, cancel);
}
inline Stream::WriteOp Stream::write_all(std::span<const std::string_view> pieces,
                                         MonoTime deadline, CancelSource* cancel) {
  return WriteOp(*this, pieces, deadline, cancel);
}

// A connected plain stream to a numeric address, or why not: refused and unreachable are
// kUnavailable with Retry::kYes, a deadline kTimeout.
Task<Result<std::unique_ptr<Stream>>> connect(Loop& loop, std::string ip, uint16_t port,
                                              MonoTime deadline, CancelSource* cancel);

}  // namespace vsr::net
