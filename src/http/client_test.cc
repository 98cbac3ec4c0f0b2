// The client against backends that say what a test wants them to say, on one loop.
#include "http/client.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "http/server.h"
#include "net/run_loop.h"

namespace vsr::http {
namespace {

using namespace std::chrono_literals;
using net::Loop;
using net::Task;

// A backend on a free port: for each connection it waits for a request and then plays the pieces,
// one per turn of the loop; an empty piece waits for another request.
struct Backend {
  explicit Backend(Loop& loop_in) : loop(loop_in) {
    listener = *net::Listener::open(loop, "127.0.0.1", 0, [this](int fd, const std::string&) {
      ++connections;
      loop.spawn(serve(fd));
    });
    EXPECT_TRUE(listener->start().has_value());
  }

  Task<void> serve(int fd) {
    net::Stream stream(loop, fd);
    const std::vector<std::string> script = next_script();
    std::vector<char> buffer(1 << 16);
    if (reads_requests) (void)co_await stream.read_some(buffer, loop.after(5s));
    for (const std::string& piece : script) {
      if (piece.empty()) {
        const auto got = co_await stream.read_some(buffer, loop.after(5s));
        if (!got || *got == 0) co_return;
        continue;
      }
      const std::string_view view[] = {piece};
      if (!co_await stream.write_all(view, loop.after(5s))) co_return;
      co_await loop.yield();
    }
    if (stays_open) {
      (void)co_await stream.readable(loop.after(10s), &closing);
    }
  }

  // The scripts in turn, the last one again and again.
  std::vector<std::string> next_script() {
    if (scripts.empty()) return {};
    return scripts[std::min(next++, scripts.size() - 1)];
  }
  // Ends connections that stay open.
  Task<void> stop() {
    listener->close_now();
    closing.cancel();
    while (loop.running_tasks() > 1) (void)co_await loop.sleep(1ms);
  }
  Target target() const { return {"127.0.0.1", listener->port(), false}; }

  Loop& loop;
  std::unique_ptr<net::Listener> listener;
  std::vector<std::vector<std::string>> scripts;
  size_t next = 0;
  int connections = 0;
  bool reads_requests = true;
  bool stays_open = false;
  net::CancelSource closing;
};

// What came of one request.
struct Outcome {
  Status status;
  int code = 0;
  std::string body;
  Framing framing = Framing::kNone;
  bool complete = false;
  bool reused = false;
};

const std::string kGet = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

struct Caller {
  explicit Caller(Loop& loop_in, PoolLimits limits = {})
      : loop(loop_in), offload(1), resolver(loop, offload), pool(loop, resolver, limits, nullptr) {}

  Task<Outcome> call(Target target, std::string request = kGet,
                     std::chrono::milliseconds timeout = 2s, net::CancelSource* cancel = nullptr) {
    Outcome out;
    auto exchange = co_await pool.open(target, loop.after(timeout), cancel);
    if (!exchange) {
      out.status = std::unexpected(exchange.error());
      co_return out;
    }
    ClientExchange& up = **exchange;
    out.reused = up.reused();
    const std::string_view pieces[] = {request};
    out.status = co_await up.send(pieces, cancel);
    if (out.status) {
      out.status = co_await up.read_head(loop.after(timeout), cancel, request.starts_with("HEAD"));
    }
    if (!out.status) co_return out;
    out.code = up.head().status;
    out.framing = up.framing();
    for (;;) {
      const auto spans = co_await up.next(loop.after(timeout), cancel);
      if (!spans) {
        out.status = std::unexpected(spans.error());
        break;
      }
      if (spans->empty()) break;
      for (const std::string_view span : *spans) out.body += span;
    }
    out.complete = up.complete();
    co_return out;
  }

