#include "http/server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/strings.h"

namespace vsr::http {

namespace {

// A first read takes a whole small request; the rest of a large one goes straight to its place.
constexpr size_t kHeadReadBytes = 4UL << 10;
constexpr size_t kLingerReadBytes = 16UL << 10;
// How long bytes that nobody wants are taken from a client that was refused: in all, and at rest.
constexpr std::chrono::milliseconds kLinger{10'000};
constexpr std::chrono::milliseconds kLingerIdle{2'000};

std::string_view status_code_word(int status) {
  switch (status) {
    case 408:
      return "request_timeout";
    case 413:
      return "request_too_large";
    case 431:
      return "headers_too_large";
    default:
      return "bad_request";
  }
}

int status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kTimeout:
      return 408;
    case ErrorCode::kTooLarge:
      return 431;
    default:
      return 400;
  }
}

}  // namespace

// ---- Connection ---------------------------------------------------------------------------------

class Connection {
 public:
  Connection(Server& server, std::unique_ptr<net::Stream> stream, std::string peer)
      : server_(server), stream_(std::move(stream)), peer_(std::move(peer)) {
    server_.connections_.insert(this);
  }
  ~Connection() {
    server_.connections_.erase(this);
    server_.connection_ended_.notify_all();
  }

  net::Task<void> run();
  // No new request on this connection but one that has arrived; an idle one ends at once.
  void drain() {
    draining_ = true;
    if (!stream_->peek_unread()) idle_cancel_.cancel();
    if (exchange_ != nullptr) exchange_->close_after();
  }
  void cut() {
    draining_ = true;
    idle_cancel_.cancel();
    if (exchange_ != nullptr) exchange_->client_gone().cancel();
    shutdown(stream_->fd(), SHUT_RDWR);
  }

 private:
  // The length of the next head, 0 at the end of the connection.
  net::Task<Result<size_t>> read_head();
  // True if the connection may go on.
  net::Task<bool> serve_one(size_t head_bytes);
  net::Task<void> refuse(int status, std::string message);
  net::Task<bool> discard_body(Exchange& exchange);
  net::Task<void> linger();
  void skip_empty_lines();
  void rest();

  Server& server_;
  std::unique_ptr<net::Stream> stream_;
  const std::string peer_;
  ReadBuffer buffer_;
  Parser parser_{Parser::Kind::kRequest};
  internal::MessageText text_;
  Exchange* exchange_ = nullptr;
  net::CancelSource idle_cancel_;
  bool draining_ = false;
};

net::Task<void> Connection::run() {
  net::Loop& loop = stream_->loop();
  if (server_.tls_) {
    const Status secured = co_await net::start_server_tls(
        *stream_, server_.tls_, loop.after(server_.limits_.head), &idle_cancel_);
    if (!secured) co_return;
  }
  bool go_on = true;
  while (go_on && !draining_) {
    const Result<size_t> head = co_await read_head();
    if (!head) {
      const ErrorCode code = head.error().code;
      if (code == ErrorCode::kTimeout || code == ErrorCode::kTooLarge) {
        co_await refuse(status_of(head.error()), head.error().message);
      }
      co_return;
    }
    if (*head == 0) co_return;
    go_on = co_await serve_one(*head);
  }
}

// Between requests a connection holds no more than its frames.
void Connection::rest() {
  buffer_.release_if_empty();
  for (std::string* text : {&text_.request_bytes, &text_.answer_head}) {
    if (text->capacity() > kHeadReadBytes) *text = {};
  }
}

// Empty lines before a request line are allowed and mean nothing (RFC 9112, 2.2).
void Connection::skip_empty_lines() {
  while (!buffer_.empty() &&
         (buffer_.unread().front() == '\r' || buffer_.unread().front() == '\n')) {
    buffer_.consume(1);
  }
}

net::Task<Result<size_t>> Connection::read_head() {
  net::Loop& loop = stream_->loop();
  if (buffer_.empty()) {
    rest();
    const Status ready =
        co_await stream_->readable(loop.after(server_.limits_.idle), &idle_cancel_);
    if (!ready) co_return size_t{0};
  }
  const MonoTime deadline = loop.after(server_.limits_.head);
  size_t searched = 0;
  for (;;) {
    if (searched == 0) skip_empty_lines();
    const std::string_view bytes = buffer_.unread();
    const size_t end = find_head_end(bytes, searched);
    if (end > kHeadBytesMax || (end == 0 && bytes.size() > kHeadBytesMax)) {
      co_return fail(ErrorCode::kTooLarge,
                     fmt::format("the request head is over {} bytes", kHeadBytesMax),
                     ErrorSource::kClient);
    }
    if (end > 0) co_return end;
    const Result<size_t> got =
        co_await stream_->read_some(buffer_.room(kHeadReadBytes / 2), deadline);
    if (!got && got.error().code == ErrorCode::kTimeout) {
      co_return fail(ErrorCode::kTimeout, "the request head came too slowly", ErrorSource::kClient);
    }
    if (!got || *got == 0) co_return size_t{0};
    buffer_.grew(*got);
  }
}

net::Task<bool> Connection::serve_one(size_t head_bytes) {
  // The head is copied out of the read buffer, which the body will overwrite.
  text_.request_bytes.assign(buffer_.unread().substr(0, head_bytes));
  buffer_.consume(head_bytes);
  const Status parsed = parser_.parse_request(text_.request_bytes, text_.request);
  if (!parsed) {
    co_await refuse(status_of(parsed.error()), parsed.error().message);
    co_return false;
  }
  Exchange exchange(*stream_, buffer_, parser_, server_.limits_, peer_, text_);
  exchange.framing_ = parser_.framing();
  exchange.content_length_ = parser_.content_length();
  exchange.keep_alive_ = parser_.keep_alive() && !draining_;
  exchange.expects_continue_ = exchange.framing_ != Framing::kNone &&
                               iequals(text_.request.headers.get("expect"), "100-continue");
  exchange.received_at_ = stream_->loop().now();
  exchange_ = &exchange;
  stream_->cancel_on_hang_up(&exchange.client_gone_);
  co_await server_.handler_.handle(exchange);
  stream_->cancel_on_hang_up(nullptr);
  exchange_ = nullptr;
  if (!exchange.head_sent_) co_return false;
  if (exchange.finished_ && exchange.keep_alive_) {
    if (exchange.body_unread() && !co_await discard_body(exchange)) co_return false;
    co_return true;
  }
  if (exchange.body_unread() || !buffer_.empty() || stream_->has_unread()) co_await linger();
  co_return false;
}

net::Task<bool> Connection::discard_body(Exchange& exchange) {
  const Result<Bytes> rest = co_await exchange.read_body(internal::kDiscardBytesMax);
  co_return rest.has_value();
}

net::Task<void> Connection::refuse(int status, std::string message) {
  const std::string body = server_.handler_.error_body(status, status_code_word(status), message);
  const std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n"
      "connection: close\r\n\r\n",
      status, reason_phrase(status), body.size());
  const std::string_view pieces[] = {head, body};
  const Status sent = co_await stream_->write_all(pieces, stream_->loop().after(kLingerIdle));
  if (sent) co_await linger();
}

