#pragma once

// The operator's API on a loop and a port of its own, with a small recipe behind it. For tests.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "config/load.h"
#include "http/client.h"
#include "json/value.h"
#include "operator/api.h"

namespace vsr::operator_api::fixture {

using namespace std::chrono_literals;
using Headers = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view kRecipe = R"(version: v0.3
providers:
  defaults: {default_model: small}
  models:
    - name: small
      pricing: {prompt_per_1m: 0.1, completion_per_1m: 0.4}
      backend_refs: [{name: one, endpoint: "127.0.0.1:1"}, {name: two, endpoint: "127.0.0.1:2", weight: 3}]
    - {name: large, backend_refs: [{name: three, endpoint: "127.0.0.1:3"}]}
routing:
  modelCards:
    - {name: small, quality_score: 0.8, context_window_size: 4000}
    - {name: large, quality_score: 0.9}
  signals: {keywords: [{name: hard, keywords: [prove]}]}
  decisions: [{name: hard, rules: {type: keyword, name: hard}, modelRefs: [{model: large}]}]
global:
  router: {learning: {enabled: true}}
)";

inline std::string with_default(std::string_view model) {
  std::string recipe(kRecipe);
  const std::string_view from = "default_model: small";
  return recipe.replace(recipe.find(from), from.size(), fmt::format("default_model: {}", model));
}

// Keeps its recipes in memory.
class FakeKeeper final : public RecipeKeeper {
 public:
  Result<RunningRecipe> running() override {
    if (texts_.empty()) {
      return fail(ErrorCode::kNotFound, "no recipe is active", ErrorSource::kClient);
    }
    return RunningRecipe{texts_.back(), fmt::format("tag{}", texts_.size())};
  }
  std::expected<Activation, Refusal> activate(std::string_view yaml,
                                              std::string_view if_match) override {
    if (!if_match.empty() && if_match != fmt::format("tag{}", texts_.size())) {
      return std::unexpected(Refusal{{412, "recipe_changed", "", "changed since"}, {}});
    }
    config::LoadResult loaded = config::load_text(yaml, "recipe");
    if (!loaded.config) {
      return std::unexpected(
          Refusal{{400, "invalid_recipe", "", "it has errors"}, std::move(loaded.diagnostics)});
    }
    texts_.emplace_back(yaml);
    return Activation{texts_.size(), loaded.config->hash, {}, {"the listeners change"}};
  }
  std::expected<Activation, Refusal> roll_back(uint64_t version) override {
    if (version == 0 || version > texts_.size()) {
      return std::unexpected(Refusal{{404, "unknown_version", "", "there is no such version"}, {}});
    }
    return activate(std::string(texts_[version - 1]), "");
  }
  std::vector<KeptVersion> versions() override {
    std::vector<KeptVersion> out;
    for (size_t i = texts_.size(); i > 0; --i) {
      out.push_back({i, 1000, "policy", "put", texts_[i - 1].size(), i == texts_.size()});
    }
    return out;
  }
  Result<std::string> version_text(uint64_t id) override {
    if (id > 0 && id <= texts_.size()) return texts_[id - 1];
    return fail(ErrorCode::kNotFound, "there is no such version", ErrorSource::kClient);
  }
  std::vector<std::pair<std::string, std::string>> shipped() override {
    return {{"one", "The first"}};
  }
  Result<std::string> shipped_text(std::string_view name) override {
    if (name == "one") return std::string(kRecipe);
    return fail(ErrorCode::kNotFound, "no such recipe came with it", ErrorSource::kClient);
  }
  wire::ApiResult<std::string> run_probes(std::string_view yaml, std::string_view) override {
    return fmt::format("{{\"passed\":{},\"failed\":0}}", yaml.size());
  }

  std::vector<std::string> texts_{std::string(kRecipe)};
};

