#include "sim/handler.h"

#include <fmt/format.h>

#include <optional>

#include "sim/speak.h"

namespace vsr::sim {

namespace {

constexpr uint64_t kBodyBytesMax = 256UL << 20;

std::optional<Api> api_of(std::string_view path) {
  if (path == "/v1/chat/completions") return Api::kChat;
  if (path == "/v1/completions") return Api::kCompletions;
  if (path == "/v1/embeddings") return Api::kEmbeddings;
  return {};
}

bool is_listing(std::string_view path) {
  return path == "/v1/models" || path == "/health" || path == "/metrics";
}

net::Task<Status> respond_json(http::Exchange& exchange, int status, std::string body) {
  const http::HeaderText headers = http::HeaderText().add("content-type", "application/json");
  co_return co_await exchange.respond(status, headers, body);
}

net::Task<Status> refuse(http::Exchange& exchange, Refusal refusal) {
  co_return co_await respond_json(exchange, refusal.status,
                                  error_json(refusal.status, refusal.message, refusal.param));
}

int status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kTooLarge:
      return 413;
    case ErrorCode::kTimeout:
      return 408;
    default:
      return 400;
  }
}

}  // namespace

net::Task<void> SimHandler::handle(http::Exchange& exchange) {
  const std::string_view path = exchange.request().path;
  const std::string_view method = exchange.request().method;
  const std::optional<Api> api = api_of(path);
  if (path.starts_with("/sim/")) {
    (void)co_await control(exchange);
  } else if (api && method == "POST") {
    (void)co_await generation(exchange, *api);
  } else if (is_listing(path) && (method == "GET" || method == "HEAD")) {
    (void)co_await listing(exchange);
  } else {
    const Result<http::Bytes> body = co_await exchange.read_body(kBodyBytesMax);
    record(exchange, body ? body->view() : std::string_view());
    const bool known = api || is_listing(path);
    (void)co_await respond_json(
        exchange, known ? 405 : 404,
        known ? R"({"detail":"Method Not Allowed"})" : R"({"detail":"Not Found"})");
  }
}

std::string SimHandler::error_body(int status, std::string_view, std::string_view message) {
  return error_json(status, message);
}

uint64_t SimHandler::record(const http::Exchange& exchange, std::string_view body) {
  const http::RequestHead& head = exchange.request();
  SeenRequest seen;
  seen.method = head.method;
  seen.path = head.target;
  for (const http::Header& header : head.headers) {
    seen.headers.emplace_back(to_lower(header.name), header.value);
  }
  seen.body = body;
  seen.received_unix_ms = SystemClock().unix_ms();
  return state_.record(std::move(seen));
}

net::Task<Status> SimHandler::listing(http::Exchange& exchange) {
  const std::string_view path = exchange.request().path;
  if (path == "/health") co_return co_await exchange.respond(200, {}, "");
  if (path == "/metrics") {
    const http::HeaderText headers =
        http::HeaderText().add("content-type", "text/plain; version=0.0.4; charset=utf-8");
    const std::string text = state_.metrics_text();
    co_return co_await exchange.respond(200, headers, text);
  }
  co_return co_await respond_json(exchange, 200,
                                  models_body(state_.models(), SystemClock().unix_ms() / 1'000));
}

net::Task<Status> SimHandler::control(http::Exchange& exchange) {
  const std::string_view path = exchange.request().path;
  const bool post = exchange.request().method == "POST";
  if (path == "/sim/script" && post) co_return co_await add_script(exchange);
  if (path == "/sim/clear" && post) {
    state_.clear();
    co_return co_await respond_json(exchange, 200, "{}");
  }
  if (path == "/sim/requests" && !post) {
    co_return co_await respond_json(exchange, 200, state_.requests_json());
  }
  if (path == "/sim/stats" && !post) {
    const size_t connections = co_await count_connections_(exchange.loop());
    co_return co_await respond_json(exchange, 200, state_.stats_json(connections));
  }
  const Refusal refusal = {404,
                           "there are POST /sim/script, POST /sim/clear, GET /sim/requests and "
                           "GET /sim/stats",
                           ""};
  co_return co_await refuse(exchange, refusal);
}

net::Task<Status> SimHandler::add_script(http::Exchange& exchange) {
  const Result<http::Bytes> body = co_await exchange.read_body(kBodyBytesMax);
  if (!body) {
    const Refusal refusal = {status_of(body.error()), body.error().message, ""};
    co_return co_await refuse(exchange, refusal);
  }
  Result<std::vector<Answer>> answers = parse_script(body->view());
  if (!answers) {
    const Refusal refusal = {400, answers.error().message, ""};
    co_return co_await refuse(exchange, refusal);
  }
  if (!state_.add_answers(std::move(*answers))) {
    const Refusal refusal = {400, "answers must not be more than can wait; POST /sim/clear", ""};
    co_return co_await refuse(exchange, refusal);
  }
  co_return co_await respond_json(exchange, 200, "{}");
}

net::Task<Status> SimHandler::generation(http::Exchange& exchange, Api api) {
  const MonoTime received = SystemClock().mono();
  const Result<http::Bytes> body = co_await exchange.read_body(kBodyBytesMax);
  if (!body) {
    const Refusal refusal = {status_of(body.error()), body.error().message, ""};
    co_return co_await refuse(exchange, refusal);
  }
  const uint64_t number = record(exchange, body->view());
  std::expected<GenerationRequest, Refusal> request = read_request(api, body->view());
  if (request) request->request_id = exchange.request().headers.get("x-request-id");
  if (const std::string_view own = exchange.request().headers.get("x-sim-answer");
      request && !own.empty()) {
    const Result<std::vector<Answer>> answer =
        parse_script(fmt::format(R"({{"answers":[{}]}})", own));
    if (!answer || answer->size() != 1) {
      request = std::unexpected(Refusal{400, "x-sim-answer must be one answer of a script", ""});
    } else {
      request->answer = answer->front();
    }
  }
  if (!request) co_return co_await refuse(exchange, request.error());
  if (!state_.serves(request->model)) {
    const Refusal refusal = {404, "The model `" + request->model + "` does not exist.", "model"};
    co_return co_await refuse(exchange, refusal);
  }
  const Admitted admitted = state_.admit(*request);
  const Status spoken = co_await speak(exchange, *request, admitted);
  state_.release(admitted);
  if (exchange.client_gone().cancelled() && !exchange.finished()) {
    const auto after = SystemClock().mono() - received;
    state_.set_aborted(number,
                       std::chrono::duration_cast<std::chrono::milliseconds>(after).count());
  }
  co_return spoken;
}

}  // namespace vsr::sim
