#pragma once

// The operator's address: health, metrics, the management API and replay. One loop serves it. What
// the API needs of the program comes as Hooks, so that this room knows neither files nor processes.
// On any address but loopback a token is needed: `authorization: Bearer TOKEN`.

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "gateway/runtime.h"
#include "http/server.h"
#include "net/offload.h"
#include "nn/vectors.h"
#include "router/classification.h"

namespace vsr::operator_api {

struct Readiness {
  bool ready = false;
  std::string problem;  // "" when ready
};

struct Hooks {
  // The running recipe; null in setup mode.
  std::function<std::shared_ptr<const gateway::Runtime>()> runtime;
  std::function<Readiness()> readiness;
  // The recipe's text with secrets replaced.
  std::function<Result<std::string>()> config_text;
  // JSON: {"valid": bool, "diagnostics": […]} of a recipe that is not activated.
  std::function<std::string(std::string_view yaml)> validate;
  // A router over another recipe, for "what if"; the error is for the caller.
  std::function<Result<std::shared_ptr<const router::Router>>(std::string_view yaml)> candidate;
  // The classifiers; the encoder's weights are read by the first call, so that belongs on a pool.
  std::function<Result<std::shared_ptr<const router::Classifiers>>()> classifiers;
  // The encoder; its weights are read by the first call, so that belongs on a pool.
  std::function<Result<std::shared_ptr<nn::Vectors>>()> vectors;
  // JSON array of what learning remembers.
  std::function<std::string(size_t limit)> sessions;
  // JSON object of the program itself: version, uptime, backends, limits.
  std::function<std::string()> system;
};

class Api final : public http::Handler {
 public:
  // `token` empty: no token is asked for (loopback).
  Api(gateway::Services& services, net::OffloadPool& offload, Hooks hooks, std::string token);

  net::Task<void> handle(http::Exchange& exchange) override;
  std::string error_body(int status, std::string_view code, std::string_view message) override;

 private:
  static constexpr uint64_t kBodyBytesMax = 8UL << 20;
  static constexpr size_t kEventReadersMax = 64;

  struct Encoded {
    std::shared_ptr<nn::Vectors> vectors;
    std::vector<float> vector;
  };

  net::Task<void> refuse(http::Exchange& exchange, wire::ApiError error);
  net::Task<void> json(http::Exchange& exchange, std::string body);
  net::Task<void> get(http::Exchange& exchange, std::string_view path);
  net::Task<void> post(http::Exchange& exchange, std::string_view path);
  net::Task<void> eval(http::Exchange& exchange);
  net::Task<void> classify(http::Exchange& exchange, std::string_view task, std::string_view body);
  net::Task<void> embeddings(http::Exchange& exchange, std::string_view body);
  net::Task<void> similarity(http::Exchange& exchange, std::string_view body);
  net::Task<Result<Encoded>> encode(net::Loop& loop, std::string text);
  net::Task<void> events(http::Exchange& exchange);
  net::Task<void> replay(http::Exchange& exchange, std::string_view rest);
  std::string models() const;
  bool allowed(const http::Exchange& exchange) const;

  gateway::Services& services_;
  net::OffloadPool& offload_;
  const Hooks hooks_;
  const std::string token_;
  size_t event_readers_ = 0;
};

// A dry run over a body {text | messages[, tools, model, headers{}]}: the eval document, or why
// not.
wire::ApiResult<std::string> evaluate(const router::Router& router, const gateway::Runtime* runtime,
                                      const Clock& clock, std::string_view body);

}  // namespace vsr::operator_api
