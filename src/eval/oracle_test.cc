#include "eval/oracle.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eval/agent_mix.h"
#include "eval/simulate.h"

namespace vsr::eval {
namespace {

constexpr size_t kFreeMax = 5;  // choices of a session that is searched

// Takes a given tier at each free request.
class Scripted final : public ServingPolicy {
 public:
  explicit Scripted(const std::vector<Tier>& script) : script_(script) {}
  Tier serve(const Request&, Tier owner) override {
    return owner != kNoTier ? owner : script_[at_++];
  }

 private:
  const std::vector<Tier>& script_;
  size_t at_ = 0;
};

// The part of a session that has at most kFreeMax free requests, cut at a whole round.
Session beginning(const Session& session, size_t* free) {
  Session out;
  out.lineages = session.lineages;
  *free = 0;
  size_t whole = 0;
  size_t free_at_whole = 0;
  for (size_t i = 0; i < session.requests.size(); ++i) {
    const Request& request = session.requests[i];
    if (request.lineage == 0 && !request.tool) {
      whole = i;
      free_at_whole = *free;
    }
    *free += !request.owned() && !request.private_text;
    if (*free > kFreeMax) {
      *free = free_at_whole;
      break;
    }
    whole = i + 1;
    free_at_whole = *free;
  }
  out.requests.assign(session.requests.begin(),
                      session.requests.begin() + static_cast<std::ptrdiff_t>(whole));
  return out;
}

double searched(const Economy& economy, const Session& session, size_t free, double lambda) {
  Workload workload;
  workload.sessions.push_back(session);
  double best = std::numeric_limits<double>::infinity();
  const auto ways = static_cast<size_t>(std::pow(economy.k, free));
  for (size_t way = 0; way < ways; ++way) {
    std::vector<Tier> script;
    size_t rest = way;
    for (size_t i = 0; i < free; ++i, rest /= economy.k) {
      script.push_back(static_cast<Tier>(rest % economy.k));
    }
    Scripted policy(script);
    const Totals totals = simulate(economy, workload, policy);
    best = std::min(best, totals.cost + lambda * totals.failed);
  }
  return best;
}

TEST(Oracle, EqualsExhaustiveSearch) {
  size_t sessions = 0;
  size_t choices = 0;
  for (const std::string_view prices : {"pub3", "recipe5", "real4"}) {
    const Economy economy = *eval::economy(prices);
    for (const std::string_view name : {"coding", "assistant", "research"}) {
      for (uint64_t index = 0; index < 120; ++index) {
        size_t free = 0;
        const Session session =
            beginning(flatten(draw_plan(*profile(name), {}, economy, 5, index)), &free);
        if (session.requests.empty()) continue;
        const double lambda = index % 3 == 0 ? 0.05 : index % 3 == 1 ? 0.3 : 2;
        const double expected = searched(economy, session, free, lambda);
        EXPECT_NEAR(oracle_objective(economy, session, lambda), expected, 1e-9)
            << name << " " << prices << " " << index;
        sessions += 1;
        choices += free;
      }
    }
  }
  EXPECT_GE(sessions, 1000u);
  EXPECT_GE(choices, 3 * sessions);
}

}  // namespace
}  // namespace vsr::eval
