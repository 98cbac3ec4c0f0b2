#pragma once

// HTTP/1.1 server on one loop. A connection reads a request, lets the Handler answer it, and only
// then reads the next, so pipelined requests are answered in order. The handler gets an Exchange;
// it answers with respond() or start() … write() … finish(). Everything has a limit: ServerLimits.

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_set>

#include "base/result.h"
#include "http/buffer.h"
#include "http/message.h"
#include "http/parser.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"

namespace vsr::http {

struct ServerLimits {
  std::chrono::milliseconds idle{75'000};        // between requests
  std::chrono::milliseconds head{10'000};        // from the first byte of a head to its end
  std::chrono::milliseconds body_grace{15'000};  // beyond one byte a millisecond
  std::chrono::milliseconds write{60'000};       // for kWriteSliceBytes of an answer
  uint64_t body_bytes_max = 1ULL << 30;          // whatever read_body() is told
  size_t connections_max = 20'000;
};

namespace internal {
// What of an unread body is thrown away to keep a connection; more than that closes it.
inline constexpr uint64_t kDiscardBytesMax = 1UL << 20;

// What a connection keeps from one exchange to the next, so that it need not be allocated again.
struct MessageText {
  std::string request_bytes;
  RequestHead request;  // views into request_bytes
  std::string answer_head;
};
}  // namespace internal

class Exchange {
 public:
  const RequestHead& request() const { return text_.request; }
  const std::string& peer() const { return peer_; }
  net::Loop& loop() const { return stream_.loop(); }

  // The whole body. Errors: kTooLarge (413), kTimeout (408), kProtocol (400), kClosed. Call once.
  net::Task<Result<Bytes>> read_body(uint64_t bytes_max);

  // One answer with its length; `header_lines` is a HeaderText. `body` need only live until this
  // returns. For HEAD the body is counted, not sent.
  net::Task<Status> respond(int status, std::string_view header_lines, std::string_view body);
  // A streamed answer: chunked, or of `content_length` bytes.
  net::Task<Status> start(int status, std::string_view header_lines,
                          std::optional<uint64_t> content_length = std::nullopt);
  // Sends the pieces as one chunk; the head goes out with the first write. Not more bytes than were
  // announced.
  net::Task<Status> write(std::span<const std::string_view> pieces);
  // Ends the answer, after `pieces` in the same system call. An answer shorter than announced ends
  // its connection.
  net::Task<Status> finish(std::span<const std::string_view> pieces = {});
  // Ends the connection after what was sent: the answer was cut short.
  void abandon() {
    keep_alive_ = false;
    abandoned_ = true;
  }

  bool started() const { return started_; }
  bool finished() const { return finished_; }
  int status() const { return status_; }
  // Cancelled when the client closes its side; pass it to whatever is done for this request.
  net::CancelSource& client_gone() { return client_gone_; }
  // Header lines (a HeaderText) that whatever is answered will carry.
  void add_to_answer(std::string_view header_lines) { common_lines_ += header_lines; }
  // The server is going away: the answer says `connection: close`.
  void close_after() { keep_alive_ = false; }
  // Time at which the whole request had been read.
  MonoTime received_at() const { return received_at_; }

 private:
  friend class Connection;
  Exchange(net::Stream& stream, ReadBuffer& buffer, Parser& parser, const ServerLimits& limits,
           const std::string& peer, internal::MessageText& text)
      : stream_(stream),
        buffer_(buffer),
        parser_(parser),
        limits_(limits),
        peer_(peer),
        text_(text) {}

  net::Task<Result<Bytes>> read_sized(uint64_t length);
  net::Task<Result<Bytes>> read_chunked(uint64_t bytes_max);
  net::Task<Status> send_continue();
  void build_head(int status, std::string_view header_lines, std::optional<uint64_t> content_length,
                  bool chunked);
  // Bytes of a body that nobody read are on their way or in the buffer.
  bool body_unread() const { return framing_ != Framing::kNone && !body_read_; }
  bool sends_body() const;
  net::Task<Status> send_body(std::span<const std::string_view> pieces, bool last);
  Status note_write(Status written);

  net::Stream& stream_;
  ReadBuffer& buffer_;
  Parser& parser_;
  const ServerLimits& limits_;
  const std::string& peer_;
  internal::MessageText& text_;
  Framing framing_ = Framing::kNone;
  uint64_t content_length_ = 0;
  bool expects_continue_ = false;
  bool body_read_ = false;
  bool keep_alive_ = true;
  bool abandoned_ = false;
  bool started_ = false;
  bool finished_ = false;
  bool chunked_ = false;
  bool head_sent_ = false;
  bool broken_ = false;  // a write failed: nothing can follow it
  int status_ = 0;
  std::optional<uint64_t> unsent_;  // of the announced length
  std::string common_lines_;
  net::CancelSource client_gone_;
  MonoTime received_at_{0};
};

class Handler {
 public:
  virtual ~Handler() = default;
  // Must answer; an exchange that was not finished ends its connection.
  virtual net::Task<void> handle(Exchange& exchange) = 0;
  // The body of an error that happened before there was an exchange to handle.
  virtual std::string error_body(int status, std::string_view code, std::string_view message) = 0;
};

class Connection;

// Outlives its connections: drain, wait_empty and close_all end them, or the loop no longer runs.
class Server {
 public:
  // `handler` outlives the server. `tls` may be null.
  Server(net::Loop& loop, Handler& handler, ServerLimits limits,
         std::shared_ptr<const net::TlsContext> tls);
  ~Server();

  // Port 0 takes a free one; see port().
  Status listen(const std::string& address, uint16_t port);
  uint16_t port() const { return listener_->port(); }
  // Starts to accept, on the loop's thread.
  Status start() { return listener_->start(); }
  // Serves a connection that was accepted elsewhere; takes the descriptor, which does not block. On
  // the loop's thread.
  void adopt(int fd, std::string peer);
  // For connections accepted from now on.
  void set_tls(std::shared_ptr<const net::TlsContext> tls) { tls_ = std::move(tls); }

  // Accepts no more, closes idle connections, lets running exchanges end their connections.
  void drain();
  // Waits until no connection is left; false if some are at the deadline.
  net::Task<bool> wait_empty(MonoTime deadline);
  // Cuts what is left; the connections end later in this turn of the loop.
  void close_all();
  size_t connections() const { return connections_.size(); }

 private:
  friend class Connection;
  net::Task<void> serve(int fd, std::string peer);

  net::Loop& loop_;
  Handler& handler_;
  const ServerLimits limits_;
  std::shared_ptr<const net::TlsContext> tls_;
  std::unique_ptr<net::Listener> listener_;
  std::unordered_set<Connection*> connections_;
  net::Notice connection_ended_;
  bool draining_ = false;
};

}  // namespace vsr::http
