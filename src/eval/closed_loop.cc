#include "eval/closed_loop.h"

#include <algorithm>

#include "eval/split_mix.h"

namespace vsr::eval {

namespace {

constexpr double kSameAgain = 0.6;  // of the chance of a model no stronger than one that failed
constexpr double kNoticed = 0.7;    // chance that a failure is noticed
constexpr double kSpurious = 0.03;  // chance of a complaint without a failure
constexpr uint64_t kSpuriousSeed = 4242;

class Loop {
 public:
  Loop(const Economy& economy, ServingPolicy& policy, bool feedback, ClosedTotals& totals)
      : ledger_(economy, policy, totals.books), feedback_(feedback), totals_(totals) {}

  void session(const Plan& plan, uint64_t number) {
    SplitMix spurious(SplitMix(kSpuriousSeed * 1'000'003 + number).next());
    Walk walk(plan);
    ledger_.begin_session(1);
    round_ = 0;
    failed_ = 0;
    std::vector<bool> solved(plan.rounds.empty() ? 0 : plan.rounds.back().task + 1, true);
    for (const PlannedRound& planned : plan.rounds) {
      const bool complains = spurious.unit() < kSpurious && !planned.opens_task;
      if (!succeeds(walk, planned, complains)) solved[planned.task] = false;
    }
    ledger_.end_session();
    totals_.books.failed += failed_ - totals_.books.sessions.back().failed;
    totals_.books.sessions.back().failed = failed_;
    totals_.failed += static_cast<uint64_t>(failed_);
    totals_.tasks += solved.size();
    totals_.solved += static_cast<uint64_t>(std::ranges::count(solved, true));
  }

 private:
  // Whether the last attempt at the round succeeds.
  bool succeeds(Walk& walk, const PlannedRound& planned, bool complains) {
    Tier strongest_failed = kNoTier;
    for (size_t a = 0;; ++a) {
      const Attempt& attempt = planned.attempts[a];
      requests_.clear();
      walk.attempt(planned, attempt, round_++, requests_);
      ledger_.ensure(walk.lineages());
      if (a == 0 && complains) requests_.front().failure_feedback = true;
      Tier tier = kNoTier;
      for (Request& request : requests_) {
        if (!feedback_) request.failure_feedback = false;
        const Tier served = ledger_.serve(request);
        if (tier == kNoTier) tier = served;
      }
      if (planned.private_text) return true;
      totals_.attempts += 1;
      double p = ledger_.close_round();
      if (tier <= strongest_failed) p *= kSameAgain;
      if (attempt.success_draw < p) return true;
      failed_ += 1;
      strongest_failed = std::max(strongest_failed, tier);
      if (attempt.notice_draw >= kNoticed || a + 1 == kAttemptsMax) return false;
    }
  }

  Ledger ledger_;
  const bool feedback_;
  ClosedTotals& totals_;
  std::vector<Request> requests_;
  int32_t round_ = 0;
  double failed_ = 0;  // attempts of the session
};

}  // namespace

ClosedTotals closed_loop(const Economy& economy, const std::vector<Plan>& plans,
                         ServingPolicy& policy, bool feedback) {
  ClosedTotals totals;
  Loop loop(economy, policy, feedback, totals);
  for (size_t i = 0; i < plans.size(); ++i) loop.session(plans[i], i);
  return totals;
}

}  // namespace vsr::eval