// The API on a loop and a port of its own.
class Site {
 public:
  explicit Site(std::string token = "", bool configured = true,
                Assets assets = Assets::embedded()) {
    services_.clock = &clock_;
    if (configured) {
      const auto router = make_router(kRecipe);
      EXPECT_TRUE(router) << router.error().message;
      runtime_ = std::make_shared<const gateway::Runtime>(config_, *router, services_);
    }
    api_ = std::make_unique<Api>(services_, offload_, hooks(), std::move(token), &keeper_, nullptr,
                                 std::move(assets));
    server_ = std::make_unique<http::Server>(loop_, *api_, http::ServerLimits{}, nullptr);
    EXPECT_TRUE(server_->listen("127.0.0.1", 0));
    loop_.post([this] { EXPECT_TRUE(server_->start()); });
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Site() { stop(); }
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  void stop() {
    if (!thread_.joinable()) return;
    loop_.post([this] { loop_.spawn(end()); });
    thread_.join();
  }

  http::SimpleResponse send(const std::string& method, const std::string& path,
                            std::string_view body = "", const Headers& headers = {},
                            const std::function<void(std::string_view)>& on_body = {}) {
    const auto response =
        http::fetch(method, fmt::format("http://127.0.0.1:{}{}", server_->port(), path), headers,
                    body, 20s, on_body);
    EXPECT_TRUE(response || on_body) << method << " " << path << ": " << response.error().message;
    return response ? *response : http::SimpleResponse{};
  }
  // The body as JSON of an answer that has this status.
  json::Value json(int status, const std::string& method, const std::string& path,
                   std::string_view body = "", const Headers& headers = {}) {
    const http::SimpleResponse response = send(method, path, body, headers);
    EXPECT_EQ(response.status, status) << path << " " << response.body;
    EXPECT_EQ(response.content_type, "application/json") << path;
    const auto parsed = json::Value::parse(response.body);
    EXPECT_TRUE(parsed) << response.body;
    return parsed ? *parsed : json::Value();
  }

  // Status of GET with a host header of our own, which fetch() would write itself.
  int status_for_host(std::string_view host, std::string_view more_lines = "") {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(server_->port());
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    const std::string request = fmt::format(
        "GET /api/v1/models HTTP/1.1\r\nhost: {}\r\n{}connection: close\r\n\r\n", host, more_lines);
    EXPECT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    char buffer[4096];
    for (ssize_t got; (got = read(fd, buffer, sizeof(buffer))) > 0;) {
      answer.append(buffer, static_cast<size_t>(got));
    }
    close(fd);
    constexpr std::string_view kVersion = "HTTP/1.1 ";
    return answer.starts_with(kVersion) ? std::stoi(answer.substr(kVersion.size(), 3)) : 0;
  }

  FakeClock clock_;
  gateway::Services services_;
  net::OffloadPool offload_{1};
  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<const gateway::Runtime> runtime_;
  std::shared_ptr<router::LearningState> learning_ = std::make_shared<router::LearningState>(3600);
  Readiness readiness_{true, ""};
  FakeKeeper keeper_;

 private:
  Result<std::shared_ptr<const router::Router>> make_router(std::string_view yaml) {
    const config::LoadResult loaded = config::load_text(yaml, "recipe");
    if (!loaded.config) {
      return fail(ErrorCode::kInvalidArgument, config::format_all(loaded.diagnostics));
    }
    if (!config_) config_ = loaded.config;
    return router::Router::make(loaded.config, {}, learning_, clock_);
  }

  Hooks hooks() {
    Hooks hooks;
    hooks.runtime = [this] { return runtime_; };
    hooks.readiness = [this] { return readiness_; };
    hooks.validate = [](std::string_view yaml) {
      return fmt::format("{{\"valid\":{}}}", yaml == "good");
    };
    hooks.candidate = [this](std::string_view yaml) { return make_router(yaml); };
    hooks.classifiers = []() -> Result<std::shared_ptr<const router::Classifiers>> {
      auto heads = nn::HeadBank::load(VSR_SOURCE_DIR "/models/heads.bin");
      if (!heads) return std::unexpected(heads.error());
      return router::Classifiers::make(
          {.heads = std::make_shared<const nn::HeadBank>(std::move(*heads))});
    };
    hooks.vectors = []() -> Result<std::shared_ptr<nn::Vectors>> {
      return fail(ErrorCode::kUnavailable, "the encoder is not installed");
    };
    hooks.sessions = [](size_t limit, std::string_view session) {
      return fmt::format("{{\"limit\":{},\"session\":\"{}\"}}", limit, session);
    };
    hooks.logs = [](size_t limit) { return fmt::format("{{\"lines\":[],\"limit\":{}}}", limit); };
    hooks.system = [] { return std::string("{\"version\":\"1\"}"); };
    return hooks;
  }

  net::Task<void> end() {
    server_->drain();
    server_->close_all();
    co_await server_->wait_empty(loop_.after(10s));
    loop_.stop();
  }

  net::Loop loop_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
};

inline std::string header_of(const http::SimpleResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace vsr::operator_api::fixture
