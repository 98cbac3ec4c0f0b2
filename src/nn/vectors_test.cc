#include "nn/vectors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "text/hash.h"

namespace vsr::nn {
namespace {

// Vectors of three numbers out of a text's hash.
class FakeEncoder final : public Encoder {
 public:
  size_t dims() const override { return 3; }
  std::string_view version() const override { return "fake"; }
  SimilarityCurve similarity_curve() const override { return {}; }
  Status encode(std::span<const std::string_view> texts, std::span<float> out) const override {
    ++calls;
    for (size_t i = 0; i < texts.size(); ++i) {
      if (texts[i] == "broken") return fail(ErrorCode::kInternal, "broken");
      const uint64_t hash = text::hash64(texts[i]);
      for (size_t d = 0; d < 3; ++d) out[i * 3 + d] = static_cast<float>((hash >> (8 * d)) & 0xFF);
    }
    return {};
  }
  mutable int calls = 0;
};

class VectorsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(testing::TempDir()) /
        ("vectors-" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file() const { return folder_ / "vectors-fake.bin"; }

  std::filesystem::path folder_;
  std::shared_ptr<FakeEncoder> encoder_ = std::make_shared<FakeEncoder>();
};

TEST_F(VectorsTest, APromptIsEncodedOnce) {
  Vectors vectors(encoder_, "");
  std::vector<float> first(3);
  std::vector<float> again(3);
  EXPECT_FALSE(vectors.find("hello", again));
  ASSERT_TRUE(vectors.encode("hello", first));
  EXPECT_TRUE(vectors.find("hello", again));
  EXPECT_EQ(first, again);
  EXPECT_EQ(vectors.encoded(), 1u);
}

TEST_F(VectorsTest, TheOldestPromptLeaves) {
  Vectors vectors(encoder_, "");
  std::vector<float> v(3);
  for (size_t i = 0; i <= Vectors::kPromptsMax; ++i) {
    ASSERT_TRUE(vectors.encode(std::to_string(i), v));
    EXPECT_TRUE(vectors.find("0", v) || i == Vectors::kPromptsMax) << "0 was read last";
  }
  EXPECT_TRUE(vectors.find("0", v));
  EXPECT_FALSE(vectors.find("1", v));
  EXPECT_TRUE(vectors.find("2", v));
}

TEST_F(VectorsTest, CandidatesSurviveARestart) {
  const std::vector<std::string> texts = {"a", "b", "a"};
  std::vector<float> rows;
  {
    Vectors vectors(encoder_, folder_);
    rows = *vectors.candidates(texts);
    EXPECT_EQ(encoder_->calls, 2);
    ASSERT_EQ(rows.size(), 9u);
    EXPECT_TRUE(std::equal(rows.begin(), rows.begin() + 3, rows.begin() + 6));
  }
  Vectors vectors(encoder_, folder_);
  EXPECT_EQ(*vectors.candidates(texts), rows);
  EXPECT_EQ(encoder_->calls, 2);
  EXPECT_EQ(vectors.encoded(), 0u);
}

TEST_F(VectorsTest, ADamagedFileIsMadeAnew) {
  const std::vector<std::string> texts = {"a", "b"};
  const std::vector<float> rows = *Vectors(encoder_, folder_).candidates(texts);
  std::string whole;
  {
    std::ifstream in(file(), std::ios::binary);
    whole.assign(std::istreambuf_iterator<char>(in), {});
  }
  for (const size_t cut : {size_t{0}, size_t{7}, whole.size() / 2, whole.size() - 1}) {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << whole.substr(0, cut);
    EXPECT_EQ(*Vectors(encoder_, folder_).candidates(texts), rows) << cut;
  }
  std::string flipped = whole;
  flipped[20] ^= 1;
  std::ofstream(file(), std::ios::binary | std::ios::trunc) << flipped;
  const int before = encoder_->calls;
  EXPECT_EQ(*Vectors(encoder_, folder_).candidates(texts), rows);
  EXPECT_EQ(encoder_->calls, before + 2);
}

TEST_F(VectorsTest, AFolderThatCannotBeWrittenCostsNothing) {
  Vectors vectors(encoder_, "/nonexistent/folder");
  const std::vector<std::string> texts = {"a"};
  EXPECT_TRUE(vectors.candidates(texts));
}

TEST_F(VectorsTest, ErrorsOfTheEncoderAreTold) {
  Vectors vectors(encoder_, folder_);
  std::vector<float> v(3);
  EXPECT_EQ(vectors.encode("broken", v).error().message, "broken");
  const std::vector<std::string> texts = {"a", "broken"};
  EXPECT_EQ(vectors.candidates(texts).error().message, "broken");
  EXPECT_FALSE(vectors.find("broken", v));
}

}  // namespace
}  // namespace vsr::nn
