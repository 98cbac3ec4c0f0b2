#pragma once

// The weights that a router reads, for the server and for commands that work without one. The
// n-gram heads are mapped at once; the encoder by the first recipe or call that needs it, which
// takes some 60 ms, so on a running server that belongs on a pool. Thread-safe.

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "nn/vectors.h"
#include "router/classification.h"
#include "signals/engine.h"

namespace vsr::app {

struct ModelFiles {
  std::string heads;    // linear heads
  std::string encoder;  // sentence encoder
  std::string tuned;    // its heads; "" for none
};

class Models {
 public:
  // `state_folder`: where vectors of candidates are kept; "" keeps them in memory alone.
  static Result<std::shared_ptr<Models>> load(ModelFiles files, std::string state_folder);

  // What a router over this recipe reads, without a message cache.
  Result<signals::Parts> parts_for(const config::Config& config);
  Result<std::shared_ptr<nn::Vectors>> vectors();
  // Null while nobody has asked for them.
  std::shared_ptr<nn::Vectors> vectors_if_loaded();
  Result<std::shared_ptr<const router::Classifiers>> classifiers();

 private:
  Models(ModelFiles files, std::string state_folder, std::shared_ptr<const nn::HeadBank> heads);

  const ModelFiles files_;
  const std::string state_folder_;
  const std::shared_ptr<const nn::HeadBank> heads_;
  std::mutex mutex_;
  std::shared_ptr<nn::Vectors> vectors_;
  std::shared_ptr<const router::Classifiers> classifiers_;
};

}  // namespace vsr::app