  Loop& loop;
  net::OffloadPool offload;
  net::Resolver resolver;
  ClientPool pool;
};

TEST(Client, AnswersAndWhatBecomesOfThem) {
  struct Case {
    const char* name;
    std::vector<std::string> script;
    int code;  // 0: no answer
    const char* body;
    bool complete;
    std::optional<ErrorCode> error;
    size_t kept;  // connections in the pool afterwards, if the backend lets them be
  };
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const Case cases[] = {
      {"length", {head + "content-length: 5\r\n\r\nhello"}, 200, "hello", true, {}, 1},
      {"no body", {"HTTP/1.1 204 No Content\r\n\r\n"}, 204, "", true, {}, 1},
      {"empty body", {head + "content-length: 0\r\n\r\n"}, 200, "", true, {}, 1},
      {"chunked",
       {head + "transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n", "3\r\nllo\r\n0\r\n\r\n"},
       200,
       "hello",
       true,
       {},
       1},
      {"chunked in odd pieces",
       {head, "transfer-encoding: chun", "ked\r\n\r\n", "2", "\r", "\nh", "e\r\n3\r\nllo\r\n0",
        "\r\n", "\r\n"},
       200,
       "hello",
       true,
       {},
       1},
      {"until close", {head + "\r\nhel", "lo"}, 200, "hello", true, {}, 0},
      {"connection: close",
       {head + "connection: close\r\ncontent-length: 2\r\n\r\nhi"},
       200,
       "hi",
       true,
       {},
       0},
      {"http 1.0", {"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nhi"}, 200, "hi", true, {}, 0},
      {"early hints first",
       {"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + head +
        "content-length: 2\r\n\r\nhi"},
       200,
       "hi",
       true,
       {},
       1},
      {"server error",
       {"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\nno"},
       503,
       "no",
       true,
       {},
       1},
      {"bytes beyond the answer",
       {head + "content-length: 2\r\n\r\nhi" + head + "content-length: 2\r\n\r\nxx"},
       200,
       "hi",
       true,
       {},
       0},
      {"length cut short",
       {head + "content-length: 5\r\n\r\nhel"},
       200,
       "hel",
       false,
       ErrorCode::kClosed,
       0},
      {"chunked cut short",
       {head + "transfer-encoding: chunked\r\n\r\n5\r\nhel"},
       200,
       "hel",
       false,
       ErrorCode::kClosed,
       0},
      {"chunked without its end",
       {head + "transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n"},
       200,
       "hel",
       false,
       ErrorCode::kClosed,
       0},
      {"bad chunk",
       {head + "transfer-encoding: chunked\r\n\r\nxyz\r\n"},
       200,
       "",
       false,
       ErrorCode::kProtocol,
       0},
      {"closed at once", {}, 0, "", false, ErrorCode::kClosed, 0},
      {"closed in the head", {"HTTP/1.1 200 O"}, 0, "", false, ErrorCode::kClosed, 0},
      {"not http", {"220 mail.example ESMTP\r\n\r\n"}, 0, "", false, ErrorCode::kProtocol, 0},
      {"another protocol",
       {"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n"},
       0,
       "",
       false,
       ErrorCode::kProtocol,
       0},
      {"endless head",
       {head + "a: " + std::string(100'000, 'x')},
       0,
       "",
       false,
       ErrorCode::kProtocol,
       0},
      {"both lengths",
       {head + "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"},
       0,
       "",
       false,
       ErrorCode::kProtocol,
       0},
  };
  for (const Case& c : cases) {
    net::run_loop([&](Loop& loop) -> Task<void> {
      Backend backend(loop);
      backend.scripts = {c.script};
      backend.stays_open = c.kept > 0;
      Caller caller(loop);
      const Outcome got = co_await caller.call(backend.target());
      EXPECT_EQ(got.code, c.code) << c.name;
      EXPECT_EQ(got.body, c.body) << c.name;
      EXPECT_EQ(got.complete, c.complete) << c.name;
      EXPECT_EQ(got.status.has_value(), !c.error) << c.name;
      if (!got.status && c.error) {
        EXPECT_EQ(got.status.error().code, *c.error) << c.name << got.status.error().message;
        EXPECT_EQ(got.status.error().source, ErrorSource::kUpstream) << c.name;
        EXPECT_EQ(got.status.error().retry, Retry::kNo) << c.name;
      }
      EXPECT_EQ(caller.pool.idle_connections(), c.kept) << c.name;
      co_await backend.stop();
    });
  }
}

TEST(Client, AnAnswerToHeadHasNoBody) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Backend backend(loop);
    backend.scripts = {{"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"}};
    backend.stays_open = true;
    Caller caller(loop);
    const Outcome got =
        co_await caller.call(backend.target(), "HEAD / HTTP/1.1\r\nhost: x\r\n\r\n");
    EXPECT_TRUE(got.complete);
    EXPECT_EQ(got.body, "");
    EXPECT_EQ(caller.pool.idle_connections(), 1u);
    co_await backend.stop();
  });
}

TEST(Client, AReusedConnectionThatDiesUnansweredMayBeTriedAgain) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Backend backend(loop);
    // Answers the first request and closes on the second, as a backend does whose idle limit and
    // our request cross on the way.
    backend.scripts = {{"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", ""}};
    Caller caller(loop);
    EXPECT_EQ((co_await caller.call(backend.target())).body, "hi");
    const Outcome second = co_await caller.call(backend.target());
    EXPECT_TRUE(second.reused);
    EXPECT_EQ(second.status.error().code, ErrorCode::kClosed);
    EXPECT_EQ(second.status.error().retry, Retry::kIfReused);
    co_await backend.stop();
  });
}

