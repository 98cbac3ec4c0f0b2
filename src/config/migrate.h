#pragma once

// Older recipes as v0.3: flat keys at the top level (vllm_endpoints, model_config, categories,
// keyword_rules, decisions, …) move to where v0.3 has them, and decisions take the session_aware
// spelling. What has no place there is named in the diagnostics and in the comments at the top.
// Comments of the old file are not kept. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"

namespace vsr::config {

struct MigrateResult {
  std::string yaml;      // "" when the text is no YAML mapping
  bool changed = false;  // false: yaml is the text as it was given
  std::vector<Diagnostic> diagnostics;
};

MigrateResult migrate(std::string_view yaml, const std::string& filename);

}  // namespace vsr::config
