#pragma once

// What detect_pii() finds in a text, written so that a test can compare it. For tests.

#include <fmt/format.h>

#include <functional>
#include <string>
#include <string_view>

#include "signals/detect.h"

namespace vsr::signals::fixture {

// Findings below the usual threshold do not count.
constexpr float kThreshold = 0.5F;

struct Case {
  std::string_view text;
  std::string_view expected;
};

inline std::string found_in(std::string_view text, const DetectOptions& options,
                            const std::function<std::string(const Entity&)>& show,
                            std::string_view between = " ") {
  std::string out;
  for (const Entity& entity : detect_pii(text, options)) {
    if (entity.confidence < kThreshold) continue;
    const std::string shown = show(entity);
    if (shown.empty()) continue;
    if (!out.empty()) out += between;
    out += shown;
  }
  return out;
}

// "TYPE(text) TYPE(text)", with the bytes of the text as it is.
inline std::string found_in(std::string_view text, const DetectOptions& options = {}) {
  return found_in(text, options, [text](const Entity& entity) {
    return fmt::format("{}({})", to_string(entity.type),
                       text.substr(entity.start, entity.end - entity.start));
  });
}

}  // namespace vsr::signals::fixture
