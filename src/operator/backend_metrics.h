#pragma once

// What vLLM and llama.cpp backends say of their prefix caches themselves, at /metrics of their own
// address. Read when somebody asks; blocking, for the offload pool. Limits: kBackendsReadMax
// backends one after the other, kMetricsTime each, and a page of kMetricsBytesMax.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/runtime.h"

namespace vsr::operator_api {

constexpr size_t kBackendsReadMax = 16;
constexpr std::chrono::milliseconds kMetricsTime{1000};
constexpr size_t kMetricsBytesMax = 4UL << 20;

struct PrefixCacheCounters {
  double queries = 0;  // prompt tokens that were looked up
  double hits = 0;     // of them found
};

// Summed over all label sets; nothing if the page has no such counters.
std::optional<PrefixCacheCounters> prefix_cache_counters(std::string_view metrics);

// JSON: {"endpoints": [{key, queries, hits, hit_rate} or {key, problem}]}, one for each endpoint.
std::string backend_metrics_document(const gateway::Runtime* runtime);

}  // namespace vsr::operator_api
