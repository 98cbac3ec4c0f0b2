// BM25 against its formula worked out by hand, and keywords that need not be spelled right.
#include <gtest/gtest.h>

#include <cmath>

#include "signals/bm25.h"
#include "signals/similar_words.h"
#include "text/normalize.h"

namespace vsr::signals {
namespace {

TEST(Bm25, IsTheFormula) {
  Bm25Index index;
  const std::vector<std::string> first = {"reset password", "close account",
                                          "password password rules"};
  const std::vector<std::string> second = {"weather report"};
  EXPECT_EQ(index.add_rule(first), 0u);
  EXPECT_EQ(index.add_rule(second), 3u);
  text::Stemmer stemmer;
  std::vector<double> scores;
  index.score(text::normalized("Resetting my password, the PASSWORD"), stemmer, scores);
  ASSERT_EQ(scores.size(), 4u);

  constexpr double kK1 = 1.2;
  constexpr double kB = 0.75;
  const double mean = 7.0 / 3;
  const auto idf = [](double n, double with) {
    return std::log(1 + (n - with + 0.5) / (with + 0.5));
  };
  const auto term = [&](double weight, double count, double length) {
    return weight * count * (kK1 + 1) / (count + kK1 * (1 - kB + kB * length / mean));
  };
  EXPECT_NEAR(scores[0], term(idf(3, 1), 1, 2) + term(idf(3, 2), 1, 2), 1e-12);
  EXPECT_EQ(scores[1], 0);
  EXPECT_NEAR(scores[2], term(idf(3, 2), 2, 3), 1e-12);
  EXPECT_EQ(scores[3], 0);
}

TEST(Bm25, ChineseIsBigramsOfItsCharacters) {
  Bm25Index index;
  const std::vector<std::string> phrases = {"修改密码", "查询天气"};
  index.add_rule(phrases);
  text::Stemmer stemmer;
  std::vector<double> scores;
  index.score(text::normalized("请帮我修改登录密码"), stemmer, scores);
  EXPECT_GT(scores[0], 0);
  EXPECT_EQ(scores[1], 0);
}

double best(const SimilarKeyword& keyword, std::string_view text) {
  WordList words;
  split_words(text::normalized(text), words);
  return keyword.best(words);
}

TEST(SimilarWords, Edits) {
  struct Case {
    const char* keyword;
    size_t edits;
    const char* text;
    bool found;
  };
  const Case cases[] = {
      {"kubernetes", 2, "deploy on Kuberntes", true},
      {"kubernetes", 2, "deploy on kubrntse", false},
      {"urgent", 2, "this is ugrent", true},
      {"urgent", 2, "this is current", true},
      {"urgent", 1, "this is current", false},
      {"api", 2, "the app", true},
      {"ai", 2, "is it so", false},  // two letters allow no edit
      {"credit card", 2, "my credt crad", true},
      {"credit card", 2, "my credit union", false},
      {"修改密码", 2, "请修改秘码吧", true},
      {"修改密码", 2, "请查询天气吧", false},
      {"", 2, "anything", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(best(SimilarKeyword::with_edits(c.keyword, c.edits), c.text) >= 1, c.found)
        << c.keyword << " in " << c.text;
  }
}

TEST(SimilarWords, Ngrams) {
  // |database| and |databse| padded: 8 and 7 trigrams, 5 of them shared.
  EXPECT_NEAR(best(SimilarKeyword::with_ngrams("database", 3), "my databse is slow"), 5.0 / 10,
              1e-12);
  EXPECT_EQ(best(SimilarKeyword::with_ngrams("database", 3), "a DATABASE"), 1);
  EXPECT_EQ(best(SimilarKeyword::with_ngrams("database", 3), "xyz"), 0);
  EXPECT_EQ(best(SimilarKeyword::with_ngrams("database", 3), ""), 0);
  EXPECT_EQ(best(SimilarKeyword::with_ngrams("credit card", 3), "credit zzz"), 0);
  EXPECT_NEAR(best(SimilarKeyword::with_ngrams("数据库", 2), "我的数据酷很慢"), 2.0 / 6, 1e-12);
}

}  // namespace
}  // namespace vsr::signals
