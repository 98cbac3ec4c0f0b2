#include "signals/similarity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "nn/vectors.h"

namespace vsr::signals {

double calibrated(nn::SimilarityCurve curve, double cosine) {
  return 1 / (1 + std::exp(-(static_cast<double>(curve.slope) * cosine +
                             static_cast<double>(curve.offset))));
}

double similarity(std::span<const float> rows, std::span<const float> vector,
                  config::Aggregation aggregation) {
  const size_t count = vector.empty() ? 0 : rows.size() / vector.size();
  if (count == 0) return 0;
  double best = -1;
  double sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const double cosine = nn::dot(rows.subspan(i * vector.size(), vector.size()), vector);
    best = std::max(best, cosine);
    sum += cosine;
  }
  return aggregation == config::Aggregation::kMean ? sum / static_cast<double>(count) : best;
}

void choose_matches(std::span<const double> scores, std::span<const config::EmbeddingRule> rules,
                    const config::EmbeddingConfig& settings, std::vector<char>& matched) {
  matched.assign(scores.size(), 0);
  for (size_t r = 0; r < scores.size(); ++r) matched[r] = scores[r] >= rules[r].threshold;
  const bool none = std::ranges::find(matched, 1) == matched.end();
  if (none && settings.enable_soft_matching) {
    for (size_t r = 0; r < scores.size(); ++r) {
      matched[r] = scores[r] >= settings.min_score_threshold;
    }
  }
  if (settings.top_k == 0) return;
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  size_t left = settings.top_k;
  for (const size_t r : order) {
    if (matched[r] == 0) continue;
    if (left == 0) {
      matched[r] = 0;
    } else {
      --left;
    }
  }
}

// The curve turns a difference of two similarities into one of probabilities; without a harmless
// text that is near, the attack's own similarity decides.
double contrastive_probability(nn::SimilarityCurve curve, double attack, double harmless) {
  const double near = calibrated(curve, attack);
  const double lead = 1 / (1 + std::exp(-static_cast<double>(curve.slope) * (attack - harmless)));
  return near * lead * 2 > 1 ? 1 : near * lead * 2;
}

}  // namespace vsr::signals
