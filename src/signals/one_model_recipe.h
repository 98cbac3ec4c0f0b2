#pragma once

// Recipes for tests of this room: one model and one decision that always matches, around `signals`
// (the YAML under routing.signals, indented by four spaces).

#include <string>
#include <string_view>

namespace vsr::signals::fixture {

inline std::string one_model_recipe(std::string_view signals) {
  return R"(
version: v0.3
providers:
  defaults: {default_model: m}
  models: [{name: m, backend_refs: [{endpoint: "x:1"}]}]
routing:
  modelCards: [{name: m}]
  signals:
)" + std::string(signals) +
         R"(
  decisions: [{name: d, rules: {operator: AND, conditions: []}, modelRefs: [{model: m}]}]
)";
}

}  // namespace vsr::signals::fixture