TEST(Client, ClosedAndOldConnectionsAreNotUsedAgain) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Backend backend(loop);
    backend.scripts = {{"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"},
                       {"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", ""}};
    Caller caller(loop, {.idle = 50ms});
    EXPECT_FALSE((co_await caller.call(backend.target())).reused);
    (void)co_await loop.sleep(5ms);  // the backend has closed it
    EXPECT_FALSE((co_await caller.call(backend.target())).reused);
    EXPECT_EQ(caller.pool.idle_connections(), 1u);
    (void)co_await loop.sleep(80ms);  // the backend keeps this one, we do not
    EXPECT_FALSE((co_await caller.call(backend.target())).reused);
    EXPECT_EQ(backend.connections, 3);
    caller.pool.close_idle();
    EXPECT_EQ(caller.pool.idle_connections(), 0u);
    co_await backend.stop();
  });
}

TEST(Client, IdleConnectionsAreSweptWithoutBeingAskedFor) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Backend backend(loop);
    backend.scripts = {{"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"}};
    backend.stays_open = true;
    Caller caller(loop, {.idle = 10ms});
    (void)co_await caller.call(backend.target());
    EXPECT_EQ(caller.pool.idle_connections(), 1u);
    const MonoTime end = loop.after(3s);
    while (caller.pool.idle_connections() > 0 && loop.now() < end) (void)co_await loop.sleep(20ms);
    EXPECT_EQ(caller.pool.idle_connections(), 0u);
    co_await backend.stop();
  });
}

TEST(Client, BytesThatNobodyAskedForEndAnIdleConnection) {
  net::run_loop([](Loop& loop) -> Task<void> {
    const auto [ours, theirs] = net::socket_pair();
    net::Stream other(loop, theirs);
    Caller caller(loop);
    const Target target{"127.0.0.1", 1, false};
    caller.pool.adopt(target, std::make_unique<net::Stream>(loop, ours));
    const std::string_view answer[] = {"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"};
    (void)co_await other.write_all(answer, loop.after(1s));
    (void)co_await loop.sleep(1ms);
    // Nothing listens there, so the pool's own connection was not taken.
    EXPECT_EQ((co_await caller.call(target)).status.error().retry, Retry::kYes);
  });
}

TEST(Client, AnEarlyAnswerIsHeardAndEndsTheConnection) {
  for (const char* before : {"", "HTTP/1.1 102 Processing\r\n\r\n"}) {
    net::run_loop([&](Loop& loop) -> Task<void> {
      Backend backend(loop);
      backend.reads_requests = false;
      backend.stays_open = true;
      backend.scripts = {
          {std::string(before) + "HTTP/1.1 413 Too Large\r\n", "content-length: 3\r\n\r\nbig"}};
      Caller caller(loop);
      const std::string request = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 30000000\r\n\r\n" +
                                  std::string(30'000'000, 'x');
      const Outcome got = co_await caller.call(backend.target(), request, 5s);
      EXPECT_EQ(got.code, 413);
      EXPECT_EQ(got.body, "big");
      EXPECT_EQ(caller.pool.idle_connections(), 0u);
      co_await backend.stop();
    });
  }
}

