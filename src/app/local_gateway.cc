#include "app/local_gateway.h"

#include <fmt/format.h>

#include "store/replay.h"

namespace vsr::app {

Result<std::unique_ptr<LocalGateway>> LocalGateway::start(LocalGatewayOptions options) {
  std::unique_ptr<LocalGateway> self(new LocalGateway);
  const Clock& clock = options.clock != nullptr ? *options.clock : self->clock_;
  self->services_.clock = &clock;
  const config::Config& config = *options.config;
  if (options.learning) {
    self->learning_ = std::make_shared<router::LearningState>(config.learning.state_ttl_seconds);
  }
  if (options.records) {
    store::ReplayOptions replay;
    replay.config = config.replay;
    replay.config.backend = config::StoreBackend::kMemory;
    replay.config.capture_request_body = replay.config.capture_response_body = false;
    replay.clock = &clock;
    auto opened = store::open_replay(replay, nullptr);
    if (!opened) return std::unexpected(opened.error());
    self->services_.replay = std::move(*opened);
  }
  auto router =
      router::Router::make(options.config, std::move(options.parts), self->learning_, clock);
  if (!router) return std::unexpected(router.error());
  self->runtime_ =
      std::make_shared<const gateway::Runtime>(options.config, *router, self->services_);
  self->state_ = std::make_unique<gateway::LoopState>(self->loop_, self->offload_, nullptr);
  self->state_->runtime = self->runtime_;
  self->gateway_ = std::make_unique<gateway::Gateway>(self->services_, *self->state_, 0, true, "");
  self->server_ =
      std::make_unique<http::Server>(self->loop_, *self->gateway_, http::ServerLimits{}, nullptr);
  if (const Status open = self->server_->listen("127.0.0.1", 0); !open) {
    return std::unexpected(open.error());
  }
  if (const Status begun = self->server_->start(); !begun) return std::unexpected(begun.error());
  self->thread_ = std::thread([raw = self.get()] { raw->loop_.run(); });
  return self;
}

LocalGateway::~LocalGateway() {
  if (!thread_.joinable()) return;
  loop_.post([this] {
    server_->drain();
    server_->close_all();
    state_->pool.close_idle();
    stop_when_quiet();
  });
  thread_.join();
}

// The connections that were cut end within a few turns of the loop.
void LocalGateway::stop_when_quiet() {
  if (loop_.running_tasks() == 0) {
    loop_.stop();
  } else {
    loop_.post([this] { stop_when_quiet(); });
  }
}

std::string LocalGateway::url() const {
  return fmt::format("http://127.0.0.1:{}", server_->port());
}

std::vector<std::shared_ptr<gateway::Endpoint>> LocalGateway::endpoints() const {
  return services_.endpoints.all();
}

Result<std::string> LocalGateway::aggregate() {
  if (!services_.replay) return fail(ErrorCode::kNotFound, "no records are kept");
  constexpr std::chrono::milliseconds kFlush{10'000};
  services_.replay->flush(kFlush);
  return services_.replay->aggregate({});
}

}  // namespace vsr::app
