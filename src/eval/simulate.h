#pragma once

// Serves a workload with a policy and keeps the books: cost with the prefix cache, chance of
// failure by round, violations, switches. The same accounting for every policy. One thread per
// call.

#include <vector>

#include "eval/cache_model.h"
#include "eval/economy.h"
#include "eval/serving_policy.h"
#include "eval/workload.h"

namespace vsr::eval {

constexpr double kHandoffLoss = 0.03;     // of a round that another model took over within a task
constexpr double kViolationFactor = 0.5;  // of a round whose tool result or state went astray
constexpr Tier kPrivateTier = 0;

struct SessionTotals {
  double cost = 0;    // USD
  double failed = 0;  // expected, weighted
};

struct Totals {
  std::vector<SessionTotals> sessions;
  double cost = 0, failed = 0;
  double first_call_cost = 0;  // of it: the first call of each round and lineage
  uint64_t requests = 0, violations = 0, switches = 0;
  uint64_t rounds = 0, under = 0, over = 0;  // by the first model of a round
  double round_success = 0;                  // sum of p over rounds
  uint64_t tasks = 0;
  double task_success = 0;       // sum over tasks of the product of their rounds' p
  std::vector<float> prefill_s;  // of every request
};

// Collects what a run of one session comes to; a closed loop feeds it attempt by attempt.
class Ledger {
 public:
  Ledger(const Economy& economy, ServingPolicy& policy, Totals& totals);

  void begin_session(int32_t lineages);
  Tier serve(const Request& request);
  void ensure(int32_t lineages);
  // Closes the open round of the conversation; its chance of success, or −1 if there was none.
  double close_round();
  void end_session();
  double session_cost() const { return session_.cost; }

 private:
  struct Run {  // an open round of the conversation, or the run of a sub-agent
    double success = 0, weight = 1;
    int calls = 0;
    bool violated = false, handed_over = false;
    int32_t round = kNoRound, task = 0;
  };
  double success_of(const Run& run) const;

  const Economy& economy_;
  ServingPolicy& policy_;
  Totals& totals_;
  CacheModel cache_;
  SessionTotals session_;
  std::vector<Tier> owners_;  // by lineage
  std::vector<Run> runs_;     // by lineage
  Tier last_ = kNoTier;       // tier of the conversation's last answer that was not private
  int32_t last_task_ = -1;
  double task_success_ = 1;
  int32_t open_task_ = -1;
};

Totals simulate(const Economy& economy, const Workload& workload, ServingPolicy& policy);

}  // namespace vsr::eval
