#pragma once

// The expected-cost policy: which model should own the next round, in USD. A belief over the tier
// that the task needs is remembered per lineage; every free turn takes the model whose expected
// price, cache included, plus λ times its chance of failing is lowest. Pure: state in, state out,
// no clock, no allocation.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "learning/tables.h"

namespace vsr::learning {

// What a model's backend should still have cached of this lineage.
struct LedgerEntry {
  uint64_t hash = 0;      // rolling hash of the first `messages` messages
  uint32_t messages = 0;  // 0: nothing
  uint32_t tokens = 0;    // prompt and answer together
  double t = 0;           // seconds
};

// Memory of one lineage. Plain values.
struct Lineage {
  Tier cur = kNoTier;
  Tier utier = kNoTier;    // proposed for the last free or user turn
  bool auxiliary = false;  // its requests do not count in the shared numbers
  bool side = false;       // not the main lineage of its conversation, for example a sub-agent
  uint32_t version = 0;
  uint32_t turns = 0;  // answered free requests
  uint32_t switches = 0;
  uint32_t rc = 0;  // calls of the current round
  uint32_t last_messages = 0;
  uint32_t last_length = 0;  // prompt tokens of the last answered request
  uint32_t tool_count = 0;
  uint64_t last_hash = 0;
  double rounds = 0, req = 0, grow = 0, out = 0;
  std::array<double, kTiersMax> belief{};
  std::array<double, kTiersMax> prior{};
  std::array<LedgerEntry, kTiersMax> ledger{};
};

// Counts of a recipe over all conversations. Callers guard it.
struct SharedCounts {
  double rounds = 0, req = 0, c2 = 0, grow = 0, out = 0;
  std::array<double, kTiersMax> prior{};
  std::array<std::array<double, kTiersMax>, kTiersMax> up{};
};

// One request as the policy sees it.
struct Step {
  double t = 0;              // seconds
  uint32_t length = 0;       // L: prompt tokens
  uint32_t user_tokens = 0;  // of the last user message
  Tier proposed = 0;
  bool tool = false;  // a tool result is being delivered
  bool failure_feedback = false;
  // Rolling hash after each message; the last one identifies the whole request.
  std::span<const uint64_t> prefix_hashes;
  uint32_t shared_tokens = 0;  // of the part before the first user message
  uint32_t shared_messages = 0;
};

struct CandidateCost {
  Tier tier = kNoTier;
  double first = 0;  // USD of this call
  double round = 0;  // USD of the whole round, this call included
  double fail = 0;   // λ × chance of failing
  double score() const { return round + fail; }
};

struct Choice {
  Tier tier = kNoTier;
  Tier previous = kNoTier;
  Tier best = kNoTier;
  double gain = 0;
  double margin = 0;
  std::string_view reason;
  std::array<CandidateCost, kTiersMax> costs{};
  size_t cost_count = 0;
};

// Observes a request: belief, priors and transition counts. Called for free and locked requests
// (`owned`) alike, before choose().
void observe(const Tables& tables, SharedCounts& shared, Lineage& lineage, const Step& step,
             bool owned);
// Takes the best of `candidates` (ascending tiers, not empty). The lineage's `cur` is set.
Choice choose(const Tables& tables, const SharedCounts& shared, Lineage& lineage, const Step& step,
              std::span<const Tier> candidates);

// The model has answered: `step` as it was decided, served by `tier`. `bypass` writes the ledger
// only; `main` is false for auxiliary lineages, which do not count in the shared numbers.
void answered(SharedCounts& shared, Lineage& lineage, const Step& step, Tier tier,
              uint32_t completion_tokens, bool bypass, bool main);

// Prompt tokens of `step` that `tier` has cached by the ledger, in whole blocks.
uint32_t ledger_hit(const Tables& tables, const Lineage& lineage, const Step& step, Tier tier);

}  // namespace vsr::learning
