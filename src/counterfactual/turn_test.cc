#include "counterfactual/turn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace vsr::counterfactual {
namespace {

using testing::ElementsAre;
using enum Operation::Kind;

// A turn decided at `ms` as operation `order` of the process with `key`.
Turn turn(const KeyedHash& key, uint64_t order, UnixMillis ms, router::StateLog log) {
  static const SystemClock clock;
  static const auto router = [] {
    const auto loaded = config::load_text(R"(version: v0.3
providers: {defaults: {default_model: m}, models: [{name: m, backend_refs: [{endpoint: "h:1"}]}]}
routing: {modelCards: [{name: m}]}
)",
                                          "recipe");
    return router::Router::make(loaded.config, {}, nullptr, clock).value();
  }();
  router::Decision decision;
  decision.config = std::shared_ptr<const config::Config>(router, &router->config());
  decision.facts.unix_ms = ms;
  decision.handle.order = order;
  Turn out;
  out.rerun = router::encode_rerun(*router, decision, key);
  out.log = std::move(log);
  return out;
}

using Step = std::pair<size_t, Operation::Kind>;

std::vector<Step> steps(const Epoch& epoch) {
  std::vector<Step> out;
  for (const Operation& one : epoch.operations) out.emplace_back(one.turn, one.kind);
  return out;
}

// The clock cannot tell what happened within a millisecond, and clocks of two threads may differ.
TEST(Epochs, OperationsAreInTheOrderOfTheirNumbers) {
  const KeyedHash key(1, 2);
  const std::vector<Turn> turns = {
      turn(key, 1, 100, {.commit_order = 4, .commit_ms = 100, .done_order = 5, .done_ms = 99}),
      turn(key, 2, 100, {.commit_order = 3, .commit_ms = 100})};
  const auto epochs = epochs_of(turns);
  ASSERT_EQ(epochs.size(), 1);
  EXPECT_THAT(steps(epochs[0]), ElementsAre(Step(0, kDecide), Step(1, kDecide), Step(1, kCommit),
                                            Step(0, kCommit), Step(0, kDone)));
  EXPECT_FALSE(epochs[0].operations[0].is_last);
  EXPECT_TRUE(epochs[0].operations[2].is_last);
  EXPECT_TRUE(epochs[0].operations[4].is_last);
}

TEST(Epochs, WhatHasNoNumberIsInTheOrderOfTime) {
  const KeyedHash key(1, 2);
  const std::vector<Turn> turns = {
      turn(key, 1, 100, {.commit_order = 0, .commit_ms = 150, .done_ms = 150}),
      turn(key, 2, 120, {.commit_order = 3, .commit_ms = 200}), turn(key, 0, 110, {})};
  EXPECT_THAT(steps(epochs_of(turns)[0]),
              ElementsAre(Step(0, kDecide), Step(2, kDecide), Step(1, kDecide), Step(0, kCommit),
                          Step(0, kDone), Step(1, kCommit)));
}

TEST(Epochs, EachProcessBeginsAnew) {
  const std::vector<Turn> turns = {turn(KeyedHash(1, 2), 1, 100, {}),
                                   turn(KeyedHash(3, 4), 1, 200, {}), Turn{}};
  const auto epochs = epochs_of(turns);
  ASSERT_EQ(epochs.size(), 2);
  EXPECT_THAT(steps(epochs[0]), ElementsAre(Step(0, kDecide)));
  EXPECT_THAT(steps(epochs[1]), ElementsAre(Step(1, kDecide)));
}

}  // namespace
}  // namespace vsr::counterfactual
