// Server and client against each other over loopback, and the parser laws.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <random>
#include <thread>

#include "http/client.h"
#include "http/server.h"
#include "http/sse.h"

namespace vsr::http {
namespace {

using namespace std::chrono_literals;

// Answers with what it got: method, path and body.
class Echo final : public Handler {
 public:
  net::Task<void> handle(Exchange& exchange) override {
    const RequestHead& head = exchange.request();
    if (head.path == "/stream") {
      co_await exchange.start(200, HeaderText().add("content-type", "text/event-stream"));
      for (int i = 0; i < 20; ++i) {
        const std::string event = "data: " + std::to_string(i) + "\n\n";
        const std::string_view pieces[] = {event};
        co_await exchange.write(pieces);
      }
      co_await exchange.finish();
      co_return;
    }
    if (head.path == "/wait") {
      waiting = true;
      const Status ended = co_await exchange.loop().sleep(10s, &exchange.client_gone());
      gone = !ended.has_value();
      waiting = false;
    }
    const Result<Bytes> body = co_await exchange.read_body(body_max);
    if (!body) {
      const int status = body.error().code == ErrorCode::kTooLarge  ? 413
                         : body.error().code == ErrorCode::kTimeout ? 408
                                                                    : 400;
      co_await exchange.respond(status, {}, body.error().message);
      co_return;
    }
    const std::string text =
        std::string(head.method) + " " + std::string(head.target) + " " + std::string(body->view());
    co_await exchange.respond(200, {}, text);
  }
  std::string error_body(int status, std::string_view code, std::string_view) override {
    return std::to_string(status) + " " + std::string(code);
  }

  uint64_t body_max = 1 << 20;
  std::atomic<bool> waiting{false};
  std::atomic<bool> gone{false};
};

class Http : public testing::Test {
 protected:
  void SetUp() override {
    limits.head = 300ms;
    limits.body_grace = 300ms;
    server = std::make_unique<Server>(loop, echo, limits, nullptr);
    ASSERT_TRUE(server->listen("127.0.0.1", 0).has_value());
    ASSERT_TRUE(server->start().has_value());
    thread = std::thread([this] { loop.run(); });
  }
  void TearDown() override {
    loop.post([this] {
      server->drain();
      server->close_all();
      loop.post([this] { loop.stop(); });
    });
    thread.join();
  }
  std::string url(const std::string& path) {
    return "http://127.0.0.1:" + std::to_string(server->port()) + path;
  }
  // Sends the pieces with a pause before each but the first and returns all that comes back.
  std::string raw(const std::vector<std::string>& pieces, std::chrono::milliseconds pause = 0ms) {
    std::string got;
    net::Loop client;
    const auto talk = [&]() -> net::Task<void> {
      auto stream =
          co_await net::connect(client, "127.0.0.1", server->port(), client.after(2s), nullptr);
      for (size_t i = 0; i < pieces.size(); ++i) {
        if (i > 0) (void)co_await client.sleep(pause);
        const std::string_view view[] = {pieces[i]};
        (void)co_await (*stream)->write_all(view, client.after(2s));
      }
      char buffer[4096];
      for (;;) {
        const auto read = co_await (*stream)->read_some(buffer, client.after(1500ms));
        if (!read || *read == 0) break;
        got.append(buffer, *read);
      }
      client.stop();
    };
    client.spawn(talk());
    client.run();
    return got;
  }

