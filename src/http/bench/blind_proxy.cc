// The transport alone, to be measured beside nginx:
//   blind_proxy proxy PORT UPSTREAM_PORT    forwards every request and relays the answer
//   blind_proxy backend PORT                answers at once: /plain 1 KB of JSON, /stream 20 events
//                                           in chunks of their own, all in one write
//   blind_proxy connect PORT                holds 1,000 idle connections, for the memory they cost
// One loop, one thread. SIGUSR1 prints how often operator new was called.
#include <signal.h>

#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <new>

#include "base/strings.h"
#include "http/client.h"
#include "http/server.h"

namespace {
std::atomic<uint64_t> allocations{0};
}  // namespace

void* operator new(size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace vsr::http {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kBodyBytesMax = 64UL << 20;

bool is_hop_by_hop(std::string_view name) {
  for (const std::string_view hop : {"connection", "keep-alive", "transfer-encoding", "upgrade",
                                     "content-length", "host", "te", "expect"}) {
    if (iequals(name, hop)) return true;
  }
  return false;
}

class BlindProxy final : public Handler {
 public:
  BlindProxy(ClientPool& pool, uint16_t port) : pool_(pool), target_{"127.0.0.1", port, false} {}

  net::Task<void> handle(Exchange& exchange) override {
    const Result<Bytes> body = co_await exchange.read_body(kBodyBytesMax);
    if (!body) {
      co_await exchange.respond(400, {}, body.error().message);
      co_return;
    }
    net::CancelSource* const cancel = &exchange.client_gone();
    auto upstream = co_await pool_.open(target_, exchange.loop().after(2s), cancel);
    if (!upstream) {
      co_await exchange.respond(502, {}, upstream.error().message);
      co_return;
    }
    ClientExchange& up = **upstream;
    const RequestHead& request = exchange.request();
    std::string head;
    head.reserve(512);
    head.append(request.method).append(" ").append(request.target);
    head += " HTTP/1.1\r\nhost: 127.0.0.1\r\n";
    for (const Header& header : request.headers) {
      if (!is_hop_by_hop(header.name)) add_line(head, header);
    }
    head += "content-length: ";
    char digits[24];
    head.append(digits, std::to_chars(digits, digits + sizeof(digits), body->size()).ptr);
    head += "\r\n\r\n";
    const std::string_view pieces[] = {head, body->view()};
    Status status = co_await up.send(pieces, cancel);
    if (status) status = co_await up.read_head(exchange.loop().after(60s), cancel);
    if (!status) {
      co_await exchange.respond(502, {}, status.error().message);
      co_return;
    }
    co_await relay(exchange, up);
  }

  std::string error_body(int, std::string_view code, std::string_view) override {
    return std::string(code);
  }

 private:
  static void add_line(std::string& out, const Header& header) {
    out.append(header.name).append(": ").append(header.value).append("\r\n");
  }

  net::Task<void> relay(Exchange& exchange, ClientExchange& up) {
    std::string lines;
    lines.reserve(512);
    for (const Header& header : up.head().headers) {
      if (!is_hop_by_hop(header.name)) add_line(lines, header);
    }
    const bool sized = up.framing() == Framing::kLength || up.framing() == Framing::kNone;
    co_await exchange.start(up.head().status, lines,
                            sized ? std::optional(up.content_length()) : std::nullopt);
    for (;;) {
      const auto spans = co_await up.next(exchange.loop().after(60s), &exchange.client_gone());
      if (!spans) {
        exchange.abandon();
        co_return;
      }
      if (spans->empty()) break;
      if (!co_await exchange.write(*spans)) co_return;
    }
    co_await exchange.finish();
  }

  ClientPool& pool_;
  const Target target_;
};

// Reads requests with a content-length and writes canned bytes.
class Backend {
 public:
  explicit Backend(net::Loop& loop) : loop_(loop) {
    const std::string json = "{\"text\":\"" + std::string(1000, 'x') + "\"}";
    plain_ = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: " +
             std::to_string(json.size()) + "\r\n\r\n" + json;
    stream_ =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    for (int i = 0; i < 20; ++i) {
      const std::string event = "data: {\"delta\":\"" + std::string(180, 'a') + "\"}\n\n";
      char size[16];
      std::snprintf(size, sizeof(size), "%zx\r\n", event.size());
      stream_ += size + event + "\r\n";
    }
    stream_ += "0\r\n\r\n";
  }

  net::Task<void> serve(int fd) {
    net::Stream stream(loop_, fd);
    std::string got;
    std::vector<char> buffer(256 * 1024);
    for (;;) {
      size_t searched = 0;
      const size_t head = find_head_end(got, searched);
      uint64_t length = 0;
      if (const size_t at = got.find("content-length: "); head > 0 && at < head) {
        std::from_chars(got.data() + at + 16, got.data() + head, length);
      }
      if (head == 0 || got.size() < head + length) {
        const Result<size_t> more = co_await stream.read_some(buffer, net::kNever);
        if (!more || *more == 0) co_return;
        got.append(buffer.data(), *more);
        continue;
      }
      const bool streams = got.find("/stream") < head;
      got.erase(0, head + length);
      const std::string_view answer[] = {streams ? stream_ : plain_};
      if (!co_await stream.write_all(answer, net::kNever)) co_return;
    }
  }

 private:
  net::Loop& loop_;
  std::string plain_;
  std::string stream_;
};

int run_backend(uint16_t port) {
  net::Loop loop;
  Backend backend(loop);
  auto listener = net::Listener::open(
      loop, "127.0.0.1", port, [&](int fd, const std::string&) { loop.spawn(backend.serve(fd)); });
  if (!listener || !(*listener)->start()) return 1;
  loop.run();
  return 0;
}

int run_proxy(uint16_t port, uint16_t upstream_port) {
  net::Loop loop;
  net::OffloadPool offload(1);
  net::Resolver resolver(loop, offload);
  ClientPool pool(loop, resolver, {}, nullptr);
  BlindProxy handler(pool, upstream_port);
  Server server(loop, handler, {}, nullptr);
  if (!server.listen("127.0.0.1", port) || !server.start()) return 1;
  loop.run();
  return 0;
}

net::Task<void> hold_connections(net::Loop& loop, uint16_t port) {
  std::vector<std::unique_ptr<net::Stream>> held;
  char buffer[4096];
  for (int i = 0; i < 1000; ++i) {
    auto stream = co_await net::connect(loop, "127.0.0.1", port, loop.after(2s), nullptr);
    if (!stream) break;
    const std::string_view request[] = {"GET /plain HTTP/1.1\r\nhost: x\r\n\r\n"};
    (void)co_await (*stream)->write_all(request, loop.after(2s));
    (void)co_await (*stream)->read_some(buffer, loop.after(2s));
    held.push_back(std::move(*stream));
  }
  std::printf("%zu connections\n", held.size());
  std::fflush(stdout);
  (void)co_await loop.sleep(60s);
}

int run_connect(uint16_t port) {
  net::Loop loop;
  loop.spawn(hold_connections(loop, port));
  loop.run();
  return 0;
}

}  // namespace
}  // namespace vsr::http

int main(int argc, char** argv) {
  const std::string_view mode = argc > 2 ? argv[1] : "";
  const auto port = [&](int i) { return static_cast<uint16_t>(std::atoi(argv[i])); };
  struct sigaction action{};
  action.sa_handler = [](int) { std::fprintf(stderr, "allocations %lu\n", allocations.load()); };
  sigaction(SIGUSR1, &action, nullptr);
  if (mode == "backend") return vsr::http::run_backend(port(2));
  if (mode == "connect") return vsr::http::run_connect(port(2));
  if (mode == "proxy" && argc == 4) return vsr::http::run_proxy(port(2), port(3));
  std::fprintf(stderr,
               "usage: blind_proxy proxy PORT UPSTREAM_PORT | backend PORT | connect PORT\n");
  return 2;
}
