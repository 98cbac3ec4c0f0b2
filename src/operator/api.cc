#include "operator/api.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "gateway/access.h"
#include "gateway/gateway.h"
#include "json/value.h"
#include "json/writer.h"
#include "operator/meaning.h"

namespace vsr::operator_api {

namespace {

constexpr std::string_view kJsonHeader = "content-type: application/json\r\n";
constexpr std::string_view kPaths =
    "/healthz, /readyz, /metrics, /api/v1/eval, /api/v1/classify/{intent, pii, security, batch}, "
    "/api/v1/embeddings, /api/v1/similarity, /api/v1/config, /api/v1/config/validate, "
    "/api/v1/models, /api/v1/sessions, /api/v1/events, /api/v1/system and /v1/router_replay";
constexpr std::string_view kClassify = "/api/v1/classify/";
constexpr std::string_view kReplay = "/v1/router_replay";

// The methods of a path, "" if there is no such path.
std::string_view methods_of(std::string_view path) {
  constexpr std::string_view kGet = "GET, HEAD";
  constexpr std::string_view kPost = "POST";
  constexpr std::pair<std::string_view, std::string_view> kMethods[] = {
      {"/", kGet},
      {"/healthz", kGet},
      {"/readyz", kGet},
      {"/metrics", kGet},
      {"/api/v1/eval", kPost},
      {"/api/v1/embeddings", kPost},
      {"/api/v1/similarity", kPost},
      {"/api/v1/config", kGet},
      {"/api/v1/config/validate", kPost},
      {"/api/v1/models", kGet},
      {"/api/v1/sessions", kGet},
      {"/api/v1/system", kGet},
      {"/api/v1/events", kGet},
      {kReplay, kGet},
  };
  if (path.starts_with(kClassify)) return kPost;
  if (path.starts_with(kReplay) && path.substr(kReplay.size()).starts_with('/')) return kGet;
  const auto* known = std::ranges::find(kMethods, path, [](const auto& row) { return row.first; });
  return known == std::end(kMethods) ? "" : known->second;
}

bool lists(std::string_view methods, std::string_view method) {
  return std::ranges::any_of(split(methods, ','),
                             [&](std::string_view one) { return trim(one) == method; });
}

// The first page: what is here, for somebody who opens the address in a browser.
std::string front_page(const Readiness& readiness) {
  return fmt::format(
      "<!doctype html><meta charset=utf-8><title>vllm-sr</title>"
      "<style>body{{font:16px/1.5 system-ui;max-width:44rem;margin:3rem auto;padding:0 1rem}}"
      "code{{background:#8882;padding:.1em .3em;border-radius:4px}}</style>"
      "<h1>vllm-sr</h1><p>{}</p><ul>"
      "<li><a href=/api/v1/models>Models</a> and their backends"
      "<li><a href=/v1/router_replay>Replay</a>: why each request went where it went"
      "<li><a href=/v1/router_replay/aggregate>Totals</a>: decisions, models, cost"
      "<li><a href=/api/v1/sessions>Sessions</a> that learning remembers"
      "<li><a href=/api/v1/config>Recipe</a>"
      "<li><a href=/metrics>Metrics</a> for Prometheus"
      "<li><a href=/api/v1/system>System</a></ul>"
      "<p>Try a prompt without sending it: <code>vllm-sr eval --text \"…\"</code></p>",
      readiness.ready ? "Ready." : "Not ready: " + readiness.problem);
}

}  // namespace

Api::Api(gateway::Services& services, net::OffloadPool& offload, Hooks hooks, std::string token)
    : services_(services), offload_(offload), hooks_(std::move(hooks)), token_(std::move(token)) {}

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

// Without a token this listener is on loopback, and a name that points there from outside (DNS
// rebinding) is refused. No host at all is a client that is no browser.
static bool names_loopback(std::string_view host) {
  if (host.empty()) return true;
  const bool bracketed = host.starts_with('[');
  const size_t end = bracketed ? host.find(']') + 1 : host.find(':');
  const std::string_view name = host.substr(0, end);
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]" ||
         (name.starts_with("127.") && name.find_first_not_of("0123456789.") == name.npos);
}

bool Api::allowed(const http::Exchange& exchange) const {
  if (token_.empty()) return true;
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view given = exchange.request().headers.get("authorization");
  return given.starts_with(kBearer) &&
         gateway::equal_constant_time(given.substr(kBearer.size()), token_);
}

