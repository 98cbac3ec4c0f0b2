#pragma once

// The public listener of one loop: paths, keys, CORS, and the proxied requests. One per loop and
// listener; not thread-safe but for set_runtime(), which posts to the loop.

#include <memory>
#include <string>

#include "gateway/call.h"
#include "gateway/runtime.h"
#include "http/client.h"
#include "http/server.h"
#include "router/facts_cache.h"
#include "router/request.h"

namespace vsr::gateway {

// One document of the replay API, read on the offload pool since a store may touch the disk. `rest`
// is what follows /v1/router_replay in the path.
net::Task<Result<std::string>> read_replay(store::Replay& replay, net::OffloadPool& pool,
                                           net::Loop& loop, std::string rest,
                                           store::ReplayQuery query);

// What the listeners of one loop share: connections to backends, parsed messages, request memory.
class LoopState {
 public:
  LoopState(net::Loop& loop, net::OffloadPool& offload,
            std::shared_ptr<const net::TlsContext> client_tls);

  // Memory for one request; goes back when the pointer dies.
  struct Return {
    LoopState* state;
    void operator()(router::Request* request) const;
  };
  std::unique_ptr<router::Request, Return> take_request();

  net::Loop& loop;
  net::OffloadPool& offload;
  net::Resolver resolver;
  http::ClientPool pool;
  router::FactsCache facts;
  std::shared_ptr<const Runtime> runtime;  // null in setup mode

 private:
  static constexpr size_t kRequestsKept = 64;
  std::vector<std::unique_ptr<router::Request>> spare_;
};

class Gateway final : public http::Handler {
 public:
  // `public_is_loopback`: lists of replay records may be shown without keys.
  Gateway(Services& services, LoopState& state, size_t listener, bool public_is_loopback,
          std::string operator_address);

  net::Task<void> handle(http::Exchange& exchange) override;
  std::string error_body(int status, std::string_view code, std::string_view message) override;
  // A chat request of the operator's own page: without a key, else as on the public path.
  net::Task<void> chat_of_operator(http::Exchange& exchange);

 private:
  net::Task<void> refuse_setup(http::Exchange& exchange);
  net::Task<void> proxy(http::Exchange& exchange, CallKind kind, const Caller& caller);
  net::Task<void> models(http::Exchange& exchange, std::string_view id, const Caller& caller);
  net::Task<void> replay(http::Exchange& exchange, std::string_view rest, const Caller& caller);
  net::Task<void> load(http::Exchange& exchange);
  net::Task<void> metrics(http::Exchange& exchange);
  net::Task<void> preflight(http::Exchange& exchange);
  net::Task<void> refuse(http::Exchange& exchange, wire::ApiError error,
                         std::string_view extra_headers = {});
  void allow_origin(http::Exchange& exchange) const;
  std::string request_id(const http::Exchange& exchange) const;

  Services& services_;
  LoopState& state_;
  const size_t listener_;
  const bool public_is_loopback_;
  const std::string operator_address_;
};

}  // namespace vsr::gateway
