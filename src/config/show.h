#pragma once

// A recipe shown to people: what takes effect with the origin of each value, or the text itself
// with its secrets replaced. Neither ever contains a secret. Pure but for the given environment.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/load.h"

namespace vsr::config {

constexpr std::string_view kRedacted = "[redacted]";

struct ShowResult {
  std::string yaml;  // "" when the recipe has errors
  std::vector<Diagnostic> diagnostics;
};

// Every key with its value and, as a comment, where that comes from: `# recipe.yaml:12`,
// `# recipe.yaml:12, environment`, `# default`, `# computed`. Loads as a recipe of the same policy.
ShowResult show_effective(std::string_view yaml, const std::string& filename,
                          const LoadOptions& options = {});

// The same text with the values of secret keys replaced, layout and comments kept. A value that
// only names variables (${OPENAI_API_KEY}) stays. Text that is no YAML is withheld.
std::string redact_yaml(std::string_view yaml);

// An edited text that came from redact_yaml gets back what it hides: each "[redacted]" becomes the
// value that `original` has under the same keys (items of lists are found by their `name`, without
// one by their place). The error names those that have none.
Result<std::string> restore_redacted(std::string_view edited, std::string_view original);

}  // namespace vsr::config
