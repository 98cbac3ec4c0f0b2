#include "config/config.h"

#include <algorithm>

namespace vsr::config {
namespace {

template <typename Enum, size_t n>
std::string_view name_of(const std::array<std::string_view, n>& names, Enum value) {
  return names[static_cast<size_t>(value)];
}

}  // namespace

std::string_view to_string(Effort effort) {
  return name_of(std::array<std::string_view, 3>{"low", "medium", "high"}, effort);
}

std::string_view to_string(AdaptationMode mode) {
  return name_of(std::array<std::string_view, 3>{"apply", "observe", "bypass"}, mode);
}

std::string_view to_string(Scope scope) {
  return name_of(std::array<std::string_view, 2>{"conversation", "session"}, scope);
}

std::string_view to_string(Strategy strategy) {
  return name_of(std::array<std::string_view, 3>{"tiered", "priority", "confidence"}, strategy);
}

std::string_view to_string(StoreBackend backend) {
  return name_of(std::array<std::string_view, 4>{"memory", "sqlite", "postgres", "redis"}, backend);
}

ModelId Config::find_model(std::string_view model_name) const {
  const auto found = std::ranges::find(models, model_name, &Model::name);
  return found == models.end() ? kNoModel : static_cast<ModelId>(found - models.begin());
}

SignalId Config::find_signal(SignalType type, std::string_view signal_name) const {
  for (size_t id = 0; id < signals.size(); ++id) {
    if (signals[id].type == type && signals[id].name == signal_name) {
      return static_cast<SignalId>(id);
    }
  }
  return kNoSignal;
}

bool Config::is_auto(std::string_view model_name) const {
  return std::ranges::find(auto_names, model_name) != auto_names.end();
}

}  // namespace vsr::config
