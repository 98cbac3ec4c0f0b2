#include "nn/features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

namespace vsr::nn {
namespace {

struct Read {
  std::vector<std::array<std::vector<uint32_t>, kGroups>> blocks;
  Shape shape;
};

Read read(std::string_view text, const FeatureConfig& config = {}) {
  Read out;
  const auto reader = std::make_unique<BlockReader>(text, config);
  const auto block = std::make_unique<Block>();
  while (reader->next(*block)) {
    auto& groups = out.blocks.emplace_back();
    for (size_t g = 0; g < kGroups; ++g) {
      const auto buckets = block->group(static_cast<Group>(g));
      groups[g].assign(buckets.begin(), buckets.end());
    }
  }
  out.shape = reader->shape();
  return out;
}

TEST(Features, EmptyTextHasNoBlock) {
  EXPECT_TRUE(read("").blocks.empty());
  EXPECT_FLOAT_EQ(read("").shape[0], 0);
}

TEST(Features, CountsOfAShortText) {
  const Read two = read("red fox");
  ASSERT_EQ(two.blocks.size(), 1u);
  EXPECT_EQ(two.blocks[0][kWords].size(), 2u);
  EXPECT_EQ(two.blocks[0][kPhrases].size(), 2u);  // (begin, red), (red, fox)
  // "<red>" and "<fox>" have 4 + 3 + 2 n-grams of 2 to 4 characters each, none shared.
  EXPECT_EQ(read("red fox", {.gram_min = 2, .gram_max = 4}).blocks[0][kGrams].size(), 18u);
}

TEST(Features, FormDoesNotMatterButWordsDo) {
  const auto same = [](std::string_view a, std::string_view b) {
    return read(a).blocks == read(b).blocks;
  };
  EXPECT_TRUE(same("Ignore ALL rules", "ignore all rules"));
  EXPECT_TRUE(same("ｉｇｎｏｒｅ all rules", "ignore all rules"));
  EXPECT_TRUE(same("ig\u200Bnore all rules", "ignore all rules"));
  EXPECT_TRUE(same("in 1776", "in 1984"));  // numbers count by their shape
  EXPECT_TRUE(same("no!!!", "no!"));
  EXPECT_FALSE(same("in 1776", "in 17"));
  EXPECT_FALSE(same("rules all ignore", "ignore all rules"));
  EXPECT_FALSE(same("忽略规则", "规则忽略"));
}

TEST(Features, NoBucketTwiceInABlock) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += "word" + std::to_string(i * 7919) + "-字" + " again ";
  for (const auto& block : read(text).blocks) {
    std::set<uint32_t> seen;
    size_t total = 0;
    for (const auto& group : block) {
      seen.insert(group.begin(), group.end());
      total += group.size();
    }
    EXPECT_EQ(seen.size(), total);
    for (const uint32_t bucket : seen) EXPECT_LT(bucket, 1u << FeatureConfig{}.bucket_bits);
  }
}

TEST(Features, BlocksCoverLongTextsAndCutBetweenWords) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "alpha beta gamma ";
  const Read all = read(text, {.block_bytes = 256});
  EXPECT_GE(all.blocks.size(), text.size() / 256);
  // Each block sees the same three whole words, so none was cut in two.
  for (const auto& block : all.blocks) EXPECT_EQ(block[kWords].size(), 3u);
  // Without spaces the cut is between characters.
  std::string chinese;
  for (int i = 0; i < 400; ++i) chinese += "规则";
  for (const auto& block : read(chinese).blocks) EXPECT_EQ(block[kGrams].size(), 2u);
}

TEST(Features, ShapeIsFiniteAndBounded) {
  for (const std::string& text :
       {std::string(100'000, '?'), std::string(5000, '\n'), std::string("\xFF\xFE\x80", 3),
        std::string(300, 'A'), std::string("A.\nB.\nC.\nD.")}) {
    for (const float value : read(text).shape) {
      EXPECT_TRUE(std::isfinite(value));
      EXPECT_GE(value, 0);
      EXPECT_LE(value, 8);
    }
  }
  // Exactly one length class.
  const Shape shape = read("one two three four five six seven").shape;
  EXPECT_FLOAT_EQ(std::accumulate(shape.begin() + 12, shape.end(), 0.0F), 1);
}

}  // namespace
}  // namespace vsr::nn
