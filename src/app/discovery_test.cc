#include "app/discovery.h"

#include <gmock/gmock.h>

#include <fstream>

#include "app/app_fixture.h"
#include "store/temporary_folder.h"

namespace vsr::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// A name that cannot resolve (RFC 6761).
constexpr const char* kNoSuchHost = "vllm.invalid:8000";

std::string recipe_of(const std::vector<std::pair<std::string, std::string>>& models) {
  std::string list;
  std::string cards;
  for (const auto& [name, endpoint] : models) {
    list +=
        fmt::format("    - {{name: {}, backend_refs: [{{endpoint: \"{}\"}}]}}\n", name, endpoint);
    cards += fmt::format("{}{{name: {}}}", cards.empty() ? "" : ", ", name);
  }
  return fmt::format(
      "version: v0.3\nproviders:\n  defaults: {{default_model: {}}}\n  models:\n{}"
      "routing: {{modelCards: [{}]}}\n",
      models[0].first, list, cards);
}

class Discover : public testing::Test {
 protected:
  Discover() {
    options_.backend = BackendMode::kNone;
    options_.state_folder = folder_.path();
  }
  DiscoveryState look(const std::vector<std::pair<std::string, std::string>>& models,
                      int fallback_port) {
    runtime_ = make_runtime(recipe_of(models), services_);
    Discovery discovery(options_, std::to_string(fallback_port));
    discovery.begin(runtime_);
    discovery.wait();
    return discovery.state();
  }
  std::string dialled(config::ModelId model) const {
    return runtime_->backends.of(model)[0].endpoint->dial().text();
  }

  store::fixture::TemporaryFolder folder_;
  ServeOptions options_;
  gateway::Services services_;
  std::shared_ptr<const gateway::Runtime> runtime_;
  ClosedPort closed_;
};

TEST_F(Discover, ABackendThatAnswersIsUsedAsItIs) {
  ScriptedServer backend;
  backend.serve_models({"m"});
  const DiscoveryState state = look({{"m", backend.address()}}, closed_.port());
  EXPECT_TRUE(state.done);
  EXPECT_TRUE(state.any_backend);
  EXPECT_EQ(state.embedded, "");
  EXPECT_THAT(state.tried, ElementsAre(backend.address() + " answers"));
  EXPECT_EQ(dialled(0), backend.address());
}

TEST_F(Discover, WhatCountsAsAnAnswer) {
  struct Case {
    const char* name;
    int status;
    std::string body;
    bool answers;
  };
  const Case cases[] = {
      {"a list", 200, R"({"data":[]})", true},  {"wants a key", 401, "", true},
      {"forbids the list", 403, "{}", true},    {"no list", 200, R"({"models":[]})", false},
      {"no JSON", 200, "<html>", false},        {"not found", 404, "", false},
      {"broken", 500, R"({"data":[]})", false},
  };
  for (const Case& c : cases) {
    ScriptedServer backend;
    backend.answer("/v1/models", c.status, c.body);
    const DiscoveryState state = look({{"m", backend.address()}}, closed_.port());
    EXPECT_EQ(state.any_backend, c.answers) << c.name;
  }
}

TEST_F(Discover, ANameThatDoesNotResolveIsReplacedByTheHostsPort) {
  ScriptedServer host;
  host.serve_models({"other", "m"});
  const DiscoveryState state = look({{"m", kNoSuchHost}}, host.port());
  EXPECT_TRUE(state.any_backend);
  EXPECT_EQ(dialled(0), host.address());
  EXPECT_THAT(state.tried,
              ElementsAre("vllm.invalid:8000 is not there: its name does not resolve",
                          host.address() +
                              " serves the models of vllm.invalid:8000 and is used in its place"));
}

TEST_F(Discover, AlsoWhileAnotherBackendOfTheRecipeAnswers) {
  ScriptedServer host;
  ScriptedServer cloud;
  host.serve_models({"local"});
  cloud.serve_models({"remote"});
  const DiscoveryState state =
      look({{"local", kNoSuchHost}, {"remote", cloud.address()}}, host.port());
  EXPECT_TRUE(state.any_backend);
  EXPECT_EQ(dialled(0), host.address());
  EXPECT_EQ(dialled(1), cloud.address());
}

TEST_F(Discover, OnlyWhereTheHostServesAModelOfThatBackend) {
  ScriptedServer host;
  host.serve_models({"b"});
  const DiscoveryState state =
      look({{"a", "first.invalid:8000"}, {"b", "second.invalid:8000"}}, host.port());
  EXPECT_TRUE(state.any_backend);
  EXPECT_EQ(dialled(0), "first.invalid:8000");
  EXPECT_EQ(dialled(1), host.address());
  EXPECT_THAT(state.tried,
              testing::Contains(host.address() + " serves no model of first.invalid:8000"));
}

TEST_F(Discover, AnAliasOfAModelCounts) {
  ScriptedServer host;
  host.answer("/v1/models", 200, R"({"data":[{"id":"x","aliases":["m"]}]})");
  EXPECT_TRUE(look({{"m", kNoSuchHost}}, host.port()).any_backend);
  EXPECT_EQ(dialled(0), host.address());
}

