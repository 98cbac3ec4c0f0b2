#include "eval/bootstrap.h"

#include <algorithm>
#include <vector>

#include "eval/split_mix.h"

namespace vsr::eval {

std::array<double, 2> regret_interval(std::span<const double> objective,
                                      std::span<const double> optimum) {
  constexpr size_t kResamples = 300;
  constexpr size_t kLow = 7;  // of the sorted resamples: 2.5 % and 97 %
  constexpr size_t kHigh = 291;
  if (objective.empty()) return {0, 0};
  SplitMix random(99);
  std::vector<double> regrets;
  for (size_t i = 0; i < kResamples; ++i) {
    double sum = 0;
    double best = 0;
    for (size_t j = 0; j < objective.size(); ++j) {
      const size_t session = random.next() % objective.size();
      sum += objective[session];
      best += optimum[session];
    }
    regrets.push_back(100 * (sum / best - 1));
  }
  std::sort(regrets.begin(), regrets.end());
  return {regrets[kLow], regrets[kHigh]};
}

}  // namespace vsr::eval
