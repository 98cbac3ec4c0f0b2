#pragma once

// What a request pins when it begins: one recipe, compiled, with its backends. Immutable; a reload
// makes a new one and requests that run keep theirs. Services is what outlives recipes and is
// shared by all loops; everything in it is thread-safe.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/keyed_hash.h"
#include "config/config.h"
#include "gateway/access.h"
#include "gateway/backends.h"
#include "gateway/events.h"
#include "gateway/metrics.h"
#include "net/offload.h"
#include "router/router.h"
#include "store/replay.h"

namespace vsr::gateway {

struct Services {
  const Clock* clock = nullptr;
  EndpointRegistry endpoints;
  Metrics metrics;
  EventFeed events;
  std::unique_ptr<store::Replay> replay;  // null when the recipe turns it off
  std::atomic<uint64_t> in_flight{0};
  // When the last warning about a rule without an answer was written; 0: never.
  std::atomic<int64_t> signal_warning_unix_ms{0};
  // Hashes of content pass through it before they are written to a record.
  const KeyedHash record_hash = KeyedHash::random();
  // For work of milliseconds that a decision waits for; null: it is done on the spot.
  net::OffloadPool* compute = nullptr;
};

struct Runtime {
  Runtime(std::shared_ptr<const config::Config> config_in,
          std::shared_ptr<const router::Router> router_in, Services& services);

  // For the listener of that index, the last one if there are more listeners than in the recipe.
  const AccessTable& access(size_t listener) const;

  std::shared_ptr<const config::Config> config;
  std::shared_ptr<const router::Router> router;
  BackendSet backends;
  std::vector<AccessTable> access_tables;       // by listener
  std::vector<ModelMetrics> model_metrics;      // by ModelId
  std::vector<prometheus::Counter*> decisions;  // by decision index
  config::ModelId baseline = config::kNoModel;  // costs are compared with it
};

}  // namespace vsr::gateway