// Reads a whole request body while it sends hints, and then answers.
TEST(Client, HintsDuringALargeRequestDoNotEndIt) {
  net::run_loop([](Loop& loop) -> Task<void> {
    const size_t length = 20'000'000;
    size_t received = 0;
    auto listener = net::Listener::open(loop, "127.0.0.1", 0, [&](int fd, const std::string&) {
      const auto serve = [](Loop& on, int socket, size_t expected, size_t& count) -> Task<void> {
        net::Stream stream(on, socket);
        const std::string_view hint[] = {"HTTP/1.1 102 Processing\r\n\r\n"};
        std::vector<char> buffer(100'000);
        (void)co_await stream.write_all(hint, on.after(5s));
        (void)co_await on.sleep(10ms);
        while (count < expected) {
          const auto got = co_await stream.read_some(buffer, on.after(5s));
          if (!got || *got == 0) co_return;
          count += *got;
        }
        const std::string_view answer[] = {"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"};
        (void)co_await stream.write_all(answer, on.after(5s));
      };
      loop.spawn(serve(loop, fd, length, received));
    });
    EXPECT_TRUE((*listener)->start().has_value());
    Caller caller(loop);
    std::string request = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ";
    request += std::to_string(length - request.size() - 12) + "\r\n\r\n";
    request.resize(length, 'x');
    const Outcome got =
        co_await caller.call({"127.0.0.1", (*listener)->port(), false}, request, 10s);
    EXPECT_EQ(got.body, "hi");
    EXPECT_EQ(received, length);
  });
}

TEST(Client, TimeoutsAndCancelEndEveryPhase) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Backend backend(loop);
    backend.stays_open = true;
    backend.scripts = {{}, {"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe"}};
    Caller caller(loop);
    const Outcome no_head = co_await caller.call(backend.target(), kGet, 20ms);
    EXPECT_EQ(no_head.status.error().code, ErrorCode::kTimeout);
    EXPECT_EQ(no_head.status.error().source, ErrorSource::kUpstream);
    const Outcome no_end = co_await caller.call(backend.target(), kGet, 20ms);
    EXPECT_EQ(no_end.status.error().code, ErrorCode::kTimeout);
    EXPECT_EQ(no_end.body, "he");
    net::CancelSource cancel;
    const auto later = [&]() -> Task<void> {
      (void)co_await loop.sleep(5ms);
      cancel.cancel();
    };
    loop.spawn(later());
    const Outcome cancelled = co_await caller.call(backend.target(), kGet, 5s, &cancel);
    EXPECT_EQ(cancelled.status.error().code, ErrorCode::kCancelled);
    EXPECT_EQ(caller.pool.idle_connections(), 0u);
    co_await backend.stop();
  });
}

TEST(Client, RefusedAndUnknownSayWhere) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Caller caller(loop);
    const Outcome refused = co_await caller.call({"127.0.0.1", 1, false});
    EXPECT_EQ(refused.status.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(refused.status.error().retry, Retry::kYes);
    EXPECT_EQ(refused.status.error().source, ErrorSource::kUpstream);
    EXPECT_NE(refused.status.error().message.find("127.0.0.1:1"), std::string::npos);
    const Outcome unknown = co_await caller.call({"no-such-host.invalid", 1, false});
    EXPECT_EQ(unknown.status.error().code, ErrorCode::kUnavailable);
  });
}

TEST(Client, KeepsNoMoreIdleConnectionsThanAllowed) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Backend backend(loop);
    backend.stays_open = true;
    backend.scripts = {{"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"}};
    Caller caller(loop, {.idle_connections_max = 2});
    int done = 0;
    const auto one = [&]() -> Task<void> {
      EXPECT_EQ((co_await caller.call(backend.target())).body, "hi");
      ++done;
    };
    for (int i = 0; i < 8; ++i) loop.spawn(one());
    while (done < 8) (void)co_await loop.sleep(1ms);
    EXPECT_EQ(caller.pool.idle_connections(), 2u);
    EXPECT_EQ(backend.connections, 8);
    co_await backend.stop();
  });
}

