#include "sim/speak.h"

namespace vsr::sim {

namespace {

// What a wrong content-length says beyond what is sent.
constexpr uint64_t kLieBytes = 100;

http::HeaderText headers_of(const Answer& answer, std::string_view content_type) {
  http::HeaderText headers;
  headers.add("content-type", content_type);
  for (const auto& [name, value] : answer.headers) headers.add(name, value);
  return headers;
}

std::string broken_json() { return R"({"choices":[{"index":0,"message":{"content":"cut)"; }

std::string default_error(const Answer& answer) {
  const bool crashed = answer.fault == Fault::kErrorObject;
  return error_json(crashed ? 500 : answer.status,
                    crashed ? "EngineCore encountered an issue." : "This answer was scripted.");
}

net::Task<Status> pause(http::Exchange& exchange, int64_t ms) {
  if (ms == 0) co_return Status{};
  co_return co_await exchange.loop().sleep(std::chrono::milliseconds(ms), &exchange.client_gone());
}

net::Task<Status> send(http::Exchange& exchange, std::string_view bytes) {
  const std::string_view pieces[] = {bytes};
  co_return co_await exchange.write(pieces);
}

std::string body_of(const GenerationRequest& request, const Admitted& admitted) {
  const Answer& answer = admitted.answer;
  if (answer.status != 200 || answer.fault == Fault::kErrorObject) {
    return answer.has_error_body ? answer.error_body : default_error(answer);
  }
  if (answer.fault == Fault::kBadJson || answer.fault == Fault::kBadSse) return broken_json();
  if (request.api == Api::kEmbeddings) return embeddings_body(admitted.reply, request);
  return whole_body(admitted.reply);
}

net::Task<Status> speak_whole(http::Exchange& exchange, const GenerationRequest& request,
                              const Admitted& admitted) {
  const Answer& answer = admitted.answer;
  const http::HeaderText headers = headers_of(answer, "application/json");
  const std::string body = body_of(request, admitted);
  const bool lies = answer.fault == Fault::kWrongContentLength;
  const bool cut_short = lies || answer.fault == Fault::kCloseAfterHead ||
                         answer.fault == Fault::kHangAfterHead ||
                         answer.fault == Fault::kCloseMidStream;
  if (const Status waited = co_await pause(exchange, answer.first_byte_delay_ms); !waited) {
    co_return waited;
  }
  if (!cut_short) co_return co_await exchange.respond(answer.status, headers, body);
  (void)co_await exchange.start(answer.status, headers, body.size() + (lies ? kLieBytes : 0));
  if (lies) co_return co_await send(exchange, body);
  if (answer.fault == Fault::kCloseMidStream) {
    co_return co_await send(exchange, std::string_view(body).substr(0, body.size() / 2));
  }
  const Status sent = co_await send(exchange, "");
  if (sent && answer.fault == Fault::kHangAfterHead)
    co_return co_await pause(exchange, kDelayMsMax);
  co_return sent;
}

// The events of a stream as bytes, with what the fault does to them.
std::vector<std::string> events_of(const GenerationRequest& request, const Admitted& admitted) {
  const Answer& answer = admitted.answer;
  const Fault fault = answer.fault;
  std::vector<std::string> data = stream_data(admitted.reply, request.include_usage);
  if (fault == Fault::kErrorObject) {
    // After the first events if something was to be said, otherwise at once.
    data.resize(answer.has_content ? data.size() / 2 : 0);
    data.push_back(answer.has_error_body ? answer.error_body : default_error(answer));
    data.emplace_back("[DONE]");
  }
  if (fault == Fault::kNoDone) data.pop_back();
  if (fault == Fault::kCloseMidStream) data.resize(data.size() / 2);
  std::vector<std::string> events;
  for (size_t i = 0; i < data.size(); ++i) {
    std::string& text = fault == Fault::kBadJson ? data[i].assign(broken_json()) : data[i];
    if (fault != Fault::kBadSse) {
      events.push_back("data: " + text + "\n\n");
      continue;
    }
    // Between the good events: what a careless or hostile backend may send.
    static constexpr std::string_view kOdd[] = {"data: {\"choices\":[{\"delta\":{\"content\":\n\n",
                                                ": a comment\r\n\r\n",
                                                "data: [1,2\r\r",
                                                "event: ping\nid: 7\nretry: 10\n\n",
                                                "data\n\n",
                                                "nonsense: line\n\n",
                                                "data: \xff\xfe\n\n"};
    events.emplace_back(kOdd[i % std::size(kOdd)]);
    const std::string event = "data:" + text + "\r\n\r\n";
    events.push_back(event.substr(0, event.size() / 2));
    events.push_back(event.substr(event.size() / 2));
  }
  return events;
}

net::Task<Status> speak_stream(http::Exchange& exchange, const GenerationRequest& request,
                               const Admitted& admitted) {
  const Answer& answer = admitted.answer;
  const http::HeaderText headers = headers_of(answer, "text/event-stream; charset=utf-8");
  const std::vector<std::string> events = events_of(request, admitted);
  std::optional<uint64_t> announced;
  if (answer.fault == Fault::kWrongContentLength) {
    announced = kLieBytes;
    for (const std::string& event : events) *announced += event.size();
  }
  (void)co_await exchange.start(answer.status, headers, announced);
  // The head goes out at once, however long the first event takes.
  if (const Status sent = co_await send(exchange, ""); !sent) co_return sent;
  if (answer.fault == Fault::kHangAfterHead) co_return co_await pause(exchange, kDelayMsMax);
  if (answer.fault == Fault::kCloseAfterHead) co_return Status{};
  if (const Status waited = co_await pause(exchange, answer.first_byte_delay_ms); !waited) {
    co_return waited;
  }
  for (size_t i = 0; i < events.size(); ++i) {
    if (i > 0) {
      if (const Status waited = co_await pause(exchange, answer.chunk_delay_ms); !waited) {
        co_return waited;
      }
    }
    if (const Status sent = co_await send(exchange, events[i]); !sent) co_return sent;
  }
  if (announced || answer.fault == Fault::kCloseMidStream) co_return Status{};
  co_return co_await exchange.finish();
}

}  // namespace

net::Task<Status> speak(http::Exchange& exchange, const GenerationRequest& request,
                        const Admitted& admitted) {
  const Answer& answer = admitted.answer;
  if (const Status waited = co_await pause(exchange, answer.delay_ms); !waited) co_return waited;
  if (answer.fault == Fault::kCloseBeforeHead) co_return Status{};
  if (answer.fault == Fault::kHang) co_return co_await pause(exchange, kDelayMsMax);
  if (request.stream && answer.status == 200) {
    co_return co_await speak_stream(exchange, request, admitted);
  }
  co_return co_await speak_whole(exchange, request, admitted);
}

}  // namespace vsr::sim
