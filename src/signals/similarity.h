#pragma once

// Similarity of meaning as rules see it. Pure.

#include <span>
#include <vector>

#include "config/config.h"
#include "nn/encoder.h"

namespace vsr::signals {

// From this calibrated probability on two texts are said to mean the same.
inline constexpr double kSameThreshold = 0.5;

// The cosine as a probability by the encoder's curve.
double calibrated(nn::SimilarityCurve curve, double cosine);

// The cosines of `vector` with each of `rows` (of its length): their mean for kMean, the largest
// otherwise. 0 without rows.
double similarity(std::span<const float> rows, std::span<const float> vector,
                  config::Aggregation aggregation);

// Which rules match by their scores: those that reach their threshold; with none and with soft
// matching those that reach the common minimum; of these the best top_k (0: all), earlier rules
// first among equals.
void choose_matches(std::span<const double> scores, std::span<const config::EmbeddingRule> rules,
                    const config::EmbeddingConfig& settings, std::vector<char>& matched);

// P(attack) from the similarity to the nearest attack and to the nearest harmless text.
double contrastive_probability(nn::SimilarityCurve curve, double attack, double harmless);

}  // namespace vsr::signals
