#include "signals/name_tagger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "signals/name_model.h"
#include "signals/name_words.h"

namespace vsr::signals {
namespace {

std::string shipped_file() { return encode_names(shipped_names()); }

TEST(NameModel, RoundTrips) {
  const std::string file = shipped_file();
  const Result<NameModel> model = parse_names(file);
  ASSERT_TRUE(model.has_value()) << model.error().message;
  EXPECT_EQ(encode_names(*model), file);
}

TEST(NameModel, RefusesWhatIsNotWhole) {
  const std::string file = shipped_file();
  EXPECT_FALSE(parse_names("").has_value());
  EXPECT_FALSE(parse_names(std::string_view(file).substr(0, 100)).has_value());
  EXPECT_FALSE(parse_names(std::string_view(file).substr(0, file.size() - 4)).has_value());
  std::string other = file;
  other[0] = 'X';
  EXPECT_FALSE(parse_names(other).has_value());
  std::string huge = file;
  huge[8] = 60;  // rows
  EXPECT_FALSE(parse_names(huge).has_value());
}

TEST(NameModel, AFullWordListIsRefused) {
  NameModel model;
  const std::vector<int8_t> rows(size_t{256} * kLanes);
  const std::vector<uint32_t> full(2, 0x12345601);
  model.row_bits = 8;
  model.rows = rows;
  model.lexicon = full;
  EXPECT_FALSE(parse_names(encode_names(model)).has_value());
}

TEST(NameModel, KnowsWordsByTheirFoldedForm) {
  const NameModel& model = shipped_names();
  EXPECT_TRUE(model.flags_of(word_hash("Thomas")) & kGivenFlag);
  EXPECT_TRUE(model.flags_of(word_hash("MÜLLER")) & kFamilyFlag);
  EXPECT_TRUE(model.flags_of(word_hash("muller")) & kFamilyFlag);
  EXPECT_TRUE(model.flags_of(word_hash("street")) & kStreetFlag);
  EXPECT_EQ(model.flags_of(word_hash("qzxvkw")), 0);
}

TEST(NameBlock, ReadsWordsWithTheirShapesAndGaps) {
  NameBlock block;
  const std::string_view text = "Dr. O'Neill's McDonald user_id, Łukasz-Jan X 42b";
  block.read(text, 0, text.size(), shipped_names());
  std::vector<std::string_view> words;
  std::vector<Shape> shapes;
  for (const NameWord& word : block.words) {
    words.push_back(text.substr(word.start, word.end - word.start));
    shapes.push_back(word.shape);
  }
  EXPECT_THAT(words, testing::ElementsAre("Dr", "O'Neill", "McDonald", "user", "id", "Łukasz-Jan",
                                          "X", "42b"));
  EXPECT_THAT(shapes,
              testing::ElementsAre(Shape::kCapital, Shape::kCapital, Shape::kMixed, Shape::kCode,
                                   Shape::kCode, Shape::kCapital, Shape::kInitial, Shape::kNumber));
  EXPECT_TRUE(block.words[1].possessive);
  EXPECT_TRUE(block.words[1].titled);
  EXPECT_EQ(block.words[5].before, Gap::kComma);
}

TEST(NameBlock, BlocksCoverATextWithoutCuttingCharacters) {
  std::string text;
  while (text.size() < 3 * kBlockBytes) text += "王";
  size_t blocks = 0;
  for (size_t at = 0; at < text.size(); at = block_end(text, at), ++blocks) {
    EXPECT_NE(static_cast<uint8_t>(text[at]) & 0xC0, 0x80);
    EXPECT_GT(block_end(text, at), at);
  }
  EXPECT_GE(blocks, 3);
}

TEST(TagNames, ManyCapitalsAreReadInPieces) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "Word ";
  std::vector<Entity> found;
  tag_names(text, shipped_names(), found);
  for (const Entity& entity : found) EXPECT_LE(entity.end, text.size());
}

}  // namespace
}  // namespace vsr::signals
