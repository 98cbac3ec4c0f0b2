#include "http/client.h"

#include <fmt/format.h>

#include <charconv>

#include "base/strings.h"

namespace vsr::http {

namespace {

constexpr size_t kReadBytesFirst = 16UL << 10;
// A backend that fills its reads gets larger ones, up to this.
constexpr size_t kReadBytesLargest = 64UL << 10;
// Reads of one answer before other work has its turn.
constexpr int kReadsPerTurn = 16;
constexpr size_t kHeadBytesKept = 4UL << 10;
constexpr std::chrono::milliseconds kSweepEvery{500};

}  // namespace

namespace internal {

// A connection and what it needs for an answer, kept from one to the next.
struct ClientConnection {
  std::unique_ptr<net::Stream> stream;
  ReadBuffer buffer;
  Parser parser{Parser::Kind::kResponse};
  std::string head_bytes;
  ResponseHead head;  // views into head_bytes
  std::vector<std::string_view> spans;
  MonoTime idle_since{0};
};

struct Endpoint {
  std::vector<std::unique_ptr<ClientConnection>> idle;  // newest last
  size_t exchanges = 0;
};

}  // namespace internal

// ---- ClientExchange: the request ----------------------------------------------------------------

ClientExchange::ClientExchange(ClientPool& pool, internal::Endpoint& endpoint,
                               std::unique_ptr<internal::ClientConnection> connection, bool reused)
    : pool_(pool),
      endpoint_(endpoint),
      connection_(std::move(connection)),
      read_bytes_(kReadBytesFirst),
      reused_(reused) {
  ++endpoint_.exchanges;
}

ClientExchange::~ClientExchange() {
  --endpoint_.exchanges;
  const net::Stream& stream = *connection_->stream;
  if (complete_ && keep_alive_ && !stream.hung_up() &&
      connection_->buffer.unread().size() == to_consume_) {
    connection_->buffer.consume(to_consume_);
    pool_.give_back(endpoint_, std::move(connection_));
  }
}

const ResponseHead& ClientExchange::head() const { return connection_->head; }

Error ClientExchange::upstream_error(const Error& error) const {
  Error out = error;
  if (out.code == ErrorCode::kCancelled) return out;
  out.source = ErrorSource::kUpstream;
  if (out.code == ErrorCode::kClosed) {
    out.retry = reused_ && !answered_ ? Retry::kIfReused : Retry::kNo;
    out.message = answered_ ? "the backend closed its connection in the middle of its answer"
                            : "the backend closed its connection without an answer";
  }
  if (out.code == ErrorCode::kTimeout) out.message = "the backend did not answer in time";
  return out;
}

Error ClientExchange::closed_error() const {
  return upstream_error({ErrorCode::kClosed, {}, {}, {}});
}

net::Task<Status> ClientExchange::send(std::span<const std::string_view> pieces,
                                       net::CancelSource* cancel) {
  size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  if (bytes <= kWriteSliceBytes) co_return co_await send_slice(pieces, cancel);
  std::vector<std::string_view> slice;
  bytes = 0;
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      slice.push_back(piece.substr(0, kWriteSliceBytes - bytes));
      piece.remove_prefix(slice.back().size());
      bytes += slice.back().size();
      if (bytes < kWriteSliceBytes) continue;
      if (Status sent = co_await send_slice(slice, cancel); !sent || request_cut_) co_return sent;
      slice.clear();
      bytes = 0;
    }
  }
  co_return co_await send_slice(slice, cancel);
}

net::Task<Status> ClientExchange::send_slice(std::span<const std::string_view> pieces,
                                             net::CancelSource* cancel) {
  net::Stream& stream = *connection_->stream;
  ReadBuffer& buffer = connection_->buffer;
  net::Stream::WriteOp write(stream, pieces, pool_.loop_.after(pool_.limits_.write), cancel);
  write.yield_to_reads();
  for (;;) {
    Status sent = co_await write;
    if (!sent && sent.error().code != ErrorCode::kClosed) {
      co_return std::unexpected(upstream_error(sent.error()));
    }
    if (sent && write.complete()) co_return Status{};
    // The connection broke, or something came before the request was out. What was read, or its
    // lack, is read_head's business.
    const Result<std::optional<size_t>> got =
        sent ? stream.try_read(buffer.room(kReadBytesFirst)) : std::optional<size_t>(0);
    if (got && !got->has_value()) continue;
    if (got && **got > 0) {
      answered_ = true;
      buffer.grew(**got);
      if (!has_final_head()) continue;
    }
    request_cut_ = true;
    co_return Status{};
  }
}

