// Request bytes against a real connection of the server: nothing may break, and however the bytes
// are cut, the same answers come back.
#include <sys/socket.h>

#include <cstdint>

#include "base/check.h"
#include "http/server.h"

namespace vsr::http {
namespace {

using namespace std::chrono_literals;

class Echo final : public Handler {
 public:
  net::Task<void> handle(Exchange& exchange) override {
    const RequestHead& head = exchange.request();
    if (head.path == "/unread") {
      co_await exchange.respond(200, {}, "unread");
      co_return;
    }
    const Result<Bytes> body = co_await exchange.read_body(kBodyBytesMax);
    if (!body && body.error().code == ErrorCode::kClosed) co_return;
    if (!body) {
      co_await exchange.respond(body.error().code == ErrorCode::kTooLarge ? 413 : 400, {}, "");
      co_return;
    }
    co_await exchange.start(200, HeaderText().add("x-host", head.headers.get("host")));
    const std::string_view pieces[] = {head.method, " ", head.path, "?", head.query, body->view()};
    if (co_await exchange.write(pieces)) co_await exchange.finish();
  }
  std::string error_body(int, std::string_view code, std::string_view) override {
    return std::string(code);
  }

 private:
  static constexpr uint64_t kBodyBytesMax = 2'000;
};

// Sends the bytes in parts of at most `part_max` and gives the answers.
std::string serve(std::string_view bytes, size_t part_max) {
  net::Loop loop;
  Echo echo;
  Server server(loop, echo, {}, nullptr);
  int fds[2];
  VSR_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
  server.adopt(fds[0], "fuzz");
  net::Stream client(loop, fds[1]);
  std::string answers;
  bool sent = false;
  const auto send = [&]() -> net::Task<void> {
    while (!bytes.empty()) {
      const std::string_view part[] = {bytes.substr(0, part_max)};
      if (!co_await client.write_all(part, net::kNever)) break;
      bytes.remove_prefix(part[0].size());
      if (!bytes.empty()) co_await loop.yield();
    }
    client.shutdown_write();
    sent = true;
  };
  const auto receive = [&]() -> net::Task<void> {
    char buffer[4096];
    for (;;) {
      const Result<size_t> got = co_await client.read_some(buffer, loop.after(5s));
      VSR_CHECK(got || got.error().code != ErrorCode::kTimeout, "the server does not end");
      if (!got || *got == 0) break;
      answers.append(buffer, *got);
    }
    VSR_CHECK(co_await server.wait_empty(loop.after(5s)), "the connection does not end");
    while (!sent) co_await loop.yield();
    loop.stop();
  };
  loop.spawn(receive());
  loop.spawn(send());
  loop.run();
  VSR_CHECK(loop.running_tasks() == 0);
  // Whether it is sent depends on whether the body is there already.
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  for (size_t at = 0; (at = answers.find(kContinue, at)) != std::string::npos;) {
    answers.erase(at, kContinue.size());
  }
  return answers;
}

}  // namespace
}  // namespace vsr::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t part_max = 1 + data[0] % 64;
  if (bytes.size() / part_max > 2'000) return 0;
  const std::string whole = vsr::http::serve(bytes, bytes.size() + 1);
  const std::string cut = vsr::http::serve(bytes, part_max);
  VSR_CHECK(whole == cut, "cut at {}:\n{}\nwhole:\n{}", part_max, cut, whole);
  return 0;
}