// Closing with unread bytes would make the kernel send a reset, which can overtake the answer; so
// they are read and thrown away for a while.
net::Task<void> Connection::linger() {
  net::Loop& loop = stream_->loop();
  stream_->shutdown_write();
  const MonoTime end = loop.after(kLinger);
  while (loop.now() < end) {
    buffer_.consume(buffer_.unread().size());
    const MonoTime deadline = std::min(end, loop.after(kLingerIdle));
    const Result<size_t> got =
        co_await stream_->read_some(buffer_.room(kLingerReadBytes), deadline);
    if (!got || *got == 0) co_return;
    co_await loop.yield();
  }
}

// ---- Server -------------------------------------------------------------------------------------

Server::Server(net::Loop& loop, Handler& handler, ServerLimits limits,
               std::shared_ptr<const net::TlsContext> tls)
    : loop_(loop), handler_(handler), limits_(limits), tls_(std::move(tls)) {}

Server::~Server() = default;

Status Server::listen(const std::string& address, uint16_t port) {
  auto listener = net::Listener::open(
      loop_, address, port, [this](int fd, std::string peer) { adopt(fd, std::move(peer)); });
  if (!listener) return std::unexpected(listener.error());
  listener_ = std::move(*listener);
  return {};
}

void Server::adopt(int fd, std::string peer) {
  if (draining_ || connections_.size() >= limits_.connections_max) {
    close(fd);
    return;
  }
  loop_.spawn(serve(fd, std::move(peer)));
}

net::Task<void> Server::serve(int fd, std::string peer) {
  Connection connection(*this, std::make_unique<net::Stream>(loop_, fd), std::move(peer));
  co_await connection.run();
}

void Server::drain() {
  if (listener_) listener_->close_now();
  draining_ = true;
  for (Connection* connection : std::vector(connections_.begin(), connections_.end())) {
    connection->drain();
  }
}

net::Task<bool> Server::wait_empty(MonoTime deadline) {
  while (!connections_.empty()) {
    if (!co_await connection_ended_.wait(loop_, deadline)) co_return connections_.empty();
  }
  co_return true;
}

void Server::close_all() {
  for (Connection* connection : std::vector(connections_.begin(), connections_.end())) {
    connection->cut();
  }
}

}  // namespace vsr::http
