#pragma once

// The operator's address: health, metrics, the management API and replay. One loop serves it. What
// the API needs of the program comes as Hooks, so that this room knows neither files nor processes.
// Who may ask: access.h. What there is: openapi.json, one row of kRows each.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "gateway/gateway.h"
#include "gateway/runtime.h"
#include "http/server.h"
#include "json/value.h"
#include "net/offload.h"
#include "nn/vectors.h"
#include "operator/access.h"
#include "operator/assets.h"
#include "operator/recipes.h"
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
  // JSON: {"valid": bool, "diagnostics": […]} of a recipe that is not activated.
  std::function<std::string(std::string_view yaml)> validate;
  // A router over another recipe, for "what if"; the error is for the caller.
  std::function<Result<std::shared_ptr<const router::Router>>(std::string_view yaml)> candidate;
  // The classifiers; the encoder's weights are read by the first call, so that belongs on a pool.
  std::function<Result<std::shared_ptr<const router::Classifiers>>()> classifiers;
  // The encoder; its weights are read by the first call, so that belongs on a pool.
  std::function<Result<std::shared_ptr<nn::Vectors>>()> vectors;
  // JSON of what learning remembers: of everybody, or of one session (hash).
  std::function<std::string(size_t limit, std::string_view session)> sessions;
  // JSON object of the program itself: version, uptime, backends, limits.
  std::function<std::string()> system;
  // JSON: the newest lines of the log, oldest first.
  std::function<std::string(size_t limit)> logs;
};

class Api final : public http::Handler {
 public:
  // `token` empty: no token is asked for (loopback). `recipes` and `gateway` may be null: then what
  // needs them answers 503.
  Api(gateway::Services& services, net::OffloadPool& offload, Hooks hooks, std::string token,
      RecipeKeeper* recipes = nullptr, gateway::Gateway* gateway = nullptr,
      Assets assets = Assets::embedded());

  net::Task<void> handle(http::Exchange& exchange) override;
  std::string error_body(int status, std::string_view code, std::string_view message) override;

  // What there is: method and path, where {…} stands for the rest of a path.
  struct Route {
    std::string_view method;
    std::string_view path;
  };
  static std::vector<Route> routes();

 private:
  using Handle = net::Task<void> (Api::*)(http::Exchange& exchange, std::string_view rest);
  struct Row {
    Route route;
    Handle handle;
  };
  static const std::span<const Row> kRows;
  static constexpr uint64_t kBodyBytesMax = 8UL << 20;
  static constexpr size_t kEventReadersMax = 64;
  static constexpr std::chrono::seconds kSimulationMax{30};

  struct Encoded {
    std::shared_ptr<nn::Vectors> vectors;
    std::vector<float> vector;
  };

  net::Task<void> refuse(http::Exchange& exchange, wire::ApiError error);
  net::Task<void> json(http::Exchange& exchange, std::string body);
  net::Task<void> respond(http::Exchange& exchange, Answer answer);
  // Reads the body and runs `work` on it on the offload pool.
  net::Task<void> work(http::Exchange& exchange, std::function<Answer(std::string_view body)> work);
  net::Task<void> page(http::Exchange& exchange, std::string_view path);

  // One for each path, in the order of kRows.
  net::Task<void> healthz(http::Exchange& exchange, std::string_view rest);
  net::Task<void> readyz(http::Exchange& exchange, std::string_view rest);
  net::Task<void> metrics(http::Exchange& exchange, std::string_view rest);
  net::Task<void> openapi(http::Exchange& exchange, std::string_view rest);
  net::Task<void> docs(http::Exchange& exchange, std::string_view rest);
  net::Task<void> login(http::Exchange& exchange, std::string_view rest);
  net::Task<void> logout(http::Exchange& exchange, std::string_view rest);
  net::Task<void> eval(http::Exchange& exchange, std::string_view rest);
  net::Task<void> classify(http::Exchange& exchange, std::string_view rest);
  net::Task<void> embeddings(http::Exchange& exchange, std::string_view rest);
  net::Task<void> similarity(http::Exchange& exchange, std::string_view rest);
  net::Task<void> config(http::Exchange& exchange, std::string_view rest);
  net::Task<void> put_config(http::Exchange& exchange, std::string_view rest);
  net::Task<void> validate(http::Exchange& exchange, std::string_view rest);
  net::Task<void> probes(http::Exchange& exchange, std::string_view rest);
  net::Task<void> versions(http::Exchange& exchange, std::string_view rest);
  net::Task<void> version(http::Exchange& exchange, std::string_view rest);
  net::Task<void> rollback(http::Exchange& exchange, std::string_view rest);
  net::Task<void> shipped_recipes(http::Exchange& exchange, std::string_view rest);
  net::Task<void> shipped_recipe(http::Exchange& exchange, std::string_view rest);
  net::Task<void> import_recipe(http::Exchange& exchange, std::string_view rest);
  net::Task<void> topology(http::Exchange& exchange, std::string_view rest);
  net::Task<void> models(http::Exchange& exchange, std::string_view rest);
  net::Task<void> endpoints(http::Exchange& exchange, std::string_view rest);
  net::Task<void> endpoint_metrics(http::Exchange& exchange, std::string_view rest);
  net::Task<void> sessions(http::Exchange& exchange, std::string_view rest);
  net::Task<void> session(http::Exchange& exchange, std::string_view rest);
  net::Task<void> system(http::Exchange& exchange, std::string_view rest);
  net::Task<void> logs(http::Exchange& exchange, std::string_view rest);
  net::Task<void> events(http::Exchange& exchange, std::string_view rest);
  net::Task<void> conversations(http::Exchange& exchange, std::string_view rest);
  net::Task<void> replay(http::Exchange& exchange, std::string_view rest);
  net::Task<void> simulate(http::Exchange& exchange, std::string_view rest);
  net::Task<void> chat(http::Exchange& exchange, std::string_view rest);

  wire::ApiResult<std::string> evaluated(std::string_view query, std::string_view body) const;
  Answer simulation(std::string_view body);
  net::Task<Result<Encoded>> encode(net::Loop& loop, std::string text);

  gateway::Services& services_;
  net::OffloadPool& offload_;
  const Hooks hooks_;
  const Access access_;
  RecipeKeeper* const recipes_;
  gateway::Gateway* const gateway_;
  const Assets assets_;
  size_t event_readers_ = 0;
  std::atomic<bool> simulates_ = false;  // one at a time, so that the pool has a thread left
};

// What a dry run is asked: {text | messages[, model, headers{}, config]}, beside whatever else a
// chat request holds; or what is wrong with it.
wire::ApiResult<json::Value> eval_input(std::string_view body);
// A dry run over what eval_input() accepted: the eval document, or why not.
wire::ApiResult<std::string> evaluate(const router::Router& router, const gateway::Runtime* runtime,
                                      const Clock& clock, const json::Value& input);

}  // namespace vsr::operator_api
