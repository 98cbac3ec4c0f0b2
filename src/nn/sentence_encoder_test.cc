// The shipped encoder: sizes, sense, windows, threads, and files that are not whole.
#include "nn/sentence_encoder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "nn/vectors.h"

namespace vsr::nn {
namespace {

const std::string kFile = std::string(VSR_SOURCE_DIR) + "/models/encoder.bin";

class ShippedEncoder : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto loaded = SentenceEncoder::load(kFile);
    ASSERT_TRUE(loaded) << loaded.error().message;
    encoder_ = *loaded;
  }
  static void TearDownTestSuite() { encoder_.reset(); }
  static std::vector<float> encode(std::string_view text) {
    std::vector<float> out(encoder_->dims());
    EXPECT_TRUE(encoder_->encode({&text, 1}, out));
    return out;
  }
  static float likeness(std::string_view a, std::string_view b) {
    return dot(encode(a), encode(b));
  }
  static std::shared_ptr<const SentenceEncoder> encoder_;
};
std::shared_ptr<const SentenceEncoder> ShippedEncoder::encoder_;

TEST_F(ShippedEncoder, VectorsHaveLengthOne) {
  EXPECT_EQ(encoder_->dims(), 384u);
  for (const std::string& text :
       {std::string("hello"), std::string(), std::string("中文"), std::string("\xff\xfe"),
        std::string(20'000, 'x'), std::string(5000, ' ')}) {
    const std::vector<float> v = encode(text);
    EXPECT_NEAR(dot(v, v), 1, 1e-4) << text.substr(0, 20);
  }
}

TEST_F(ShippedEncoder, LikeTextsAreNearer) {
  struct Case {
    const char* text;
    const char* like;
    const char* unlike;
  };
  for (const Case& c : {
           Case{"How do I reset my password?", "I forgot my login, how can I change it?",
                "What is the weather in Lisbon?"},
           Case{"Write a function that sorts a list", "implement sorting of an array in code",
                "Tell me about the French Revolution"},
           Case{"My card was charged twice", "There are two payments for one order",
                "How tall is the Eiffel Tower?"},
       }) {
    EXPECT_GT(likeness(c.text, c.like), likeness(c.text, c.unlike) + 0.2F) << c.text;
  }
}

TEST_F(ShippedEncoder, TheEndOfALongTextCounts) {
  std::string page;
  while (encoder_->count_tokens(page) < 900) page += "The harbour was quiet in the morning. ";
  const std::string with_end = page + "Please compute the determinant of this matrix. ";
  EXPECT_LT(likeness(page, with_end), 0.9999F);
  EXPECT_GT(likeness(page, with_end), 0.8F);
}

TEST_F(ShippedEncoder, ManyThreadsGetTheSame) {
  const std::string text = "Explain how a B-tree splits its pages.";
  const std::vector<float> want = encode(text);
  std::vector<std::vector<float>> got(6);
  std::vector<std::thread> threads;
  for (auto& slot : got) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) slot = encode(text);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& v : got) EXPECT_EQ(v, want);
}

TEST(EncoderFile, WhatIsNotWholeIsRefused) {
  std::ifstream in(kFile, std::ios::binary);
  const std::string whole(std::istreambuf_iterator<char>(in), {});
  ASSERT_GT(whole.size(), 1'000'000u);
  for (const size_t size : {size_t{0}, size_t{8}, size_t{63}, whole.size() / 2, whole.size() - 1}) {
    EXPECT_FALSE(SentenceEncoder::make(MappedFile(whole.substr(0, size)))) << size;
  }
  std::string flipped = whole;
  flipped[whole.size() / 3] ^= 1;
  const auto damaged = SentenceEncoder::make(MappedFile(std::move(flipped)));
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(SentenceEncoder::load("/nonexistent"));
}

}  // namespace
}  // namespace vsr::nn
