#pragma once

// "What if": recorded requests decided again under another recipe or policy, beside what was
// recorded (docs/replay.md). Blocking, for a pool: reads the store, and may encode prompts.
// Limits: kRecordsMax records, and the deadline; the answer says when either cut it.

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "router/router.h"
#include "store/replay.h"

namespace vsr::counterfactual {

// The newest before `to`; older ones are not read.
constexpr size_t kRecordsMax = 50'000;

// Absent: as the recipe has it.
struct PolicyChange {
  std::optional<config::PolicyKind> kind;
  std::optional<config::CandidateSet> candidate_set;
  std::optional<double> quality_weight_usd;
};

struct Options {
  store::ReplayQuery filter;  // which records count; others are read for the state they left
  PolicyChange policy;
  size_t records_max = kRecordsMax;
  MonoTime deadline{0};  // of the clock; 0: none
};

// The JSON answer. `router` is the recipe that is asked about; it is not changed.
Result<std::string> simulate(store::Replay& replay, const router::Router& router,
                             const Options& options, const Clock& clock);

}  // namespace vsr::counterfactual
