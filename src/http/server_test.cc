// A server and its connections on one loop, over socket pairs.
#include "http/server.h"

#include <gtest/gtest.h>

#include "http/client.h"
#include "net/run_loop.h"
#include "net/test_certificate.h"

namespace vsr::http {
namespace {

using namespace std::chrono_literals;
using net::Loop;
using net::Task;

// Answers with what it got: method, target and body. The path chooses how.
class Echo final : public Handler {
 public:
  Task<void> handle(Exchange& exchange) override {
    ++requests;
    const std::string_view path = exchange.request().path;
    if (path == "/stream") {
      co_await stream(exchange, std::nullopt);
    } else if (path == "/sized") {
      co_await stream(exchange, 30);
    } else if (path == "/short") {
      co_await stream(exchange, 31);
    } else if (path == "/broken") {
      co_await exchange.start(200, {});
      const std::string_view pieces[] = {"half"};
      co_await exchange.write(pieces);
      exchange.abandon();
    } else if (path == "/empty") {
      co_await exchange.respond(204, {}, "ignored");
    } else if (path == "/unread") {
      co_await exchange.respond(200, {}, "unread");
    } else if (path == "/large") {
      const std::string large(3 * kWriteSliceBytes + 5, 'x');
      co_await exchange.respond(200, {}, large);
    } else if (path == "/nothing") {
    } else {
      co_await echo(exchange);
    }
  }
  std::string error_body(int status, std::string_view code, std::string_view) override {
    return std::to_string(status) + " " + std::string(code);
  }

  int requests = 0;
  uint64_t body_max = 1 << 20;
  bool waiting = false;
  bool gone = false;
  net::Notice go_on;
  size_t streamed_bytes = 0;

 private:
  static Task<void> stream(Exchange& exchange, std::optional<uint64_t> length) {
    co_await exchange.start(200, HeaderText().add("content-type", "text/event-stream"), length);
    for (char c = '0'; c < '3'; ++c) {
      const std::string text(10, c);
      const std::string_view pieces[] = {std::string_view(text).substr(0, 3),
                                         std::string_view(text).substr(3)};
      if (!co_await exchange.write(pieces)) co_return;
    }
    co_await exchange.finish();
  }

  Task<void> echo(Exchange& exchange) {
    const RequestHead& head = exchange.request();
    if (head.path == "/wait") {
      waiting = true;
      const Status ended =
          co_await go_on.wait(exchange.loop(), exchange.loop().after(10s), &exchange.client_gone());
      gone = !ended.has_value();
      waiting = false;
    } else if (head.path == "/endless") {
      co_await exchange.start(200, {});
      const std::string block(64 << 10, 'x');
      const std::string_view pieces[] = {block};
      while (co_await exchange.write(pieces)) streamed_bytes += block.size();
      gone = true;
      co_return;
    }
    const Result<Bytes> body = co_await exchange.read_body(body_max);
    if (!body) {
      const int status = body.error().code == ErrorCode::kTooLarge  ? 413
                         : body.error().code == ErrorCode::kTimeout ? 408
                                                                    : 400;
      co_await exchange.respond(status, {}, body.error().message);
      co_return;
    }
    std::string text(head.method);
    text.append(" ").append(head.target).append(" ").append(body->view());
    co_await exchange.respond(200, {}, text);
  }
};

struct Site {
  explicit Site(Loop& loop_in, ServerLimits limits = {})
      : loop(loop_in), server(loop, echo, limits, nullptr) {}

  // A connection to the server.
  std::unique_ptr<net::Stream> open() {
    const auto [ours, theirs] = net::socket_pair();
    server.adopt(theirs, "test");
    return std::make_unique<net::Stream>(loop, ours);
  }
  static Task<std::string> read_to_end(net::Stream& stream) {
    std::string got;
    std::vector<char> buffer(64 << 10);
    for (;;) {
      const auto read = co_await stream.read_some(buffer, stream.loop().after(10s));
      EXPECT_TRUE(read.has_value() || read.error().code == ErrorCode::kClosed)
          << "the connection does not end";
      if (!read || *read == 0) co_return got;
      got.append(buffer.data(), *read);
    }
  }
  // Sends the pieces, each after the server has had time to read the one before, and gives all
  // that comes back.
  Task<std::string> talk(std::vector<std::string> pieces, std::chrono::milliseconds pause = 0ms) {
    std::unique_ptr<net::Stream> stream = open();
    bool sent = false;
    const auto send = [&]() -> Task<void> {
      for (const std::string& piece : pieces) {
        const std::string_view view[] = {piece};
        (void)co_await stream->write_all(view, loop.after(10s));
        for (int i = 0; i < 3; ++i) co_await loop.yield();
        if (pause > 0ms) (void)co_await loop.sleep(pause);
      }
      sent = true;
    };
    loop.spawn(send());
    const std::string got = co_await read_to_end(*stream);
    stream->shutdown_write();
    while (!sent) (void)co_await loop.sleep(1ms);
    co_return got;
  }

