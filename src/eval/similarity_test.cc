#include "eval/similarity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "json/value.h"

namespace vsr::eval {
namespace {

// "30" is the direction of 30 degrees.
class Compass final : public nn::Encoder {
 public:
  size_t dims() const override { return 2; }
  std::string_view version() const override { return "compass"; }
  nn::SimilarityCurve similarity_curve() const override { return {.slope = 10, .offset = -5}; }
  Status encode(std::span<const std::string_view> texts, std::span<float> out) const override {
    for (size_t i = 0; i < texts.size(); ++i) {
      const float angle = std::stof(std::string(texts[i])) * std::acos(-1.F) / 180;
      out[2 * i] = std::cos(angle);
      out[2 * i + 1] = std::sin(angle);
    }
    return {};
  }
};

struct Answered {
  std::vector<json::Value> rows;
  Result<Summary> summary;
};

Answered run(const std::string& text, size_t threads = 1) {
  Answered out;
  const FakeClock clock;
  std::istringstream in(text);
  out.summary =
      similarity({.threads = threads}, Compass(), clock, in,
                 [&](const std::string& line) { out.rows.push_back(*json::Value::parse(line)); });
  return out;
}

TEST(Similarity, ScoresPairsByTheCurveOfTheEncoder) {
  const Answered got =
      run("{\"a\":\"0\",\"b\":\"60\",\"id\":7}\n\n"
          "{\"text\":\"10\",\"text2\":\"10\",\"label\":\"same\",\"score\":3}\n");
  ASSERT_TRUE(got.summary) << got.summary.error().message;
  ASSERT_EQ(got.rows.size(), 2U);
  EXPECT_EQ(got.rows[0]["id"].as_int(), 7);
  EXPECT_NEAR(got.rows[0]["cosine"].as_double(), 0.5, 1e-6);
  EXPECT_NEAR(got.rows[0]["score"].as_double(), 0.5, 1e-5);
  EXPECT_EQ(got.rows[0].find("gold"), nullptr);
  EXPECT_NEAR(got.rows[1]["cosine"].as_double(), 1, 1e-6);
  EXPECT_NEAR(got.rows[1]["score"].as_double(), 1 / (1 + std::exp(-5.0)), 1e-5);
  EXPECT_EQ(got.rows[1]["label"].as_string(), "same");
  EXPECT_EQ(got.rows[1]["gold"].as_string(), "same");
  EXPECT_TRUE(got.rows[1]["us"].is_number());
}

TEST(Similarity, SumsUpRowsWithGoldLabels) {
  const Answered got =
      run("{\"a\":\"0\",\"b\":\"10\",\"label\":\"same\"}\n"
          "{\"a\":\"0\",\"b\":\"20\",\"label\":\"different\"}\n"
          "{\"a\":\"0\",\"b\":\"70\",\"label\":\"same\"}\n"
          "{\"a\":\"0\",\"b\":\"90\",\"label\":\"different\"}\n"
          "{\"a\":\"0\",\"b\":\"90\"}\n");
  ASSERT_TRUE(got.summary) << got.summary.error().message;
  const json::Value figures = *json::Value::parse(got.summary->json);
  EXPECT_EQ(figures["rows"].as_int(), 4);
  EXPECT_DOUBLE_EQ(figures["auc"].as_double(), 0.75);
  EXPECT_DOUBLE_EQ(figures["accuracy"].as_double(), 0.5);
  EXPECT_EQ(got.summary->text, "ROC AUC 0.7500, accuracy 50.00 % at the threshold 0.5 of 4 rows\n");
  EXPECT_EQ(run("{\"a\":\"0\",\"b\":\"9\"}").summary->text, "");
}

TEST(Similarity, ThreadsChangeNeitherOrderNorFigures) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += fmt::format("{{\"a\":\"0\",\"b\":\"{}\",\"label\":\"{}\"}}\n", i % 180,
                        i % 180 < 60 ? "same" : "different");
  }
  const Answered one = run(text, 1);
  const Answered four = run(text, 4);
  ASSERT_TRUE(one.summary && four.summary);
  EXPECT_EQ(one.rows, four.rows);
  EXPECT_EQ(one.summary->json, four.summary->json);
}

TEST(Similarity, ErrorsNameTheLine) {
  const std::string good = "{\"a\":\"0\",\"b\":\"60\"}\n\n";
  for (const auto& [bad, expected] : std::initializer_list<std::pair<const char*, const char*>>{
           {"[1]", "line 3: it is no JSON object"},
           {"{\"a\":", "line 3: it is no JSON object"},
           {"{\"a\":\"0\"}", "line 3: it has no texts `a` and `b`"},
           {"{\"a\":\"0\",\"b\":5}", "line 3: it has no texts `a` and `b`"}}) {
    const Answered got = run(good + bad);
    ASSERT_FALSE(got.summary) << bad;
    EXPECT_EQ(got.summary.error().message, expected);
    EXPECT_EQ(got.rows.size(), 1U);
  }
}

}  // namespace
}  // namespace vsr::eval
