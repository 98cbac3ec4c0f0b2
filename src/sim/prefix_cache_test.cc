#include "sim/prefix_cache.h"

#include <gtest/gtest.h>

namespace vsr::sim {
namespace {

constexpr size_t kBlockBytes = PrefixCache::kBlockTokens * PrefixCache::kTokenBytes;

// `blocks` blocks that differ from each other and from those of another `seed`.
std::string text_of(size_t blocks, char seed) {
  std::string text;
  for (size_t i = 0; i < blocks; ++i) {
    text += std::string(kBlockBytes - 1, seed) + static_cast<char>('0' + i);
  }
  return text;
}

TEST(PrefixCache, CountsWholeBlocksOfACommonBeginning) {
  PrefixCache cache;
  const std::string shared = text_of(3, 'a');
  struct Case {
    const char* name;
    std::string prompt;
    const char* salt;
    int64_t prompt_tokens, cached, created;
  };
  const Case cases[] = {
      {"empty", "", "", 0, 0, 0},
      {"shorter than a block", "abcde", "", 2, 0, 0},
      {"cold", shared + "one", "", 49, 0, 48},
      {"warm with another end", shared + "two", "", 49, 48, 0},
      {"grown by a block", shared + text_of(1, 'b'), "", 64, 48, 16},
      {"known to its last token", shared, "", 48, 32, 0},
      {"same text elsewhere", "x" + shared, "", 49, 0, 48},
      {"another salt", shared + "one", "tenant", 49, 0, 48},
      {"the other salt again", shared + "one", "tenant", 49, 48, 0},
  };
  int64_t queries = 0;
  int64_t hits = 0;
  for (const Case& c : cases) {
    const CacheUse use = cache.use(c.prompt, c.salt);
    EXPECT_EQ(use.prompt_tokens, c.prompt_tokens) << c.name;
    EXPECT_EQ(use.cached_tokens, c.cached) << c.name;
    EXPECT_EQ(use.created_tokens, c.created) << c.name;
    queries += c.prompt_tokens;
    hits += c.cached;
  }
  EXPECT_EQ(cache.queries(), queries);
  EXPECT_EQ(cache.hits(), hits);
}

TEST(PrefixCache, WhatWasGeneratedIsFoundAgain) {
  PrefixCache cache;
  const std::string prompt = text_of(1, 'a') + "question";
  const std::string answer = std::string(kBlockBytes, 'z');
  cache.use(prompt, "");
  cache.store(prompt + answer, "");
  EXPECT_EQ(cache.use(prompt + answer + "next", "").cached_tokens, 32);
  EXPECT_EQ(cache.queries(), PrefixCache::count_tokens(prompt) +
                                 PrefixCache::count_tokens(prompt + answer + "next"));
}

TEST(PrefixCache, DropsTheOldestAndTheEndsFirst) {
  PrefixCache cache(4);
  cache.use(text_of(4, 'a') + "!", "");
  EXPECT_EQ(cache.blocks(), 4u);
  cache.use(text_of(2, 'b') + "!", "");
  EXPECT_EQ(cache.blocks(), 4u);
  EXPECT_EQ(cache.use(text_of(4, 'a') + "!", "").cached_tokens, 32) << "its beginning stayed";
  cache.use(text_of(9, 'c') + "!", "");
  EXPECT_EQ(cache.blocks(), 4u);
  EXPECT_EQ(cache.use(text_of(9, 'c') + "!", "").cached_tokens, 64) << "as much as there is room";
  cache.clear();
  EXPECT_EQ(cache.blocks(), 0u);
  EXPECT_EQ(cache.queries(), 0);
}

}  // namespace
}  // namespace vsr::sim
