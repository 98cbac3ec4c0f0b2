#include "gateway/runtime.h"

#include <algorithm>

#include "learning/cost.h"

namespace vsr::gateway {

Runtime::Runtime(std::shared_ptr<const config::Config> config_in,
                 std::shared_ptr<const router::Router> router_in, Services& services)
    : config(std::move(config_in)),
      router(std::move(router_in)),
      backends(config, services.endpoints),
      baseline(learning::baseline_model(*config)) {
  for (const config::Listener& listener : config->listeners) access_tables.emplace_back(listener);
  for (const config::Model& model : config->models) {
    model_metrics.push_back(services.metrics.of_model(model));
  }
  for (const config::Decision& decision : config->decisions) {
    decisions.push_back(&services.metrics.decision(decision.name));
  }
}

const AccessTable& Runtime::access(size_t listener) const {
  return access_tables[std::min(listener, access_tables.size() - 1)];
}

}  // namespace vsr::gateway
