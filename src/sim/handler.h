#pragma once

// Answers the requests of one loop of a simulated backend: the API of vLLM's server, and /sim/… to
// steer and to look at it. One per loop; the state is shared.

#include <functional>
#include <string>

#include "http/server.h"
#include "sim/state.h"

namespace vsr::sim {

class SimHandler final : public http::Handler {
 public:
  using CountConnections = std::function<net::Task<size_t>(net::Loop&)>;

  // `state` outlives the handler.
  SimHandler(BackendState& state, CountConnections count_connections)
      : state_(state), count_connections_(std::move(count_connections)) {}

  net::Task<void> handle(http::Exchange& exchange) override;
  std::string error_body(int status, std::string_view code, std::string_view message) override;

 private:
  net::Task<Status> control(http::Exchange& exchange);
  net::Task<Status> add_script(http::Exchange& exchange);
  net::Task<Status> listing(http::Exchange& exchange);
  net::Task<Status> generation(http::Exchange& exchange, Api api);
  uint64_t record(const http::Exchange& exchange, std::string_view body);

  BackendState& state_;
  const CountConnections count_connections_;
};

}  // namespace vsr::sim
