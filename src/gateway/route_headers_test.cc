#include "gateway/route_headers.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace vsr::gateway {
namespace {

TEST(RouteHeaders, EveryTypeOfSignalHasAListOfWhatMatched) {
  auto config = std::make_shared<config::Config>();
  router::Decision decision;
  for (size_t type = 0; type < config::kSignalTypes; ++type) {
    for (const char* name : {"one", "two,three", "not"}) {
      config->signals.push_back({static_cast<config::SignalType>(type), 0, 0, name});
      decision.values.signals.push_back({true, std::string_view(name) != "not", 1, 1});
    }
  }
  decision.config = config;
  http::HeaderText out;
  add_route_headers(decision, {.replay_id = "", .response_path = "upstream"}, out);
  for (const std::string_view family :
       {"keywords",   "embeddings",   "domains",    "complexity", "pii",   "jailbreak",
        "context",    "conversation", "structure",  "language",   "reask", "user-feedback",
        "fact-check", "preference",   "modality",   "authz",      "event", "kb",
        "metadata",   "classifier",   "projections"}) {
    const std::string line = fmt::format("x-vsr-matched-{}: one,two%2Cthree\r\n", family);
    EXPECT_THAT(out.text(), testing::HasSubstr(line)) << family;
  }
}

TEST(RouteHeaders, NothingMatchedIsNoHeader) {
  auto config = std::make_shared<config::Config>();
  config->signals.push_back({config::SignalType::kAuthz, 0, 0, "admin"});
  router::Decision decision;
  decision.values.signals.push_back({true, false, 0, 0});
  decision.config = config;
  http::HeaderText out;
  add_route_headers(decision, {.replay_id = "", .response_path = "upstream"}, out);
  EXPECT_THAT(out.text(), testing::Not(testing::HasSubstr("x-vsr-matched-")));
}

TEST(RetryAfter, OnlyWhereAnotherTryHelps) {
  struct Case {
    int status;
    uint32_t retry_after_s;
    std::string_view lines;
  };
  constexpr Case kCases[] = {
      {429, 20, "retry-after: 20\r\n"}, {503, 1, "retry-after: 1\r\n"}, {503, 0, ""}, {400, 1, ""}};
  for (const Case& c : kCases) {
    http::HeaderText out;
    add_retry_after({c.status, "", "", "", c.retry_after_s}, out);
    EXPECT_EQ(out.text(), c.lines);
  }
}

}  // namespace
}  // namespace vsr::gateway
