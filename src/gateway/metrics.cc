#include "gateway/metrics.h"

#include <prometheus/text_serializer.h>

namespace vsr::gateway {

namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using Buckets = prometheus::Histogram::BucketBoundaries;

const Buckets kRoutingBuckets = {10e-6, 25e-6,  50e-6, 100e-6, 250e-6, 500e-6,
                                 1e-3,  2.5e-3, 5e-3,  10e-3,  25e-3,  100e-3};
const Buckets kFirstTokenBuckets = {.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60};
const Buckets kPerTokenBuckets = {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1};

}  // namespace

Metrics::Metrics()
    : registry_(std::make_shared<prometheus::Registry>()),
      requests_(BuildCounter()
                    .Name("llm_model_requests_total")
                    .Help("Requests sent to a model")
                    .Register(*registry_)),
      errors_(BuildCounter()
                  .Name("llm_request_errors_total")
                  .Help("Requests that ended in an error, by reason")
                  .Register(*registry_)),
      cost_(BuildCounter()
                .Name("llm_model_cost_total")
                .Help("Cost by reported usage and configured prices")
                .Register(*registry_)),
      tokens_(BuildCounter()
                  .Name("llm_model_tokens_total")
                  .Help("Tokens as reported by backends, by kind")
                  .Register(*registry_)),
      ttft_(BuildHistogram()
                .Name("llm_model_ttft_seconds")
                .Help("Time from dispatch to the first byte of the answer's body")
                .Register(*registry_)),
      tpot_(BuildHistogram()
                .Name("llm_model_tpot_seconds")
                .Help("Time per output token after the first")
                .Register(*registry_)),
      in_flight_(BuildGauge()
                     .Name("llm_model_inflight_requests")
                     .Help("Requests that a model is answering now")
                     .Register(*registry_)),
      decisions_(BuildCounter()
                     .Name("llm_decision_match_total")
                     .Help("Requests by winning decision")
                     .Register(*registry_)),
      signal_seconds_(BuildHistogram()
                          .Name("llm_signal_extraction_latency_seconds")
                          .Help("Time spent on signals of one type in one request")
                          .Register(*registry_)),
      signal_errors_(BuildCounter()
                         .Name("vsr_signal_errors_total")
                         .Help("Rules that could not be evaluated, by type and reason")
                         .Register(*registry_)),
      transitions_(BuildCounter()
                       .Name("llm_session_model_transitions_total")
                       .Help("Changes of model within a conversation")
                       .Register(*registry_)),
      learning_(BuildCounter()
                    .Name("vsr_learning_actions_total")
                    .Help("Verdicts of router learning")
                    .Register(*registry_)),
      routing_seconds_(&BuildHistogram()
                            .Name("vsr_routing_seconds")
                            .Help("Time from the last request byte to dispatch")
                            .Register(*registry_)
                            .Add({}, kRoutingBuckets)) {
  for (size_t type = 0; type < config::kSignalTypes; ++type) {
    const std::string name(config::leaf_name(static_cast<config::SignalType>(type)));
    by_type_.push_back(&signal_seconds_.Add({{"signal_type", name}}, kRoutingBuckets));
  }
}

ModelMetrics Metrics::of_model(const config::Model& model) {
  const std::string currency = model.pricing ? model.pricing->currency : "USD";
  const prometheus::Labels labels = {{"model", model.name}};
  ModelMetrics out;
  out.requests = &requests_.Add(labels);
  out.cost = &cost_.Add({{"model", model.name}, {"currency", currency}});
  out.prompt_tokens = &tokens_.Add({{"model", model.name}, {"kind", "prompt"}});
  out.cached_tokens = &tokens_.Add({{"model", model.name}, {"kind", "cached_prompt"}});
  out.completion_tokens = &tokens_.Add({{"model", model.name}, {"kind", "completion"}});
  out.ttft_seconds = &ttft_.Add(labels, kFirstTokenBuckets);
  out.tpot_seconds = &tpot_.Add(labels, kPerTokenBuckets);
  out.in_flight = &in_flight_.Add(labels);
  return out;
}

prometheus::Counter& Metrics::decision(const std::string& name) {
  return decisions_.Add({{"decision_name", name}});
}

void Metrics::count_error(const std::string& model, const std::string& reason) {
  errors_.Add({{"model", model}, {"reason", reason}}).Increment();
}

void Metrics::count_learning(const std::string& action, const std::string& reason) {
  learning_.Add({{"action", action}, {"reason", reason}}).Increment();
}

void Metrics::count_transition(const std::string& from, const std::string& to) {
  transitions_.Add({{"from_model", from}, {"to_model", to}}).Increment();
}

void Metrics::observe_signals(config::SignalType type, uint32_t microseconds) {
  by_type_[static_cast<size_t>(type)]->Observe(microseconds * 1e-6);
}

void Metrics::count_signal_error(config::SignalType type, const std::string& reason) {
  const std::string name(config::leaf_name(type));
  signal_errors_.Add({{"signal_type", name}, {"reason", reason}}).Increment();
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace vsr::gateway
