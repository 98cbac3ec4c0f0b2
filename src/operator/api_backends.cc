// Models and endpoints: the part of Api that shows and drains backends.
#include <fmt/format.h>

#include "json/value.h"
#include "operator/api.h"
#include "operator/backend_metrics.h"

namespace vsr::operator_api {

namespace {

std::string models_document(const gateway::Runtime* runtime, MonoTime now) {
  json::JsonWriter w;
  w.begin_object().key("models").begin_array();
  for (size_t m = 0; runtime != nullptr && m < runtime->config->models.size(); ++m) {
    const config::Model& model = runtime->config->models[m];
    const gateway::ModelMetrics& metrics = runtime->model_metrics[m];
    const double prompt = metrics.prompt_tokens->Value();
    w.begin_object();
    w.field("name", model.name);
    w.field("healthy", runtime->backends.healthy(static_cast<config::ModelId>(m), now));
    w.field("quality_score", model.quality_score.value_or(0));
    w.field("context_window_size", model.context_window_size);
    w.field("requests", static_cast<uint64_t>(metrics.requests->Value()));
    w.field("prompt_tokens", static_cast<uint64_t>(prompt));
    w.field("cached_tokens", static_cast<uint64_t>(metrics.cached_tokens->Value()));
    w.field("cached_token_ratio", prompt > 0 ? metrics.cached_tokens->Value() / prompt : 0);
    if (model.pricing) {
      w.key("pricing").begin_object();
      w.field("currency", model.pricing->currency);
      w.field("prompt_per_1m", model.pricing->prompt_per_1m);
      w.field("cached_input_per_1m", model.pricing->cached_input_per_1m);
      if (model.pricing->cache_write_per_1m) {
        w.field("cache_write_per_1m", *model.pricing->cache_write_per_1m);
      }
      w.field("completion_per_1m", model.pricing->completion_per_1m);
      w.end_object();
    }
    w.key("endpoints").begin_array();
    for (const gateway::Backend& backend : runtime->backends.of(static_cast<config::ModelId>(m))) {
      const gateway::Endpoint& endpoint = *backend.endpoint;
      const auto ttft = endpoint.ttft.percentiles();
      const auto tpot = endpoint.tpot.percentiles();
      w.begin_object();
      w.field("name", backend.ref->name).field("key", endpoint.key);
      w.field("address", endpoint.named().text());
      w.field("connects_to", endpoint.dial().text());
      w.field("healthy", endpoint.may_serve(now)).field("drained", endpoint.drained());
      w.field("weight", backend.ref->weight);
      w.field("in_flight", endpoint.in_flight.load());
      w.field("requests", endpoint.requests.load());
      w.field("failures", endpoint.failures.load());
      w.field("ttft_p50_ms", ttft.p50_ms);
      w.field("ttft_p95_ms", ttft.p95_ms);
      w.field("tpot_p50_ms", tpot.p50_ms);
      w.field("tpot_p95_ms", tpot.p95_ms);
      w.end_object();
    }
    w.end_array().end_object();
  }
  w.end_array().end_object();
  return w.take();
}

}  // namespace

net::Task<void> Api::models(http::Exchange& exchange, std::string_view) {
  const std::shared_ptr<const gateway::Runtime> runtime = hooks_.runtime();
  co_await json(exchange, models_document(runtime.get(), services_.clock->mono()));
}

net::Task<void> Api::endpoints(http::Exchange& exchange, std::string_view) {
  co_await work(exchange, [this](std::string_view body) {
    const Result<json::Value> input = json::Value::parse(body);
    const std::string_view key = input ? (*input)["key"].as_string() : "";
    if (key.empty() || !(*input)["drained"].is_bool()) {
      return answer_of(wire::ApiError{400, "missing_required_parameter", "key",
                                      "send {\"key\": …, \"drained\": true or false}; "
                                      "/api/v1/models lists the keys"});
    }
    for (const std::shared_ptr<gateway::Endpoint>& endpoint : services_.endpoints.all()) {
      if (endpoint->key != key) continue;
      const bool drained = (*input)["drained"].as_bool();
      endpoint->set_drained(drained);
      return Answer{200, json::JsonWriter()
                             .begin_object()
                             .field("key", key)
                             .field("drained", drained)
                             .end_object()
                             .str()};
    }
    return answer_of(wire::ApiError{404, "unknown_endpoint", "key",
                                    fmt::format("there is no endpoint {}; /api/v1/models lists "
                                                "them",
                                                key)});
  });
}

net::Task<void> Api::endpoint_metrics(http::Exchange& exchange, std::string_view) {
  co_await work(exchange, [this](std::string_view) {
    const std::shared_ptr<const gateway::Runtime> runtime = hooks_.runtime();
    return Answer{200, backend_metrics_document(runtime.get())};
  });
}

}  // namespace vsr::operator_api
