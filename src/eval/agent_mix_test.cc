#include "eval/agent_mix.h"

#include <gtest/gtest.h>

#include "eval/split_mix.h"

namespace vsr::eval {
namespace {

std::vector<Session> sessions(std::string_view name, std::string_view prices, MixOptions options,
                              size_t count) {
  const Economy economy = *eval::economy(prices);
  std::vector<Session> out;
  for (size_t i = 0; i < count; ++i) {
    out.push_back(flatten(draw_plan(*profile(name), options, economy, 9001, i)));
  }
  return out;
}

size_t requests(const std::vector<Session>& all) {
  size_t out = 0;
  for (const Session& session : all) out += session.requests.size();
  return out;
}

TEST(SplitMix, FirstOutputs) {
  // Of state 0, as its author gives them.
  SplitMix r(0);
  EXPECT_EQ(r.next(), 0xE220A8397B1DCDAFu);
  EXPECT_EQ(r.next(), 0x6E789E6AA1B965F4u);
  EXPECT_EQ(r.next(), 0x06C45D188009454Fu);
}

TEST(AgentMix, TheCodingWorkloadIsTheReferenceOne) {
  const auto all = sessions("coding", "real4", {}, 10);
  EXPECT_EQ(requests(all), 718u);
  EXPECT_EQ(fingerprint(all), 0x26FFDF1C3E9713C2u);
}

TEST(AgentMix, ProposalsAreAllThatPricesAndConfusionChange) {
  for (const std::string_view name : {"coding", "assistant", "research"}) {
    const auto reference = sessions(name, "real4", {}, 20);
    const auto confused = sessions(name, "recipe5", {.confusion = 0.4}, 20);
    ASSERT_EQ(requests(reference), requests(confused));
    size_t differing = 0;
    for (size_t s = 0; s < reference.size(); ++s) {
      for (size_t i = 0; i < reference[s].requests.size(); ++i) {
        const Request& a = reference[s].requests[i];
        const Request& b = confused[s].requests[i];
        EXPECT_EQ(a.length, b.length);
        EXPECT_EQ(a.t, b.t);
        EXPECT_EQ(a.need, b.need);
        differing += a.proposed != b.proposed;
      }
    }
    EXPECT_GT(differing, requests(reference) / 10);
  }
}

TEST(AgentMix, ContextsAreCompactedAndTheClockNeverGoesBack) {
  size_t compactions = 0;
  for (const Session& session : sessions("coding", "real4", {}, 50)) {
    std::vector<const Request*> last(static_cast<size_t>(session.lineages), nullptr);
    for (const Request& request : session.requests) {
      EXPECT_LE(request.length, kContextMax);
      const Request*& before = last[static_cast<size_t>(request.lineage)];
      EXPECT_TRUE(!request.owned() || before != nullptr);
      if (before != nullptr) {
        EXPECT_GE(request.t, before->t);
        compactions += request.prefix != before->prefix;
      }
      before = &request;
    }
  }
  EXPECT_GT(compactions, 0u);
}

TEST(AgentMix, FlapAlternatesTheProposalsOfUserTurns) {
  const Economy economy = *eval::economy("real4");
  const Plan plan = draw_plan(*profile("coding"), {.flap = true}, economy, 9001, 3);
  Tier expected = 0;
  for (const PlannedRound& round : plan.rounds) {
    for (const Attempt& attempt : round.attempts) {
      EXPECT_EQ(attempt.proposed, expected);
      expected = expected == 0 ? 3 : 0;
    }
  }
}

TEST(AgentMix, UnknownNamesAreRefused) {
  EXPECT_FALSE(profile("gaming"));
  EXPECT_FALSE(economy("gold"));
}

}  // namespace
}  // namespace vsr::eval
