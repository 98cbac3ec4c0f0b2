#pragma once

// Three-valued facts: what is known of a signal, score or rule before everything is evaluated. A
// Bound says whether it matches and between which confidences it lies if it does; all operations
// round monotonically, so the value after full evaluation always lies inside. Pure values.

#include <cstdint>

namespace vsr::policy {

enum class Tri : uint8_t { kFalse, kTrue, kUnknown };

struct Interval {
  double lo = 0;
  double hi = 0;
  bool exact() const { return lo == hi; }
};

struct Bound {
  Tri match = Tri::kFalse;
  Interval confidence;  // of the match, if it matches; [0, 0] when it cannot

  bool exact() const { return match == Tri::kFalse || (match == Tri::kTrue && confidence.exact()); }
  bool possible() const { return match != Tri::kFalse; }
};

inline Bound known(bool matched, double confidence) {
  if (!matched) return {};
  return {Tri::kTrue, {confidence, confidence}};
}
inline Bound unknown() { return {Tri::kUnknown, {0, 1}}; }

}  // namespace vsr::policy