net::Task<void> Api::handle(http::Exchange& exchange) {
  const http::RequestHead& request = exchange.request();
  std::string_view path = request.path;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (token_.empty() && !names_loopback(request.headers.get("host"))) {
    co_await refuse(exchange, {421, "wrong_host", "",
                               "this address is for this machine alone: ask for 127.0.0.1 or "
                               "localhost (a page of another site cannot read it)"});
    co_return;
  }
  const std::string_view methods = methods_of(path);
  const bool is_probe = path == "/healthz" || path == "/readyz";
  if (!is_probe && !allowed(exchange)) {
    co_await refuse(exchange, {401, "admin_token_required", "",
                               "this address needs the admin token: send `authorization: Bearer "
                               "TOKEN` (it is in the state folder, file admin-token)"});
    co_return;
  }
  if (methods.empty()) {
    co_await refuse(exchange, {404, "unknown_path", "",
                               fmt::format("there is no {} here; the paths are {}", path, kPaths)});
    co_return;
  }
  if (!lists(methods, request.method)) {
    exchange.add_to_answer(http::HeaderText().add("allow", methods));
    co_await refuse(exchange, {405, "method_not_allowed", "",
                               fmt::format("{} takes {}, not {}", path, methods, request.method)});
    co_return;
  }
  if (methods == "POST") {
    co_await post(exchange, path);
  } else {
    co_await get(exchange, path);
  }
}

net::Task<void> Api::get(http::Exchange& exchange, std::string_view path) {
  if (path == "/healthz") {
    co_await json(exchange, "{\"status\":\"ok\"}");
  } else if (path == "/readyz") {
    const Readiness readiness = hooks_.readiness();
    const std::string body = json::JsonWriter()
                                 .begin_object()
                                 .field("ready", readiness.ready)
                                 .field("problem", readiness.problem)
                                 .end_object()
                                 .str();
    co_await exchange.respond(readiness.ready ? 200 : 503, kJsonHeader, body);
  } else if (path == "/") {
    co_await exchange.respond(200, "content-type: text/html; charset=utf-8\r\n",
                              front_page(hooks_.readiness()));
  } else if (path == "/metrics") {
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
  } else if (path == "/api/v1/config") {
    const Result<std::string> text = hooks_.config_text();
    if (!text) {
      co_await refuse(exchange, wire::to_api_error(text.error()));
      co_return;
    }
    co_await exchange.respond(200, "content-type: application/yaml\r\n", *text);
  } else if (path == "/api/v1/models") {
    co_await json(exchange, models());
  } else if (path == "/api/v1/sessions") {
    constexpr size_t kSessionsShown = 200;
    co_await json(exchange, hooks_.sessions(kSessionsShown));
  } else if (path == "/api/v1/system") {
    co_await json(exchange, hooks_.system());
  } else if (path == "/api/v1/events") {
    co_await events(exchange);
  } else {
    co_await replay(exchange, path.substr(kReplay.size()));
  }
}

net::Task<void> Api::post(http::Exchange& exchange, std::string_view path) {
  if (path == "/api/v1/eval") {
    co_await eval(exchange);
    co_return;
  }
  const Result<http::Bytes> body = co_await exchange.read_body(kBodyBytesMax);
  if (!body) {
    co_await refuse(exchange, wire::to_api_error(body.error()));
  } else if (path == "/api/v1/config/validate") {
    co_await json(exchange, hooks_.validate(body->view()));
  } else if (path == "/api/v1/embeddings") {
    co_await embeddings(exchange, body->view());
  } else if (path == "/api/v1/similarity") {
    co_await similarity(exchange, body->view());
  } else {
    co_await classify(exchange, path.substr(kClassify.size()), body->view());
  }
}

