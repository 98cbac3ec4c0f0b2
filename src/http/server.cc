#include "http/server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>

#include "base/check.h"
#include "base/strings.h"

namespace vsr::http {

namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
// A first read takes a whole small request; the rest of a large one goes straight to its place.
constexpr size_t kHeadReadBytes = 4UL << 10;
constexpr size_t kChunkedReadBytes = 16UL << 10;
// Reads of one body before other work has its turn.
constexpr int kReadsPerTurn = 16;
// What of an unread body is thrown away to keep a connection; more than that closes it.
constexpr uint64_t kDiscardBytesMax = 1UL << 20;
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

void append_number(std::string& out, uint64_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof(digits), number).ptr);
}

bool status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

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

// ---- Exchange: the request ----------------------------------------------------------------------

net::Task<Status> Exchange::send_continue() {
  if (!expects_continue_ || !buffer_.empty()) co_return Status{};
  expects_continue_ = false;
  const std::string_view pieces[] = {kContinue};
  co_return note_write(
      co_await stream_.write_all(pieces, loop().after(limits_.write), &client_gone_));
}

net::Task<Result<Bytes>> Exchange::read_body(uint64_t bytes_max) {
  if (framing_ == Framing::kNone || body_read_) {
    body_read_ = true;
    received_at_ = loop().now();
    co_return Bytes{};
  }
  bytes_max = std::min(bytes_max, limits_.body_bytes_max);
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
    co_return body;
  }
  // Where the next request begins is not known any more.
  keep_alive_ = false;
  body.error().source = ErrorSource::kClient;
  if (body.error().code == ErrorCode::kTimeout) body.error().message = "the body came too slowly";
  co_return body;
}

net::Task<Result<Bytes>> Exchange::read_sized(uint64_t length) {
  // Small bodies at once; a large one gets its memory as it comes, so that a length alone costs
  // the client nothing and us little.
  Bytes body(std::min(length, uint64_t{internal::kBlockBytesMax} - Bytes::kPadding));
  const std::string_view ready = buffer_.unread().substr(0, length);
  body.append(ready);
  buffer_.consume(ready.size());
  const MonoTime begun = loop().now();
  for (int reads = 1; body.size() < length; ++reads) {
    if (body.room().empty()) body.reserve_more(std::min(length - body.size(), body.size()));
    const std::span<char> room =
        body.room().first(std::min<size_t>(body.room().size(), length - body.size()));
    const MonoTime deadline = begun + limits_.body_grace + std::chrono::milliseconds(body.size());
    const Result<size_t> got = co_await stream_.read_some(room, deadline);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return fail(ErrorCode::kClosed, "the client closed in its body");
    body.grew(*got);
    if (reads % kReadsPerTurn == 0) co_await loop().yield();
  }
  co_return body;
}

net::Task<Result<Bytes>> Exchange::read_chunked(uint64_t bytes_max) {
  Bytes body(kChunkedReadBytes);
  std::vector<std::string_view> spans;
  const MonoTime begun = loop().now();
  for (int reads = 1; !parser_.done(); ++reads) {
    if (buffer_.empty()) {
      const MonoTime deadline = begun + limits_.body_grace + std::chrono::milliseconds(body.size());
      const std::span<char> room = buffer_.room(kChunkedReadBytes);
      const Result<size_t> got = co_await stream_.read_some(room, deadline);
      if (!got) co_return std::unexpected(got.error());
      if (*got == 0) co_return fail(ErrorCode::kClosed, "the client closed in its body");
      buffer_.grew(*got);
    }
    spans.clear();
    const Result<size_t> used = parser_.feed_chunked(buffer_.unread(), spans);
    // What came before a mistake counts, so that the answer does not hang on how the bytes were
    // cut.
    for (const std::string_view span : spans) {
      if (body.size() + span.size() > bytes_max) {
        co_return fail(ErrorCode::kTooLarge,
                       fmt::format("the body has more than the {} bytes allowed", bytes_max));
      }
      body.append(span);
    }
    if (!used) co_return std::unexpected(used.error());
    buffer_.consume(*used);
    if (reads % kReadsPerTurn == 0) co_await loop().yield();
  }
  co_return body;
}

// ---- Exchange: the answer -----------------------------------------------------------------------

Status Exchange::note_write(Status written) {
  if (!written) {
    broken_ = true;
    abandon();
  }
  return written;
}

bool Exchange::sends_body() const {
  return text_.request.method != "HEAD" && status_has_body(status_);
}

