#pragma once

// The recipes that were active before, as files of the state folder: NUMBER-POLICY-SOURCE.yaml, the
// time of the file is that of its activation. Keeps kVersionsKept. Recipes may hold secrets, so the
// files are readable by their owner only. Not thread-safe.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace vsr::app {

struct RecipeVersion {
  uint64_t id = 0;
  std::string policy;  // hash of what it decides
  std::string source;  // start, file, put or rollback
  UnixMillis activated_at = 0;
  uint64_t bytes = 0;
};

class RecipeVersions {
 public:
  // The running one and the ten before it.
  static constexpr size_t kVersionsKept = 11;

  explicit RecipeVersions(std::string folder) : folder_(std::move(folder)) {}

  std::vector<RecipeVersion> list() const;  // newest first
  Result<std::string> text(uint64_t id) const;
  // Makes `text` the newest version and removes what is too old. The same text as the newest one is
  // not kept twice. The id of the newest version.
  Result<uint64_t> keep(std::string_view text, std::string_view policy, std::string_view source);

 private:
  std::string path_of(const RecipeVersion& version) const;

  const std::string folder_;
};

// Writes a file as a whole or not at all: a new file beside it takes its place. The mode of a file
// that is there stays, a new one gets 0600.
Status replace_file(const std::string& path, std::string_view bytes);

}  // namespace vsr::app
