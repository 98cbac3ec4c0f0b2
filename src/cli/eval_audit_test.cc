// The live audit over a few sessions. Both sides count: nothing goes astray with learning, and with
// learning off so much does that the first figure means something.
#include "cli/eval_audit.h"

#include <gtest/gtest.h>

#include "json/value.h"

namespace vsr::cli {
namespace {

TEST(LiveAudit, NothingGoesAstrayAndTheControlShowsThatItCould) {
  Context context;
  context.json = true;
  testing::internal::CaptureStdout();
  const int status = eval_audit({.sessions = 150, .seed = 7, .threads = 8}, context);
  const std::string text = testing::internal::GetCapturedStdout();
  EXPECT_EQ(status, kOk) << text;
  const auto document = json::Value::parse(text);
  ASSERT_TRUE(document.has_value()) << text;
  const json::Value& with = (*document)["learning"];
  const json::Value& without = (*document)["control"];
  EXPECT_EQ(with["violations"].as_int(-1), 0) << text;
  EXPECT_EQ(with["unsafe_switches"].as_int(-1), 0) << text;
  EXPECT_GE(without["violations"].as_int(-1), 100) << text;
  EXPECT_EQ(without["unsafe_switches"].as_int(-1), without["requests_astray"].as_int()) << text;
  // Every shape took part.
  for (const char* const count :
       {"tool_results_delivered", "opaque_items_delivered", "failures_injected", "overlapping",
        "named", "bypassed", "titles", "sub_agents", "cut_loops", "streamed"}) {
    EXPECT_GT(with[count].as_int(0), 0) << count;
  }
}

}  // namespace
}  // namespace vsr::cli
