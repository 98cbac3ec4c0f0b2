#include "gateway/backends.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "wire/hash.h"

namespace vsr::gateway {

namespace {

// Finaliser of SplitMix64: every input bit reaches every output bit.
uint64_t mixed(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace

std::string Address::text() const { return fmt::format("{}:{}", host, port); }

Endpoint::Endpoint(std::string endpoint_key, Address named, bool is_tls)
    : key(std::move(endpoint_key)), tls(is_tls), named_(std::move(named)) {}

const Address& Endpoint::dial() const {
  return is_redirected_.load(std::memory_order_acquire) ? redirected_ : named_;
}

void Endpoint::redirect(Address to) {
  const std::lock_guard lock(redirect_mutex_);
  if (is_redirected_) return;
  redirected_ = std::move(to);
  is_redirected_.store(true, std::memory_order_release);
}

void Endpoint::report_success() {
  if (consecutive_failures_.load(std::memory_order_relaxed) != 0) consecutive_failures_ = 0;
  if (ejections_.load(std::memory_order_relaxed) != 0) ejections_ = 0;
}

void Endpoint::report_failure(MonoTime now, uint32_t limit, std::chrono::milliseconds rest) {
  failures.fetch_add(1, std::memory_order_relaxed);
  if (consecutive_failures_.fetch_add(1) + 1 < limit) return;
  consecutive_failures_ = 0;
  // Short at first, so that one that comes back is soon asked again; doubled each time it fails.
  constexpr uint32_t kDoublingsMax = 10;
  const uint32_t doublings = std::min(ejections_.fetch_add(1), kDoublingsMax);
  const auto growing = kFirstEjection * (1U << doublings);
  ejected_until_ns_ = (now + std::min<std::chrono::milliseconds>(rest, growing)).count();
}

bool Endpoint::may_serve(MonoTime now) const {
  return active_healthy_ && !drained_ && !ejected(now);
}

void EndpointRegistry::replace(std::string named, Address to) {
  const std::lock_guard lock(mutex_);
  replaced_.insert_or_assign(std::move(named), std::move(to));
}

std::shared_ptr<Endpoint> EndpointRegistry::get(const config::BackendRef& ref) {
  const std::string key =
      fmt::format("{}://{}:{}{}", ref.tls ? "https" : "http", ref.host, ref.port, ref.base_path);
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Endpoint>& endpoint = endpoints_[key];
  if (!endpoint) {
    VSR_CHECK(endpoints_.size() <= kEndpointsMax, "more than {} endpoints", kEndpointsMax);
    endpoint = std::make_shared<Endpoint>(key, Address{ref.host, ref.port}, ref.tls);
    if (const auto to = replaced_.find(endpoint->named().text()); to != replaced_.end()) {
      endpoint->redirect(to->second);
    }
  }
  return endpoint;
}

std::vector<std::shared_ptr<Endpoint>> EndpointRegistry::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Endpoint>> out;
  for (const auto& [key, endpoint] : endpoints_) out.push_back(endpoint);
  return out;
}

BackendSet::BackendSet(std::shared_ptr<const config::Config> config, EndpointRegistry& registry)
    : config_(std::move(config)),
      ranks_by_latency_(
          std::ranges::any_of(config_->decisions, [](const config::Decision& decision) {
            return decision.algorithm.type == config::AlgorithmType::kMultiFactor ||
                   decision.algorithm.type == config::AlgorithmType::kLatencyAware;
          })) {
  for (const config::Model& model : config_->models) {
    std::vector<Backend>& backends = by_model_.emplace_back();
    for (const config::BackendRef& ref : model.backends) {
      std::shared_ptr<Endpoint> endpoint = registry.get(ref);
      const uint64_t hash =
          wire::fold(wire::hash_bytes(endpoint->key), wire::hash_bytes(ref.api_key));
      backends.push_back({std::move(endpoint), &ref, hash | 1});
    }
  }
}

const Backend* BackendSet::pick(config::ModelId model, uint64_t affinity, MonoTime now,
                                const Endpoint* except) const {
  const std::vector<Backend>& backends = by_model_[model];
  if (backends.size() == 1) {
    const Backend& only = backends.front();
    return only.endpoint.get() != except && only.endpoint->may_serve(now) ? &only : nullptr;
  }
  const Backend* best = nullptr;
  double best_score = 0;
  for (size_t i = 0; i < backends.size(); ++i) {
    const Backend& backend = backends[i];
    if (backend.endpoint.get() == except || !backend.endpoint->may_serve(now)) continue;
    // Score −weight / ln(u) with u uniform in (0, 1): the highest is ours with probability
    // proportional to weight (Thaler & Ravishankar; Schindelhauer & Schomaker for weights).
    const uint64_t hash = mixed(wire::fold(affinity, wire::hash_bytes(backend.endpoint->key)));
    const double u = (static_cast<double>(hash >> 11) + 0.5) * 0x1p-53;
    const double score = -static_cast<double>(backend.ref->weight) / std::log(u);
    if (best == nullptr || score > best_score) {
      best = &backend;
      best_score = score;
    }
  }
  return best;
}

const Backend* BackendSet::find(config::ModelId model, uint64_t hash) const {
  const auto found = std::ranges::find(by_model_[model], hash, &Backend::hash);
  return found == by_model_[model].end() ? nullptr : &*found;
}

bool BackendSet::healthy(config::ModelId model, MonoTime now) const {
  for (const Backend& backend : by_model_[model]) {
    if (backend.endpoint->may_serve(now)) return true;
  }
  return false;
}

// Of several endpoints the slowest counts.
static void take_slower(const LatencyWindow::Percentiles& measured, policy::Latency& out) {
  out.p50_ms = std::max(out.p50_ms, measured.p50_ms);
  out.p95_ms = std::max(out.p95_ms, measured.p95_ms);
}

policy::ModelState BackendSet::state(config::ModelId model, MonoTime now) const {
  policy::ModelState out;
  out.healthy = healthy(model, now);
  for (const Backend& backend : by_model_[model]) {
    out.in_flight += backend.endpoint->in_flight.load(std::memory_order_relaxed);
    if (!ranks_by_latency_) continue;
    take_slower(backend.endpoint->ttft.percentiles(), out.ttft);
    take_slower(backend.endpoint->tpot.percentiles(), out.tpot);
  }
  return out;
}

}  // namespace vsr::gateway