// Whether the buffer begins with the head of a final answer, possibly behind 1xx ones.
bool ClientExchange::has_final_head() const {
  std::string_view bytes = connection_->buffer.unread();
  if (bytes.size() > kHeadBytesMax) return true;
  constexpr size_t kStatusAt = std::string_view("HTTP/1.1 ").size();
  for (;;) {
    size_t searched = 0;
    const size_t end = find_head_end(bytes, searched);
    if (end == 0) return false;
    if (bytes.size() <= kStatusAt || bytes[kStatusAt] != '1') return true;
    bytes.remove_prefix(end);
  }
}

// ---- ClientExchange: the answer -----------------------------------------------------------------

net::Task<Result<size_t>> ClientExchange::fill(MonoTime deadline, net::CancelSource* cancel) {
  if (++reads_ % kReadsPerTurn == 0) co_await pool_.loop_.yield();
  const std::span<char> room = connection_->buffer.room(read_bytes_);
  Result<size_t> got = co_await connection_->stream->read_some(room, deadline, cancel);
  if (!got) co_return std::unexpected(upstream_error(got.error()));
  if (*got > 0) {
    answered_ = true;
    connection_->buffer.grew(*got);
    if (*got == room.size()) read_bytes_ = std::min(read_bytes_ * 2, kReadBytesLargest);
  }
  co_return got;
}

net::Task<Status> ClientExchange::read_head(MonoTime deadline, net::CancelSource* cancel,
                                            bool head_request) {
  ReadBuffer& buffer = connection_->buffer;
  Parser& parser = connection_->parser;
  ResponseHead& head = connection_->head;
  size_t searched = 0;
  for (;;) {
    const size_t end = find_head_end(buffer.unread(), searched);
    if (end > kHeadBytesMax || (end == 0 && buffer.unread().size() > kHeadBytesMax)) {
      co_return fail(ErrorCode::kProtocol, "the backend's response head is too large",
                     ErrorSource::kUpstream);
    }
    if (end == 0) {
      const Result<size_t> got = co_await fill(deadline, cancel);
      if (!got) co_return std::unexpected(got.error());
      if (*got == 0) co_return std::unexpected(closed_error());
      continue;
    }
    connection_->head_bytes.assign(buffer.unread().substr(0, end));
    buffer.consume(end);
    searched = 0;
    const Status parsed = parser.parse_response(connection_->head_bytes, head, head_request);
    if (!parsed) {
      co_return fail(ErrorCode::kProtocol, "the backend's answer is " + parsed.error().message,
                     ErrorSource::kUpstream);
    }
    if (head.status >= 200) break;
    if (head.status == 101) {
      co_return fail(ErrorCode::kProtocol, "the backend wants to speak another protocol",
                     ErrorSource::kUpstream);
    }
  }
  framing_ = parser.framing();
  content_length_ = parser.content_length();
  left_ = content_length_;
  keep_alive_ = parser.keep_alive() && !request_cut_;
  complete_ = framing_ == Framing::kNone;
  co_return Status{};
}

// Moves what is in the buffer into the spans; false if that is nothing yet.
bool ClientExchange::take_buffered() {
  std::string_view bytes = connection_->buffer.unread();
  if (framing_ == Framing::kLength) {
    bytes = bytes.substr(0, left_);
    left_ -= bytes.size();
    complete_ = left_ == 0;
  }
  if (bytes.empty()) return false;
  connection_->spans.push_back(bytes);
  to_consume_ = bytes.size();
  return true;
}

net::Task<Result<std::span<const std::string_view>>> ClientExchange::next(
    MonoTime deadline, net::CancelSource* cancel) {
  ReadBuffer& buffer = connection_->buffer;
  std::vector<std::string_view>& spans = connection_->spans;
  buffer.consume(to_consume_);
  to_consume_ = 0;
  spans.clear();
  while (!complete_) {
    if (!buffer.empty() && framing_ == Framing::kChunked) {
      const Result<size_t> used = connection_->parser.feed_chunked(buffer.unread(), spans);
      if (!used) co_return std::unexpected(used.error());
      complete_ = connection_->parser.done();
      if (!spans.empty()) {
        to_consume_ = *used;
        co_return std::span<const std::string_view>(spans);
      }
      buffer.consume(*used);
      continue;
    }
    if (!buffer.empty() && take_buffered()) co_return std::span<const std::string_view>(spans);
    const Result<size_t> got = co_await fill(deadline, cancel);
    if (!got) co_return std::unexpected(got.error());
    if (*got > 0) continue;
    if (framing_ != Framing::kUntilClose) co_return std::unexpected(closed_error());
    complete_ = true;
    keep_alive_ = false;
  }
  co_return std::span<const std::string_view>();
}

// ---- ClientPool ---------------------------------------------------------------------------------

class ClientPool::Sweeper final : public net::Timer {
 public:
  explicit Sweeper(ClientPool& pool) : pool_(pool) {}

 private:
  void on_time() override { pool_.sweep(); }
  ClientPool& pool_;
};

