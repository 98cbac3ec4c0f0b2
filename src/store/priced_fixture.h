#pragma once

// Three models to count money with, for tests.

#include <memory>

#include "config/config.h"

namespace vsr::store::fixture {

// Prices per million tokens: cheap 1 (cached .1, answer 4), dear 10 (1, 40); the third has none.
inline std::shared_ptr<const config::Config> priced() {
  auto config = std::make_shared<config::Config>();
  config->models.resize(3);
  config->models[0].name = "cheap";
  config->models[0].pricing =
      config::Pricing{.prompt_per_1m = 1, .cached_input_per_1m = 0.1, .completion_per_1m = 4};
  config->models[1].name = "dear";
  config->models[1].pricing =
      config::Pricing{.prompt_per_1m = 10, .cached_input_per_1m = 1, .completion_per_1m = 40};
  config->models[2].name = "free";
  return config;
}

}  // namespace vsr::store::fixture
