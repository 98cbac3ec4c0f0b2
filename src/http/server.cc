#include "http/server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>

#include "base/strings.h"

namespace vsr::http {

namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr size_t kReadBytes = 16 * 1024;
// What of an unread body is thrown away to keep a connection; more than that closes it.
constexpr uint64_t kDiscardBytesMax = 1UL << 20;
constexpr std::chrono::milliseconds kLinger{2'000};

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

// ---- Exchange -----------------------------------------------------------------------------------

net::Task<Status> Exchange::send_continue() {
  if (!expects_continue_ || !buffer_.empty()) co_return Status{};
  expects_continue_ = false;
  const std::string_view pieces[] = {kContinue};
  co_return co_await stream_.write_all(pieces, loop().after(limits_.write), &client_gone_);
}

net::Task<Result<Bytes>> Exchange::read_body(uint64_t bytes_max) {
  if (framing_ == Framing::kNone || body_read_) {
    body_read_ = true;
    received_at_ = loop().now();
    co_return Bytes{};
  }
  if (framing_ == Framing::kLength && content_length_ > bytes_max) {
    co_return fail(ErrorCode::kTooLarge,
                   fmt::format("the body has {} bytes, {} are allowed", content_length_, bytes_max),
                   ErrorSource::kClient);
  }
  if (Status sent = co_await send_continue(); !sent) co_return std::unexpected(sent.error());
  Result<Bytes> body = framing_ == Framing::kLength ? co_await read_sized(content_length_)
                                                    : co_await read_chunked(bytes_max);
  if (body) {
    body_read_ = true;
    received_at_ = loop().now();
  } else if (body.error().code == ErrorCode::kTimeout) {
    body.error() = {ErrorCode::kTimeout, ErrorSource::kClient, Retry::kNo,
                    "the body came too slowly"};
  }
  co_return body;
}

net::Task<Result<Bytes>> Exchange::read_sized(uint64_t length) {
  Bytes body(length);
  const std::string_view ready = buffer_.unread().substr(0, length);
  body.append(ready);
  buffer_.consume(ready.size());
  const MonoTime begun = loop().now();
  while (body.size() < length) {
    const MonoTime deadline = begun + limits_.body_grace + std::chrono::milliseconds(body.size());
    const Result<size_t> got = co_await stream_.read_some(body.room(), deadline);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return fail(ErrorCode::kClosed, "the client closed in its body");
    body.grew(*got);
  }
  co_return body;
}

net::Task<Result<Bytes>> Exchange::read_chunked(uint64_t bytes_max) {
  Bytes body(kReadBytes);
  std::vector<std::string_view> spans;
  const MonoTime begun = loop().now();
  while (!parser_.done()) {
    if (buffer_.empty()) {
      const MonoTime deadline = begun + limits_.body_grace + std::chrono::milliseconds(body.size());
      const Result<size_t> got = co_await stream_.read_some(buffer_.room(kReadBytes), deadline);
      if (!got) co_return std::unexpected(got.error());
      if (*got == 0) co_return fail(ErrorCode::kClosed, "the client closed in its body");
      buffer_.grew(*got);
    }
    spans.clear();
    const Result<size_t> used = parser_.feed_chunked(buffer_.unread(), spans);
    if (!used) co_return std::unexpected(used.error());
    for (const std::string_view span : spans) {
      if (body.size() + span.size() > bytes_max) {
        co_return fail(ErrorCode::kTooLarge,
                       fmt::format("the body has more than the {} bytes allowed", bytes_max),
                       ErrorSource::kClient);
      }
      body.append(span);
    }
    buffer_.consume(*used);
  }
  co_return body;
}

void Exchange::build_head(int status, std::string_view header_lines,
                          std::optional<uint64_t> content_length, bool chunked) {
  status_ = status;
  head_.clear();
  fmt::format_to(std::back_inserter(head_), "HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
  head_ += header_lines;
  if (chunked) head_ += "transfer-encoding: chunked\r\n";
  if (content_length) {
    fmt::format_to(std::back_inserter(head_), "content-length: {}\r\n", *content_length);
  }
  if (!keep_alive_) {
    head_ += "connection: close\r\n";
  } else if (request_.minor_version == 0) {
    head_ += "connection: keep-alive\r\n";
  }
  head_ += "\r\n";
}

net::Task<Status> Exchange::respond(int status, std::string_view header_lines,
                                    std::string_view body) {
  if (body_unread() &&
      (framing_ == Framing::kChunked || content_length_ > kDiscardBytesMax || expects_continue_)) {
    keep_alive_ = false;
  }
  const bool has_body = status >= 200 && status != 204 && status != 304;
  build_head(status, header_lines, has_body ? std::optional<uint64_t>(body.size()) : std::nullopt,
             false);
  started_ = finished_ = true;
  const std::string_view pieces[] = {head_, request_.method == "HEAD" || !has_body ? "" : body};
  co_return co_await stream_.write_all(pieces, loop().after(limits_.write));
}

net::Task<Status> Exchange::start(int status, std::string_view header_lines,
                                  std::optional<uint64_t> content_length) {
  // HTTP/1.0 knows no chunks: the end of the connection ends the body.
  chunked_ = !content_length && request_.minor_version > 0;
  if (!content_length && !chunked_) keep_alive_ = false;
  build_head(status, header_lines, content_length, chunked_);
  started_ = true;
  co_return Status{};
}

net::Task<Status> Exchange::write(std::span<const std::string_view> pieces) {
  std::string_view all[net::kPiecesMax];
  size_t count = 0;
  char size_line[24];
  if (!head_sent_) all[count++] = head_;
  head_sent_ = true;
  size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  const bool send_body = bytes > 0 && request_.method != "HEAD";
  if (send_body && chunked_) {
    const auto end = std::to_chars(size_line, size_line + sizeof(size_line) - 2, bytes, 16).ptr;
    end[0] = '\r';
    end[1] = '\n';
    all[count++] = {size_line, static_cast<size_t>(end + 2 - size_line)};
  }
  for (size_t i = 0; send_body && i < pieces.size(); ++i) {
    if (count + 2 > net::kPiecesMax) {
      const Status sent =
          co_await stream_.write_all({all, count}, loop().after(limits_.write), &client_gone_);
      if (!sent) co_return sent;
      count = 0;
    }
    all[count++] = pieces[i];
  }
  if (send_body && chunked_) all[count++] = "\r\n";
  co_return co_await stream_.write_all({all, count}, loop().after(limits_.write), &client_gone_);
}

net::Task<Status> Exchange::finish() {
  std::string_view pieces[2];
  size_t count = 0;
  if (!head_sent_) pieces[count++] = head_;
  head_sent_ = finished_ = true;
  if (chunked_ && request_.method != "HEAD") pieces[count++] = "0\r\n\r\n";
  if (count == 0) co_return Status{};
  co_return co_await stream_.write_all({pieces, count}, loop().after(limits_.write), &client_gone_);
}

// ---- Connection ---------------------------------------------------------------------------------

class Connection {
 public:
  Connection(Server& server, std::unique_ptr<net::Stream> stream, std::string peer)
      : server_(server), stream_(std::move(stream)), peer_(std::move(peer)) {
    server_.connections_.insert(this);
  }
  ~Connection() { server_.connections_.erase(this); }

  net::Task<void> run();
  // No new request on this connection; an idle one ends at once.
  void drain() {
    draining_ = true;
    if (idle_) idle_cancel_.cancel();
    if (exchange_ != nullptr) exchange_->close_after();
  }
  void cut() {
    idle_cancel_.cancel();
    if (exchange_ != nullptr) exchange_->client_gone().cancel();
    shutdown(stream_->fd(), SHUT_RDWR);
  }

 private:
  // The bytes of the next head, empty at the end of the connection.
  net::Task<Result<size_t>> read_head();
  // True if the connection may go on.
  net::Task<bool> serve_one(size_t head_bytes);
  net::Task<void> refuse(int status, std::string message);
  net::Task<bool> discard_body(Exchange& exchange);
  net::Task<void> linger();

  Server& server_;
  std::unique_ptr<net::Stream> stream_;
  const std::string peer_;
  ReadBuffer buffer_;
  Parser parser_{Parser::Kind::kRequest};
  Exchange* exchange_ = nullptr;
  net::CancelSource idle_cancel_;
  bool idle_ = false;
  bool draining_ = false;
};

net::Task<void> Connection::run() {
  net::Loop& loop = stream_->loop();
  if (server_.tls_) {
    const Status secured = co_await net::start_server_tls(
        *stream_, server_.tls_, loop.after(server_.limits_.head), nullptr);
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

net::Task<Result<size_t>> Connection::read_head() {
  net::Loop& loop = stream_->loop();
  size_t searched = 0;
  MonoTime deadline = loop.after(buffer_.empty() ? server_.limits_.idle : server_.limits_.head);
  bool begun = !buffer_.empty();
  for (;;) {
    const std::string_view bytes = buffer_.unread();
    if (const size_t end = find_head_end(bytes, searched); end > 0) {
      if (end > kHeadBytesMax) break;
      co_return end;
    }
    if (bytes.size() > kHeadBytesMax) break;
    idle_ = !begun;
    const Result<size_t> got =
        co_await stream_->read_some(buffer_.room(kReadBytes / 4), deadline, &idle_cancel_);
    idle_ = false;
    if (!got) {
      if (got.error().code != ErrorCode::kTimeout || !begun) {
        co_return fail(ErrorCode::kClosed, "idle");
      }
      co_return fail(ErrorCode::kTimeout, "the request head came too slowly", ErrorSource::kClient);
    }
    if (*got == 0) co_return size_t{0};
    buffer_.grew(*got);
    if (!begun) {
      begun = true;
      deadline = loop.after(server_.limits_.head);
    }
    // Empty lines before a request line are allowed and mean nothing (RFC 9112, 2.2).
    while (!buffer_.empty() &&
           (buffer_.unread().front() == '\r' || buffer_.unread().front() == '\n')) {
      buffer_.consume(1);
      searched = 0;
    }
  }
  co_return fail(ErrorCode::kTooLarge,
                 fmt::format("the request head is over {} bytes", kHeadBytesMax),
                 ErrorSource::kClient);
}

net::Task<bool> Connection::serve_one(size_t head_bytes) {
  Exchange exchange(*stream_, buffer_, parser_, server_.limits_, peer_);
  // The head is copied out of the read buffer, which the body will overwrite.
  const std::string head(buffer_.unread().substr(0, head_bytes));
  buffer_.consume(head_bytes);
  const Status parsed = parser_.parse_request(head, exchange.request_);
  if (!parsed) {
    co_await refuse(status_of(parsed.error()), parsed.error().message);
    co_return false;
  }
  exchange.framing_ = parser_.framing();
  exchange.content_length_ = parser_.content_length();
  exchange.keep_alive_ = parser_.keep_alive() && !draining_;
  exchange.expects_continue_ = iequals(exchange.request_.headers.get("expect"), "100-continue");
  exchange.received_at_ = stream_->loop().now();
  exchange_ = &exchange;
  stream_->cancel_on_hang_up(&exchange.client_gone_);
  co_await server_.handler_.handle(exchange);
  stream_->cancel_on_hang_up(nullptr);
  exchange_ = nullptr;
  if (!exchange.finished_ || exchange.abandoned_) co_return false;
  if (!exchange.keep_alive_) {
    if (exchange.body_unread()) co_await linger();
    co_return false;
  }
  if (exchange.body_unread() && !co_await discard_body(exchange)) co_return false;
  buffer_.release_if_empty();
  co_return !stream_->hung_up();
}

net::Task<bool> Connection::discard_body(Exchange& exchange) {
  const Result<Bytes> rest = co_await exchange.read_body(kDiscardBytesMax);
  co_return rest.has_value();
}

net::Task<void> Connection::refuse(int status, std::string message) {
  const std::string body = server_.handler_.error_body(status, status_code_word(status), message);
  const std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n"
      "connection: close\r\n\r\n",
      status, reason_phrase(status), body.size());
  const std::string_view pieces[] = {head, body};
  co_await stream_->write_all(pieces, stream_->loop().after(kLinger));
  co_await linger();
}

// Closing with unread bytes would make the kernel send a reset, which can overtake the answer; so
// they are read and thrown away for a moment.
net::Task<void> Connection::linger() {
  stream_->shutdown_write();
  const MonoTime deadline = stream_->loop().after(kLinger);
  uint64_t left = 64 * kDiscardBytesMax;
  for (;;) {
    buffer_.consume(buffer_.unread().size());
    const Result<size_t> got = co_await stream_->read_some(buffer_.room(kReadBytes), deadline);
    if (!got || *got == 0 || *got > left) co_return;
    left -= *got;
  }
}

// ---- Server -------------------------------------------------------------------------------------

Server::Server(net::Loop& loop, Handler& handler, ServerLimits limits,
               std::shared_ptr<const net::TlsContext> tls)
    : loop_(loop), handler_(handler), limits_(limits), tls_(std::move(tls)) {}

Server::~Server() = default;

Status Server::listen(const std::string& address, uint16_t port) {
  auto listener = net::Listener::open(
      loop_, address, port, [this](int fd, std::string peer) { on_accept(fd, std::move(peer)); });
  if (!listener) return std::unexpected(listener.error());
  listener_ = std::move(*listener);
  return {};
}

void Server::on_accept(int fd, std::string peer) {
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
  draining_ = true;
  listener_->close_now();
  for (Connection* connection : std::vector(connections_.begin(), connections_.end())) {
    connection->drain();
  }
}

void Server::close_all() {
  for (Connection* connection : std::vector(connections_.begin(), connections_.end())) {
    connection->cut();
  }
}

}  // namespace vsr::http