ClientPool::ClientPool(net::Loop& loop, net::Resolver& resolver, PoolLimits limits,
                       std::shared_ptr<const net::TlsContext> tls)
    : loop_(loop),
      resolver_(resolver),
      limits_(limits),
      tls_(std::move(tls)),
      sweeper_(std::make_unique<Sweeper>(*this)) {}

ClientPool::~ClientPool() = default;

void ClientPool::close_idle() {
  for (auto& [target, endpoint] : endpoints_) endpoint->idle.clear();
  idle_count_ = 0;
}

void ClientPool::adopt(const Target& target, std::unique_ptr<net::Stream> stream) {
  auto connection = std::make_unique<internal::ClientConnection>();
  connection->stream = std::move(stream);
  give_back(endpoint_of(target), std::move(connection));
}

internal::Endpoint& ClientPool::endpoint_of(const Target& target) {
  const auto found = endpoints_.find(target);
  if (found != endpoints_.end()) return *found->second;
  if (endpoints_.size() >= limits_.endpoints_max) {
    std::erase_if(endpoints_, [](const auto& known) {
      return known.second->idle.empty() && known.second->exchanges == 0;
    });
  }
  return *endpoints_.emplace(target, std::make_unique<internal::Endpoint>()).first->second;
}

void ClientPool::sweep() {
  const MonoTime oldest = loop_.now() - limits_.idle;
  for (auto& [target, endpoint] : endpoints_) {
    idle_count_ -= std::erase_if(endpoint->idle, [&](const auto& connection) {
      return connection->idle_since < oldest || connection->stream->hung_up();
    });
  }
  if (idle_count_ > 0) loop_.arm(*sweeper_, loop_.after(kSweepEvery));
}

void ClientPool::give_back(internal::Endpoint& endpoint,
                           std::unique_ptr<internal::ClientConnection> connection) {
  if (endpoint.idle.size() >= limits_.idle_connections_max) return;
  // What a backend sends beyond its answer must not be taken for the next one.
  if (connection->stream->has_unread()) return;
  connection->stream->set_idle(true);
  connection->idle_since = loop_.now();
  connection->buffer.release_if_empty();
  if (connection->head_bytes.capacity() > kHeadBytesKept) connection->head_bytes = {};
  endpoint.idle.push_back(std::move(connection));
  ++idle_count_;
  if (!sweeper_->armed()) loop_.arm(*sweeper_, loop_.after(kSweepEvery));
}

std::unique_ptr<internal::ClientConnection> ClientPool::take_idle(internal::Endpoint& endpoint) {
  const MonoTime oldest = loop_.now() - limits_.idle;
  while (!endpoint.idle.empty()) {
    std::unique_ptr<internal::ClientConnection> connection = std::move(endpoint.idle.back());
    endpoint.idle.pop_back();
    --idle_count_;
    if (connection->stream->hung_up() || connection->idle_since < oldest) continue;
    connection->stream->set_idle(false);
    return connection;
  }
  return nullptr;
}

net::Task<Result<std::unique_ptr<net::Stream>>> ClientPool::connect(Target target,
                                                                    MonoTime deadline,
                                                                    net::CancelSource* cancel) {
  const Result<std::vector<std::string>> addresses =
      co_await resolver_.resolve(target.host, deadline, cancel);
  if (!addresses) co_return std::unexpected(addresses.error());
  Error problem;
  for (size_t i = 0; i < addresses->size(); ++i) {
    // An address that does not answer leaves time for those behind it.
    const int64_t shares = static_cast<int64_t>(addresses->size() - i);
    const MonoTime share = loop_.now() + (deadline - loop_.now()) / shares;
    Result<std::unique_ptr<net::Stream>> stream =
        co_await net::connect(loop_, (*addresses)[i], target.port, share, cancel);
    if (!stream) {
      problem = stream.error();
      if (problem.code == ErrorCode::kCancelled) break;
      continue;
    }
    if (!target.tls) co_return std::move(*stream);
    if (!tls_) co_return fail(ErrorCode::kInternal, "no TLS context for an https target");
    Status secured = co_await net::start_client_tls(**stream, tls_, target.host, deadline, cancel);
    if (secured) co_return std::move(*stream);
    problem = std::move(secured.error());
    if (problem.code == ErrorCode::kClosed) problem.code = ErrorCode::kUnavailable;
    break;
  }
  if (problem.code != ErrorCode::kCancelled) problem.source = ErrorSource::kUpstream;
  problem.message =
      fmt::format("cannot connect to {}:{}: {}", target.host, target.port, problem.message);
  co_return std::unexpected(std::move(problem));
}