net::Task<void> Api::eval(http::Exchange& exchange) {
  const Result<http::Bytes> body = co_await exchange.read_body(kBodyBytesMax);
  if (!body) {
    co_await refuse(exchange, wire::to_api_error(body.error()));
    co_return;
  }
  const std::shared_ptr<const gateway::Runtime> runtime = hooks_.runtime();
  std::shared_ptr<const router::Router> router = runtime ? runtime->router : nullptr;
  if (exchange.request().query == "config=candidate") {
    const Result<json::Value> input = json::Value::parse(body->view());
    const std::string yaml(input ? (*input)["config"].as_string() : "");
    Result<std::shared_ptr<const router::Router>> candidate = hooks_.candidate(yaml);
    if (!candidate) {
      co_await refuse(exchange, {400, "invalid_recipe", "config", candidate.error().message});
      co_return;
    }
    router = std::move(*candidate);
  }
  if (!router) {
    co_await refuse(exchange, {503, "not_configured", "", "no recipe is active yet"});
    co_return;
  }
  // Every signal is evaluated, the encoder's too: not on the loop.
  wire::ApiResult<std::string> document;
  std::function<Result<bool>()> work = [&]() -> Result<bool> {
    document = evaluate(*router, runtime.get(), *services_.clock, body->view());
    return true;
  };
  const Result<bool> done = co_await net::offload<bool>(offload_, exchange.loop(), std::move(work));
  if (!done) {
    co_await refuse(exchange, {503, "overloaded", "", done.error().message});
    co_return;
  }
  if (!document) {
    co_await refuse(exchange, document.error());
    co_return;
  }
  co_await json(exchange, std::move(*document));
}

net::Task<void> Api::classify(http::Exchange& exchange, std::string_view task,
                              std::string_view body) {
  wire::ApiResult<std::string> answer;
  std::function<Result<bool>()> work = [&]() -> Result<bool> {
    const auto classifiers = hooks_.classifiers();
    if (!classifiers) return std::unexpected(classifiers.error());
    answer = operator_api::classify(task, **classifiers, *services_.clock, body);
    return true;
  };
  const Result<bool> done = co_await net::offload<bool>(offload_, exchange.loop(), std::move(work));
  if (!done) {
    co_await refuse(exchange, wire::to_api_error(done.error()));
  } else if (!answer) {
    co_await refuse(exchange, answer.error());
  } else {
    co_await json(exchange, std::move(*answer));
  }
}

// One text at a time, so that the prompts of requests take their turn between them.
net::Task<Result<Api::Encoded>> Api::encode(net::Loop& loop, std::string text) {
  std::function<Result<Encoded>()> work = [this, &text]() -> Result<Encoded> {
    Result<std::shared_ptr<nn::Vectors>> vectors = hooks_.vectors();
    if (!vectors) return std::unexpected(vectors.error());
    std::vector<float> vector((*vectors)->dims());
    if (!(*vectors)->find(text, vector)) {
      if (const Status done = (*vectors)->encode(text, vector); !done) {
        return std::unexpected(done.error());
      }
    }
    return Encoded{std::move(*vectors), std::move(vector)};
  };
  net::OffloadPool& pool = services_.compute != nullptr ? *services_.compute : offload_;
  co_return co_await net::offload<Encoded>(pool, loop, std::move(work));
}

net::Task<void> Api::embeddings(http::Exchange& exchange, std::string_view body) {
  const wire::ApiResult<std::vector<std::string>> texts = embedding_texts(body);
  if (!texts) {
    co_await refuse(exchange, texts.error());
    co_return;
  }
  std::vector<std::vector<float>> vectors;
  std::string version;
  for (const std::string& text : *texts) {
    Result<Encoded> encoded = co_await encode(exchange.loop(), text);
    if (!encoded) {
      co_await refuse(exchange, wire::to_api_error(encoded.error()));
      co_return;
    }
    version = encoded->vectors->version();
    vectors.push_back(std::move(encoded->vector));
  }
  co_await json(exchange, embeddings_answer(version, vectors));
}

net::Task<void> Api::similarity(http::Exchange& exchange, std::string_view body) {
  const wire::ApiResult<Pair> pair = similarity_pair(body);
  if (!pair) {
    co_await refuse(exchange, pair.error());
    co_return;
  }
  const Result<Encoded> a = co_await encode(exchange.loop(), pair->a);
  const Result<Encoded> b = a ? co_await encode(exchange.loop(), pair->b) : a;
  if (!b) {
    co_await refuse(exchange, wire::to_api_error(b.error()));
    co_return;
  }
  const nn::Vectors& vectors = *a->vectors;
  co_await json(exchange, similarity_answer(vectors.version(), vectors.similarity_curve(),
                                            nn::dot(a->vector, b->vector)));
}

