#include "learning/prefix_cache.h"

#include <gtest/gtest.h>

namespace vsr::learning {
namespace {

constexpr double kTtl = 300;
constexpr config::ModelId kA = 0;
constexpr config::ModelId kB = 1;

// Turn `n` of lineage 7 at `t`: prompt `tokens`, answer of 8, that goes on from turn n − 1.
CacheStep turn(uint64_t n, double t, uint64_t tokens) {
  return {.lineage = 7,
          .prefix = 100 + n,
          .parent = n > 1 ? 99 + n : 0,
          .start_s = t,
          .end_s = t + 10,
          .prompt_tokens = tokens,
          .completion_tokens = 8};
}

TEST(PrefixCache, TheLastPromptAndAnswerAreCachedInWholeBlocks) {
  PrefixCache cache;
  EXPECT_EQ(cache.hit(turn(1, 0, 1000), kA, kTtl), 0);
  cache.served(turn(1, 0, 1000), kA);
  // 1000 + 8 = 63 blocks of 16.
  EXPECT_EQ(cache.hit(turn(2, 20, 2000), kA, kTtl), 1008);
  EXPECT_EQ(cache.hit(turn(2, 20, 2000), kB, kTtl), 0);
  EXPECT_EQ(cache.hit_of_one(turn(2, 20, 2000), kTtl), 1008);
  // No more than the prompt has: 1000 is 62 blocks and 8 tokens.
  EXPECT_EQ(cache.hit(turn(1, 20, 1000), kA, kTtl), 992);
}

TEST(PrefixCache, EachModelHasWhatItServedLast) {
  PrefixCache cache;
  cache.served(turn(1, 0, 1000), kA);
  cache.served(turn(2, 20, 2000), kB);
  EXPECT_EQ(cache.hit(turn(3, 40, 3000), kA, kTtl), 1008);
  EXPECT_EQ(cache.hit(turn(3, 40, 3000), kB, kTtl), 2000);  // 2008, floored
  EXPECT_EQ(cache.hit_of_one(turn(3, 40, 3000), kTtl), 2000);
}

TEST(PrefixCache, EndsAfterItsTimeToLive) {
  PrefixCache cache;
  cache.served(turn(1, 0, 1000), kA);  // answered at 10
  EXPECT_EQ(cache.hit(turn(2, 310, 2000), kA, kTtl), 1008);
  EXPECT_EQ(cache.hit(turn(2, 310.001, 2000), kA, kTtl), 0);
}

TEST(PrefixCache, AnEditedHistoryIsNotCached) {
  PrefixCache cache;
  cache.served(turn(1, 0, 1000), kA);
  CacheStep edited = turn(2, 20, 2000);
  edited.parent = 55;
  EXPECT_EQ(cache.hit(edited, kA, kTtl), 0);
  cache.served(edited, kB);
  CacheStep next = turn(3, 40, 3000);
  next.parent = edited.prefix;
  EXPECT_EQ(cache.hit(next, kA, kTtl), 0) << "what A has is not a prefix any more";
  EXPECT_EQ(cache.hit(next, kB, kTtl), 2000);
  CacheStep stranger = next;
  stranger.lineage = 0;
  EXPECT_EQ(cache.hit(stranger, kB, kTtl), 0);
}

TEST(PrefixCache, ForgetsOldLineagesAndKeepsBusyOnes) {
  PrefixCache cache;
  cache.served(turn(1, 0, 1000), kA);
  CacheStep other;
  for (uint64_t i = 0; i < 2 * PrefixCache::kLineagesMax; ++i) {
    other.lineage = 1000 + i;
    other.prefix = i;
    cache.served(other, kA);
  }
  EXPECT_EQ(cache.hit(turn(2, 20, 2000), kA, kTtl), 0);
  EXPECT_EQ(cache.hit(other, kA, kTtl), 0);  // a prompt of no tokens
  other.prompt_tokens = 64;
  cache.served(other, kA);
  EXPECT_EQ(cache.hit(other, kA, kTtl), 64);
}

TEST(PrefixCache, CostCountsEachKindOfTokenOnce) {
  config::Model model;
  model.pricing =
      config::Pricing{.prompt_per_1m = 1, .cached_input_per_1m = 0.1, .completion_per_1m = 4};
  const CacheStep step{.prompt_tokens = 1'000'000, .completion_tokens = 250'000};
  // 600k new at 1, 400k cached at .1, 250k answered at 4, per million.
  EXPECT_DOUBLE_EQ(cost_under_cache(model, step, 400'000), 0.6 + 0.04 + 1);
  model.pricing->cache_write_per_1m = 1.25;
  EXPECT_DOUBLE_EQ(cost_under_cache(model, step, 400'000), 0.75 + 0.04 + 1);
  EXPECT_EQ(cost_under_cache({}, step, 0), 0);
}

}  // namespace
}  // namespace vsr::learning
