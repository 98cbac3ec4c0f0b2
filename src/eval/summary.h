#pragma once

// What rows with gold labels add up to. A value.

#include <string>

namespace vsr::eval {

struct Summary {
  std::string text;  // for a person; "" when no row had gold
  std::string json;  // the same figures as one object
};

}  // namespace vsr::eval