net::Task<void> Api::events(http::Exchange& exchange) {
  if (event_readers_ >= kEventReadersMax) {
    co_await refuse(exchange, {503, "too_many_readers", "", "close another live view first"});
    co_return;
  }
  ++event_readers_;
  services_.events.add_reader();
  uint64_t last = services_.events.newest();
  const std::string_view resume = exchange.request().headers.get("last-event-id");
  if (!resume.empty()) last = std::strtoull(std::string(resume).c_str(), nullptr, 10);
  co_await exchange.start(200, "content-type: text/event-stream\r\ncache-control: no-store\r\n");
  std::string_view hello[] = {": live\n\n"};
  bool open = (co_await exchange.write(hello)).has_value();
  constexpr std::chrono::milliseconds kPoll{100};
  constexpr int kPollsPerHeartbeat = 150;
  for (int quiet = 0; open;) {
    if (!(co_await exchange.loop().sleep(kPoll, &exchange.client_gone()))) break;
    std::string out;
    for (const auto& [number, event] : services_.events.since(last)) {
      out += fmt::format("id: {}\ndata: {}\n\n", number, event);
      last = number;
    }
    if (out.empty() && ++quiet < kPollsPerHeartbeat) continue;
    if (out.empty()) out = ": still here\n\n";
    quiet = 0;
    const std::string_view pieces[] = {out};
    open = (co_await exchange.write(pieces)).has_value();
  }
  services_.events.remove_reader();
  --event_readers_;
  exchange.abandon();
}

net::Task<void> Api::replay(http::Exchange& exchange, std::string_view rest) {
  if (!services_.replay) {
    co_await refuse(exchange, {404, "replay_off", "", "the recipe turns replay off"});
    co_return;
  }
  const Result<store::ReplayQuery> query = store::parse_replay_query(exchange.request().query);
  if (!query) {
    co_await refuse(exchange, wire::to_api_error(query.error()));
    co_return;
  }
  if (rest.starts_with('/')) rest.remove_prefix(1);
  Result<std::string> body = co_await gateway::read_replay(
      *services_.replay, offload_, exchange.loop(), std::string(rest), *query);
  if (!body) {
    co_await refuse(exchange, wire::to_api_error(body.error()));
    co_return;
  }
  co_await json(exchange, std::move(*body));
}

std::string Api::models() const {
  json::JsonWriter w;
  w.begin_object().key("models").begin_array();
  const std::shared_ptr<const gateway::Runtime> runtime = hooks_.runtime();
  const MonoTime now = services_.clock->mono();
  for (size_t m = 0; runtime && m < runtime->config->models.size(); ++m) {
    const config::Model& model = runtime->config->models[m];
    const gateway::ModelMetrics& metrics = runtime->model_metrics[m];
    const double prompt = metrics.prompt_tokens->Value();
    w.begin_object();
    w.field("name", model.name);
    w.field("healthy", runtime->backends.healthy(static_cast<config::ModelId>(m), now));
    w.field("quality_score", model.quality_score.value_or(0));
    w.field("context_window_size", model.context_window_size);
    w.field("requests", static_cast<uint64_t>(metrics.requests->Value()));
    w.field("cached_token_ratio", prompt > 0 ? metrics.cached_tokens->Value() / prompt : 0);
    if (model.pricing) {
      w.key("pricing").begin_object();
      w.field("currency", model.pricing->currency);
      w.field("prompt_per_1m", model.pricing->prompt_per_1m);
      w.field("cached_input_per_1m", model.pricing->cached_input_per_1m);
      w.field("completion_per_1m", model.pricing->completion_per_1m);
      w.end_object();
    }
    w.key("endpoints").begin_array();
    for (const gateway::Backend& backend : runtime->backends.of(static_cast<config::ModelId>(m))) {
      const gateway::Endpoint& endpoint = *backend.endpoint;
      const auto ttft = endpoint.ttft.percentiles();
      w.begin_object();
      w.field("name", backend.ref->name);
      w.field("address", endpoint.named().text());
      w.field("connects_to", endpoint.dial().text());
      w.field("healthy", endpoint.may_serve(now));
      w.field("weight", backend.ref->weight);
      w.field("in_flight", endpoint.in_flight.load());
      w.field("requests", endpoint.requests.load());
      w.field("failures", endpoint.failures.load());
      w.field("ttft_p50_ms", ttft.p50_ms);
      w.field("ttft_p95_ms", ttft.p95_ms);
      w.end_object();
    }
    w.end_array().end_object();
  }
  w.end_array().end_object();
  return w.take();
}

}  // namespace vsr::operator_api
