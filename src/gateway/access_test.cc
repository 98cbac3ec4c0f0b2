#include "gateway/access.h"

#include <gtest/gtest.h>

namespace vsr::gateway {
namespace {

using namespace std::chrono_literals;

config::Listener with_keys() {
  config::Listener listener;
  listener.api_keys = {{"team", "key-one", {"auto"}, std::nullopt},
                       {"batch", "key-two", {}, config::RateLimit{60, 2}},
                       {"slow", "key-three", {}, config::RateLimit{3, 0}}};
  listener.cors_origins = {"https://console.example"};
  return listener;
}

TEST(Access, AcceptsEitherHeaderAndRefusesTheRest) {
  const config::Listener listener = with_keys();
  const AccessTable table(listener);
  struct Case {
    const char* authorization;
    const char* x_api_key;
    int status;  // 0 = accepted
  };
  const Case cases[] = {
      {"Bearer key-one", "", 0},  {"bearer  key-one ", "", 0},
      {"", "key-one", 0},         {"", "", 401},
      {"Bearer", "", 401},        {"Bearer key-on", "", 401},
      {"Basic key-one", "", 401}, {"", "key-one2", 401},
  };
  for (const Case& c : cases) {
    const auto caller = table.check(c.authorization, c.x_api_key, 0ns);
    EXPECT_EQ(caller ? 0 : caller.error().status, c.status) << c.authorization << c.x_api_key;
  }
  const auto caller = table.check("Bearer key-one", "", 0ns);
  EXPECT_EQ(caller->name, "team");
  EXPECT_TRUE(caller->may_use("auto"));
  EXPECT_FALSE(caller->may_use("other"));
}

TEST(Access, WithoutKeysEverybodyMayCall) {
  const config::Listener listener;
  const AccessTable table(listener);
  const auto caller = table.check("", "", 0ns);
  ASSERT_TRUE(caller.has_value());
  EXPECT_TRUE(caller->may_use("anything"));
}

TEST(Access, RateLimitRefills) {
  const config::Listener listener = with_keys();
  const AccessTable table(listener);
  EXPECT_TRUE(table.check("", "key-two", 0ns).has_value());
  EXPECT_TRUE(table.check("", "key-two", 0ns).has_value());
  const auto refused = table.check("", "key-two", 0ns);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, 429);
  EXPECT_TRUE(table.check("", "key-two", 1100ms).has_value());
}

TEST(Access, WithoutABurstTheRequestsOfAMinuteMayComeAtOnce) {
  const config::Listener listener = with_keys();
  const AccessTable table(listener);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(table.check("", "key-three", 0ns).has_value()) << i;
  const auto refused = table.check("", "key-three", 0ns);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().retry_after_s, 20u) << "when the next place is free";
  EXPECT_TRUE(table.check("", "key-three", 20s).has_value());
}

TEST(Access, CorsOnlyForListedOrigins) {
  const config::Listener listener = with_keys();
  const AccessTable table(listener);
  EXPECT_EQ(table.allowed_origin("https://console.example"), "https://console.example");
  EXPECT_EQ(table.allowed_origin("https://evil.example"), "");
  EXPECT_EQ(table.allowed_origin(""), "");
}

}  // namespace
}  // namespace vsr::gateway
