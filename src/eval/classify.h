#pragma once

// One classifier over JSON Lines, by the functions that the live router calls: for measuring them.

#include <functional>
#include <istream>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "nn/head_bank.h"

namespace vsr::eval {

// `task` is domain, jailbreak, harmful, pii, difficulty or language. Each line of `in` is an object
// with `text` or `messages`; each answer goes to `out` as one object {label, confidence,
// probabilities, us} with `gold` where the input had a label (pii: also spans in code points).
// Returns a summary for a person, "" when nothing was labelled. The error names the line.
Result<std::string> classify(std::string_view task, const nn::HeadBank& heads, const Clock& clock,
                             std::istream& in, const std::function<void(const std::string&)>& out);

}  // namespace vsr::eval
