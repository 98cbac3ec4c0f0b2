#include "cli/eval_modes.h"

#include <gmock/gmock.h>

namespace vsr::cli {
namespace {

using testing::HasSubstr;

TEST(EvalModes, AnOptionThatWouldBeIgnoredIsAMistake) {
  struct Case {
    std::vector<std::string> given;
    std::string_view suite;
    std::string_view problem;  // "": none
  };
  const Case cases[] = {
      {{"--text"}, "", ""},
      {{"--text", "--config", "--json"}, "", ""},
      {{"--classify", "--text", "--threads"}, "", ""},
      {{"--learning", "--suite", "--prices", "--lambda"}, "agentmix", ""},
      {{"--learning", "--suite", "--profile"}, "closed-loop", ""},
      {{"--learning", "--matrix-csv", "--scenario", "--policy"}, "", ""},
      {{"--live-audit", "--sessions", "--seed", "--config"}, "", ""},
      {{}, "", "say what to evaluate"},
      {{"--json"}, "", "--live-audit"},
      {{"--learning"}, "", "needs --suite NAME"},
      {{"--suite"}, "grid", "add --learning"},
      {{"--learning", "--suite", "--prices"}, "grid", "--suite grid does not read --prices"},
      {{"--learning", "--suite", "--profile"}, "flap", "--suite flap does not read --profile"},
      {{"--learning", "--suite", "--sessions"}, "matrix", "does not read --sessions"},
      {{"--learning", "--suite", "--seed"}, "agentmix", "does not read --seed;"},
      {{"--learning", "--matrix-csv", "--suite"}, "grid", "--matrix-csv does not read --suite"},
      {{"--live-audit", "--text"}, "", "--live-audit does not read --text"},
      {{"--probes", "--text"}, "", "--probes does not read --text"},
      {{"--similarity", "--text"}, "", "--similarity does not read --text"},
      {{"--classify", "--text", "--input"}, "", "--classify reads --text or --input, not both"},
      {{"--classify", "--input"}, "", ""},
      {{"--vectors", "--learning", "--threads"}, "", "--vectors does not read --threads; leave it"},
  };
  for (const Case& c : cases) {
    const auto told = misfit(c.given, c.suite);
    if (c.problem.empty()) {
      EXPECT_EQ(told, std::nullopt);
    } else {
      ASSERT_TRUE(told) << c.problem;
      EXPECT_THAT(*told, HasSubstr(std::string(c.problem)));
    }
  }
}

}  // namespace
}  // namespace vsr::cli
