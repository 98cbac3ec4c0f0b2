#pragma once

// A recipe file becomes a Config. All problems are found at once: the Config is there if none of
// them is an error. Reads only the given file and the given environment; made to run beside
// traffic (a reload), it shares nothing. Limits: yaml.h, diagnostics.h, and those below.

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "config/diagnostics.h"
#include "config/scalar.h"

namespace vsr::config {

// What the 16-bit indices of a Config can tell apart, and far above any recipe.
constexpr size_t kModelsMax = 4'096;
constexpr size_t kSignalsMax = 16'384;
constexpr size_t kDecisionsMax = 4'096;

struct Effective;

struct LoadOptions {
  Environment environment;  // empty: the environment of the process
};

struct LoadResult {
  std::shared_ptr<const Config> config;  // null when there is an error
  std::vector<Diagnostic> diagnostics;   // sorted by position
};

// `filename` is for messages.
LoadResult load_text(std::string_view yaml, std::string filename, const LoadOptions& options = {});
LoadResult load_file(const std::string& path, const LoadOptions& options = {});

// The same, and the recipe as it takes effect (effective.h); it stays empty after errors.
LoadResult load_effective(std::string_view yaml, std::string filename, const LoadOptions& options,
                          Effective& recipe);

// The bytes of a recipe file; an error says why it could not be read.
Result<std::string> read_recipe(const std::string& path);

}  // namespace vsr::config