net::Task<Result<std::unique_ptr<ClientExchange>>> ClientPool::open(Target target,
                                                                    MonoTime deadline,
                                                                    net::CancelSource* cancel,
                                                                    bool fresh) {
  if (!fresh) {
    internal::Endpoint& endpoint = endpoint_of(target);
    if (auto connection = take_idle(endpoint)) {
      co_return std::unique_ptr<ClientExchange>(
          new ClientExchange(*this, endpoint, std::move(connection), true));
    }
  }
  Result<std::unique_ptr<net::Stream>> stream = co_await connect(target, deadline, cancel);
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  auto connection = std::make_unique<internal::ClientConnection>();
  connection->stream = std::move(*stream);
  co_return std::unique_ptr<ClientExchange>(
      new ClientExchange(*this, endpoint_of(target), std::move(connection), false));
}

// ---- fetch --------------------------------------------------------------------------------------

namespace {

struct Url {
  Target target;
  std::string path;
};

Result<Url> parse_url(const std::string& url) {
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  Url out;
  std::string_view rest = url;
  if (rest.starts_with(kHttps)) {
    out.target.tls = true;
    out.target.port = 443;
    rest.remove_prefix(kHttps.size());
  } else if (rest.starts_with(kHttp)) {
    rest.remove_prefix(kHttp.size());
  } else {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is not an http URL", url));
  }
  const size_t slash = rest.find('/');
  out.path = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  std::string_view host = rest.substr(0, slash);
  if (const size_t colon = host.rfind(':');
      colon != std::string_view::npos && host.find(']', colon) == std::string_view::npos) {
    const std::string_view port = host.substr(colon + 1);
    if (std::from_chars(port.data(), port.data() + port.size(), out.target.port).ec !=
        std::errc()) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("{} has no usable port", url));
    }
    host = host.substr(0, colon);
  }
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  out.target.host = host;
  if (host.empty()) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} names no host", url));
  }
  return out;
}

net::Task<Status> run_fetch(ClientPool& pool, Url url, std::string head, std::string_view body,
                            MonoTime deadline, const std::function<void(std::string_view)>& on_body,
                            bool head_request, SimpleResponse& out) {
  auto exchange = co_await pool.open(url.target, deadline, nullptr);
  if (!exchange) co_return std::unexpected(exchange.error());
  const std::string_view pieces[] = {head, body};
  if (Status sent = co_await (*exchange)->send(pieces, nullptr); !sent) co_return sent;
  if (Status got = co_await (*exchange)->read_head(deadline, nullptr, head_request); !got) {
    co_return got;
  }
  out.status = (*exchange)->head().status;
  out.content_type = (*exchange)->head().headers.get("content-type");
  for (const Header& header : (*exchange)->head().headers) {
    out.headers.emplace_back(to_lower(header.name), header.value);
  }
  for (;;) {
    auto spans = co_await (*exchange)->next(deadline, nullptr);
    if (!spans) co_return std::unexpected(spans.error());
    if (spans->empty()) co_return Status{};
    for (const std::string_view span : *spans) {
      if (on_body) {
        on_body(span);
      } else if (out.body.size() + span.size() <= kFetchBytesMax) {
        out.body += span;
      } else {
        co_return fail(ErrorCode::kTooLarge, "the answer is too large", ErrorSource::kUpstream);
      }
    }
  }
}

}  // namespace

Result<SimpleResponse> fetch(const std::string& method, const std::string& url,
                             const std::vector<std::pair<std::string, std::string>>& headers,
                             std::string_view body, std::chrono::milliseconds at_most,
                             const std::function<void(std::string_view)>& on_body) {
  Result<Url> parsed = parse_url(url);
  if (!parsed) return std::unexpected(parsed.error());
  std::shared_ptr<const net::TlsContext> tls;
  if (parsed->target.tls) {
    auto made = net::TlsContext::client();
    if (!made) return std::unexpected(made.error());
    tls = *made;
  }
  std::string head = fmt::format("{} {} HTTP/1.1\r\nhost: {}:{}\r\n", method, parsed->path,
                                 parsed->target.host, parsed->target.port);
  for (const auto& [name, value] : headers) head += fmt::format("{}: {}\r\n", name, value);
  if (!body.empty() || method == "POST" || method == "PUT") {
    head += fmt::format("content-length: {}\r\n", body.size());
  }
  head += "connection: close\r\n\r\n";
  net::Loop loop;
  net::OffloadPool offload(1);
  net::Resolver resolver(loop, offload);
  SimpleResponse response;
  Status status;
  {
    ClientPool pool(loop, resolver, {}, tls);
    const auto run = [&]() -> net::Task<void> {
      status = co_await run_fetch(pool, *parsed, head, body, loop.after(at_most), on_body,
                                  method == "HEAD", response);
      loop.stop();
    };
    loop.spawn(run());
    loop.run();
  }
  if (!status) return std::unexpected(status.error());
  return response;
}

}  // namespace vsr::http
