// The answer's way back. A good answer commits the session's state at its first byte. Streams go
// through as they come, and a parsed copy is observed; where the router itself asked for the usage
// chunk, that one event is taken out again. Whole answers are looked at before their first byte.
#include <spdlog/spdlog.h>

#include "base/strings.h"
#include "gateway/call.h"
#include "gateway/upstream.h"
#include "wire/hash.h"

namespace vsr::gateway {

namespace {

// Length of the part of `bytes` that ends with a complete event (an empty line), from `from` on; 0
// if there is none.
size_t event_end(std::string_view bytes, size_t from) {
  for (size_t at = bytes.find('\n', from); at != std::string_view::npos;
       at = bytes.find('\n', at + 1)) {
    if (at + 1 < bytes.size() && bytes[at + 1] == '\n') return at + 2;
    if (at + 2 < bytes.size() && bytes[at + 1] == '\r' && bytes[at + 2] == '\n') return at + 3;
  }
  return 0;
}

std::chrono::milliseconds ms(uint64_t value) { return std::chrono::milliseconds(value); }

}  // namespace

void Call::commit() {
  if (first_byte_ == MonoTime(0)) first_byte_ = now();
  if (committed_ || status_ >= 400) return;
  committed_ = true;
  state_log_.commit_ms = services_.clock->unix_ms();
  state_log_.commit_order =
      runtime_->router->commit(decision_, state_log_.commit_ms, backend_->hash);
}

net::Task<void> Call::relay() {
  status_ = upstream_->head().status;
  const std::string_view type = upstream_->head().headers.get("content-type");
  const bool events = type.starts_with("text/event-stream");
  if (status_ >= 200 && status_ < 300) {
    backend_->endpoint->report_success();
  } else if (status_ >= 500) {
    const config::Reliability& limits = model().reliability;
    backend_->endpoint->report_failure(now(), limits.outlier_consecutive_errors,
                                       ms(limits.outlier_ejection_ms));
  }
  if (events && status_ < 300) {
    co_await relay_events();
  } else if (upstream_->framing() == http::Framing::kLength &&
             upstream_->content_length() > kHoldBytesMax) {
    co_await relay_bytes();
  } else {
    co_await relay_whole();
  }
}

// The head of the answer: the router's headers, then the backend's.
static void add_backend_headers(const http::ResponseHead& head, http::HeaderText& out) {
  for (const http::Header& header : head.headers) {
    if (forwards_to_client(header.name)) out.add(header.name, header.value);
  }
}

net::Task<void> Call::relay_whole() {
  const config::Reliability& limits = model().reliability;
  http::Bytes body(upstream_->framing() == http::Framing::kLength ? upstream_->content_length()
                                                                  : 16 * 1024);
  for (;;) {
    const uint64_t timeout =
        body.size() == 0 ? limits.first_byte_timeout_ms : limits.idle_timeout_ms;
    const auto spans =
        co_await upstream_->next(exchange_.loop().after(ms(timeout)), &exchange_.client_gone());
    if (!spans) {
      if (spans.error().code == ErrorCode::kCancelled) {
        settle(store::Lifecycle::kAborted, "client_disconnect");
        co_return;
      }
      Error error = spans.error();
      error.retry = Retry::kNo;
      co_await answer_error(wire::to_api_error(error), "upstream_error");
      co_return;
    }
    if (spans->empty()) break;
    if (first_byte_ == MonoTime(0)) first_byte_ = now();
    for (const std::string_view span : *spans) body.append(span);
    if (body.size() > kHoldBytesMax) {
      co_await answer_error({502, "backend_answer_too_large", "",
                             "the backend sent a very large answer without saying its length"},
                            "upstream_error");
      co_return;
    }
  }
  http::ResponseHead head = upstream_->head();
  if (status_ < 300) {
    whole_ = wire::observe_body(request_.reader(), body.view());
    const bool empty = kind_ == CallKind::kChat && whole_->is_empty() && !whole_->has_error;
    if (empty) {
      co_await answer_error({502, "backend_empty", "",
                             "the backend answered 200 without content, tool call or usage"},
                            "upstream_error");
      co_return;
    }
    if (!whole_->has_error) commit();
    note_tool_calls();
  }
  http::HeaderText headers = response_head(status_ < 400 ? "upstream" : "error");
  add_backend_headers(head, headers);
  if ((status_ == 429 || status_ == 503) && !head.headers.has("retry-after")) {
    headers.add("retry-after", "1");
  }
  const bool good = status_ < 400 && !(whole_ && whole_->has_error);
  settle(good ? store::Lifecycle::kCompleted : store::Lifecycle::kFailed,
         good ? "" : "upstream_error");
  co_await exchange_.respond(status_, headers, body.view());
}

net::Task<void> Call::relay_bytes() {
  commit();
  http::HeaderText headers = response_head("upstream");
  add_backend_headers(upstream_->head(), headers);
  co_await exchange_.start(status_, headers, upstream_->content_length());
  for (;;) {
    const auto spans = co_await upstream_->next(
        exchange_.loop().after(ms(model().reliability.idle_timeout_ms)), &exchange_.client_gone());
    if (!spans) {
      co_await end_broken_stream(spans.error());
      co_return;
    }
    if (spans->empty()) break;
    if (!(co_await exchange_.write(*spans))) {
      settle(store::Lifecycle::kAborted, "client_disconnect");
      exchange_.abandon();
      co_return;
    }
  }
  settle(store::Lifecycle::kCompleted, "");
  co_await exchange_.finish();
}

bool Call::observe_event(std::string_view data) {
  const wire::StreamObserver::Chunk chunk = stream_observer_.on_data(request_.reader(), data);
  note_tool_calls();
  return drop_usage_chunk_ && chunk.usage_only;
}

void Call::observe_events(std::string_view bytes) {
  sse_.feed(bytes, [this](std::string_view data) { observe_event(data); });
}

void Call::filter_events(std::string_view bytes, std::string& out) {
  std::string_view rest = bytes;
  if (!pending_event_.empty()) {
    pending_event_ += bytes;
    rest = pending_event_;
  }
  for (size_t end = event_end(rest, 0); end > 0; end = event_end(rest, 0)) {
    const std::string_view event = rest.substr(0, end);
    bool dropped = false;
    sse_.feed(event, [&](std::string_view data) { dropped = observe_event(data) || dropped; });
    if (!dropped) out += event;
    rest.remove_prefix(end);
  }
  std::string left(rest);
  // An event over the limit is not held back: it cannot be the small one that is looked for.
  if (left.size() > http::kEventBytesMax) {
    out += left;
    left.clear();
  }
  pending_event_ = std::move(left);
}

net::Task<void> Call::relay_events() {
  const config::Reliability& limits = model().reliability;
  bool started = false;
  std::string filtered;
  for (;;) {
    const uint64_t timeout = started ? limits.idle_timeout_ms : limits.first_byte_timeout_ms;
    const auto spans =
        co_await upstream_->next(exchange_.loop().after(ms(timeout)), &exchange_.client_gone());
    if (!spans) {
      if (!started && spans.error().code != ErrorCode::kCancelled) {
        co_await answer_error(wire::to_api_error(spans.error()), "upstream_error");
      } else {
        co_await end_broken_stream(spans.error());
      }
      co_return;
    }
    // Usually the last bytes come together with the end.
    const bool ended = spans->empty() || upstream_->complete();
    filtered.clear();
    for (const std::string_view span : *spans) {
      if (drop_usage_chunk_) {
        filter_events(span, filtered);
      } else {
        observe_events(span);
      }
    }
    if (ended) filtered += std::exchange(pending_event_, {});
    if (!started) {
      if (!stream_observer_.result().has_error) commit();
      http::HeaderText headers = response_head("upstream");
      add_backend_headers(upstream_->head(), headers);
      co_await exchange_.start(status_, headers);
      started = true;
    }
    const std::string_view one[] = {filtered};
    const std::span<const std::string_view> out =
        drop_usage_chunk_ ? std::span<const std::string_view>(one) : *spans;
    if (ended) {
      const wire::Observation& seen = stream_observer_.result();
      const bool good = !seen.has_error && !seen.is_empty();
      settle(good ? store::Lifecycle::kCompleted : store::Lifecycle::kFailed,
             good ? "" : "upstream_error");
      co_await exchange_.finish(out);
      co_return;
    }
    if (drop_usage_chunk_ && filtered.empty()) continue;
    if (!(co_await exchange_.write(out))) {
      settle(store::Lifecycle::kAborted, "client_disconnect");
      exchange_.abandon();
      co_return;
    }
  }
}

net::Task<void> Call::end_broken_stream(const Error& error) {
  if (error.code == ErrorCode::kCancelled) {
    settle(store::Lifecycle::kAborted, "client_disconnect");
    exchange_.abandon();
    co_return;
  }
  settle(store::Lifecycle::kFailed, "upstream_error");
  if (exchange_.started() && stream_) {
    const std::string event = wire::error_event(wire::to_api_error(error));
    const std::string_view pieces[] = {pending_event_, event};
    (void)co_await exchange_.write(pieces);
    (void)co_await exchange_.finish();
  }
  exchange_.abandon();
}

void Call::note_opaque(const wire::OpaqueItem& item) {
  const UnixMillis at = services_.clock->unix_ms();
  const uint64_t order = runtime_->router->add_opaque(decision_, item, at, backend_->hash);
  state_log_.noted.push_back({order, at, item.hash, item.kind});
}

// Calls and opaque items are remembered as soon as they are seen: their results come back even if
// the stream is cut right after.
void Call::note_tool_calls() {
  const wire::Observation& seen = whole_ ? *whole_ : stream_observer_.result();
  for (; tool_calls_noted_ < seen.tool_calls.size(); ++tool_calls_noted_) {
    const std::string_view id = seen.tool_calls[tool_calls_noted_].id;
    if (id.empty()) continue;
    const UnixMillis at = services_.clock->unix_ms();
    const uint64_t hash = learning::id_hash(id);
    const uint64_t order = runtime_->router->add_tool_call(decision_, hash, at);
    state_log_.noted.push_back({order, at, hash, std::nullopt});
  }
  for (; opaque_noted_ < seen.opaque.size(); ++opaque_noted_) {
    note_opaque(seen.opaque[opaque_noted_]);
  }
  // The next request may name this answer by its id. Those of ordinary chat answers name nothing.
  if (!answer_id_noted_ && seen.id.starts_with("resp_")) {
    answer_id_noted_ = true;
    note_opaque({wire::OpaqueKind::kPreviousResponseId, wire::hash_bytes(seen.id)});
  }
}

}  // namespace vsr::gateway
