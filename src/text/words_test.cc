#include "text/words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "text/terms.h"

namespace vsr::text {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  for_each_word(text, [&](const Word& word) {
    out.push_back((word.cjk ? "*" : "") + std::string(word.text));
  });
  return out;
}

TEST(Words, SplitsAtWhatIsNoLetterDigitOrMark) {
  EXPECT_THAT(words_of(""), IsEmpty());
  EXPECT_THAT(words_of(" .,! "), IsEmpty());
  EXPECT_THAT(words_of("two words, x_1=3.5"), ElementsAre("two", "words", "x_1", "3", "5"));
  EXPECT_THAT(words_of("don't 'quote' it’s end'"), ElementsAre("don't", "quote", "it’s", "end"));
  EXPECT_THAT(words_of("naïve größe привет"), ElementsAre("naïve", "größe", "привет"));
  EXPECT_THAT(words_of("हिन्दी"), ElementsAre("हिन्दी"));  // marks stay inside
}

TEST(Words, CjkRunsStandAlone) {
  EXPECT_THAT(words_of("用Python写代码 かな"), ElementsAre("*用", "Python", "*写代码", "*かな"));
}

TEST(Words, Bigrams) {
  std::vector<std::string> out;
  for_each_bigram("数据库", [&](std::string_view pair) { out.emplace_back(pair); });
  for_each_bigram("库", [&](std::string_view pair) { out.emplace_back(pair); });
  EXPECT_THAT(out, ElementsAre("数据", "据库", "库"));
}

TEST(Terms, StopWordsStemsAndBigrams) {
  EXPECT_THAT(terms("The databases were RUNNING quickly"), ElementsAre("databas", "run", "quick"));
  EXPECT_THAT(terms("数据库 of 中"), ElementsAre("数据", "据库", "中"));
  EXPECT_THAT(terms("what is it"), IsEmpty());
}

TEST(Terms, StopWordListCoversBothEnds) {
  EXPECT_TRUE(is_stop_word("a"));
  EXPECT_TRUE(is_stop_word("yourselves"));
  EXPECT_FALSE(is_stop_word("database"));
  EXPECT_FALSE(is_stop_word(""));
}

}  // namespace
}  // namespace vsr::text
