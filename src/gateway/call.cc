#include "gateway/call.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "base/check.h"
#include "gateway/record.h"
#include "gateway/upstream.h"
#include "wire/prepare.h"
#include "wire/reply.h"

namespace vsr::gateway {

namespace {

constexpr std::string_view kJson = "application/json";

std::chrono::milliseconds ms(uint64_t value) { return std::chrono::milliseconds(value); }

// Statuses that another endpoint of the same model may answer better.
bool is_retryable(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

std::string_view public_path(CallKind kind) {
  switch (kind) {
    case CallKind::kChat:
      return "/v1/chat/completions";
    case CallKind::kCompletions:
      return "/v1/completions";
    case CallKind::kEmbeddings:
      return "/v1/embeddings";
  }
  return "";
}

Call::Call(CallKind kind, http::Exchange& exchange, Services& services,
           std::shared_ptr<const Runtime> runtime, http::ClientPool& pool, router::Request& request,
           Caller caller, std::string request_id)
    : kind_(kind),
      exchange_(exchange),
      services_(services),
      runtime_(std::move(runtime)),
      pool_(pool),
      request_(request),
      caller_(std::move(caller)),
      request_id_(std::move(request_id)) {
  ++services_.in_flight;
}

Call::~Call() {
  if (recorded_ && !settled_) settle(store::Lifecycle::kAborted, "internal");
  --services_.in_flight;
}

net::Task<void> Call::run(std::string_view body, router::FactsCache& facts) {
  received_ = now();
  const wire::ApiResult<void> read =
      kind_ == CallKind::kChat ? request_.read_chat(body, facts) : request_.read_passthrough(body);
  if (!read) {
    http::HeaderText headers;
    headers.add("content-type", kJson).add("x-request-id", request_id_);
    services_.metrics.count_error("", read.error().code);
    co_await exchange_.respond(read.error().status, headers, wire::error_body(read.error()));
    co_return;
  }
  stream_ = request_.chat().stream;
  const MonoTime parsed = now();
  co_await decide();
  decision_.timings.parse_us = static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(parsed - received_).count());
  begin_record();
  if (decision_.error) {
    const bool backends_gone = decision_.error->status == 503;
    co_await answer_error(*decision_.error, backends_gone ? "backend_unreachable" : "internal");
    co_return;
  }
  if (const config::Decision* rule = decision_.rule();
      rule != nullptr && kind_ == CallKind::kChat) {
    for (const config::Plugin& plugin : rule->plugins) {
      if (plugin.type != "fast_response" || !plugin.enabled) continue;
      co_await answer_fast(plugin);
      co_return;
    }
  }
  co_await dispatch();
}

// ---- before dispatch ----------------------------------------------------------------------------

net::Task<void> Call::decide() {
  router::Origin origin;
  const http::Headers& headers = exchange_.request().headers;
  origin.header = [&headers](std::string_view name) { return headers.get(name); };
  origin.api_key_hash = caller_.key_hash;
  origin.api_key_name = caller_.name;
  origin.unix_ms = services_.clock->unix_ms();
  const config::Config& config = *runtime_->config;
  origin.models.resize(config.models.size());
  const MonoTime at = now();
  for (config::ModelId m = 0; m < config.models.size(); ++m) {
    origin.models[m] = runtime_->backends.state(m, at);
  }
  origin.endpoint_healthy = [this, at](config::ModelId m, uint64_t hash) {
    const Backend* const backend = runtime_->backends.find(m, hash);
    return backend != nullptr && backend->endpoint->may_serve(at);
  };
  using enum signals::Encoding;
  decide_with(origin, services_.compute != nullptr ? kKnown : kNow);
  MonoTime waited{0};
  // What a later stage of rules asks for is known only when the one before is evaluated.
  for (size_t round = 0; decision_.wants_encoding() && round < kEncodeRoundsMax; ++round) {
    const MonoTime asked = now();
    const MonoTime latest = asked + kEncodeWait;
    std::function<Result<bool>()> encode = [this, latest]() -> Result<bool> {
      if (now() > latest) return fail(ErrorCode::kTimeout, "the encoder is busy");
      const Status done = runtime_->router->encode(decision_.values.texts_to_encode);
      if (!done) return std::unexpected(done.error());
      return true;
    };
    const Result<bool> encoded =
        co_await net::offload<bool>(*services_.compute, exchange_.loop(), std::move(encode));
    waited += now() - asked;
    decide_with(origin, encoded ? kKnown : kOff);
  }
  // Other prompts have pushed it out again meanwhile.
  if (decision_.wants_encoding()) decide_with(origin, kOff);
  decision_.timings.encode_us = static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(waited).count());
  count_signal_errors();
  if (!decision_.error && !caller_.may_use(decision_.facts.requested_model)) {
    decision_.error = wire::ApiError{
        403, "model_not_allowed", "model",
        fmt::format("this API key may not use the model {}", decision_.facts.requested_model)};
  }
}

void Call::decide_with(router::Origin& origin, signals::Encoding encoding) {
  origin.encoding = encoding;
  decision_ = kind_ == CallKind::kChat ? runtime_->router->decide(request_, origin)
                                       : runtime_->router->decide_passthrough(request_, origin);
}

// A safety rule without an answer matches and others are judged less well, which somebody should
// see.
void Call::count_signal_errors() {
  constexpr int64_t kWarningIntervalMs = 60'000;
  const std::vector<signals::SignalError>& errors = decision_.values.errors;
  if (errors.empty()) return;
  const std::vector<config::SignalInfo>& known = runtime_->config->signals;
  for (const signals::SignalError& error : errors) {
    services_.metrics.count_signal_error(known[error.signal].type,
                                         std::string(signals::reason_of(error)));
  }
  const int64_t at = services_.clock->unix_ms();
  int64_t last = services_.signal_warning_unix_ms.load();
  if (at - last < kWarningIntervalMs) return;
  if (!services_.signal_warning_unix_ms.compare_exchange_strong(last, at)) return;
  spdlog::warn("rule {}:{}: {}; vsr_signal_errors_total counts all of these",
               config::leaf_name(known[errors.front().signal].type),
               known[errors.front().signal].name, errors.front().message);
}

void Call::begin_record() {
  if (!services_.replay) return;
  replay_id_ = random_id();
  replay_id_text_ = replay_id_.hex();
  recorded_ = true;
  services_.replay->begin(
      replay_id_,
      routing_part(
          shared_decision_, request_, *runtime_, services_.record_hash,
          {request_id_, caller_.name, services_.clock->unix_ms(),
           std::chrono::duration<double, std::micro>(now() - received_).count(), stream_}));
}

bool Call::asks_for_usage() const {
  return kind_ == CallKind::kChat && stream_ && !request_.chat().include_usage;
}

std::optional<wire::ApiError> Call::prepare(json::Splicer& splicer, const config::BackendRef& ref) {
  const config::Config& config = *runtime_->config;
  wire::PrepareOptions options;
  options.provider_model = model().provider_model_id;
  options.ask_for_usage = asks_for_usage();
  if (decision_.reasoning && model().reasoning_family) {
    const config::ReasoningFamily& family = config.reasoning_families[*model().reasoning_family];
    options.reasoning.parameter = family.type == config::ReasoningType::kChatTemplateKwargs
                                      ? wire::ReasoningParameter::kChatTemplateKwargs
                                      : wire::ReasoningParameter::kReasoningEffort;
    options.reasoning.name = family.parameter;
    options.reasoning.on = *decision_.reasoning;
    options.reasoning.effort = config::to_string(decision_.effort);
    options.reasoning.effort_in_template_kwargs = ref.type == config::BackendType::kVllm;
  }
  options.drop = decision_.dropped_state;
  if (const config::Decision* rule = decision_.rule()) {
    for (const config::Plugin& plugin : rule->plugins) {
      if (plugin.type != "system_prompt" || !plugin.enabled) continue;
      const auto prompt = plugin.settings.find("system_prompt");
      if (prompt == plugin.settings.end()) continue;
      const auto mode = plugin.settings.find("mode");
      options.system_prompt = prompt->second;
      options.system_prompt_mode = mode != plugin.settings.end() && mode->second == "insert"
                                       ? wire::SystemPromptMode::kInsert
                                       : wire::SystemPromptMode::kReplace;
    }
  }
  const wire::ApiResult<void> done =
      wire::prepare(request_.chat(), options, request_.reader(), request_.arena(), splicer);
  if (!done) return done.error();
  drop_usage_chunk_ = options.ask_for_usage;
  return std::nullopt;
}

http::HeaderText Call::response_head(std::string_view response_path) {
  http::HeaderText out;
  RouteHeaderFacts facts;
  facts.replay_id = replay_id_text_;
  facts.response_path = response_path;
  if (dispatched_ != MonoTime(0)) {
    facts.routing_us =
        std::chrono::duration_cast<std::chrono::microseconds>(dispatched_ - received_).count();
  }
  add_route_headers(decision_, facts, out);
  out.add("x-request-id", request_id_);
  if (const config::Decision* rule = decision_.rule()) {
    for (const config::Plugin& plugin : rule->plugins) {
      if (plugin.type != "header_mutation" || !plugin.enabled) continue;
      for (const auto& [name, value] : plugin.set_headers) out.add(name, value);
    }
  }
  return out;
}

net::Task<void> Call::answer_error(wire::ApiError error, std::string_view terminal_reason) {
  status_ = error.status;
  http::HeaderText headers = response_head("error");
  headers.add("content-type", kJson);
  add_retry_after(error, headers);
  const std::string model_name = decision_.model == config::kNoModel ? "" : model().name;
  services_.metrics.count_error(model_name, error.code);
  settle(store::Lifecycle::kFailed, terminal_reason);
  const std::string body = wire::error_body(error);
  co_await exchange_.respond(error.status, headers, body);
}

net::Task<void> Call::answer_fast(const config::Plugin& plugin) {
  const auto message = plugin.settings.find("message");
  wire::ChatReply reply;
  const std::string id = "chatcmpl-" + random_id().hex();
  reply.id = id;
  reply.model = model().name;
  reply.created_unix_s = services_.clock->unix_ms() / 1000;
  if (message != plugin.settings.end()) reply.text = message->second;
  status_ = 200;
  http::HeaderText headers = response_head("fast_response");
  headers.add("content-type", stream_ ? "text/event-stream" : kJson);
  settle(store::Lifecycle::kCompleted, "");
  const std::string body = stream_
                               ? wire::chat_completion_stream(reply, request_.chat().include_usage)
                               : wire::chat_completion(reply);
  co_await exchange_.respond(200, headers, body);
}

// ---- dispatch -----------------------------------------------------------------------------------

net::Task<Status> Call::attempt(const Backend& backend, bool fresh_connection) {
  backend_ = &backend;
  Endpoint& endpoint = *backend.endpoint;
  const config::Reliability& limits = model().reliability;
  store::Attempt& record = attempts_.emplace_back();
  record.endpoint = endpoint.key;
  const MonoTime begun = now();
  json::Splicer splicer(request_.chat().body);
  if (std::optional<wire::ApiError> problem = prepare(splicer, *backend.ref)) {
    record.error = problem->message;
    co_return fail(ErrorCode::kInvalidArgument, problem->message, ErrorSource::kClient);
  }
  endpoint.requests.fetch_add(1, std::memory_order_relaxed);
  net::CancelSource* const cancel = &exchange_.client_gone();
  const Address& address = endpoint.dial();
  const http::Target target{address.host, address.port, endpoint.tls};
  auto opened = co_await pool_.open(target, exchange_.loop().after(ms(limits.connect_timeout_ms)),
                                    cancel, fresh_connection);
  Status status;
  if (!opened) {
    status = std::unexpected(opened.error());
  } else {
    upstream_ = std::move(*opened);
    const std::string path = upstream_path(*backend.ref, public_path(kind_));
    const std::string head = upstream_head(exchange_.request(), *backend.ref, address, path,
                                           splicer.size(), request_id_);
    std::vector<std::string_view> pieces = splicer.pieces();
    pieces.insert(pieces.begin(), head);
    if (dispatched_ == MonoTime(0)) dispatched_ = now();
    status = co_await upstream_->send(pieces, cancel);
    if (status) {
      status = co_await upstream_->read_head(
          exchange_.loop().after(ms(limits.first_byte_timeout_ms)), cancel);
    }
  }
  record.ms = std::chrono::duration<double, std::milli>(now() - begun).count();
  if (status) {
    record.status = upstream_->head().status;
  } else {
    record.error = status.error().message;
    upstream_.reset();
    if (status.error().code != ErrorCode::kCancelled) {
      endpoint.report_failure(now(), limits.outlier_consecutive_errors,
                              ms(limits.outlier_ejection_ms));
    }
  }
  co_return status;
}

bool Call::may_retry(const Error& error) const {
  if (attempts_.size() > model().reliability.retries) return false;
  return error.retry == Retry::kYes || error.retry == Retry::kIfReused;
}

const Backend* Call::pick(const Endpoint* tried) const {
  if (decision_.endpoint != 0) {
    const Backend* const home = runtime_->backends.find(decision_.model, decision_.endpoint);
    const bool usable = home != nullptr && home->endpoint->may_serve(now());
    if (usable && home->endpoint.get() != tried) return home;
    // Provider state lies there and nowhere else.
    if (runtime_->config->learning.on_lock_unavailable !=
        config::OnLockUnavailable::kSameModelElsewhere) {
      return nullptr;
    }
  }
  return runtime_->backends.pick(decision_.model, decision_.affinity, now(), tried);
}

net::Task<void> Call::dispatch() {
  const Backend* backend = pick(nullptr);
  const Endpoint* tried = nullptr;
  bool fresh = false;
  for (;;) {
    if (backend == nullptr) {
      co_await answer_error({503, "no_healthy_endpoint", "",
                             fmt::format("no endpoint of {} can be used now; try again, or look at "
                                         "`vllm-sr models`",
                                         model().name)},
                            "backend_unreachable");
      co_return;
    }
    backend->endpoint->in_flight.fetch_add(1, std::memory_order_relaxed);
    const Status status = co_await attempt(*backend, fresh);
    const bool answered = status.has_value();
    const bool again = answered ? is_retryable(upstream_->head().status) &&
                                      attempts_.size() <= model().reliability.retries
                                : may_retry(status.error());
    const Backend* other = nullptr;
    if (again) {
      tried = backend->endpoint.get();
      other = pick(tried);
      // The same endpoint once more after a refused connection or one that had died while idle.
      if (other == nullptr && !answered) {
        other = backend;
        fresh = true;
      }
    }
    if (answered && other == nullptr) {
      co_await relay();
      backend->endpoint->in_flight.fetch_sub(1, std::memory_order_relaxed);
      co_return;
    }
    backend->endpoint->in_flight.fetch_sub(1, std::memory_order_relaxed);
    if (other != nullptr) {
      upstream_.reset();
      backend = other;
      continue;
    }
    if (status.error().code == ErrorCode::kCancelled) {
      settle(store::Lifecycle::kAborted, "client_disconnect");
      co_return;
    }
    const bool unreachable = status.error().code == ErrorCode::kUnavailable;
    co_await answer_error(wire::to_api_error(status.error()),
                          unreachable ? "backend_unreachable" : "upstream_error");
    co_return;
  }
}

}  // namespace vsr::gateway