  Loop& loop;
  Echo echo;
  Server server;
};

const std::string kClose = "connection: close\r\n\r\n";

TEST(Server, RequestsAndWhatComesBack) {
  struct Case {
    const char* name;
    std::vector<std::string> pieces;
    std::vector<const char*> expected;  // in this order
    std::vector<const char*> absent = {};
  };
  const std::string get = "GET / HTTP/1.1\r\nhost: x\r\n";
  const std::string post = "POST / HTTP/1.1\r\nhost: x\r\n";
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "a:b\r\n";
  const Case cases[] = {
      {"pipelined",
       {"GET /1 HTTP/1.1\r\nhost: x\r\n\r\nGET /2 HTTP/1.1\r\nhost: x\r\n" + kClose},
       {"200 OK", "GET /1", "200 OK", "GET /2"}},
      {"pipelined with bodies",
       {"POST /1 HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabcPOST /2 HTTP/1.1\r\nhost: "
        "x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nd\r\n0\r\n\r\nGET /3 HTTP/1.1\r\nhost: x\r\n" +
        kClose},
       {"POST /1 abc", "POST /2 d", "GET /3"}},
      {"head in pieces", {"GE", "T /", " HTTP/1.1\r\n", "host: x\r", "\n" + kClose}, {"GET / "}},
      {"empty lines before", {"\r\n\n\r\n" + get + kClose}, {"200 OK", "GET / "}},
      {"body in pieces", {post + "content-length: 5\r\n" + kClose, "ab", "cde"}, {"POST / abcde"}},
      {"chunked body",
       {post + "transfer-encoding: chunked\r\n" + kClose + "3\r\nabc\r\n",
        "2;ext=1\r\nde\r\n0\r\ntrailer: x\r\n\r\n"},
       {"200 OK", "POST / abcde"}},
      {"expect",
       {post + "content-length: 2\r\nexpect: 100-continue\r\n" + kClose, "ok"},
       {"100 Continue", "200 OK", "POST / ok"}},
      {"expect, body sent anyway",
       {post + "content-length: 2\r\nexpect: 100-continue\r\n" + kClose + "ok"},
       {"200 OK", "POST / ok"},
       {"100 Continue"}},
      {"expect without a body", {get + "expect: 100-continue\r\n" + kClose}, {"200"}, {"100 "}},
      {"http 1.0", {"GET / HTTP/1.0\r\n\r\n"}, {"200 OK", "connection: close", "GET / "}},
      {"http 1.0 kept",
       {"GET /1 HTTP/1.0\r\nconnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n"},
       {"connection: keep-alive", "GET /1", "connection: close", "GET /2"}},
      {"head", {"HEAD / HTTP/1.1\r\nhost: x\r\n" + kClose}, {"content-length: 7"}, {"HEAD / "}},
      {"streamed",
       {"GET /stream HTTP/1.1\r\nhost: x\r\n" + kClose},
       {"transfer-encoding: chunked", "a\r\n0000000000\r\na\r\n1111111111\r\n", "\r\n0\r\n\r\n"},
       {"content-length"}},
      {"streamed to http 1.0",
       {"GET /stream HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"},
       {"connection: close\r\n\r\n000000000011111111112222222222"},
       {"chunked"}},
      {"streamed to head",
       {"HEAD /stream HTTP/1.1\r\nhost: x\r\n" + kClose},
       {"transfer-encoding: chunked"},
       {"0000"}},
      {"streamed with a length",
       {"GET /sized HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n" + kClose},
       {"content-length: 30\r\n\r\n000000000011111111112222222222HTTP/1.1 200 OK"}},
      {"shorter than announced",
       {"GET /short HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n" + kClose},
       {"content-length: 31\r\n\r\n000000000011111111112222222222"},
       {"GET / "}},
      {"broken off",
       {"GET /broken HTTP/1.1\r\nhost: x\r\n\r\n"},
       {"chunked", "4\r\nhalf\r\n"},
       {"\r\n0\r\n"}},
      {"no content",
       {"GET /empty HTTP/1.1\r\nhost: x\r\n" + kClose},
       {"204 No Content"},
       {"content-length", "ignored"}},
      {"no answer", {"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n"}, {}, {"HTTP"}},
      {"small body nobody read",
       {"POST /unread HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nabcde" + get + kClose},
       {"unread", "GET / "}},
      {"chunked body nobody read",
       {"POST /unread HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n"},
       {"connection: close", "unread"}},
      {"upgrade is ignored",
       {get + "upgrade: h2c\r\nconnection: upgrade, close\r\n\r\n"},
       {"200 OK", "GET / "}},
      {"whole URL as target", {"GET http://x/y?z HTTP/1.1\r\nhost: x\r\n" + kClose}, {"GET /y?z"}},
      {"options of everything", {"OPTIONS * HTTP/1.1\r\nhost: x\r\n" + kClose}, {"OPTIONS *"}},
      {"both lengths",
       {post + "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"},
       {"400 Bad Request", "connection: close", "400 bad_request"}},
      {"two content lengths",
       {post + "content-length: 3\r\ncontent-length: 4\r\n\r\nabcd"},
       {"400 Bad Request"}},
      {"negative length", {post + "content-length: -3\r\n\r\n"}, {"400 Bad Request"}},
      {"bad chunk",
       {post + "transfer-encoding: chunked\r\n\r\nzz\r\n"},
       {"400 Bad Request", "connection: close"}},
      {"huge chunk",
       {post + "transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n"},
       {"400 Bad Request"}},
      {"chunked over the limit",
       {post + "transfer-encoding: chunked\r\n\r\n200000\r\n" + std::string(2 << 20, 'x')},
       {"413 Content Too Large", "connection: close"}},
      {"garbage", {"\x16\x03\x01 hello\r\n\r\n"}, {"400 Bad Request"}},
      {"long header",
       {get + "a: " + std::string(70'000, 'x') + "\r\n\r\n"},
       {"431 Request Header Fields Too Large", "431 headers_too_large"}},
      {"endless header", {get + "a: " + std::string(200'000, 'x')}, {"431 "}},
      {"ten thousand headers", {get + many + "\r\n"}, {"431 "}},
      {"declared too large",
       {post + "content-length: 9999999999\r\n\r\nabc"},
       {"413 Content Too Large", "connection: close", "9999999999"}},
      {"declared too large, waiting to send",
       {post + "content-length: 9999999999\r\nexpect: 100-continue\r\n\r\n"},
       {"413 Content Too Large", "connection: close"},
       {"100 Continue"}},
  };
  for (const Case& c : cases) {
    net::run_loop([&](Loop& loop) -> Task<void> {
      Site site(loop);
      const std::string got = co_await site.talk(c.pieces);
      size_t at = 0;
      for (const char* expected : c.expected) {
        const size_t found = got.find(expected, at);
        EXPECT_NE(found, std::string::npos) << c.name << ": no " << expected << " in: " << got;
        if (found != std::string::npos) at = found + 1;
      }
      for (const char* absent : c.absent) {
        EXPECT_EQ(got.find(absent), std::string::npos) << c.name << ": " << absent << " in " << got;
      }
      EXPECT_TRUE(co_await site.server.wait_empty(loop.after(15s))) << c.name;
    });
  }
}

TEST(Server, SlowHeadsAndBodiesEndIn408) {
  const ServerLimits limits{.head = 30ms, .body_grace = 30ms};
  net::run_loop([&](Loop& loop) -> Task<void> {
    Site site(loop, limits);
    const std::string head = co_await site.talk({"GET / HTT", "P/1.1\r\n"}, 100ms);
    EXPECT_NE(head.find("408 Request Timeout"), std::string::npos) << head;
    EXPECT_NE(head.find("408 request_timeout"), std::string::npos) << head;
    const std::string body = co_await site.talk(
        {"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n", "a"}, 100ms);
    EXPECT_NE(body.find("408 Request Timeout"), std::string::npos) << body;
    // One that drips is not saved by each drop.
    std::vector<std::string> drops(40, "x");
    drops.front() = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n";
    const std::string dripped = co_await site.talk(drops, 3ms);
    EXPECT_NE(dripped.find("408 Request Timeout"), std::string::npos) << dripped;
    EXPECT_TRUE(co_await site.server.wait_empty(loop.after(15s)));
  });
}

TEST(Server, AnIdleConnectionEndsWithoutAWord) {
  net::run_loop([&](Loop& loop) -> Task<void> {
    Site site(loop, {.idle = 20ms});
    EXPECT_EQ(co_await site.talk({}), "");
  });
}

TEST(Server, AClientInTheMiddleOfAHugeBodySeesTheRefusal) {
  net::run_loop([&](Loop& loop) -> Task<void> {
    Site site(loop);
    const std::string got =
        co_await site.talk({"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 8000000\r\n\r\n" +
                            std::string(8'000'000, 'x')});
    EXPECT_TRUE(got.starts_with("HTTP/1.1 413 Content Too Large")) << got;
  });
}

TEST(Server, LargeAnswersAndBodiesPassWhole) {
  net::run_loop([&](Loop& loop) -> Task<void> {
    Site site(loop);
    site.echo.body_max = 64 << 20;
    const std::string large = co_await site.talk({"GET /large HTTP/1.1\r\nhost: x\r\n" + kClose});
    EXPECT_EQ(large.size() - large.find("\r\n\r\n") - 4, 3 * kWriteSliceBytes + 5);
    for (const size_t bytes : {size_t{1} << 20, (size_t{1} << 20) + 1, size_t{5'000'000}}) {
      std::string body(bytes, 'x');
      for (size_t i = 0; i < bytes; i += 7) body[i] = static_cast<char>('a' + i % 26);
      const std::string got = co_await site.talk({"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: " +
                                                  std::to_string(bytes) + "\r\n" + kClose + body});
      EXPECT_TRUE(got.ends_with("POST / " + body)) << bytes;
    }
  });
}

TEST(Server, ClosingTheClientCancelsTheHandler) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Site site(loop);
    auto stream = site.open();
    const std::string_view request[] = {"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n"};
    (void)co_await stream->write_all(request, loop.after(2s));
    while (!site.echo.waiting) (void)co_await loop.sleep(1ms);
    const MonoTime begun = SystemClock().mono();
    stream.reset();
    EXPECT_TRUE(co_await site.server.wait_empty(loop.after(2s)));
    EXPECT_TRUE(site.echo.gone);
    EXPECT_LT(SystemClock().mono() - begun, 100ms);
  });
}

TEST(Server, AClientThatDoesNotReadHoldsTheHandlerAndThenEndsIt) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Site site(loop, {.write = 50ms});
    auto stream = site.open();
    const std::string_view request[] = {"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n"};
    (void)co_await stream->write_all(request, loop.after(2s));
    EXPECT_TRUE(co_await site.server.wait_empty(loop.after(10s)));
    EXPECT_TRUE(site.echo.gone);
    EXPECT_LT(site.echo.streamed_bytes, 4u << 20) << "the socket's own buffer, and no more";
  });
}

TEST(Server, DrainFinishesWhatRunsAndEndsWhatIsIdle) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Site site(loop);
    auto idle = site.open();
    auto busy = site.open();
    auto arrived = site.open();
    const std::string_view wait[] = {"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n"};
    (void)co_await busy->write_all(wait, loop.after(2s));
    while (!site.echo.waiting) (void)co_await loop.sleep(1ms);
    // This one's request is in the socket, but the server has not been told yet.
    const std::string_view get[] = {"GET / HTTP/1.1\r\nhost: x\r\n\r\n"};
    (void)co_await arrived->write_all(get, loop.after(2s));
    site.server.drain();
    EXPECT_EQ(co_await Site::read_to_end(*idle), "");
    const std::string answered = co_await Site::read_to_end(*arrived);
    EXPECT_NE(answered.find("connection: close"), std::string::npos) << answered;
    EXPECT_FALSE(co_await site.server.wait_empty(loop.after(10ms)));
    site.echo.go_on.notify_all();
    const std::string got = co_await Site::read_to_end(*busy);
    EXPECT_NE(got.find("200 OK"), std::string::npos) << got;
    EXPECT_NE(got.find("connection: close"), std::string::npos) << got;
    EXPECT_TRUE(co_await site.server.wait_empty(loop.after(2s)));
    // Nobody is served any more.
    auto late = site.open();
    EXPECT_EQ(co_await Site::read_to_end(*late), "");
  });
}

