#include "router/facts_cache.h"

#include <gtest/gtest.h>

namespace vsr::router {
namespace {

wire::MessageFacts facts_with(uint64_t text_hash, size_t ids = 0, size_t id_bytes = 0) {
  wire::MessageFacts facts;
  facts.text_hash = text_hash;
  facts.tool_call_ids.assign(ids, std::string(id_bytes, 'x'));
  return facts;
}

size_t bytes_of_one() {
  FactsCache cache;
  cache.put_message(1, facts_with(1));
  return cache.bytes();
}

TEST(FactsCache, FindsWhatWasPut) {
  FactsCache cache;
  EXPECT_EQ(cache.find_message(7), nullptr);
  const auto put = cache.put_message(7, facts_with(70));
  EXPECT_EQ(put->text_hash, 70U);
  EXPECT_EQ(cache.find_message(7), put);
  EXPECT_EQ(cache.find_message(8), nullptr);
  EXPECT_EQ(cache.messages(), 1U);
}

TEST(FactsCache, ASecondPutOfTheSameBytesKeepsTheFirstFacts) {
  FactsCache cache;
  const auto first = cache.put_message(7, facts_with(70));
  const size_t bytes = cache.bytes();
  EXPECT_EQ(cache.put_message(7, facts_with(71)), first);
  EXPECT_EQ(cache.bytes(), bytes);
  EXPECT_EQ(cache.messages(), 1U);
}

TEST(FactsCache, ForgetsTheLeastRecentlyUsed) {
  FactsCache cache(3 * bytes_of_one());
  for (uint64_t i = 1; i <= 3; ++i) cache.put_message(i, facts_with(i));
  ASSERT_NE(cache.find_message(1), nullptr);  // now the newest
  cache.put_message(4, facts_with(4));
  EXPECT_EQ(cache.find_message(2), nullptr);
  EXPECT_NE(cache.find_message(1), nullptr);
  EXPECT_NE(cache.find_message(3), nullptr);
  EXPECT_NE(cache.find_message(4), nullptr);
}

TEST(FactsCache, StaysWithinItsBytes) {
  const size_t limit = 10 * bytes_of_one();
  FactsCache cache(limit);
  for (uint64_t i = 0; i < 1000; ++i) {
    cache.put_message(i, facts_with(i, i % 7, 40));
    ASSERT_LE(cache.bytes(), limit) << i;
  }
  EXPECT_GT(cache.messages(), 0U);
  EXPECT_LT(cache.messages(), 11U);
}

TEST(FactsCache, CountsTheIdsThatAMessageOwns) {
  FactsCache with_ids;
  with_ids.put_message(1, facts_with(1, 100, 200));
  EXPECT_GE(with_ids.bytes(), bytes_of_one() + 100 * 200);
}

TEST(FactsCache, OneMessageLargerThanTheLimitIsReturnedAndNotKept) {
  FactsCache cache(bytes_of_one());
  const auto facts = cache.put_message(1, facts_with(1, 1000, 100));
  ASSERT_NE(facts, nullptr);
  EXPECT_EQ(facts->tool_call_ids.size(), 1000U);
  EXPECT_EQ(cache.find_message(1), nullptr);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(FactsCache, FactsOutliveTheirEviction) {
  FactsCache cache(bytes_of_one());
  const auto held = cache.put_message(1, facts_with(11));
  cache.put_message(2, facts_with(22));
  EXPECT_EQ(cache.find_message(1), nullptr);
  EXPECT_EQ(held->text_hash, 11U);
}

TEST(FactsCache, KeepsABoundedNumberOfToolArrays) {
  FactsCache cache;
  constexpr uint64_t kMany = 2000;
  for (uint64_t i = 0; i < kMany; ++i) {
    cache.put_tools(i, {.count = static_cast<uint32_t>(i)});
    ASSERT_NE(cache.find_tools(i), nullptr);
    ASSERT_EQ(cache.find_tools(i)->count, i);
  }
  size_t kept = 0;
  for (uint64_t i = 0; i < kMany; ++i) kept += cache.find_tools(i) != nullptr;
  EXPECT_LE(kept, 256U);
  EXPECT_EQ(cache.find_tools(0), nullptr);
}

}  // namespace
}  // namespace vsr::router