TEST(Client, AnySplitOfAnAnswerGivesTheSameBody) {
  std::mt19937 random(23);
  const std::string answers[] = {
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n" +
          std::string(40, 'a'),
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1;x\r\n!\r\n0\r\n"
      "trailer: y\r\n\r\n",
  };
  const std::string bodies[] = {std::string(40, 'a'), "hello!"};
  for (int round = 0; round < 200; ++round) {
    net::run_loop([&](Loop& loop) -> Task<void> {
      const auto [ours, theirs] = net::socket_pair();
      Caller caller(loop);
      const Target target{"127.0.0.1", 1, false};
      caller.pool.adopt(target, std::make_unique<net::Stream>(loop, ours));
      const auto play = [&]() -> Task<void> {
        net::Stream other(loop, theirs);
        std::vector<char> buffer(1024);
        (void)co_await other.read_some(buffer, loop.after(5s));
        std::string_view rest = answers[round % 2];
        while (!rest.empty()) {
          const std::string_view part[] = {rest.substr(0, 1 + random() % 20)};
          (void)co_await other.write_all(part, loop.after(5s));
          co_await loop.yield();
          rest.remove_prefix(part[0].size());
        }
        (void)co_await other.readable(loop.after(5s));
      };
      loop.spawn(play());
      const Outcome got = co_await caller.call(target);
      EXPECT_TRUE(got.complete && got.reused);
      EXPECT_EQ(got.body, bodies[round % 2]);
      EXPECT_EQ(caller.pool.idle_connections(), 1u);
      caller.pool.close_idle();
      while (loop.running_tasks() > 1) (void)co_await loop.sleep(1ms);
    });
  }
}

// Answers with a stream of small writes.
class Ticker final : public Handler {
 public:
  Task<void> handle(Exchange& exchange) override {
    (void)co_await exchange.read_body(100);
    co_await exchange.start(200, {});
    for (int i = 0; i < 5; ++i) {
      const std::string_view pieces[] = {"data: x\n\n"};
      co_await exchange.write(pieces);
      co_await exchange.loop().yield();
    }
    co_await exchange.finish();
  }
  std::string error_body(int, std::string_view, std::string_view) override { return ""; }
};

TEST(Client, SmallWritesAreNotHeldBack) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Ticker ticker;
    Server server(loop, ticker, {}, nullptr);
    EXPECT_TRUE(server.listen("127.0.0.1", 0).has_value());
    EXPECT_TRUE(server.start().has_value());
    Caller caller(loop);
    // With Nagle's algorithm on either side, each of these would wait 40 ms for an acknowledgement.
    const MonoTime begun = SystemClock().mono();
    const std::string request = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nhi";
    for (int i = 0; i < 20; ++i) {
      const Outcome got = co_await caller.call({"127.0.0.1", server.port(), false}, request);
      EXPECT_EQ(got.body.size(), 5 * std::string_view("data: x\n\n").size());
    }
    EXPECT_LT(SystemClock().mono() - begun, 20 * 20ms);
    server.drain();
    EXPECT_TRUE(co_await server.wait_empty(loop.after(2s)));
  });
}

class Hello final : public Handler {
 public:
  Task<void> handle(Exchange& exchange) override {
    const Result<Bytes> body = co_await exchange.read_body(100);
    const std::string text =
        std::string(exchange.request().method) + " " + std::string(body->view());
    co_await exchange.respond(200, HeaderText().add("content-type", "text/plain"), text);
  }
  std::string error_body(int, std::string_view, std::string_view) override { return ""; }
};

TEST(Fetch, OneCallOnALoopOfItsOwn) {
  Loop loop;
  Hello hello;
  Server server(loop, hello, {}, nullptr);
  ASSERT_TRUE(server.listen("127.0.0.1", 0).has_value());
  ASSERT_TRUE(server.start().has_value());
  std::thread thread([&] { loop.run(); });
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/a";
  const auto got = fetch("POST", url, {{"x-a", "b"}}, "hi", 2s);
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->content_type, "text/plain");
  EXPECT_EQ(got->body, "POST hi");
  std::string streamed;
  EXPECT_TRUE(
      fetch("GET", url, {}, "", 2s, [&](std::string_view part) { streamed += part; }).has_value());
  EXPECT_EQ(streamed, "GET ");
  EXPECT_EQ(fetch("GET", "ftp://x/", {}, "", 2s).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(fetch("GET", "http://:80/", {}, "", 2s).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(fetch("GET", "http://x:port/", {}, "", 2s).error().code, ErrorCode::kInvalidArgument);
  const auto end = [&]() -> Task<void> {
    server.drain();
    EXPECT_TRUE(co_await server.wait_empty(loop.after(2s)));
    loop.stop();
  };
  loop.post([&] { loop.spawn(end()); });
  thread.join();
}

}  // namespace
}  // namespace vsr::http