TEST_F(Discover, NothingAnswersAndEverythingThatWasTriedIsNamed) {
  const ClosedPort backend;
  const DiscoveryState state = look(
      {{"m", kNoSuchHost}, {"n", fmt::format("127.0.0.1:{}", backend.port())}}, closed_.port());
  EXPECT_TRUE(state.done);
  EXPECT_FALSE(state.any_backend);
  EXPECT_THAT(state.tried,
              ElementsAre(HasSubstr("does not resolve"),
                          StartsWith(fmt::format("127.0.0.1:{} does not answer", backend.port())),
                          fmt::format("127.0.0.1:{} does not answer", closed_.port()),
                          fmt::format("127.0.0.1:{} does not answer", closed_.port())));
  EXPECT_EQ(dialled(0), kNoSuchHost);
}

TEST_F(Discover, ABackendThatIsSilentKeepsItsPlaceWhileAnotherAnswers) {
  const ClosedPort silent;
  ScriptedServer host;
  ScriptedServer other;
  host.serve_models({"m"});
  other.serve_models({"n"});
  const std::string address = fmt::format("127.0.0.1:{}", silent.port());
  look({{"m", address}, {"n", other.address()}}, host.port());
  EXPECT_EQ(dialled(0), address) << "it resolves, so it may come back";
}

TEST_F(Discover, TheCommandLineMapsANameToAnAddress) {
  ScriptedServer backend;
  backend.serve_models({"m"});
  services_.endpoints.replace(kNoSuchHost, {"127.0.0.1", static_cast<uint16_t>(backend.port())});
  const DiscoveryState state = look({{"m", kNoSuchHost}}, closed_.port());
  EXPECT_TRUE(state.any_backend);
  EXPECT_EQ(dialled(0), backend.address());
  EXPECT_THAT(state.tried, ElementsAre(backend.address() + " answers"));
}

TEST_F(Discover, TheEmbeddedBackendIsForWhenNothingAnswers) {
  options_.backend = BackendMode::kEmbedded;
  ScriptedServer backend;
  backend.serve_models({"m"});
  EXPECT_EQ(look({{"m", backend.address()}}, closed_.port()).embedded, "");

  const DiscoveryState missing = look({{"m", kNoSuchHost}}, closed_.port());
  EXPECT_FALSE(missing.any_backend);
  EXPECT_THAT(missing.tried.back(), HasSubstr("scripts/setup backend"));

  std::ofstream(folder_.file("backend.py")) << R"py(
import http.server, sys
class Models(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"data": [{"id": "m"}]}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Models).serve_forever()
)py";
  options_.backend_folder = folder_.path();
  // Taken by another program, so a free one is chosen.
  options_.embedded_port = static_cast<uint16_t>(closed_.port());
  const DiscoveryState started = look({{"m", kNoSuchHost}}, closed_.port());
  EXPECT_TRUE(started.any_backend);
  EXPECT_TRUE(started.embedded_answers);
  EXPECT_THAT(started.embedded, StartsWith("127.0.0.1:"));
  EXPECT_NE(started.embedded, fmt::format("127.0.0.1:{}", closed_.port()));
  EXPECT_THAT(started.tried, testing::Contains(HasSubstr("--embedded-port chooses one")));
  EXPECT_EQ(dialled(0), started.embedded);
}

TEST_F(Discover, AReloadLooksAgain) {
  ScriptedServer first;
  ScriptedServer second;
  first.serve_models({"m"});
  second.answer("/v1/models", 500);
  Discovery discovery(options_, std::to_string(closed_.port()));
  discovery.begin(make_runtime(recipe_of({{"m", first.address()}}), services_));
  discovery.wait();
  EXPECT_TRUE(discovery.state().any_backend);
  discovery.begin(make_runtime(recipe_of({{"m", second.address()}}), services_));
  discovery.wait();
  EXPECT_FALSE(discovery.state().any_backend);
  EXPECT_THAT(discovery.state().tried.front(), StartsWith(second.address()));
}

TEST(HostPort, ReadsAddressAndPort) {
  struct Case {
    const char* text;
    const char* host;
    int port;  // -1: refused
  };
  const Case cases[] = {
      {"127.0.0.1:8080", "127.0.0.1", 8080},
      {"[::1]:80", "::1", 80},
      {"localhost:1", "127.0.0.1", 1},
      {"vllm:8000", "vllm", 8000},
      {"0.0.0.0:0", "0.0.0.0", 0},
      {"h:65535", "h", 65535},
      {"h:65536", "", -1},
      {"h:-1", "", -1},
      {"h:", "", -1},
      {":80", "", -1},
      {"8080", "", -1},
      {"h:8o", "", -1},
      {"", "", -1},
  };
  for (const Case& c : cases) {
    const Result<HostPort> read = parse_host_port(c.text);
    ASSERT_EQ(read.has_value(), c.port >= 0) << c.text;
    if (!read) {
      EXPECT_THAT(read.error().message, HasSubstr("ADDRESS:PORT"));
      continue;
    }
    EXPECT_EQ(read->host, c.host) << c.text;
    EXPECT_EQ(read->port, c.port) << c.text;
  }
}

}  // namespace
}  // namespace vsr::app
