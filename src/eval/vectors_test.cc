#include "eval/vectors.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "json/value.h"

namespace vsr::eval {
namespace {

class Vectors : public testing::TestWithParam<const char*> {};

TEST_P(Vectors, AreReproduced) {
  const std::string base = std::string(VSR_TEST_DIR) + "/testdata/" + GetParam();
  std::ifstream in(base + ".jsonl");
  std::ifstream expected_file(base + ".expected.jsonl");
  ASSERT_TRUE(in && expected_file);
  std::stringstream out;
  const Status status = run_vectors(in, out);
  ASSERT_TRUE(status.has_value()) << status.error().message;
  std::string got_line;
  std::string expected_line;
  size_t compared = 0;
  for (int row = 1; std::getline(expected_file, expected_line); ++row) {
    ASSERT_TRUE(std::getline(out, got_line));
    if (expected_line == "null") continue;  // the specification gives only some rows
    SCOPED_TRACE(testing::Message() << GetParam() << " row " << row << ": " << got_line);
    const json::Value got = *json::Value::parse(got_line);
    const json::Value expected = *json::Value::parse(expected_line);
    EXPECT_EQ(got["tier"].as_int(-1), expected["tier"].as_int());
    EXPECT_EQ(got["action"].as_string(), expected["action"].as_string());
    EXPECT_EQ(got["reason"].as_string(), expected["reason"].as_string());
    ASSERT_EQ(got["u"].size(), expected["u"].size());
    for (size_t i = 0; i < expected["u"].size(); ++i) {
      EXPECT_NEAR(got["u"][i].as_double(), expected["u"][i].as_double(), 2e-6);
    }
    EXPECT_NEAR(got["gain"].as_double(), expected["gain"].as_double(), 2e-6);
    EXPECT_NEAR(got["margin"].as_double(), expected["margin"].as_double(), 2e-6);
    ASSERT_EQ(got["belief"].size(), expected["belief"].size());
    for (size_t i = 0; i < expected["belief"].size(); ++i) {
      EXPECT_NEAR(got["belief"][i].as_double(), expected["belief"][i].as_double(), 2e-5);
    }
    ++compared;
  }
  EXPECT_GT(compared, 0u);
}

INSTANTIATE_TEST_SUITE_P(Specified, Vectors, testing::Values("a", "al", "b", "d", "d_prime"));

TEST(VectorFiles, ErrorsNameTheLine) {
  struct Case {
    const char* text;
    const char* expected;
  };
  const Case cases[] = {
      {"", "the file is empty; the first line must hold the settings"},
      {"{\"t\":0,\"kind\":\"u\",\"p\":0}\n", "line 1: the first line must hold the settings"},
      {"[]\n", "line 1: the first line must hold the settings"},
      {"{\"prices\":\"gold\"}\n", "line 1: there are no prices gold"},
      {"{\"prices\":\"real4\"}\n{\"kind\":\"x\",\"p\":0}\n", "line 2: kind must be"},
      {"{\"prices\":\"real4\"}\n\n{\"kind\":\"u\",\"p\":9}\n", "line 3: p must be a tier"},
      {"nonsense\n", "line 1: "},
  };
  for (const Case& c : cases) {
    std::stringstream in(c.text);
    std::stringstream out;
    const Status status = run_vectors(in, out);
    ASSERT_FALSE(status.has_value()) << c.text;
    EXPECT_NE(status.error().message.find(c.expected), std::string::npos) << status.error().message;
  }
}

}  // namespace
}  // namespace vsr::eval
