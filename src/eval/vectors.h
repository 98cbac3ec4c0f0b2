#pragma once

// Test vectors of the learning policy: a first line with the settings, then one request a line; for
// each request one line of what was decided. The functions are the server's.

#include <istream>
#include <ostream>

#include "base/result.h"

namespace vsr::eval {

// Reads JSON Lines from `in` and writes JSON Lines to `out`. The error names the line.
//   settings: {"prices","lambda","candidate_set","shared"}
//   request:  {"t","L","ep","ut","p","kind":"u|t|s|p","comp"}
//   answer:   {"tier","action","reason","u":[…],"gain","margin","belief":[…]}
Status run_vectors(std::istream& in, std::ostream& out);

}  // namespace vsr::eval
