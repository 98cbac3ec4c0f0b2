#include "gateway/gateway.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "gateway/route_headers.h"
#include "json/writer.h"
#include "wire/reply.h"

namespace vsr::gateway {

namespace {

constexpr std::string_view kJsonHeader = "content-type: application/json\r\n";
constexpr std::string_view kPaths =
    "/v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models, /v1/router_replay, /load "
    "and /metrics";
constexpr size_t kRequestIdBytesMax = 128;

struct Route {
  std::string_view path;
  std::string_view methods;  // as the `allow` header says them
};
// Paths that are answered here; a trailing slash makes no difference.
constexpr Route kRoutes[] = {
    {"/v1/chat/completions", "POST"},   {"/v1/completions", "POST"},
    {"/v1/embeddings", "POST"},         {"/v1/models", "GET, HEAD"},
    {"/v1/router_replay", "GET, HEAD"}, {"/load", "GET, HEAD"},
    {"/metrics", "GET, HEAD"},
};

bool allows(std::string_view methods, std::string_view method) {
  for (const std::string_view one : split(methods, ',')) {
    if (trim(one) == method) return true;
  }
  return false;
}

// The route of a path, and what follows it: "/v1/models/a/b" → "/v1/models", "a/b".
const Route* find_route(std::string_view path, std::string_view& rest) {
  for (const Route& route : kRoutes) {
    if (path == route.path) {
      rest = {};
      return &route;
    }
    const bool has_children = route.path == "/v1/models" || route.path == "/v1/router_replay";
    if (has_children && path.starts_with(route.path) && path[route.path.size()] == '/') {
      rest = path.substr(route.path.size() + 1);
      return &route;
    }
  }
  return nullptr;
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 &&
        digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

net::Task<Result<std::string>> read_replay(store::Replay& replay, net::OffloadPool& pool,
                                           net::Loop& loop, std::string rest,
                                           store::ReplayQuery query) {
  Id128 id;
  const bool is_list = rest.empty() || rest == "aggregate" || rest == "trajectory";
  if (!is_list && !parse_id(rest, id)) {
    co_return fail(ErrorCode::kNotFound, "a record's id is 32 hex digits, as in x-vsr-replay-id",
                   ErrorSource::kClient);
  }
  std::function<Result<std::string>()> read = [&replay, &rest, &query, id] {
    if (rest.empty()) return replay.list(query);
    if (rest == "aggregate") return replay.aggregate(query);
    if (rest == "trajectory") return replay.trajectory(query);
    return replay.show(id, query);
  };
  co_return co_await net::offload<std::string>(pool, loop, std::move(read));
}

// ---- LoopState ----------------------------------------------------------------------------------

LoopState::LoopState(net::Loop& loop_in, net::OffloadPool& offload_in,
                     std::shared_ptr<const net::TlsContext> client_tls)
    : loop(loop_in),
      offload(offload_in),
      resolver(loop, offload),
      pool(loop, resolver, {}, std::move(client_tls)) {}

std::unique_ptr<router::Request, LoopState::Return> LoopState::take_request() {
  if (spare_.empty()) return {new router::Request, Return{this}};
  router::Request* const request = spare_.back().release();
  spare_.pop_back();
  return {request, Return{this}};
}

void LoopState::Return::operator()(router::Request* request) const {
  std::unique_ptr<router::Request> owned(request);
  if (state->spare_.size() < kRequestsKept) state->spare_.push_back(std::move(owned));
}

// ---- Gateway ------------------------------------------------------------------------------------

Gateway::Gateway(Services& services, LoopState& state, size_t listener, bool public_is_loopback,
                 std::string operator_address)
    : services_(services),
      state_(state),
      listener_(listener),
      public_is_loopback_(public_is_loopback),
      operator_address_(std::move(operator_address)) {}

std::string Gateway::error_body(int status, std::string_view code, std::string_view message) {
  return wire::error_body({status, std::string(code), "", std::string(message)});
}

std::string Gateway::request_id(const http::Exchange& exchange) const {
  const std::string_view given = exchange.request().headers.get("x-request-id");
  return given.empty() || given.size() > kRequestIdBytesMax ? random_id().hex()
                                                            : std::string(given);
}

net::Task<void> Gateway::refuse(http::Exchange& exchange, wire::ApiError error,
                                std::string_view extra_headers) {
  http::HeaderText headers;
  headers.add("content-type", "application/json").add("x-request-id", request_id(exchange));
  add_retry_after(error, headers);
  const std::string lines = headers.text() + std::string(extra_headers);
  const std::string body = wire::error_body(error);
  co_await exchange.respond(error.status, lines, body);
}

net::Task<void> Gateway::handle(http::Exchange& exchange) {
  const http::RequestHead& request = exchange.request();
  std::string_view path = request.path;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (request.method == "OPTIONS") {
    co_await preflight(exchange);
    co_return;
  }
  allow_origin(exchange);
  std::string_view rest;
  const Route* route = find_route(path, rest);
  if (route == nullptr) {
    const bool later = path == "/v1/responses" || path == "/v1/messages" ||
                       path.starts_with("/v1/responses/") || path.starts_with("/v1/messages/");
    co_await refuse(exchange, {404, "unknown_path", "",
                               fmt::format("there is no {} here{}; the paths are {}", path,
                                           later ? " (use /v1/chat/completions)" : "", kPaths)});
    co_return;
  }
  if (!allows(route->methods, request.method)) {
    co_await refuse(exchange,
                    {405, "method_not_allowed", "",
                     fmt::format("{} takes {}, not {}", path, route->methods, request.method)},
                    http::HeaderText().add("allow", route->methods));
    co_return;
  }
  if (!state_.runtime) {
    co_await refuse_setup(exchange);
    co_return;
  }
  wire::ApiResult<Caller> caller = state_.runtime->access(listener_).check(
      request.headers.get("authorization"), request.headers.get("x-api-key"),
      services_.clock->mono());
  if (!caller) {
    co_await refuse(exchange, caller.error());
    co_return;
  }
  if (route->path == "/v1/chat/completions") {
    co_await proxy(exchange, CallKind::kChat, *caller);
  } else if (route->path == "/v1/completions") {
    co_await proxy(exchange, CallKind::kCompletions, *caller);
  } else if (route->path == "/v1/embeddings") {
    co_await proxy(exchange, CallKind::kEmbeddings, *caller);
  } else if (route->path == "/v1/models") {
    co_await models(exchange, rest, *caller);
  } else if (route->path == "/v1/router_replay") {
    co_await replay(exchange, rest, *caller);
  } else if (route->path == "/load") {
    co_await load(exchange);
  } else {
    co_await metrics(exchange);
  }
}

net::Task<void> Gateway::refuse_setup(http::Exchange& exchange) {
  co_await refuse(exchange, {503, "not_configured", "",
                             fmt::format("no recipe is active yet: activate one on the operator's "
                                         "page {}, or start with `vllm-sr serve --config FILE`",
                                         operator_address_)});
}

net::Task<void> Gateway::chat_of_operator(http::Exchange& exchange) {
  if (state_.runtime) {
    co_await proxy(exchange, CallKind::kChat, Caller{});
  } else {
    co_await refuse_setup(exchange);
  }
}

net::Task<void> Gateway::proxy(http::Exchange& exchange, CallKind kind, const Caller& caller) {
  const std::string_view coding = exchange.request().headers.get("content-encoding");
  if (!coding.empty() && !iequals(coding, "identity")) {
    exchange.close_after();
    co_await refuse(exchange, {415, "unsupported_content_encoding", "",
                               fmt::format("a body with content-encoding {} is not read here; "
                                           "send it as it is",
                                           coding)});
    co_return;
  }
  const uint64_t body_bytes_max =
      state_.runtime->config
          ->listeners[std::min(listener_, state_.runtime->config->listeners.size() - 1)]
          .max_body_bytes;
  const Result<http::Bytes> body = co_await exchange.read_body(body_bytes_max);
  if (!body) {
    if (body.error().code == ErrorCode::kClosed || body.error().code == ErrorCode::kCancelled) {
      co_return;  // nobody is there to be told
    }
    wire::ApiError error = wire::to_api_error(body.error());
    error.status = body.error().code == ErrorCode::kTooLarge  ? 413
                   : body.error().code == ErrorCode::kTimeout ? 408
                                                              : 400;
    exchange.close_after();
    co_await refuse(exchange, std::move(error));
    co_return;
  }
  const auto request = state_.take_request();
  Call call(kind, exchange, services_, state_.runtime, state_.pool, *request, caller,
            request_id(exchange));
  co_await call.run(body->view(), state_.facts);
}

net::Task<void> Gateway::models(http::Exchange& exchange, std::string_view id,
                                const Caller& caller) {
  const config::Config& config = *state_.runtime->config;
  std::vector<wire::ModelEntry> entries;
  for (const std::string& name : config.auto_names) {
    entries.push_back({name, "vllm-sr", "Chosen by the recipe for each request", 0, 0});
  }
  for (const config::Model& model : config.models) {
    entries.push_back({model.name, "vllm-sr", model.description, 0,
                       static_cast<int64_t>(model.context_window_size)});
  }
  std::erase_if(entries, [&](const wire::ModelEntry& entry) { return !caller.may_use(entry.id); });
  if (id.empty()) {
    const std::string body = wire::model_list(entries);
    co_await exchange.respond(200, kJsonHeader, body);
    co_return;
  }
  const std::string wanted = percent_decoded(id);
  for (const wire::ModelEntry& entry : entries) {
    if (entry.id != wanted) continue;
    const std::string body = wire::model_object(entry);
    co_await exchange.respond(200, kJsonHeader, body);
    co_return;
  }
  co_await refuse(exchange, {404, "model_not_found", "model",
                             fmt::format("there is no model {}; /v1/models lists them", wanted)});
}

net::Task<void> Gateway::replay(http::Exchange& exchange, std::string_view rest,
                                const Caller& caller) {
  if (!services_.replay || !state_.runtime->config->replay.is_public) {
    co_await refuse(exchange, {404, "replay_off", "",
                               "replay is not served on this address; the operator's address has "
                               "it if it is recorded"});
    co_return;
  }
  const bool has_keys = state_.runtime->access(listener_).has_keys();
  const bool is_list = rest.empty() || rest == "aggregate" || rest == "trajectory";
  if (is_list && !has_keys && !public_is_loopback_) {
    co_await refuse(exchange,
                    {403, "operator_only", "",
                     fmt::format("lists of records are shown on the operator's address, {}",
                                 operator_address_)});
    co_return;
  }
  Result<store::ReplayQuery> query = store::parse_replay_query(exchange.request().query);
  if (!query) {
    co_await refuse(exchange, wire::to_api_error(query.error()));
    co_return;
  }
  query->own_only = has_keys;
  query->api_key_name = caller.name;
  query->prices = state_.runtime->config;
  const Result<std::string> body = co_await read_replay(
      *services_.replay, state_.offload, state_.loop, std::string(rest), std::move(*query));
  if (!body) {
    co_await refuse(exchange, wire::to_api_error(body.error()));
    co_return;
  }
  co_await exchange.respond(200, kJsonHeader, *body);
}

net::Task<void> Gateway::load(http::Exchange& exchange) {
  const std::string body =
      fmt::format("{{\"in_flight\":{}}}", services_.in_flight.load(std::memory_order_relaxed));
  co_await exchange.respond(200, kJsonHeader, body);
}

// Agents poll this after every step: the prompt tokens that backends reported and how many of them
// came from their prefix caches, under vLLM's names, per model.
net::Task<void> Gateway::metrics(http::Exchange& exchange) {
  std::string body =
      "# HELP vllm:prefix_cache_queries_total Prompt tokens, as reported by the backends\n"
      "# TYPE vllm:prefix_cache_queries_total counter\n";
  const Runtime& runtime = *state_.runtime;
  std::string hits =
      "# HELP vllm:prefix_cache_hits_total Prompt tokens served from a prefix cache\n"
      "# TYPE vllm:prefix_cache_hits_total counter\n";
  for (size_t m = 0; m < runtime.config->models.size(); ++m) {
    const std::string& name = runtime.config->models[m].name;
    body += fmt::format("vllm:prefix_cache_queries_total{{model_name=\"{}\"}} {:.0f}\n", name,
                        runtime.model_metrics[m].prompt_tokens->Value());
    hits += fmt::format("vllm:prefix_cache_hits_total{{model_name=\"{}\"}} {:.0f}\n", name,
                        runtime.model_metrics[m].cached_tokens->Value());
  }
  body += hits;
  body += fmt::format(
      "# HELP vsr_inflight_requests Requests that are being served\n"
      "# TYPE vsr_inflight_requests gauge\nvsr_inflight_requests {}\n",
      services_.in_flight.load(std::memory_order_relaxed));
  co_await exchange.respond(200, "content-type: text/plain; version=0.0.4\r\n", body);
}

// A browser shows an answer to a page of another origin only if the recipe lists that origin.
void Gateway::allow_origin(http::Exchange& exchange) const {
  const std::string_view origin = exchange.request().headers.get("origin");
  if (origin.empty() || !state_.runtime) return;
  const std::string_view allowed = state_.runtime->access(listener_).allowed_origin(origin);
  if (allowed.empty()) return;
  http::HeaderText lines;
  lines.add("access-control-allow-origin", allowed)
      .add("access-control-expose-headers", "*")
      .add("vary", "origin");
  exchange.add_to_answer(lines);
}

net::Task<void> Gateway::preflight(http::Exchange& exchange) {
  const std::string_view origin = exchange.request().headers.get("origin");
  const std::string_view allowed =
      state_.runtime ? state_.runtime->access(listener_).allowed_origin(origin) : "";
  http::HeaderText headers;
  if (!allowed.empty()) {
    headers.add("access-control-allow-origin", allowed)
        .add("access-control-allow-methods", "GET, POST, OPTIONS")
        .add("access-control-allow-headers", "*, authorization")
        .add("access-control-max-age", "600")
        .add("vary", "origin");
  }
  co_await exchange.respond(204, headers, "");
}

}  // namespace vsr::gateway
