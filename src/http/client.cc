#include "http/client.h"

#include <fmt/format.h>

#include <charconv>

#include "base/strings.h"

namespace vsr::http {

namespace {
constexpr size_t kReadBytes = 16 * 1024;
}  // namespace

// ---- ClientExchange -----------------------------------------------------------------------------

ClientExchange::ClientExchange(ClientPool& pool, std::string key,
                               std::unique_ptr<net::Stream> stream, bool reused)
    : pool_(pool), key_(std::move(key)), stream_(std::move(stream)), reused_(reused) {}

ClientExchange::~ClientExchange() {
  if (complete_ && keep_alive_ && buffer_.unread().size() == to_consume_ && stream_ &&
      !stream_->hung_up()) {
    pool_.give_back(key_, std::move(stream_));
  }
}

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

net::Task<Status> ClientExchange::send(std::span<const std::string_view> pieces,
                                       net::CancelSource* cancel) {
  const Status sent =
      co_await stream_->write_all(pieces, pool_.loop_.after(pool_.limits_.write), cancel);
  // A backend may answer and close before it has read everything; its answer says why.
  if (!sent && sent.error().code != ErrorCode::kClosed) {
    co_return std::unexpected(upstream_error(sent.error()));
  }
  co_return Status{};
}

net::Task<Result<size_t>> ClientExchange::fill(MonoTime deadline, net::CancelSource* cancel) {
  Result<size_t> got = co_await stream_->read_some(buffer_.room(kReadBytes), deadline, cancel);
  if (!got) co_return std::unexpected(upstream_error(got.error()));
  if (*got > 0) {
    answered_ = true;
    buffer_.grew(*got);
  }
  co_return got;
}

net::Task<Status> ClientExchange::read_head(MonoTime deadline, net::CancelSource* cancel,
                                            bool head_request) {
  size_t searched = 0;
  for (;;) {
    const size_t end = find_head_end(buffer_.unread(), searched);
    if (end == 0) {
      if (buffer_.unread().size() > kHeadBytesMax) {
        co_return fail(ErrorCode::kProtocol, "the backend's response head is too large",
                       ErrorSource::kUpstream);
      }
      const Result<size_t> got = co_await fill(deadline, cancel);
      if (!got) co_return std::unexpected(got.error());
      if (*got == 0) co_return std::unexpected(upstream_error({ErrorCode::kClosed, {}, {}, {}}));
      continue;
    }
    head_bytes_ = buffer_.unread().substr(0, end);
    buffer_.consume(end);
    searched = 0;
    const Status parsed = parser_.parse_response(head_bytes_, head_, head_request);
    if (!parsed) {
      Error error = parsed.error();
      error.source = ErrorSource::kUpstream;
      error.code = ErrorCode::kProtocol;
      error.message = "the backend's answer is " + error.message;
      co_return std::unexpected(std::move(error));
    }
    if (head_.status >= 200 || head_.status == 101) break;
  }
  framing_ = parser_.framing();
  content_length_ = parser_.content_length();
  left_ = content_length_;
  keep_alive_ = parser_.keep_alive();
  complete_ = framing_ == Framing::kNone;
  co_return Status{};
}

// Moves what is in the buffer into spans_; false if that is nothing yet.
bool ClientExchange::take_buffered() {
  std::string_view bytes = buffer_.unread();
  if (framing_ == Framing::kLength) {
    bytes = bytes.substr(0, left_);
    left_ -= bytes.size();
    complete_ = left_ == 0;
  }
  if (bytes.empty()) return false;
  spans_.push_back(bytes);
  to_consume_ = bytes.size();
  return true;
}

net::Task<Result<std::span<const std::string_view>>> ClientExchange::next(
    MonoTime deadline, net::CancelSource* cancel) {
  buffer_.consume(to_consume_);
  to_consume_ = 0;
  spans_.clear();
  while (!complete_) {
    if (!buffer_.empty()) {
      if (framing_ == Framing::kChunked) {
        const Result<size_t> used = parser_.feed_chunked(buffer_.unread(), spans_);
        if (!used) {
          Error error = used.error();
          error.source = ErrorSource::kUpstream;
          co_return std::unexpected(std::move(error));
        }
        complete_ = parser_.done();
        if (!spans_.empty()) {
          to_consume_ = *used;
          co_return std::span<const std::string_view>(spans_);
        }
        buffer_.consume(*used);
        continue;
      }
      if (take_buffered()) co_return std::span<const std::string_view>(spans_);
      continue;
    }
    const Result<size_t> got = co_await fill(deadline, cancel);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) {
      if (framing_ == Framing::kUntilClose) {
        complete_ = true;
        keep_alive_ = false;
        break;
      }
      co_return std::unexpected(upstream_error({ErrorCode::kClosed, {}, {}, {}}));
    }
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
  idle_.clear();
  idle_count_ = 0;
}

void ClientPool::sweep() {
  const MonoTime oldest = loop_.now() - limits_.idle;
  for (auto& [key, connections] : idle_) {
    const size_t before = connections.size();
    std::erase_if(connections,
                  [&](const Idle& idle) { return idle.since < oldest || idle.stream->hung_up(); });
    idle_count_ -= before - connections.size();
  }
  if (idle_count_ > 0) loop_.arm(*sweeper_, loop_.after(std::chrono::milliseconds(500)));
}

void ClientPool::give_back(const std::string& key, std::unique_ptr<net::Stream> stream) {
  if (!idle_.contains(key) && idle_.size() >= limits_.endpoints_max) return;
  std::vector<Idle>& connections = idle_[key];
  if (connections.size() >= limits_.idle_connections_max) return;
  stream->set_idle(true);
  connections.push_back({std::move(stream), loop_.now()});
  ++idle_count_;
  if (!sweeper_->armed()) loop_.arm(*sweeper_, loop_.after(std::chrono::milliseconds(500)));
}

std::unique_ptr<net::Stream> ClientPool::take_idle(const std::string& key) {
  const auto found = idle_.find(key);
  if (found == idle_.end()) return nullptr;
  const MonoTime oldest = loop_.now() - limits_.idle;
  while (!found->second.empty()) {
    Idle idle = std::move(found->second.back());
    found->second.pop_back();
    --idle_count_;
    if (idle.stream->hung_up() || idle.since < oldest) continue;
    idle.stream->set_idle(false);
    return std::move(idle.stream);
  }
  return nullptr;
}

net::Task<Result<std::unique_ptr<ClientExchange>>> ClientPool::open(Target target,
                                                                    MonoTime deadline,
                                                                    net::CancelSource* cancel,
                                                                    bool fresh) {
  std::string key = fmt::format("{}{}:{}", target.tls ? "tls:" : "", target.host, target.port);
  if (!fresh) {
    if (std::unique_ptr<net::Stream> stream = take_idle(key)) {
      co_return std::unique_ptr<ClientExchange>(
          new ClientExchange(*this, std::move(key), std::move(stream), true));
    }
  }
  const Result<std::vector<std::string>> addresses = co_await resolver_.resolve(target.host);
  if (!addresses) co_return std::unexpected(addresses.error());
  Error problem;
  for (const std::string& address : *addresses) {
    Result<std::unique_ptr<net::Stream>> stream =
        co_await net::connect(loop_, address, target.port, deadline, cancel);
    if (!stream) {
      problem = stream.error();
      if (problem.code == ErrorCode::kCancelled || problem.code == ErrorCode::kTimeout) break;
      continue;
    }
    if (target.tls) {
      if (!tls_) co_return fail(ErrorCode::kInternal, "no TLS context for an https target");
      const Status secured =
          co_await net::start_client_tls(**stream, tls_, target.host, deadline, cancel);
      if (!secured) co_return std::unexpected(secured.error());
    }
    co_return std::unique_ptr<ClientExchange>(
        new ClientExchange(*this, std::move(key), std::move(*stream), false));
  }
  problem.message =
      fmt::format("cannot connect to {}:{}: {}", target.host, target.port, problem.message);
  co_return std::unexpected(std::move(problem));
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
      } else {
        out.body += span;
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
