#pragma once

// HTTP/1.1 client: pooled keep-alive connections per endpoint, on one loop. A connection whose
// other side closed while it was idle is never used; idle ones are dropped before the backend's own
// limit would (vLLM: 5 s). An Error says whether trying again is safe.

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "http/buffer.h"
#include "http/message.h"
#include "http/parser.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/tls.h"

namespace vsr::http {

struct PoolLimits {
  std::chrono::milliseconds idle{4'000};
  size_t idle_connections_max = 256;        // per endpoint
  size_t endpoints_max = 1'024;             // those without a connection are forgotten beyond it
  std::chrono::milliseconds write{60'000};  // for kWriteSliceBytes of a request
};

struct Target {
  std::string host;  // name or address to connect to; also the name that TLS verifies
  uint16_t port = 80;
  bool tls = false;
  bool operator==(const Target&) const = default;
};

class ClientPool;

namespace internal {
struct ClientConnection;
struct Endpoint;
}  // namespace internal

// One request on one connection and its answer. Destroyed before its end: the connection closes.
class ClientExchange {
 public:
  ~ClientExchange();
  ClientExchange(const ClientExchange&) = delete;
  ClientExchange& operator=(const ClientExchange&) = delete;

  // Sends the head (request line, headers, empty line) and the body pieces, in order. A backend
  // that answers before it has everything is let have its way: read_head() then gives its answer.
  net::Task<Status> send(std::span<const std::string_view> pieces, net::CancelSource* cancel);
  // Waits for the head of the answer; 1xx are skipped. `head_request`: no body follows.
  net::Task<Status> read_head(MonoTime deadline, net::CancelSource* cancel,
                              bool head_request = false);
  const ResponseHead& head() const;

  // Body bytes as they arrive, decoded, at least one span; none at the end of the body. The spans
  // live until the next call. kClosed if the connection ended before the body did.
  net::Task<Result<std::span<const std::string_view>>> next(MonoTime deadline,
                                                            net::CancelSource* cancel);
  // The body came to its own end.
  bool complete() const { return complete_; }
  // The connection had served a request before this one.
  bool reused() const { return reused_; }
  // Any byte of the answer has arrived.
  bool answered() const { return answered_; }
  Framing framing() const { return framing_; }
  uint64_t content_length() const { return content_length_; }

 private:
  friend class ClientPool;
  ClientExchange(ClientPool& pool, internal::Endpoint& endpoint,
                 std::unique_ptr<internal::ClientConnection> connection, bool reused);
  Error upstream_error(const Error& error) const;
  Error closed_error() const;
  bool take_buffered();
  net::Task<Result<size_t>> fill(MonoTime deadline, net::CancelSource* cancel);
  net::Task<Status> send_slice(std::span<const std::string_view> pieces, net::CancelSource* cancel);
  bool has_final_head() const;

  ClientPool& pool_;
  internal::Endpoint& endpoint_;
  std::unique_ptr<internal::ClientConnection> connection_;
  Framing framing_ = Framing::kNone;
  uint64_t content_length_ = 0;
  uint64_t left_ = 0;
  size_t to_consume_ = 0;
  size_t read_bytes_ = 0;
  int reads_ = 0;
  const bool reused_;
  bool request_cut_ = false;  // the backend answered or closed before it had all of it
  bool answered_ = false;
  bool complete_ = false;
  bool keep_alive_ = false;
};

// Outlives its exchanges. The resolver and the loop outlive it.
class ClientPool {
 public:
  // `tls` may be null if no target uses it.
  ClientPool(net::Loop& loop, net::Resolver& resolver, PoolLimits limits,
             std::shared_ptr<const net::TlsContext> tls);
  ~ClientPool();

  // A connection to the target, pooled unless `fresh`. Errors: kUnavailable (Retry::kYes),
  // kTimeout, kCancelled.
  net::Task<Result<std::unique_ptr<ClientExchange>>> open(Target target, MonoTime deadline,
                                                          net::CancelSource* cancel,
                                                          bool fresh = false);
  // Takes a connection that was made elsewhere as an idle one to the target.
  void adopt(const Target& target, std::unique_ptr<net::Stream> stream);
  size_t idle_connections() const { return idle_count_; }
  void close_idle();

 private:
  friend class ClientExchange;
  class Sweeper;
  internal::Endpoint& endpoint_of(const Target& target);
  void give_back(internal::Endpoint& endpoint,
                 std::unique_ptr<internal::ClientConnection> connection);
  std::unique_ptr<internal::ClientConnection> take_idle(internal::Endpoint& endpoint);
  net::Task<Result<std::unique_ptr<net::Stream>>> connect(Target target, MonoTime deadline,
                                                          net::CancelSource* cancel);
  void sweep();

  net::Loop& loop_;
  net::Resolver& resolver_;
  const PoolLimits limits_;
  std::shared_ptr<const net::TlsContext> tls_;
  struct TargetHash {
    size_t operator()(const Target& target) const {
      return std::hash<std::string>{}(target.host) * 31 + target.port * 2UL + (target.tls ? 1 : 0);
    }
  };
  std::unordered_map<Target, std::unique_ptr<internal::Endpoint>, TargetHash> endpoints_;
  size_t idle_count_ = 0;
  std::unique_ptr<Sweeper> sweeper_;
};

struct SimpleResponse {
  int status = 0;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

constexpr size_t kFetchBytesMax = 256UL << 20;

// One whole request and answer, blocking, for the command line and tests. `url` is
// http://HOST:PORT/ PATH. `on_body` (may be empty) sees pieces as they come; the body is then not
// collected; otherwise it has at most kFetchBytesMax.
Result<SimpleResponse> fetch(const std::string& method, const std::string& url,
                             const std::vector<std::pair<std::string, std::string>>& headers,
                             std::string_view body, std::chrono::milliseconds at_most,
                             const std::function<void(std::string_view)>& on_body = {});

}  // namespace vsr::http
