#include "eval/simulate.h"

#include <algorithm>

namespace vsr::eval {

Ledger::Ledger(const Economy& economy, ServingPolicy& policy, Totals& totals)
    : economy_(economy), policy_(policy), totals_(totals), cache_(economy, 0) {}

void Ledger::begin_session(int32_t lineages) {
  policy_.begin_session();
  cache_ = CacheModel(economy_, lineages);
  session_ = {};
  owners_.assign(lineages, kNoTier);
  runs_.assign(lineages, Run{});
  last_ = kNoTier;
  last_task_ = open_task_ = -1;
  task_success_ = 1;
}

void Ledger::ensure(int32_t lineages) {
  cache_.ensure(lineages);
  if (owners_.size() >= static_cast<size_t>(lineages)) return;
  owners_.resize(lineages, kNoTier);
  runs_.resize(lineages);
}

double Ledger::success_of(const Run& run) const {
  double p = run.success / run.calls;
  if (run.handed_over) p -= kHandoffLoss;
  if (run.violated) p *= kViolationFactor;
  return std::max(0.0, p);
}

Tier Ledger::serve(const Request& request) {
  Run& run = runs_[request.lineage];
  const bool main = request.lineage == 0;
  if (main && run.calls > 0 && run.round != request.round && !request.private_text) close_round();
  const Tier owner = request.owned() ? owners_[request.lineage] : kNoTier;
  const Tier tier = request.private_text ? kPrivateTier : policy_.serve(request, owner);

  const int32_t hit = cache_.hit(request, tier);
  const double cost = request_cost(economy_, request, tier, hit);
  cache_.answered(request, tier);
  totals_.requests += 1;
  session_.cost += cost;
  if (!request.tool) totals_.first_call_cost += cost;
  totals_.prefill_s.push_back(
      static_cast<float>((request.length - hit) / economy_.prefill_rate[tier]));

  if (!request.private_text) {
    const bool violation = request.owned() && owner != kNoTier && owner != tier;
    totals_.violations += violation;
    owners_[request.lineage] = tier;
    if (!request.auxiliary) {
      if (run.calls == 0) {
        run.round = request.round;
        run.task = request.task;
        run.weight = request.weight;
        if (main) {
          run.handed_over = last_ != kNoTier && last_ != tier && last_task_ == request.task;
          const Tier needed = economy_.needed_tier(request.need);
          totals_.under += tier < needed;
          totals_.over += tier > needed;
        }
      }
      run.success += economy_.success(tier, request.need);
      run.calls += 1;
      run.violated |= violation;
    }
    if (main) {
      totals_.switches += last_ != kNoTier && last_ != tier;
      last_ = tier;
      last_task_ = request.task;
    }
  }
  policy_.answered(request, tier);
  return tier;
}

double Ledger::close_round() {
  Run& run = runs_[0];
  if (run.calls == 0) return -1;
  const double p = success_of(run);
  session_.failed += run.weight * (1 - p);
  totals_.rounds += 1;
  totals_.round_success += p;
  if (run.task != open_task_) {
    if (open_task_ >= 0) {
      totals_.tasks += 1;
      totals_.task_success += task_success_;
    }
    open_task_ = run.task;
    task_success_ = 1;
  }
  task_success_ *= p;
  run = Run{};
  return p;
}

void Ledger::end_session() {
  close_round();
  if (open_task_ >= 0) {
    totals_.tasks += 1;
    totals_.task_success += task_success_;
  }
  for (size_t lineage = 1; lineage < runs_.size(); ++lineage) {
    const Run& run = runs_[lineage];
    if (run.calls > 0) session_.failed += run.weight * (1 - success_of(run));
  }
  totals_.sessions.push_back(session_);
  totals_.cost += session_.cost;
  totals_.failed += session_.failed;
}

Totals simulate(const Economy& economy, const Workload& workload, ServingPolicy& policy) {
  Totals totals;
  Ledger ledger(economy, policy, totals);
  for (const Session& session : workload.sessions) {
    ledger.begin_session(session.lineages);
    for (const Request& request : session.requests) ledger.serve(request);
    ledger.end_session();
  }
  return totals;
}

}  // namespace vsr::eval
