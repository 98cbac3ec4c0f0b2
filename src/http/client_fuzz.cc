// Response bytes against a real exchange of the client: nothing may break, and however the bytes
// are cut, the same answer is read, and a connection is kept or not for the same reason.
#include <sys/socket.h>

#include <cstdint>

#include "base/check.h"
#include "http/client.h"

namespace vsr::http {
namespace {

using namespace std::chrono_literals;

struct Answer {
  int status = 0;
  std::string headers;
  std::string body;
  bool complete = false;
  std::optional<ErrorCode> error;
  bool operator==(const Answer&) const = default;
};

net::Task<Answer> call(ClientPool& pool, net::Loop& loop, bool head_request) {
  Answer out;
  auto exchange = co_await pool.open({"127.0.0.1", 1, false}, loop.after(5s), nullptr);
  VSR_CHECK(exchange.has_value() && (*exchange)->reused());
  const std::string_view request[] = {"GET / HTTP/1.1\r\nhost: x\r\n\r\n"};
  (void)co_await (*exchange)->send(request, nullptr);
  const Status head = co_await (*exchange)->read_head(loop.after(5s), nullptr, head_request);
  if (!head) {
    out.error = head.error().code;
    co_return out;
  }
  out.status = (*exchange)->head().status;
  for (const Header& header : (*exchange)->head().headers) {
    out.headers.append(header.name).append("=").append(header.value).append(";");
  }
  for (;;) {
    const auto spans = co_await (*exchange)->next(loop.after(5s), nullptr);
    if (!spans) {
      out.error = spans.error().code;
      break;
    }
    if (spans->empty()) break;
    for (const std::string_view span : *spans) out.body += span;
  }
  out.complete = (*exchange)->complete();
  VSR_CHECK(out.error != ErrorCode::kTimeout, "the exchange does not end");
  VSR_CHECK(out.complete != out.error.has_value());
  co_return out;
}

Answer read_answer(std::string_view bytes, size_t part_max, bool head_request) {
  net::Loop loop;
  net::OffloadPool offload(0);
  net::Resolver resolver(loop, offload);
  ClientPool pool(loop, resolver, {}, nullptr);
  int fds[2];
  VSR_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
  pool.adopt({"127.0.0.1", 1, false}, std::make_unique<net::Stream>(loop, fds[0]));
  auto backend = std::make_unique<net::Stream>(loop, fds[1]);
  Answer answer;
  bool sent = false;
  const auto send = [&]() -> net::Task<void> {
    char buffer[256];
    (void)co_await backend->read_some(buffer, loop.after(5s));
    while (!bytes.empty()) {
      const std::string_view part[] = {bytes.substr(0, part_max)};
      if (!co_await backend->write_all(part, loop.after(5s))) break;
      bytes.remove_prefix(part[0].size());
      if (!bytes.empty()) co_await loop.yield();
    }
    backend->shutdown_write();
    sent = true;
  };
  const auto receive = [&]() -> net::Task<void> {
    answer = co_await call(pool, loop, head_request);
    pool.close_idle();
    while (!sent) co_await loop.yield();
    loop.stop();
  };
  loop.spawn(send());
  loop.spawn(receive());
  loop.run();
  VSR_CHECK(loop.running_tasks() == 0);
  return answer;
}

}  // namespace
}  // namespace vsr::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t part_max = 1 + data[0] % 64;
  const bool head_request = data[0] >= 192;
  if (bytes.size() / part_max > 2'000) return 0;
  const auto whole = vsr::http::read_answer(bytes, bytes.size() + 1, head_request);
  const auto cut = vsr::http::read_answer(bytes, part_max, head_request);
  // A protocol error may come before or after the good bytes of the same read.
  if (whole.error == vsr::ErrorCode::kProtocol) {
    VSR_CHECK(cut.error == whole.error && cut.status == whole.status);
  } else {
    VSR_CHECK(whole == cut, "cut at {}: {} {}\nwhole: {} {}", part_max, cut.status, cut.body,
              whole.status, whole.body);
  }
  return 0;
}
