#pragma once

// How well the models of a decision fit a prompt, for algorithms that compare meanings: router_dc
// by the descriptions of the models, knn by what became of the nearest prompts. Vectors of the
// texts are made once per recipe. Immutable, thread-safe.

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "nn/vectors.h"

namespace vsr::router {

class ModelFit {
 public:
  // Without vectors, or where no algorithm needs them, it holds nothing.
  static Result<ModelFit> make(const config::Config& config, nn::Vectors* vectors);

  // One value per ref: of router_dc the cosine with its description, 0 without one; of knn the
  // share that its outcomes have in the quality of the nearest, each weighted by its cosine.
  std::vector<double> of(const config::Decision& decision, size_t index,
                         std::span<const float> prompt) const;

 private:
  std::vector<std::vector<float>> rows_;  // by decision: one vector per ref, or per outcome
};

// Whether the algorithm of some decision compares meanings.
bool needs_vectors(const config::Config& config);

}  // namespace vsr::router
