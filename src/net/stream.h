#pragma once

// A connected TCP socket, plain or under TLS, on one loop. At most one read and one write wait at a
// time; both may wait together. Not thread-safe. TCP_NODELAY is always on. read_some and write_all
// are awaited directly and make no coroutine of their own.

#include <sys/uio.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/loop.h"

typedef struct ssl_st SSL;

namespace vsr::net {

// Pieces given to one write.
constexpr size_t kPiecesMax = 64;

class Stream final : private Watched {
 public:
  class ReadOp;
  class WriteOp;

  // Takes the descriptor, which is connected and non-blocking.
  Stream(Loop& loop, int fd);
  ~Stream() override;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Bytes read, at least one; 0 at the end of the stream. Into `buffer`, which is not empty.
  ReadOp read_some(std::span<char> buffer, MonoTime deadline, CancelSource* cancel = nullptr);
  // All pieces in order with as few system calls as the kernel allows. The pieces must stay valid
  // until it is done. The deadline counts for the whole.
  WriteOp write_all(std::span<const std::string_view> pieces, MonoTime deadline,
                    CancelSource* cancel = nullptr);

  // No more writes from us; the other side sees the end.
  void shutdown_write();
  // The other side closed, or the connection broke. For an idle connection also: bytes came that
  // nobody had asked for.
  bool hung_up() const { return hung_up_; }
  // Cancels `source` when the other side closes; nullptr to stop.
  void cancel_on_hang_up(CancelSource* source);
  // While idle, bytes count as a hang-up.
  void set_idle(bool idle);

  // Takes ownership of a TLS session that is bound to this socket and has finished its handshake.
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
  class StreamOp* reader_ = nullptr;
  class StreamOp* writer_ = nullptr;
  CancelSource* cancel_on_hang_up_ = nullptr;
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
  // The error of an operation that ended from outside or by the errno given.
  Error error_of(int number) const;
  Stream& stream_;

 private:
  const bool reads_;
};

class [[nodiscard]] Stream::ReadOp final : public StreamOp {
 public:
  ReadOp(Stream& stream, std::span<char> buffer, MonoTime deadline, CancelSource* cancel)
      : StreamOp(stream, true, deadline, cancel), buffer_(buffer) {}
  Result<size_t> await_resume();

 protected:
  bool attempt() override;

 private:
  std::span<char> buffer_;
  size_t got_ = 0;
  int error_ = 0;
};

class [[nodiscard]] Stream::WriteOp final : public StreamOp {
 public:
  WriteOp(Stream& stream, std::span<const std::string_view> pieces, MonoTime deadline,
          CancelSource* cancel);
  Status await_resume();

 protected:
  bool attempt() override;

 private:
  bool attempt_plain();
  bool attempt_tls();
  std::span<const std::string_view> pieces_;
  size_t piece_ = 0;   // the first that is not all written
  size_t offset_ = 0;  // what of it is written
  int error_ = 0;
};

// Waits until a descriptor can be written, e.g. a connect that is under way.
inline Stream::ReadOp Stream::read_some(std::span<char> buffer, MonoTime deadline,
                                        CancelSource* cancel) {
  return ReadOp(*this, buffer, deadline, cancel);
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