  ServerLimits limits;
  Echo echo;
  net::Loop loop;
  std::unique_ptr<Server> server;
  std::thread thread;
};

TEST_F(Http, FetchRoundTrip) {
  const auto response = fetch("POST", url("/a?b=c"), {}, "hello", 2s);
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "POST /a?b=c hello");
}

TEST_F(Http, StreamsArriveWhole) {
  std::string got;
  const auto response =
      fetch("GET", url("/stream"), {}, "", 2s, [&](std::string_view part) { got += part; });
  ASSERT_TRUE(response.has_value()) << response.error().message;
  SseParser parser;
  std::string events;
  parser.feed(got, [&](std::string_view data) { events += std::string(data) + ","; });
  EXPECT_EQ(events, "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,");
}

TEST_F(Http, RawRequestsAndWhatComesBack) {
  const std::string close = "connection: close\r\n\r\n";
  struct Case {
    const char* name;
    std::vector<std::string> pieces;
    std::vector<const char*> expected;  // in this order
  };
  const std::string long_value(70'000, 'x');
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "a:b\r\n";
  const Case cases[] = {
      {"pipelined",
       {"GET /1 HTTP/1.1\r\nhost: x\r\n\r\nGET /2 HTTP/1.1\r\nhost: x\r\n" + close},
       {"200 OK", "GET /1", "200 OK", "GET /2"}},
      {"one byte at a time of a head",
       {"GE", "T /", " HTTP/1.1\r\n", "host: x\r\n" + close},
       {"200 OK", "GET /"}},
      {"chunked body",
       {"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n" + close + "3\r\nabc\r\n",
        "2;ext=1\r\nde\r\n0\r\n\r\n"},
       {"200 OK", "POST / abcde"}},
      {"expect",
       {"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n" + close,
        "ok"},
       {"100 Continue", "200 OK", "POST / ok"}},
      {"http 1.0", {"GET / HTTP/1.0\r\n\r\n"}, {"200 OK", "connection: close"}},
      {"head", {"HEAD / HTTP/1.1\r\nhost: x\r\n" + close}, {"200 OK", "content-length: 7"}},
      {"both lengths",
       {"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: "
        "chunked\r\n\r\n0\r\n\r\n"},
       {"400 Bad Request"}},
      {"two content lengths",
       {"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd"},
       {"400 Bad Request"}},
      {"negative length",
       {"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -3\r\n\r\n"},
       {"400 Bad Request"}},
      {"bad chunk",
       {"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"},
       {"400 Bad Request"}},
      {"garbage", {"\x16\x03\x01 hello\r\n\r\n"}, {"400 Bad Request"}},
      {"absolute target",
       {"GET http://x/y?z HTTP/1.1\r\nhost: x\r\n" + close},
       {"200 OK", "GET /y?z"}},
      {"long header", {"GET / HTTP/1.1\r\nhost: x\r\na: " + long_value + "\r\n\r\n"}, {"431 "}},
      {"ten thousand headers", {"GET / HTTP/1.1\r\n" + many + "\r\n"}, {"431 "}},
      {"declared too large",
       {"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999999\r\n\r\nabc"},
       {"413 Content Too Large", "connection: close", "9999999999"}},
  };
  for (const Case& c : cases) {
    const std::string got = raw(c.pieces, 20ms);
    size_t at = 0;
    for (const char* expected : c.expected) {
      const size_t found = got.find(expected, at);
      EXPECT_NE(found, std::string::npos) << c.name << ": no " << expected << " in: " << got;
      if (found != std::string::npos) at = found + 1;
    }
  }
}

TEST_F(Http, SlowHeadAndSlowBodyEndIn408) {
  EXPECT_NE(raw({"GET / HTT", "P/1.1\r\n"}, 500ms).find("408"), std::string::npos);
  EXPECT_NE(
      raw({"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n", "a"}, 500ms).find("408"),
      std::string::npos);
}

TEST_F(Http, ClosingTheClientCancelsTheHandler) {
  net::Loop client;
  const auto talk = [&]() -> net::Task<void> {
    auto stream =
        co_await net::connect(client, "127.0.0.1", server->port(), client.after(2s), nullptr);
    const std::string_view request[] = {"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n"};
    (void)co_await (*stream)->write_all(request, client.after(2s));
    while (!echo.waiting) (void)co_await client.sleep(1ms);
    stream->reset();
    client.stop();
  };
  client.spawn(talk());
  client.run();
  const MonoTime begun = SystemClock().mono();
  while (echo.waiting && SystemClock().mono() - begun < 2s) std::this_thread::yield();
  EXPECT_TRUE(echo.gone);
  EXPECT_LT(SystemClock().mono() - begun, 100ms);
}

TEST_F(Http, PoolReusesConnectionsAndNoticesClosedOnes) {
  net::Loop client;
  const auto talk = [&]() -> net::Task<void> {
    net::OffloadPool offload(1);
    net::Resolver resolver(client, offload);
    ClientPool pool(client, resolver, {}, nullptr);
    const Target target{"127.0.0.1", server->port(), false};
    for (int i = 0; i < 3; ++i) {
      auto exchange = co_await pool.open(target, client.after(2s), nullptr);
      EXPECT_EQ((*exchange)->reused(), i > 0);
      const std::string_view request[] = {"GET / HTTP/1.1\r\nhost: x\r\n\r\n"};
      (void)co_await (*exchange)->send(request, nullptr);
      EXPECT_TRUE((co_await (*exchange)->read_head(client.after(2s), nullptr)).has_value());
      std::string body;
      for (;;) {
        const auto spans = co_await (*exchange)->next(client.after(2s), nullptr);
        if (!spans || spans->empty()) break;
        for (const auto span : *spans) body += span;
      }
      EXPECT_EQ(body, "GET / ");
    }
    EXPECT_EQ(pool.idle_connections(), 1u);
    loop.post([this] { server->close_all(); });
    while (server->connections() > 0) (void)co_await client.sleep(1ms);
    (void)co_await client.sleep(5ms);
    auto exchange = co_await pool.open(target, client.after(2s), nullptr);
    EXPECT_FALSE((*exchange)->reused());
    exchange->reset();
    client.stop();
  };
  client.spawn(talk());
  client.run();
}

TEST(Sse, AnySplitGivesTheSameEvents) {
  const std::string stream =
      ": comment\ndata: one\n\ndata:two\r\ndata: lines\r\n\r\nevent: x\rdata: three\r\rid: 4\n\n"
      "data\n\ndata: {\"a\":1}\n\n";
  const std::vector<std::string> expected = {"one", "two\nlines", "three", "", "{\"a\":1}"};
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    SseParser parser;
    std::vector<std::string> events;
    for (size_t at = 0; at < stream.size();) {
      const size_t take = round == 0 ? stream.size() : 1 + random() % 9;
      parser.feed(std::string_view(stream).substr(at, take),
                  [&](std::string_view data) { events.emplace_back(data); });
      at += take;
    }
    ASSERT_EQ(events, expected);
  }
}

TEST(Sse, AnEventOverTheLimitStopsTheParser) {
  SseParser parser;
  const std::string piece(1 << 20, 'x');
  bool ok = parser.feed("data: ", [](std::string_view) { FAIL(); });
  for (size_t i = 0; i <= kEventBytesMax >> 20; ++i) {
    ok = parser.feed(piece, [](std::string_view) { FAIL(); });
  }
  EXPECT_FALSE(ok);
}

}  // namespace
}  // namespace vsr::http
