#include "eval/figures.h"

#include <gtest/gtest.h>

namespace vsr::eval {
namespace {

Roc roc_of(std::initializer_list<double> positives, std::initializer_list<double> negatives) {
  Roc roc;
  for (const double score : positives) roc.add(score, true);
  for (const double score : negatives) roc.add(score, false);
  return roc;
}

TEST(Roc, AreaIsTheShareOfPairsInOrder) {
  EXPECT_DOUBLE_EQ(roc_of({0.9, 0.8}, {0.1, 0.2}).area(), 1);
  EXPECT_DOUBLE_EQ(roc_of({0.1, 0.2}, {0.9, 0.8}).area(), 0);
  EXPECT_DOUBLE_EQ(roc_of({0.9, 0.3}, {0.5, 0.1}).area(), 0.75);
  EXPECT_DOUBLE_EQ(roc_of({0.5, 0.5}, {0.5}).area(), 0.5);
  EXPECT_DOUBLE_EQ(roc_of({0.9, 0.5}, {0.5, 0.1}).area(), 0.875);
}

TEST(Roc, NeedsBothKinds) {
  EXPECT_FALSE(roc_of({}, {}).useful());
  EXPECT_FALSE(roc_of({0.5}, {}).useful());
  EXPECT_FALSE(roc_of({}, {0.5}).useful());
  EXPECT_TRUE(roc_of({0.5}, {0.5}).useful());
}

TEST(Roc, RecallAtIsThatOfAThresholdThatExists) {
  const Roc roc = roc_of({0.9, 0.7, 0.5, 0.3}, {0.8, 0.4, 0.2, 0.1});
  EXPECT_DOUBLE_EQ(roc.recall_at(0), 0.25);
  EXPECT_DOUBLE_EQ(roc.recall_at(0.25), 0.75);
  EXPECT_DOUBLE_EQ(roc.recall_at(0.5), 1);
  // No threshold lies between equal scores.
  EXPECT_DOUBLE_EQ(roc_of({0.5, 0.5}, {0.5, 0.1}).recall_at(0.4), 0);
  EXPECT_DOUBLE_EQ(roc_of({0.5, 0.5}, {0.5, 0.1}).recall_at(0.5), 1);
}

TEST(Confusion, CountsByGoldLabel) {
  Confusion confusion;
  for (const auto& [gold, label] : std::initializer_list<std::pair<const char*, const char*>>{
           {"a", "a"}, {"a", "a"}, {"a", "b"}, {"b", "b"}, {"c", "b"}}) {
    confusion.add(gold, label);
  }
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 0.6);
  // a: 2·2/(3+2), b: 2·1/(1+3), c: never given.
  EXPECT_DOUBLE_EQ(confusion.macro_f1(), (0.8 + 0.5 + 0) / 3);
  EXPECT_DOUBLE_EQ(confusion.recall("a"), 2.0 / 3);
  EXPECT_DOUBLE_EQ(confusion.recall("c"), 0);
  EXPECT_DOUBLE_EQ(confusion.recall("d"), 0);
  EXPECT_DOUBLE_EQ(confusion.false_positive_rate("a"), 0);
  EXPECT_DOUBLE_EQ(confusion.false_positive_rate("b"), 0.5);
}

TEST(SpanScore, OnlyExactSpansCount) {
  SpanScore score;
  score.add({{"EMAIL", 0, 5}, {"EMAIL", 8, 12}, {"PHONE", 20, 30}},
            {{"EMAIL", 0, 5}, {"EMAIL", 8, 13}, {"CARD", 20, 30}});
  EXPECT_DOUBLE_EQ(score.by_type().at("EMAIL").f1(), 0.5);
  EXPECT_EQ(score.by_type().at("PHONE").found, 0U);
  EXPECT_EQ(score.by_type().at("CARD").gold, 0U);
  EXPECT_DOUBLE_EQ(score.all().f1(), 2.0 / 6);
  EXPECT_DOUBLE_EQ(score.macro_f1(), 0.25);  // EMAIL .5, PHONE 0; nobody asked for CARD
}

TEST(SpanScore, NothingToFindIsNoFault) {
  SpanScore score;
  score.add({}, {});
  EXPECT_TRUE(score.by_type().empty());
  EXPECT_DOUBLE_EQ(score.all().f1(), 0);
}

}  // namespace
}  // namespace vsr::eval
