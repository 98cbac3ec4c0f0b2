#include "operator/backend_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_set>

#include "base/result.h"
#include "http/client.h"
#include "json/writer.h"

namespace vsr::operator_api {

namespace {

struct Counter {
  std::string_view name;
  bool is_query;
  bool is_hit;
};

// llama.cpp counts what it read anew and what it had apart.
constexpr auto kCounters = std::to_array<Counter>({
    {"vllm:prefix_cache_queries", true, false},
    {"vllm:prefix_cache_hits", false, true},
    {"llamacpp:prompt_tokens", true, false},
    {"llamacpp:prompt_tokens_cached", true, true},
});

// The value of the sample on `line` if it is of `counter`, with or without the suffix _total.
std::optional<double> sample_of(std::string_view line, std::string_view counter) {
  if (!line.starts_with(counter)) return std::nullopt;
  line.remove_prefix(counter.size());
  if (line.starts_with("_total")) line.remove_prefix(std::string_view("_total").size());
  if (line.starts_with('{')) {
    const size_t end = line.rfind('}');
    if (end == std::string_view::npos) return std::nullopt;
    line.remove_prefix(end + 1);
  }
  const size_t at = line.find_first_not_of(' ');
  if (at == 0 || at == std::string_view::npos) return std::nullopt;
  double value = 0;
  const auto read = std::from_chars(line.data() + at, line.data() + line.size(), value);
  if (read.ec != std::errc()) return std::nullopt;
  return value;
}

Result<PrefixCacheCounters> read_counters(const gateway::Endpoint& endpoint) {
  // A certificate is for the name; a replaced address serves plain HTTP.
  const std::string url =
      fmt::format("{}://{}/metrics", endpoint.tls ? "https" : "http",
                  endpoint.tls ? endpoint.named().text() : endpoint.dial().text());
  std::string page;
  const auto response = http::fetch(
      "GET", url, {{"accept", "text/plain"}}, "", kMetricsTime,
      [&page](std::string_view piece) { page += piece.substr(0, kMetricsBytesMax - page.size()); });
  if (!response) return std::unexpected(response.error());
  if (response->status != 200) {
    return fail(ErrorCode::kUnavailable, fmt::format("{} answered {}", url, response->status));
  }
  const std::optional<PrefixCacheCounters> counters = prefix_cache_counters(page);
  if (counters) return *counters;
  return fail(ErrorCode::kNotFound, fmt::format("{} has no prefix cache counters", url));
}

void write_endpoint(const gateway::Endpoint& endpoint, json::JsonWriter& w) {
  w.begin_object().field("key", endpoint.key);
  if (const Result<PrefixCacheCounters> counters = read_counters(endpoint); counters) {
    w.field("queries", counters->queries).field("hits", counters->hits);
    w.field("hit_rate", counters->queries > 0 ? counters->hits / counters->queries : 0);
  } else {
    w.field("problem", counters.error().message);
  }
  w.end_object();
}

}  // namespace

std::optional<PrefixCacheCounters> prefix_cache_counters(std::string_view metrics) {
  PrefixCacheCounters sum;
  bool found = false;
  while (!metrics.empty()) {
    const std::string_view line = metrics.substr(0, metrics.find('\n'));
    metrics.remove_prefix(std::min(metrics.size(), line.size() + 1));
    for (const Counter& counter : kCounters) {
      const std::optional<double> value = sample_of(line, counter.name);
      if (!value) continue;
      found = true;
      if (counter.is_query) sum.queries += *value;
      if (counter.is_hit) sum.hits += *value;
    }
  }
  if (!found) return std::nullopt;
  return sum;
}

std::string backend_metrics_document(const gateway::Runtime* runtime) {
  json::JsonWriter w;
  w.begin_object().key("endpoints").begin_array();
  std::unordered_set<std::string_view> seen;
  for (size_t m = 0; runtime != nullptr && m < runtime->config->models.size(); ++m) {
    for (const gateway::Backend& backend : runtime->backends.of(static_cast<config::ModelId>(m))) {
      // Providers of other types have no such page.
      if (backend.ref->type != config::BackendType::kVllm) continue;
      if (seen.size() == kBackendsReadMax || !seen.insert(backend.endpoint->key).second) continue;
      write_endpoint(*backend.endpoint, w);
    }
  }
  w.end_array().end_object();
  return w.take();
}

}  // namespace vsr::operator_api
