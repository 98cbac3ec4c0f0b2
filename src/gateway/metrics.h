#pragma once

// The Prometheus metrics of routed requests, under the field's names where they exist. Thread-safe:
// the children of one model are looked up once per Runtime, counting afterwards is atomic adds. No
// label carries a user, session or request id.

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"

namespace vsr::gateway {

struct ModelMetrics {
  prometheus::Counter* requests = nullptr;
  prometheus::Counter* cost = nullptr;
  prometheus::Counter* prompt_tokens = nullptr;
  prometheus::Counter* cached_tokens = nullptr;
  prometheus::Counter* completion_tokens = nullptr;
  prometheus::Histogram* ttft_seconds = nullptr;
  prometheus::Histogram* tpot_seconds = nullptr;
  prometheus::Gauge* in_flight = nullptr;
};

class Metrics {
 public:
  Metrics();

  ModelMetrics of_model(const config::Model& model);
  prometheus::Counter& decision(const std::string& name);
  void count_error(const std::string& model, const std::string& reason);
  void count_learning(const std::string& action, const std::string& reason);
  void count_transition(const std::string& from, const std::string& to);
  void observe_signals(config::SignalType type, uint32_t microseconds);
  void count_signal_error(config::SignalType type, const std::string& reason);
  prometheus::Histogram& routing_seconds() { return *routing_seconds_; }

  prometheus::Registry& registry() { return *registry_; }
  // The exposition text.
  std::string text() const;

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Counter>& errors_;
  prometheus::Family<prometheus::Counter>& cost_;
  prometheus::Family<prometheus::Counter>& tokens_;
  prometheus::Family<prometheus::Histogram>& ttft_;
  prometheus::Family<prometheus::Histogram>& tpot_;
  prometheus::Family<prometheus::Gauge>& in_flight_;
  prometheus::Family<prometheus::Counter>& decisions_;
  prometheus::Family<prometheus::Histogram>& signal_seconds_;
  prometheus::Family<prometheus::Counter>& signal_errors_;
  prometheus::Family<prometheus::Counter>& transitions_;
  prometheus::Family<prometheus::Counter>& learning_;
  prometheus::Histogram* routing_seconds_;
  std::vector<prometheus::Histogram*> by_type_;
};

}  // namespace vsr::gateway