TEST(Server, CloseAllCutsWhatIsLeft) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Site site(loop);
    auto busy = site.open();
    auto sending = site.open();
    const std::string_view wait[] = {"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n"};
    const std::string_view half[] = {"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nab"};
    (void)co_await busy->write_all(wait, loop.after(2s));
    (void)co_await sending->write_all(half, loop.after(2s));
    while (site.echo.requests < 2) (void)co_await loop.sleep(1ms);
    site.server.drain();
    site.server.close_all();
    EXPECT_TRUE(co_await site.server.wait_empty(loop.after(100ms)));
    EXPECT_TRUE(site.echo.gone);
  });
}

TEST(Server, LimitsItsConnections) {
  net::run_loop([](Loop& loop) -> Task<void> {
    Site site(loop, {.connections_max = 2});
    auto one = site.open();
    auto two = site.open();
    auto three = site.open();
    EXPECT_EQ(site.server.connections(), 2u);
    EXPECT_EQ(co_await Site::read_to_end(*three), "");
    one.reset();
    while (site.server.connections() == 2) (void)co_await loop.sleep(1ms);
    const std::string got = co_await site.talk({"GET / HTTP/1.1\r\nhost: x\r\n" + kClose});
    EXPECT_NE(got.find("200 OK"), std::string::npos) << got;
    two.reset();
    EXPECT_TRUE(co_await site.server.wait_empty(loop.after(2s)));
  });
}

