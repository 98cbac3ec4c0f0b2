#pragma once

// One classifier over JSON Lines, by the functions that the live router calls: for measuring it.

#include <functional>
#include <istream>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "eval/summary.h"
#include "router/classification.h"

namespace vsr::eval {

struct ClassifyOptions {
  router::Classifier classifier = router::Classifier::kDomain;
  size_t threads = 1;
};

// Each line of `in` is an object with `text` or `messages`; each answer goes to `out` as one
// object: the other fields of the input, {label, confidence, probabilities, us}, the gold label as
// `gold` (pii: `spans`, gold ones as `gold_spans`) and for `messages` the `prompt` that was read of
// them. The error names the line.
Result<Summary> classify(const ClassifyOptions& options, const router::Classifiers& classifiers,
                         const Clock& clock, std::istream& in,
                         const std::function<void(const std::string&)>& out);

}  // namespace vsr::eval
