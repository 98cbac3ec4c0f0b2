#include "learning/expected_cost.h"

#include <algorithm>

namespace vsr::learning {

namespace {

void normalise(std::array<double, kTiersMax>& values, size_t k) {
  double total = 0;
  for (size_t i = 0; i < k; ++i) total += values[i];
  if (total <= 0) return;
  for (size_t i = 0; i < k; ++i) values[i] /= total;
}

using Chances = std::array<double, kTiersMax>;

// Chance of each tier to be what the round needs in the end: the belief, and how demands drift
// upwards in a round; those of side lineages do not.
Chances demands(const Tables& tables, const SharedCounts& shared, const Lineage& lineage) {
  if (lineage.side) return lineage.belief;
  Chances out{};
  for (size_t i = 0; i < tables.k; ++i) {
    double row = kSharedStrength;
    for (size_t j = 0; j < tables.k; ++j) row += shared.up[i][j];
    const double share = lineage.belief[i] / row;
    for (size_t j = 0; j < tables.k; ++j) {
      out[j] += share * ((i == j ? kSharedStrength : 0) + shared.up[i][j]);
    }
  }
  return out;
}

// Chance that `tier` fails the round.
double fail_chance(const Tables& tables, const Chances& demand, Tier tier) {
  double total = 0;
  for (size_t i = 0; i < tables.k; ++i) total += demand[i] * tables.fail[tier][i];
  return total;
}

// USD of the round that this decision owns if `tier` serves it.
CandidateCost cost_of(const Tables& tables, const SharedCounts& shared, const Lineage& lineage,
                      const Step& step, const Chances& demand, Tier tier) {
  const double hit = ledger_hit(tables, lineage, step, tier);
  const double length = step.length;
  const double pc = tables.cached[tier];
  const double pw = tables.write[tier];
  const double po = tables.completion[tier];
  const double kk = kSharedStrength * kCallsPerRound;
  const double np = (kk + shared.req) / (kSharedStrength + shared.rounds);
  const double gp = (kk * kTokensPerCall + shared.grow) / (kk + shared.req);
  const double op = (kk * kOutputPerCall + shared.out) / (kk + shared.req);
  const double kn = kLineageStrength * np;
  const double n = (kn + lineage.req) / (kLineageStrength + lineage.rounds);
  const double g = (kn * gp + lineage.grow) / (kn + lineage.req);
  const double o = (kn * op + lineage.out) / (kn + lineage.req);
  CandidateCost out;
  out.tier = tier;
  out.first = (hit * pc + (length - hit) * pw + o * po) * 1e-6;
  const double mean_calls = (kk + shared.req) / (kSharedStrength + shared.rounds);
  const double spread =
      ((kSharedStrength * kCallsPerRound * kCallsPerRound * kRoundSpread + shared.c2) /
       (kSharedStrength + shared.rounds)) /
      (mean_calls * mean_calls);
  out.round = out.first + std::max(0.0, n - 1) * (length * pc + g * pw + o * po) * 1e-6 +
              0.5 * g * spread * n * n * pc * 1e-6;
  out.fail = tables.lambda * fail_chance(tables, demand, tier);
  return out;
}

}  // namespace

uint32_t ledger_hit(const Tables& tables, const Lineage& lineage, const Step& step, Tier tier) {
  const LedgerEntry& entry = lineage.ledger[tier];
  if (entry.messages == 0 || step.t - entry.t > tables.ttl_s[tier]) return 0;
  uint32_t tokens = 0;
  if (entry.messages <= step.prefix_hashes.size() &&
      step.prefix_hashes[entry.messages - 1] == entry.hash) {
    tokens = std::min(entry.tokens, step.length);
  } else {
    tokens = std::min({entry.tokens, step.shared_tokens, step.length});
  }
  return tokens / kCacheBlockTokens * kCacheBlockTokens;
}

void observe(const Tables& tables, SharedCounts& shared, Lineage& z, const Step& step, bool owned) {
  const size_t k = tables.k;
  const bool fresh = z.cur == kNoTier;
  if (fresh) {
    double total = 0;
    for (size_t i = 0; i < k; ++i) total += shared.prior[i];
    for (size_t i = 0; i < k; ++i) {
      z.prior[i] =
          (kSharedStrength / static_cast<double>(k) + shared.prior[i]) / (kSharedStrength + total);
    }
    z.belief = z.prior;
  }
  const double ut = step.user_tokens;
  const double w = step.tool ? 0 : fresh ? 1 : ut * ut / (ut * ut + kHalfMessage * kHalfMessage);
  if (w > 0) {
    for (size_t i = 0; i < k; ++i) {
      if (!fresh) z.belief[i] = (1 - kNewTask * w) * z.belief[i] + kNewTask * w * z.prior[i];
      z.belief[i] *=
          w * tables.likelihood[i][step.proposed] + (1 - w) * tables.background[step.proposed];
    }
    normalise(z.belief, k);
  }
  if (step.failure_feedback && !fresh && !step.tool) {
    for (size_t i = 0; i < k; ++i) z.belief[i] *= 0.7 * tables.fail[z.cur][i] + 0.03;
    normalise(z.belief, k);
  }
  if (z.auxiliary) return;
  if (!step.tool && !owned && !fresh) {
    for (size_t i = 0; i < k; ++i) shared.prior[i] += z.belief[i];
  }
  if (!owned) {
    z.utier = step.proposed;
    shared.up[step.proposed][step.proposed] += 1;
  } else if (z.utier >= 0) {
    shared.up[z.utier][std::max(z.utier, step.proposed)] += 1;
  }
}

Choice choose(const Tables& tables, const SharedCounts& shared, Lineage& z, const Step& step,
              std::span<const Tier> candidates) {
  Choice out;
  out.previous = z.cur;
  const Chances demand = demands(tables, shared, z);
  const CandidateCost* best = nullptr;
  const CandidateCost* previous = nullptr;
  const CandidateCost* proposed = nullptr;
  for (const Tier tier : candidates) {
    CandidateCost& cost = out.costs[out.cost_count++];
    cost = cost_of(tables, shared, z, step, demand, tier);
    if (tier == z.cur) previous = &cost;
    if (tier == step.proposed) proposed = &cost;
    if (best == nullptr || cost.score() < best->score()) best = &cost;
  }
  out.best = best->tier;
  if (previous == nullptr) {
    out.tier = z.cur = best->tier;
    out.reason = "missing_previous_model";
    return out;
  }
  if (best != previous) {
    out.gain = previous->score() - best->score();
    out.margin = kHysteresis * std::max(0.0, best->first - previous->first);
    if (out.gain > out.margin) {
      out.tier = z.cur = best->tier;
      out.reason = best->tier == step.proposed ? "switch_allowed" : "switch_allowed:ladder";
    } else {
      out.tier = z.cur;
      out.reason = "switch_margin_not_met";
    }
    return out;
  }
  out.tier = z.cur;
  if (step.proposed == z.cur) {
    out.reason = "stay_has_best_adjusted_score";
    return out;
  }
  // The proposal is refused: was it for quality or for price?
  const double fail_p = proposed == nullptr ? 0 : proposed->fail;
  const double score_p = proposed == nullptr ? 0 : proposed->score();
  const double quality = fail_p - previous->fail;
  const double price = (score_p - fail_p) - (previous->score() - previous->fail);
  out.reason = quality >= price ? "demand_protected" : "cache_protected";
  return out;
}

void answered(SharedCounts& shared, Lineage& z, const Step& step, Tier tier,
              uint32_t completion_tokens, bool bypass, bool main) {
  const uint32_t messages = static_cast<uint32_t>(step.prefix_hashes.size());
  const uint64_t hash = messages > 0 ? step.prefix_hashes.back() : 0;
  if (tier != kNoTier) {
    z.ledger[tier] = {hash, messages, step.length + completion_tokens, step.t};
  }
  if (bypass) return;
  z.req += 1;
  z.out += completion_tokens;
  if (!step.tool) z.rounds += 1;
  const bool same_prefix = z.last_length > 0 && z.last_messages > 0 &&
                           z.last_messages <= messages &&
                           step.prefix_hashes[z.last_messages - 1] == z.last_hash;
  const double grown = same_prefix ? std::max(0.0, static_cast<double>(step.length) - z.last_length)
                                   : kTokensPerCall;
  if (main) {
    shared.req += 1;
    if (!step.tool) {
      shared.rounds += 1;
      z.rc = 0;
    }
    z.rc += 1;
    shared.c2 += 2 * (z.rc - 1.0);
    shared.out += completion_tokens;
    shared.grow += grown;
    if (shared.req > kSharedRequestsMax) {
      for (double* value : {&shared.rounds, &shared.req, &shared.c2, &shared.grow, &shared.out}) {
        *value /= 2;
      }
      for (double& value : shared.prior) value /= 2;
      for (auto& row : shared.up) {
        for (double& value : row) value /= 2;
      }
    }
  }
  z.grow += grown;
  z.last_length = step.length;
  z.last_messages = messages;
  z.last_hash = hash;
}

}  // namespace vsr::learning
