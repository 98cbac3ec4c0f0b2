#pragma once

// What the API asks of whoever keeps the recipe of the running program, and the documents made of
// the answers. Calls read and write files and compile recipes: they belong on a pool, not on a
// loop.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/diagnostics.h"
#include "wire/api_error.h"

namespace vsr::operator_api {

struct Activation {
  uint64_t version = 0;
  std::string policy;
  std::vector<config::Diagnostic> diagnostics;  // warnings
  std::vector<std::string> notes;               // what takes effect only at the next start
};

struct Refusal {
  wire::ApiError error;
  std::vector<config::Diagnostic> diagnostics;  // of a recipe that cannot be activated
};

struct KeptVersion {
  uint64_t id = 0;
  UnixMillis activated_at = 0;
  std::string policy;
  std::string source;  // start, file, put or rollback
  uint64_t bytes = 0;
  bool running = false;
};

struct RunningRecipe {
  std::string yaml;  // with secrets replaced
  std::string tag;   // of its bytes: what If-Match compares
};

class RecipeKeeper {
 public:
  virtual ~RecipeKeeper() = default;

  virtual Result<RunningRecipe> running() = 0;
  // Validates, keeps, swaps. A text that came from running() gets its secrets back. `if_match`: the
  // tag that the running recipe must have, "" for any.
  virtual std::expected<Activation, Refusal> activate(std::string_view yaml,
                                                      std::string_view if_match) = 0;
  virtual std::expected<Activation, Refusal> roll_back(uint64_t version) = 0;
  virtual std::vector<KeptVersion> versions() = 0;
  virtual Result<std::string> version_text(uint64_t id) = 0;  // with secrets replaced
  // Name and title of the recipes that came with the program, and the text of one.
  virtual std::vector<std::pair<std::string, std::string>> shipped() = 0;
  virtual Result<std::string> shipped_text(std::string_view name) = 0;
  // Empty texts: the running recipe, and the probes beside it.
  virtual wire::ApiResult<std::string> run_probes(std::string_view yaml,
                                                  std::string_view probes) = 0;
};

// One answer of the API.
struct Answer {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json";
  std::string header_lines;
};
Answer answer_of(const wire::ApiError& error);
Answer answer_of(const std::expected<Activation, Refusal>& result);
std::string versions_document(const std::vector<KeptVersion>& versions);

// {url} or {yaml}: the preview of a recipe that is not activated.
constexpr size_t kImportBytesMax = 1UL << 20;
Answer import_preview(std::string_view body);
// The text at an address: http and https, 10 s, kImportBytesMax, at most three redirects and none
// from a public address to a private one.
wire::ApiResult<std::string> fetch_recipe(std::string url);

// The recipe as a graph: signals → projections → decisions → models → endpoints.
std::string topology_document(const config::Config& config);

}  // namespace vsr::operator_api