TEST(Server, ServesTlsAndTakesANewCertificate) {
  const net::TestCertificate first("IP:127.0.0.1");
  const net::TestCertificate second("IP:127.0.0.1");
  net::run_loop([&](Loop& loop) -> Task<void> {
    Echo echo;
    Server server(loop, echo, {}, *net::TlsContext::server(first.cert_file(), first.key_file()));
    EXPECT_TRUE(server.listen("127.0.0.1", 0).has_value());
    EXPECT_TRUE(server.start().has_value());
    net::OffloadPool offload(1);
    net::Resolver resolver(loop, offload);
    const Target target{"127.0.0.1", server.port(), true};
    const std::string_view request[] = {"GET / HTTP/1.1\r\nhost: x\r\n\r\n"};
    for (const net::TestCertificate* certificate : {&first, &second}) {
      server.set_tls(*net::TlsContext::server(certificate->cert_file(), certificate->key_file()));
      for (const net::TestCertificate* trusted : {&first, &second}) {
        ClientPool pool(loop, resolver, {}, *net::TlsContext::client(trusted->cert_file()));
        for (int i = 0; i < 3; ++i) {
          auto exchange = co_await pool.open(target, loop.after(5s), nullptr);
          EXPECT_EQ(exchange.has_value(), trusted == certificate);
          if (!exchange) {
            EXPECT_EQ(exchange.error().source, ErrorSource::kUpstream);
            break;
          }
          EXPECT_TRUE((co_await (*exchange)->send(request, nullptr)).has_value());
          EXPECT_TRUE((co_await (*exchange)->read_head(loop.after(5s), nullptr)).has_value());
          std::string body;
          for (;;) {
            const auto spans = co_await (*exchange)->next(loop.after(5s), nullptr);
            EXPECT_TRUE(spans.has_value());
            if (!spans || spans->empty()) break;
            for (const std::string_view span : *spans) body += span;
          }
          EXPECT_EQ(body, "GET / ");
          EXPECT_EQ((*exchange)->reused(), i > 0);
        }
      }
    }
    server.drain();
    EXPECT_TRUE(co_await server.wait_empty(loop.after(5s)));
  });
}

}  // namespace
}  // namespace vsr::http
