#pragma once

// One routed request from its parsed body to its settlement: decide, choose an endpoint, send,
// relay and settle. Lives in the coroutine that serves the exchange, on its loop. settle() runs
// exactly once, whatever happens; an exchange that is given up without one is recorded as aborted.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/route_headers.h"
#include "gateway/runtime.h"
#include "http/client.h"
#include "http/server.h"
#include "http/sse.h"
#include "json/splice.h"
#include "router/request.h"
#include "router/rerun.h"
#include "wire/response.h"

namespace vsr::gateway {

// Which of the proxied paths it is.
enum class CallKind : uint8_t { kChat, kCompletions, kEmbeddings };
std::string_view public_path(CallKind kind);

class Call {
 public:
  Call(CallKind kind, http::Exchange& exchange, Services& services,
       std::shared_ptr<const Runtime> runtime, http::ClientPool& pool, router::Request& request,
       Caller caller, std::string request_id);
  ~Call();

  // Serves the request whose body is `body`; always answers or ends the connection.
  net::Task<void> run(std::string_view body, router::FactsCache& facts);

 private:
  // A non-streamed answer up to this size is looked at as a whole before its first byte is sent.
  static constexpr size_t kHoldBytesMax = 4UL << 20;
  // How long a prompt may wait for its turn to be encoded. Then n-grams judge it alone, and rules
  // that compare meanings carry an error.
  static constexpr std::chrono::milliseconds kEncodeWait{1000};
  static constexpr size_t kEncodeRoundsMax = 3;

  // ---- before dispatch
  // Decides; when the prompt has to be encoded first, that happens on the compute pool.
  net::Task<void> decide();
  void decide_with(router::Origin& origin, signals::Encoding encoding);
  void begin_record();
  std::optional<wire::ApiError> prepare(json::Splicer& splicer, const config::BackendRef& ref);
  net::Task<void> answer_error(wire::ApiError error, std::string_view terminal_reason);
  net::Task<void> answer_fast(const config::Plugin& plugin);

  // ---- dispatch
  // Sends to one endpoint and reads the head of the answer; on failure says whether another
  // endpoint may be tried.
  net::Task<Status> attempt(const Backend& backend, bool fresh_connection);
  net::Task<void> dispatch();
  // The endpoint to ask next, not the one that was tried; nullptr if there is none.
  const Backend* pick(const Endpoint* tried) const;
  bool may_retry(const Error& error) const;

  // ---- relay
  net::Task<void> relay();
  net::Task<void> relay_whole();
  net::Task<void> relay_events();
  net::Task<void> relay_bytes();
  // The first good byte: state is committed and the head goes out.
  void commit();
  http::HeaderText response_head(std::string_view response_path);
  // Feeds events to the observer; with `filter`, what is to be sent is put into `out`.
  void observe_events(std::string_view bytes);
  void filter_events(std::string_view bytes, std::string& out);
  bool observe_event(std::string_view data);
  void note_tool_calls();
  void note_opaque(const wire::OpaqueItem& item);
  net::Task<void> end_broken_stream(const Error& error);

  // ---- settle
  void settle(store::Lifecycle state, std::string_view reason);
  void count(const store::TerminalPart& part);
  MonoTime now() const { return services_.clock->mono(); }
  const config::Model& model() const { return runtime_->config->models[decision_.model]; }
  bool asks_for_usage() const;
  void count_signal_errors();

  const CallKind kind_;
  http::Exchange& exchange_;
  Services& services_;
  const std::shared_ptr<const Runtime> runtime_;
  http::ClientPool& pool_;
  router::Request& request_;
  const Caller caller_;
  const std::string request_id_;

  // Shared with the record's writer once begin_record() has been; nobody changes it from then on.
  const std::shared_ptr<router::Decision> shared_decision_ = std::make_shared<router::Decision>();
  router::Decision& decision_ = *shared_decision_;
  Id128 replay_id_;
  std::string replay_id_text_;
  bool recorded_ = false;
  bool settled_ = false;
  bool committed_ = false;
  bool stream_ = false;
  bool drop_usage_chunk_ = false;

  const Backend* backend_ = nullptr;
  std::unique_ptr<http::ClientExchange> upstream_;
  std::vector<store::Attempt> attempts_;
  wire::StreamObserver stream_observer_;
  std::optional<wire::Observation> whole_;
  http::SseParser sse_;
  std::string pending_event_;  // of a filtered stream: the beginning of the next event
  router::StateLog state_log_;
  size_t tool_calls_noted_ = 0;
  size_t opaque_noted_ = 0;
  bool answer_id_noted_ = false;
  int status_ = 0;

  MonoTime received_{0};
  MonoTime dispatched_{0};
  MonoTime first_byte_{0};
};

}  // namespace vsr::gateway
