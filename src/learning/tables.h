#pragma once

// Constants of the expected-cost policy and the tables that follow from a recipe's models: tiers by
// ascending quality, prices, chances of failure. Made once per Config; immutable.
//
// A tier is the index of a model in ascending quality_score. x is quality scaled to 0..1 over the
// tiers. Sources of the formulas: the algebraic sigmoid S(z) = ½(1 + z/√(1+z²)), which is exact in
// IEEE arithmetic, takes the place of a logistic; the belief over tiers is a Bayes filter with
// label confusion kConfusion.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "config/config.h"

namespace vsr::learning {

// Models that learning tells apart. A recipe with more keeps those its decisions name first.
constexpr size_t kTiersMax = 10;

constexpr double kConfusion = 0.20;     // share of proposals that name another tier
constexpr double kNewTask = 0.40;       // chance that a substantial user message opens a new task
constexpr double kHalfMessage = 8;      // tokens of a message that is half informative
constexpr double kHysteresis = 0.5;     // share of the switch's surcharge that a gain must clear
constexpr double kSlope = 0.2;          // of success in x
constexpr double kSharedStrength = 20;  // prior strength of recipe-wide counts
constexpr double kLineageStrength = 8;  // prior strength of a lineage's own counts
constexpr double kCallsPerRound = 6;
constexpr double kTokensPerCall = 1500;
constexpr double kOutputPerCall = 350;
constexpr double kRoundSpread = 2;             // E[n(n−1)]/E[n]² of loop lengths
constexpr double kSharedRequestsMax = 20'000;  // then all shared counts are halved
constexpr uint32_t kCacheBlockTokens = 16;

using Tier = int8_t;
constexpr Tier kNoTier = -1;

struct Tables {
  size_t k = 0;
  std::array<config::ModelId, kTiersMax> model{};
  std::array<uint64_t, kTiersMax> name_hash{};
  std::array<double, kTiersMax> prompt{}, cached{}, write{}, completion{};  // USD per 1M tokens
  std::array<double, kTiersMax> ttl_s{};
  std::array<std::array<double, kTiersMax>, kTiersMax> fail{};        // [model tier][needed tier]
  std::array<std::array<double, kTiersMax>, kTiersMax> likelihood{};  // [needed][proposed]
  std::array<double, kTiersMax> background{};                         // contentless proposals
  double lambda = 1;                                                  // USD of one failed round
  double latency_usd_per_s = 0;
  config::CandidateSet candidate_set = config::CandidateSet::kDecision;
  std::vector<Tier> ladder;   // ascending
  std::vector<Tier> tier_of;  // by ModelId; kNoTier if not tracked
  uint64_t id = 0;            // differs when tiers differ

  Tier tier_of_name(uint64_t hash) const;
};

// The models of a recipe with its learning settings.
std::shared_ptr<const Tables> make_tables(const config::Config& config);

uint64_t model_name_hash(std::string_view name);

}  // namespace vsr::learning
