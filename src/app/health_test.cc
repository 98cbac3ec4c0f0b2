#include "app/health.h"

#include "app/app_fixture.h"

namespace vsr::app {
namespace {

std::string recipe_with(const std::string& backends) {
  return fmt::format(
      "version: v0.3\n"
      "providers:\n"
      "  defaults: {{default_model: m}}\n"
      "  models: [{{name: m, backend_refs: [{}]}}]\n"
      "routing: {{modelCards: [{{name: m}}]}}\n",
      backends);
}

std::string checked(const ScriptedServer& server, const std::string& path = "/health") {
  return fmt::format("{{endpoint: \"{}\", health: {{path: {}, interval: 10ms}}}}", server.address(),
                     path);
}

class Health : public testing::Test {
 protected:
  std::shared_ptr<const gateway::Runtime> runtime(const std::string& backends) {
    return make_runtime(recipe_with(backends), services_);
  }
  // After one more round of checks; the answer to the one before it has taken effect.
  static bool settled(ScriptedServer& server) {
    return server.await_requests(server.requests() + 2);
  }

  const SystemClock clock_;
  gateway::Services services_;
};

TEST_F(Health, AnswersOf2xxAreHealthy) {
  struct Case {
    int status;
    bool healthy;
  };
  const Case cases[] = {{200, true},  {204, true},  {299, true}, {301, false},
                        {404, false}, {429, false}, {500, false}};
  ScriptedServer server;
  const auto recipe = runtime(checked(server));
  const gateway::Endpoint& endpoint = *recipe->backends.of(0)[0].endpoint;
  HealthChecks checks(clock_);
  checks.watch(*recipe);
  for (const Case& c : cases) {
    server.answer("/health", c.status);
    ASSERT_TRUE(settled(server)) << c.status;
    EXPECT_EQ(endpoint.may_serve(clock_.mono()), c.healthy) << c.status;
  }
  server.answer("/health", 200);
  ASSERT_TRUE(settled(server));
  EXPECT_TRUE(endpoint.may_serve(clock_.mono())) << "comes back";
}

TEST_F(Health, ABackendThatRefusesIsNotHealthy) {
  const ClosedPort closed;
  ScriptedServer server;
  server.answer("/health", 200);
  const auto recipe = runtime(
      fmt::format("{{endpoint: \"127.0.0.1:{}\", health: {{path: /health, interval: 10ms}}}}, {}",
                  closed.port(), checked(server)));
  HealthChecks checks(clock_);
  checks.watch(*recipe);
  ASSERT_TRUE(settled(server));
  EXPECT_FALSE(recipe->backends.of(0)[0].endpoint->may_serve(clock_.mono()));
  EXPECT_TRUE(recipe->backends.of(0)[1].endpoint->may_serve(clock_.mono()));
}

TEST_F(Health, ABackendThatDoesNotAskIsNotChecked) {
  ScriptedServer asked;
  ScriptedServer other;
  asked.answer("/health", 200);
  const auto recipe =
      runtime(checked(asked) + fmt::format(", {{endpoint: \"{}\"}}", other.address()));
  HealthChecks checks(clock_);
  checks.watch(*recipe);
  ASSERT_TRUE(settled(asked));
  EXPECT_EQ(other.requests(), 0U);
  EXPECT_TRUE(recipe->backends.of(0)[1].endpoint->may_serve(clock_.mono()));
}

TEST_F(Health, AReloadWithoutTheCheckForgetsItsVerdict) {
  ScriptedServer server;
  server.answer("/health", 500);
  const auto before = runtime(checked(server));
  const auto after = runtime(fmt::format("{{endpoint: \"{}\"}}", server.address()));
  const gateway::Endpoint& endpoint = *before->backends.of(0)[0].endpoint;
  ASSERT_EQ(&endpoint, after->backends.of(0)[0].endpoint.get());
  HealthChecks checks(clock_);
  checks.watch(*before);
  ASSERT_TRUE(settled(server));
  EXPECT_FALSE(endpoint.may_serve(clock_.mono()));
  checks.watch(*after);
  EXPECT_TRUE(endpoint.may_serve(clock_.mono()));
}

TEST_F(Health, ACheckThatAReloadOvertookChangesNothing) {
  ScriptedServer server;
  server.answer("/health", 500);
  server.hold();
  const auto before = runtime(checked(server));
  const auto after = runtime(fmt::format("{{endpoint: \"{}\"}}", server.address()));
  {
    HealthChecks checks(clock_);
    checks.watch(*before);
    ASSERT_TRUE(server.await_requests(1));
    checks.watch(*after);
    server.release();
  }
  EXPECT_TRUE(after->backends.of(0)[0].endpoint->may_serve(clock_.mono()));
}

TEST_F(Health, SeveralModelsOnOneEndpointAreOneCheck) {
  ScriptedServer server;
  server.answer("/health", 200);
  const auto recipe = make_runtime(
      fmt::format("version: v0.3\nproviders:\n  defaults: {{default_model: a}}\n  models:\n"
                  "    - {{name: a, backend_refs: [{0}]}}\n"
                  "    - {{name: b, backend_refs: [{0}]}}\n"
                  "routing: {{modelCards: [{{name: a}}, {{name: b}}]}}\n",
                  fmt::format("{{endpoint: \"{}\", health: {{path: /health, interval: 1h}}}}",
                              server.address())),
      services_);
  server.hold();
  {
    HealthChecks checks(clock_);
    checks.watch(*recipe);
    ASSERT_TRUE(server.await_requests(1));
    server.release();
  }
  EXPECT_EQ(server.requests(), 1U);
}

}  // namespace
}  // namespace vsr::app
