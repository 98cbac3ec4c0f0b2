#include "operator/api.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "json/value.h"
#include "json/writer.h"
#include "operator/openapi.h"

namespace vsr::operator_api {

namespace {

constexpr std::string_view kJsonHeader = "content-type: application/json\r\n";
// The page runs its own scripts and talks to nobody else. Its editor and its graphs set styles.
constexpr std::string_view kPageHeaders =
    "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self' "
    "'unsafe-inline'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'\r\n"
    "x-content-type-options: nosniff\r\nx-frame-options: DENY\r\nreferrer-policy: no-referrer\r\n";

// "/a/{id}" takes "/a/x" and "/a/x/y"; `rest` is what stands for {id}.
bool takes(std::string_view pattern, std::string_view path, std::string_view& rest) {
  const size_t brace = pattern.find('{');
  if (brace == std::string_view::npos) {
    rest = {};
    return path == pattern;
  }
  if (!path.starts_with(pattern.substr(0, brace)) || path.size() == brace) return false;
  rest = path.substr(brace);
  return true;
}

// The first page of a program without the dashboard: what is here.
std::string front_page(const Readiness& readiness) {
  return fmt::format(
      "<!doctype html><meta charset=utf-8><title>vllm-sr</title>"
      "<style>body{{font:16px/1.5 system-ui;max-width:44rem;margin:3rem auto;padding:0 1rem}}"
      "code{{background:#8882;padding:.1em .3em;border-radius:4px}}</style>"
      "<h1>vllm-sr</h1><p>{}</p><p>This program was built without the dashboard. <ul>"
      "<li><a href=/docs>The API</a>"
      "<li><a href=/api/v1/models>Models</a> and their backends"
      "<li><a href=/v1/router_replay>Replay</a>: why each request went where it went"
      "<li><a href=/v1/router_replay/aggregate>Totals</a>: decisions, models, cost"
      "<li><a href=/api/v1/system>System</a></ul>"
      "<p>Try a prompt without sending it: <code>vllm-sr eval --text \"…\"</code></p>",
      readiness.ready ? "Ready." : "Not ready: " + readiness.problem);
}

bool is_of_the_api(std::string_view path) {
  return path.starts_with("/api/") || path.starts_with("/v1/") || path == "/api" || path == "/v1";
}

}  // namespace

const std::span<const Api::Row> Api::kRows = [] {
  static constexpr Row kAll[] = {
      {{"GET", "/healthz"}, &Api::healthz},
      {{"GET", "/readyz"}, &Api::readyz},
      {{"GET", "/metrics"}, &Api::metrics},
      {{"GET", "/openapi.json"}, &Api::openapi},
      {{"GET", "/docs"}, &Api::docs},
      {{"POST", "/api/v1/login"}, &Api::login},
      {{"POST", "/api/v1/logout"}, &Api::logout},
      {{"POST", "/api/v1/eval"}, &Api::eval},
      {{"POST", "/api/v1/classify/{task}"}, &Api::classify},
      {{"POST", "/api/v1/embeddings"}, &Api::embeddings},
      {{"POST", "/api/v1/similarity"}, &Api::similarity},
      {{"GET", "/api/v1/config"}, &Api::config},
      {{"PUT", "/api/v1/config"}, &Api::put_config},
      {{"POST", "/api/v1/config/validate"}, &Api::validate},
      {{"POST", "/api/v1/config/probes"}, &Api::probes},
      {{"GET", "/api/v1/config/versions"}, &Api::versions},
      {{"GET", "/api/v1/config/versions/{id}"}, &Api::version},
      {{"POST", "/api/v1/config/rollback"}, &Api::rollback},
      {{"GET", "/api/v1/recipes"}, &Api::shipped_recipes},
      {{"POST", "/api/v1/recipes/import"}, &Api::import_recipe},
      {{"GET", "/api/v1/recipes/{name}"}, &Api::shipped_recipe},
      {{"GET", "/api/v1/topology"}, &Api::topology},
      {{"GET", "/api/v1/models"}, &Api::models},
      {{"POST", "/api/v1/endpoints"}, &Api::endpoints},
      {{"GET", "/api/v1/endpoints/metrics"}, &Api::endpoint_metrics},
      {{"GET", "/api/v1/sessions"}, &Api::sessions},
      {{"GET", "/api/v1/sessions/{id}"}, &Api::session},
      {{"GET", "/api/v1/system"}, &Api::system},
      {{"GET", "/api/v1/logs"}, &Api::logs},
      {{"GET", "/api/v1/events"}, &Api::events},
      {{"GET", "/api/v1/conversations"}, &Api::conversations},
      {{"GET", "/v1/router_replay"}, &Api::replay},
      {{"GET", "/v1/router_replay/{id}"}, &Api::replay},
      {{"POST", "/api/v1/replay/simulate"}, &Api::simulate},
      {{"POST", "/v1/chat/completions"}, &Api::chat},
  };
  return std::span<const Row>(kAll);
}();

std::vector<Api::Route> Api::routes() {
  std::vector<Route> out;
  for (const Row& row : kRows) out.push_back(row.route);
  return out;
}

Api::Api(gateway::Services& services, net::OffloadPool& offload, Hooks hooks, std::string token,
         RecipeKeeper* recipes, gateway::Gateway* gateway, Assets assets)
    : services_(services),
      offload_(offload),
      hooks_(std::move(hooks)),
      access_(std::move(token)),
      recipes_(recipes),
      gateway_(gateway),
      assets_(std::move(assets)) {}

std::string Api::error_body(int status, std::string_view code, std::string_view message) {
  return wire::error_body({status, std::string(code), "", std::string(message)});
}

net::Task<void> Api::refuse(http::Exchange& exchange, wire::ApiError error) {
  const std::string body = wire::error_body(error);
  co_await exchange.respond(error.status, kJsonHeader, body);
}

net::Task<void> Api::json(http::Exchange& exchange, std::string body) {
  co_await exchange.respond(200, kJsonHeader, body);
}

net::Task<void> Api::respond(http::Exchange& exchange, Answer answer) {
  const std::string lines =
      fmt::format("content-type: {}\r\n{}", answer.content_type, answer.header_lines);
  co_await exchange.respond(answer.status, lines, answer.body);
}

net::Task<void> Api::work(http::Exchange& exchange,
                          std::function<Answer(std::string_view body)> work) {
  const Result<http::Bytes> body = co_await exchange.read_body(kBodyBytesMax);
  if (!body) {
    co_await refuse(exchange, wire::to_api_error(body.error()));
    co_return;
  }
  std::function<Result<Answer>()> on_pool = [&work, &body]() -> Result<Answer> {
    return work(body->view());
  };
  Result<Answer> done =
      co_await net::offload<Answer>(offload_, exchange.loop(), std::move(on_pool));
  if (done) {
    co_await respond(exchange, std::move(*done));
  } else {
    co_await refuse(exchange, {503, "overloaded", "", done.error().message});
  }
}

net::Task<void> Api::handle(http::Exchange& exchange) {
  const http::RequestHead& request = exchange.request();
  std::string_view path = request.path;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const bool is_page = !assets_.empty() && !is_of_the_api(path) &&
                       (request.method == "GET" || request.method == "HEAD");
  std::string_view rest;
  Handle handle = nullptr;
  std::string methods;
  for (const Row& row : kRows) {
    if (!takes(row.route.path, path, rest)) continue;
    const bool reads = row.route.method == "GET";
    if (request.method == row.route.method || (reads && request.method == "HEAD")) {
      handle = row.handle;
      break;
    }
    methods +=
        fmt::format("{}{}", methods.empty() ? "" : ", ", reads ? "GET, HEAD" : row.route.method);
  }
  const bool is_open = path == "/healthz" || path == "/readyz" || path == "/api/v1/login" ||
                       (is_page && handle == nullptr && methods.empty());
  if (auto refusal = access_.refusal(request, is_open)) {
    co_await refuse(exchange, std::move(*refusal));
  } else if (handle != nullptr) {
    co_await (this->*handle)(exchange, rest);
  } else if (!methods.empty()) {
    exchange.add_to_answer(http::HeaderText().add("allow", methods));
    co_await refuse(exchange, {405, "method_not_allowed", "",
                               fmt::format("{} takes {}, not {}", path, methods, request.method)});
  } else if (is_page) {
    co_await page(exchange, path);
  } else if (path == "/" && assets_.empty()) {
    if (request.method == "GET" || request.method == "HEAD") {
      co_await exchange.respond(200, "content-type: text/html; charset=utf-8\r\n",
                                front_page(hooks_.readiness()));
    } else {
      exchange.add_to_answer(http::HeaderText().add("allow", "GET, HEAD"));
      co_await refuse(exchange, {405, "method_not_allowed", "",
                                 fmt::format("/ takes GET, HEAD, not {}", request.method)});
    }
  } else {
    co_await refuse(exchange,
                    {404, "unknown_path", "",
                     fmt::format("there is no {} here; /docs lists what there is", path)});
  }
}

// A file of the dashboard. Every other path is one of its views, so the first page answers.
net::Task<void> Api::page(http::Exchange& exchange, std::string_view path) {
  const Asset* asset = assets_.find(path);
  if (asset == nullptr && path.starts_with("/assets/")) {
    co_await refuse(exchange, {404, "unknown_path", "",
                               "this file belongs to another version of the dashboard; load the "
                               "page again"});
    co_return;
  }
  const bool is_view = asset == nullptr;
  if (is_view) asset = assets_.find("/index.html");
  if (asset == nullptr) {
    co_await refuse(exchange, {404, "unknown_path", "", "the dashboard has no first page"});
    co_return;
  }
  const http::Headers& headers = exchange.request().headers;
  const bool gzip =
      !asset->gzip.empty() && (asset->plain.empty() || takes_gzip(headers.get("accept-encoding")));
  // The two codings are two representations, so each has a tag of its own.
  const std::string tag = fmt::format("\"{}{}\"", asset->digest, gzip ? "-gz" : "");
  http::HeaderText lines;
  lines.add("etag", tag).add("vary", "accept-encoding");
  lines.add("cache-control",
            path.starts_with("/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
  const bool is_known = headers.get("if-none-match") == tag;
  lines.add("content-type", asset->content_type);
  if (gzip && !is_known) lines.add("content-encoding", "gzip");
  const std::string text = lines.text() + std::string(kPageHeaders);
  co_await exchange.respond(is_known ? 304 : 200, text,
                            is_known ? std::string_view()
                            : gzip   ? asset->gzip
                                     : asset->plain);
}

// ---- the program --------------------------------------------------------------------------------

net::Task<void> Api::healthz(http::Exchange& exchange, std::string_view) {
  co_await json(exchange, "{\"status\":\"ok\"}");
}

net::Task<void> Api::readyz(http::Exchange& exchange, std::string_view) {
  const Readiness readiness = hooks_.readiness();
  const std::string body = json::JsonWriter()
                               .begin_object()
                               .field("ready", readiness.ready)
                               .field("problem", readiness.problem)
                               .end_object()
                               .str();
  co_await exchange.respond(readiness.ready ? 200 : 503, kJsonHeader, body);
}

net::Task<void> Api::metrics(http::Exchange& exchange, std::string_view) {
  std::string text = services_.metrics.text();
  if (services_.replay) {
    const store::DropCounts dropped = services_.replay->dropped();
    text += fmt::format(
        "# HELP vsr_replay_dropped_total Parts of records dropped from a full queue\n"
        "# TYPE vsr_replay_dropped_total counter\n"
        "vsr_replay_dropped_total{{kind=\"body\"}} {}\n"
        "vsr_replay_dropped_total{{kind=\"record\"}} {}\n",
        dropped.bodies, dropped.records);
  }
  co_await exchange.respond(200, "content-type: text/plain; version=0.0.4\r\n", text);
}

net::Task<void> Api::openapi(http::Exchange& exchange, std::string_view) {
  co_await exchange.respond(200, kJsonHeader, openapi_json());
}

net::Task<void> Api::docs(http::Exchange& exchange, std::string_view) {
  const std::string page = openapi_page();
  const std::string lines =
      "content-type: text/html; charset=utf-8\r\n" + std::string(kPageHeaders);
  co_await exchange.respond(200, lines, page);
}

net::Task<void> Api::login(http::Exchange& exchange, std::string_view) {
  constexpr uint64_t kLoginBytesMax = 4096;
  const Result<http::Bytes> body = co_await exchange.read_body(kLoginBytesMax);
  const Result<json::Value> input =
      body ? json::Value::parse(body->view()) : Result<json::Value>(std::unexpected(body.error()));
  if (!input || !(*input)["token"].is_string()) {
    co_await refuse(exchange,
                    {400, "missing_required_parameter", "token", "send {\"token\": \"…\"}"});
    co_return;
  }
  if (access_.needs_token() && !access_.is_token((*input)["token"].as_string())) {
    co_await refuse(exchange, {401, "wrong_token", "token",
                               "this is not the admin token; it is in the state folder, file "
                               "admin-token"});
    co_return;
  }
  if (access_.needs_token()) {
    exchange.add_to_answer(http::HeaderText().add("set-cookie", access_.cookie()));
  }
  co_await json(exchange, "{\"ok\":true}");
}

net::Task<void> Api::logout(http::Exchange& exchange, std::string_view) {
  exchange.add_to_answer(http::HeaderText().add("set-cookie", Access::no_cookie()));
  co_await json(exchange, "{\"ok\":true}");
}

net::Task<void> Api::sessions(http::Exchange& exchange, std::string_view) {
  constexpr size_t kSessionsShown = 200;
  co_await json(exchange, hooks_.sessions(kSessionsShown, ""));
}

net::Task<void> Api::session(http::Exchange& exchange, std::string_view id) {
  constexpr size_t kLineagesShown = 200;
  co_await json(exchange, hooks_.sessions(kLineagesShown, id));
}

net::Task<void> Api::system(http::Exchange& exchange, std::string_view) {
  co_await json(exchange, hooks_.system());
}

net::Task<void> Api::logs(http::Exchange& exchange, std::string_view) {
  constexpr size_t kLinesShown = 200;
  co_await json(exchange, hooks_.logs(kLinesShown));
}

net::Task<void> Api::chat(http::Exchange& exchange, std::string_view) {
  if (gateway_ == nullptr) {
    co_await refuse(exchange, {503, "not_configured", "", "there is no gateway here"});
    co_return;
  }
  co_await gateway_->chat_of_operator(exchange);
}

}  // namespace vsr::operator_api
