#pragma once

// How far the regret of a policy would move with other sessions of the same kind. Pure.

#include <array>
#include <span>

namespace vsr::eval {

// 95 % interval of 100·(Σ objective / Σ optimum − 1) over resamples of sessions. The same resamples
// for every policy. Both spans have one element per session; none gives {0, 0}.
std::array<double, 2> regret_interval(std::span<const double> objective,
                                      std::span<const double> optimum);

}  // namespace vsr::eval
