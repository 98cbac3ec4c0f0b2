#pragma once

// The sentence encoder over pairs of texts in JSON Lines, with the curve that rules go by: for
// measuring it, and for fitting that curve.

#include <functional>
#include <istream>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "eval/summary.h"
#include "nn/encoder.h"

namespace vsr::eval {

struct SimilarityOptions {
  size_t threads = 1;
};

// Each line of `in` is an object with the texts `a` and `b` (or `text` and `text2`); each answer
// goes to `out` as one object: the other fields of the input, `score` (the calibrated probability
// that they mean the same), `cosine`, `label` same|different, the gold label as `gold`, and `us`
// for encoding both. The error names the line.
Result<Summary> similarity(const SimilarityOptions& options, const nn::Encoder& encoder,
                           const Clock& clock, std::istream& in,
                           const std::function<void(const std::string&)>& out);

}  // namespace vsr::eval
