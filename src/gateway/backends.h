#pragma once

// Which endpoint serves a model now. An Endpoint is one address that requests are sent to; several
// models may share it (five aliases on one server), and it outlives a reload, so that what was
// learned about its health is kept. Thread-safe: its state is atomic. BackendSet is immutable and
// belongs to one Config.

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "gateway/latency.h"
#include "policy/select.h"

namespace vsr::gateway {

struct Address {
  std::string host;
  uint16_t port = 0;
  bool operator==(const Address&) const = default;
  std::string text() const;  // "host:port"
};

class Endpoint {
 public:
  Endpoint(std::string key, Address named, bool tls);

  const std::string key;  // "http://vllm:8000": what makes two refs the same endpoint
  const bool tls;

  const Address& named() const { return named_; }
  // Where to connect: the named address, or the one that discovery or --resolve put in its place.
  const Address& dial() const;
  // At most one replacement for the life of the endpoint; later calls are ignored.
  void redirect(Address to);

  // Passive outlier ejection: after `limit` failures in a row the endpoint rests for `rest`.
  void report_success();
  void report_failure(MonoTime now, uint32_t limit, std::chrono::milliseconds rest);
  void set_active_health(bool healthy) { active_healthy_ = healthy; }
  void set_drained(bool drained) { drained_ = drained; }
  bool drained() const { return drained_; }
  bool may_serve(MonoTime now) const;
  // How long the first ejection lasts at most; each further one twice as long, up to the recipe's.
  static constexpr std::chrono::milliseconds kFirstEjection{1000};
  bool ejected(MonoTime now) const { return now.count() < ejected_until_ns_; }

  std::atomic<uint32_t> in_flight{0};
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> failures{0};
  LatencyWindow ttft;  // time to the first token
  LatencyWindow tpot;  // time per output token after the first, of streams

 private:
  const Address named_;
  Address redirected_;
  std::atomic<bool> is_redirected_{false};
  std::mutex redirect_mutex_;
  std::atomic<uint32_t> consecutive_failures_{0};
  std::atomic<int64_t> ejected_until_ns_{0};
  std::atomic<uint32_t> ejections_{0};  // without a success between them
  std::atomic<bool> active_healthy_{true};
  std::atomic<bool> drained_{false};
};

// All endpoints of the process by key; hands out the same one for the same key.
class EndpointRegistry {
 public:
  static constexpr size_t kEndpointsMax = 4096;
  // Endpoints of the address `named` ("host:port") that are made from now on are dialled at `to`.
  void replace(std::string named, Address to);
  std::shared_ptr<Endpoint> get(const config::BackendRef& ref);
  std::vector<std::shared_ptr<Endpoint>> all() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Endpoint>> endpoints_;
  std::map<std::string, Address> replaced_;
};

struct Backend {
  std::shared_ptr<Endpoint> endpoint;
  const config::BackendRef* ref = nullptr;  // in the Config that the set belongs to
  uint64_t hash = 0;                        // of the address and the key: where provider state lies
};

class BackendSet {
 public:
  BackendSet(std::shared_ptr<const config::Config> config, EndpointRegistry& registry);

  // Weighted rendezvous hashing over the endpoints that may serve: the same `affinity` (of a
  // conversation) keeps the endpoint whose prefix cache is warm, and losing one endpoint moves only
  // its own conversations. `except` was tried already. nullptr if none is left.
  const Backend* pick(config::ModelId model, uint64_t affinity, MonoTime now,
                      const Endpoint* except = nullptr) const;
  // The one with that hash, whether it may serve or not; nullptr if the model has none such.
  const Backend* find(config::ModelId model, uint64_t hash) const;
  bool healthy(config::ModelId model, MonoTime now) const;
  // Latencies are filled in only where a decision of the recipe ranks by them: percentiles cost
  // more than the rest of a decision.
  policy::ModelState state(config::ModelId model, MonoTime now) const;
  const std::vector<Backend>& of(config::ModelId model) const { return by_model_[model]; }

 private:
  std::shared_ptr<const config::Config> config_;
  const bool ranks_by_latency_;
  std::vector<std::vector<Backend>> by_model_;
};

}  // namespace vsr::gateway
