// Every case of tests/policy/*.test, and what a malformed file is told.
#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "config/load.h"
#include "router/policy_case_fixture.h"

namespace vsr::router {
namespace {

const std::string kRoot = VSR_SOURCE_DIR;

std::vector<std::string> case_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(kRoot + "/tests/policy")) {
    if (entry.path().extension() == ".test") files.push_back(entry.path().filename());
  }
  std::ranges::sort(files);
  return files;
}

class PolicyFile : public testing::TestWithParam<std::string> {};

TEST_P(PolicyFile, Decides) {
  const std::string file = "tests/policy/" + GetParam();
  const auto text = config::read_recipe(kRoot + "/" + file);
  ASSERT_TRUE(text) << text.error().message;
  const auto cases = read_policy_cases(*text, file, kRoot);
  ASSERT_TRUE(cases) << cases.error().message;
  for (const PolicyCase& policy_case : *cases) {
    SCOPED_TRACE(policy_case.name + ", recipe " + policy_case.recipe_place);
    run_policy_case(policy_case);
  }
}

INSTANTIATE_TEST_SUITE_P(All, PolicyFile, testing::ValuesIn(case_files()), [](const auto& file) {
  return file.param.substr(0, file.param.find('.'));
});

TEST(PolicyCases, AMalformedFileIsRefusedWithItsLine) {
  const std::string begin = "recipe:\n  decisions: []\ncase one\n";
  struct Case {
    const char* name;
    std::string text;
    std::string_view error;
  };
  const Case cases[] = {
      {"empty", "", "f:1: the file has no case"},
      {"a recipe only", "recipe:\n  decisions: []\n", "f:3: the file has no case"},
      {"a case without a recipe", "case one\n-> decision none\n",
       "f:1: a recipe comes before the first case"},
      {"an empty recipe", "recipe:\ncase one\n", "f:1: the recipe is empty"},
      {"no such recipe file", "recipe-file no/such.yaml\n", "f:1: "},
      {"a case without a name", begin + "-> decision none\ncase\n", "f:5: a case has a name"},
      {"the same name twice", begin + "-> decision none\ncase one\n-> decision none\n",
       "f:5: line 3 has this name too"},
      {"an unknown word", begin + "uesr hello\n-> decision none\n",
       "f:4: unknown word \"uesr\"; did you mean \"user\"?"},
      {"an unknown expectation", begin + "user hello\n-> desicion none\n",
       "f:5: unknown word \"-> desicion\"; did you mean \"-> decision\"?"},
      {"no value", begin + "user\n-> decision none\n", "f:4: \"user\" with 0 words after it"},
      {"too many values", begin + "user hello\n-> decision a b\n",
       "f:5: \"-> decision\" with 2 words after it"},
      {"indented", begin + "  user hello\n", "f:4: only the text of a recipe is indented"},
      {"a line before the first case", "recipe:\n  decisions: []\nuser hello\n",
       "f:3: user outside of a case"},
      {"nothing expected", begin + "user hello\ncase two\n-> decision none\n",
       "f:3: the case expects nothing"},
      {"nothing expected of the last", begin + "user hello\n", "f:3: the case expects nothing"},
  };
  for (const Case& c : cases) {
    const auto read = read_policy_cases(c.text, "f", kRoot);
    ASSERT_FALSE(read) << c.name;
    EXPECT_TRUE(read.error().message.starts_with(c.error))
        << c.name << ": " << read.error().message;
  }
}

TEST(PolicyCases, ACaseKeepsItsPlaceAndItsRecipe) {
  const auto read = read_policy_cases(
      "# first\nrecipe:\n  decisions: []\n\ncase one\nuser hello  there\n-> decision none\n"
      "recipe:\n  version: v0.3\ncase two\n-> model none\n",
      "f", kRoot);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 2U);
  const PolicyCase& one = (*read)[0];
  EXPECT_EQ(one.line, 5);
  EXPECT_EQ(one.recipe_place, "f:2");
  EXPECT_THAT(one.recipe, testing::HasSubstr("providers:"));
  EXPECT_THAT(one.recipe, testing::EndsWith("  decisions: []\n\n"));
  ASSERT_EQ(one.lines.size(), 2U);
  EXPECT_EQ(one.lines[0].number, 6);
  EXPECT_EQ(one.lines[0].word, "user");
  EXPECT_EQ(one.lines[0].rest, "hello  there");
  EXPECT_EQ(one.lines[1].word, "-> decision");
  EXPECT_EQ((*read)[1].recipe, "  version: v0.3\n");
}

// A case that does not hold must fail, whatever it expects.
TEST(PolicyCases, EveryExpectationCanFail) {
  const std::string begin =
      "recipe:\n"
      "  signals: {keywords: [{name: easy, keywords: [hello]}]}\n"
      "  projections:\n"
      "    scores: [{name: s, inputs: [{type: keyword, name: easy, weight: 1}]}]\n"
      "    mappings: [{name: m, source: s, outputs: [{name: out, gte: 0.5}]}]\n"
      "  decisions:\n"
      "    - {name: d, rules: {type: keyword, name: easy}, modelRefs: [{model: small}]}\n"
      "case one\nuser hello\n";
  const char* const wrong[] = {
      "-> decision none",
      "-> model large",
      "-> confidence 0.5",
      "-> status fallback",
      "-> candidates large",
      "-> dropped small tools_unsupported",
      "-> reasoning on",
      "-> action stay",
      "-> reason switch_allowed",
      "-> phase tool_loop",
      "-> private yes",
      "-> error model_not_found",
      "-> note no encoder",
      "-> matched keyword:none",
      "-> matched nothing:x",
      "-> unmatched keyword:easy",
      "-> unmatched projection:out",
      "-> score s 0.5",
      "-> score none 1",
      "-> failing d keyword:easy",
      "-> failing none x",
      "down nothing\n-> decision d",
      "pad x\n-> decision d",
      "state small load=1\n-> decision d",
  };
  for (const char* line : wrong) {
    const auto read = read_policy_cases(begin + line + "\n", "f", kRoot);
    ASSERT_TRUE(read) << line << ": " << read.error().message;
    testing::TestPartResultArray failures;
    {
      const testing::ScopedFakeTestPartResultReporter reporter(
          testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
      run_policy_case(read->front());
    }
    EXPECT_GT(failures.size(), 0) << line;
  }
}

}  // namespace
}  // namespace vsr::router
