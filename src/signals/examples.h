#pragma once

// Example texts of the classes that are built in: what a user says of an answer, whether a prompt
// asks for facts that can be checked, and whether it asks for a picture. Constant.

#include <span>
#include <string_view>

#include "config/signal.h"

namespace vsr::signals {

struct BuiltInClass {
  config::SignalType type;
  std::string_view name;
  std::span<const std::string_view> examples;
};

std::span<const BuiltInClass> built_in_classes();
bool is_built_in(config::SignalType type);

}  // namespace vsr::signals