void Exchange::build_head(int status, std::string_view header_lines,
                          std::optional<uint64_t> content_length, bool chunked) {
  VSR_CHECK(!started_, "a second answer to one request");
  started_ = true;
  status_ = status;
  // A body that is not worth reading to its end costs the connection.
  if (body_unread() &&
      (framing_ == Framing::kChunked || content_length_ > kDiscardBytesMax || expects_continue_)) {
    keep_alive_ = false;
  }
  std::string& head = text_.answer_head;
  head = "HTTP/1.1 ";
  append_number(head, static_cast<uint64_t>(status));
  head.append(" ")
      .append(reason_phrase(status))
      .append("\r\n")
      .append(header_lines)
      .append(common_lines_);
  if (chunked) head += "transfer-encoding: chunked\r\n";
  if (content_length && status_has_body(status)) {
    head += "content-length: ";
    append_number(head, *content_length);
    head += "\r\n";
  }
  if (!keep_alive_) {
    head += "connection: close\r\n";
  } else if (text_.request.minor_version == 0) {
    head += "connection: keep-alive\r\n";
  }
  head += "\r\n";
}

net::Task<Status> Exchange::respond(int status, std::string_view header_lines,
                                    std::string_view body) {
  build_head(status, header_lines, body.size(), false);
  head_sent_ = finished_ = true;
  if (!sends_body()) body = {};
  std::string_view slice = body.substr(0, kWriteSliceBytes);
  const std::string_view first[] = {text_.answer_head, slice};
  Status sent = co_await stream_.write_all(first, loop().after(limits_.write));
  for (size_t at = slice.size(); sent && at < body.size(); at += slice.size()) {
    slice = body.substr(at, kWriteSliceBytes);
    const std::string_view next[] = {slice};
    sent = co_await stream_.write_all(next, loop().after(limits_.write));
  }
  co_return note_write(std::move(sent));
}

net::Task<Status> Exchange::start(int status, std::string_view header_lines,
                                  std::optional<uint64_t> content_length) {
  // HTTP/1.0 knows no chunks: the end of the connection ends the body.
  chunked_ = !content_length && text_.request.minor_version > 0 && status_has_body(status);
  if (!content_length && !chunked_ && status_has_body(status)) keep_alive_ = false;
  build_head(status, header_lines, content_length, chunked_);
  unsent_ = content_length;
  co_return Status{};
}

net::Task<Status> Exchange::write(std::span<const std::string_view> pieces) {
  VSR_CHECK(started_ && !finished_, "a write outside start() and finish()");
  return send_body(pieces, false);
}

net::Task<Status> Exchange::finish(std::span<const std::string_view> pieces) {
  VSR_CHECK(started_, "finish() before start()");
  return send_body(pieces, true);
}

net::Task<Status> Exchange::send_body(std::span<const std::string_view> pieces, bool last) {
  if (last && (finished_ || abandoned_)) co_return Status{};
  finished_ = last;
  if (broken_) co_return fail(ErrorCode::kClosed, "the client is gone", ErrorSource::kClient);
  size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  const bool sends_bytes = bytes > 0 && sends_body();
  if (sends_bytes && unsent_) {
    VSR_CHECK(bytes <= *unsent_, "more bytes than start() announced");
    *unsent_ -= bytes;
  }
  if (last && unsent_.value_or(0) > 0 && sends_body()) abandon();
  std::string_view all[net::kPiecesMax];
  size_t count = 0;
  char size_line[24];
  if (!head_sent_) all[count++] = text_.answer_head;
  head_sent_ = true;
  if (sends_bytes && chunked_) {
    const auto end = std::to_chars(size_line, size_line + sizeof(size_line) - 2, bytes, 16).ptr;
    end[0] = '\r';
    end[1] = '\n';
    all[count++] = {size_line, static_cast<size_t>(end + 2 - size_line)};
  }
  for (size_t i = 0; sends_bytes && i < pieces.size(); ++i) {
    if (count + 2 > net::kPiecesMax) {
      const Status sent = note_write(
          co_await stream_.write_all({all, count}, loop().after(limits_.write), &client_gone_));
      if (!sent) co_return sent;
      count = 0;
    }
    all[count++] = pieces[i];
  }
  if (chunked_ && sends_body()) {
    constexpr std::string_view kChunkEnd = "\r\n";
    constexpr std::string_view kChunkAndBodyEnd = "\r\n0\r\n\r\n";
    if (sends_bytes) {
      all[count++] = last ? kChunkAndBodyEnd : kChunkEnd;
    } else if (last) {
      all[count++] = kChunkAndBodyEnd.substr(kChunkEnd.size());
    }
  }
  if (count == 0) co_return Status{};
  co_return note_write(
      co_await stream_.write_all({all, count}, loop().after(limits_.write), &client_gone_));
}

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
        co_await stream_->read_some(buffer_.room(kChunkedReadBytes), deadline);
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
