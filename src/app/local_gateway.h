#pragma once

// The gateway of a recipe on a free port of loopback, without files, signals or the operator's API:
// what the live audit and tests send requests to. Records, if any, are kept in memory. It owns its
// loop and thread; start() returns when it listens, the destructor ends it, cutting what is left.

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "gateway/gateway.h"
#include "gateway/runtime.h"
#include "signals/engine.h"

namespace vsr::app {

struct LocalGatewayOptions {
  std::shared_ptr<const config::Config> config;
  signals::Parts parts;
  bool records = true;
  bool learning = true;
  const Clock* clock = nullptr;  // null: the system's; outlives the gateway
};

class LocalGateway {
 public:
  static Result<std::unique_ptr<LocalGateway>> start(LocalGatewayOptions options);
  ~LocalGateway();
  LocalGateway(const LocalGateway&) = delete;
  LocalGateway& operator=(const LocalGateway&) = delete;

  std::string url() const;  // without a slash at its end
  const gateway::Runtime& runtime() const { return *runtime_; }
  // All endpoints of the recipe; redirect() them to where backends really are.
  std::vector<std::shared_ptr<gateway::Endpoint>> endpoints() const;
  // The aggregate document over all records.
  Result<std::string> aggregate();

 private:
  LocalGateway() = default;
  void stop_when_quiet();

  SystemClock clock_;
  gateway::Services services_;
  std::shared_ptr<router::LearningState> learning_;
  std::shared_ptr<const gateway::Runtime> runtime_;
  net::Loop loop_;
  net::OffloadPool offload_{2};
  std::unique_ptr<gateway::LoopState> state_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
};

}  // namespace vsr::app
