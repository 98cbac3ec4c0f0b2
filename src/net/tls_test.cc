#include "net/tls.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <random>

#include "net/run_loop.h"
#include "net/test_certificate.h"

namespace vsr::net {
namespace {

using namespace std::chrono_literals;

using Context = std::shared_ptr<const TlsContext>;

struct TlsPair {
  explicit TlsPair(Loop& loop) : TlsPair(loop, socket_pair()) {}
  TlsPair(Loop& loop, std::pair<int, int> fds)
      : client(loop, fds.first), server(loop, fds.second) {}
  Stream client;
  Stream server;
  Status server_status;

  // The client's side of the handshake; the server's is in server_status.
  Task<Status> shake_hands(Context client_tls, Context server_tls, std::string name) {
    bool done = false;
    const auto serve = [&]() -> Task<void> {
      server_status =
          co_await start_server_tls(server, server_tls, server.loop().after(5s), nullptr);
      if (!server_status) server.shutdown_write();
      done = true;
    };
    server.loop().spawn(serve());
    Status status =
        co_await start_client_tls(client, client_tls, name, client.loop().after(5s), nullptr);
    if (!status) client.shutdown_write();
    while (!done) (void)co_await client.loop().sleep(1ms);
    co_return status;
  }
};

TEST(Tls, VerifiesTheChainAndTheName) {
  const TestCertificate ours("DNS:router.test,IP:127.0.0.1");
  const TestCertificate other("DNS:router.test");
  const Context server = *TlsContext::server(ours.cert_file(), ours.key_file());
  struct Case {
    const char* what;
    std::string trusted;
    const char* name;
    bool good;
    const char* says;
  };
  const Case cases[] = {
      {"right", ours.cert_file(), "router.test", true, ""},
      {"by address", ours.cert_file(), "127.0.0.1", true, ""},
      {"another name", ours.cert_file(), "other.test", false, "mismatch"},
      {"another address", ours.cert_file(), "127.0.0.2", false, "mismatch"},
      {"not trusted", "", "router.test", false, "self-signed"},
      {"another certificate trusted", other.cert_file(), "router.test", false, "self-signed"},
  };
  for (const Case& c : cases) {
    run_loop([&](Loop& loop) -> Task<void> {
      TlsPair pair(loop);
      const Context client = *TlsContext::client(c.trusted);
      const Status status = co_await pair.shake_hands(client, server, c.name);
      EXPECT_EQ(status.has_value(), c.good) << c.what;
      if (!status) {
        EXPECT_EQ(status.error().code, ErrorCode::kUnavailable) << c.what;
        EXPECT_NE(status.error().message.find(c.says), std::string::npos)
            << c.what << ": " << status.error().message;
      }
    });
  }
}

TEST(Tls, AnyPiecesArriveInOrderBothWays) {
  const TestCertificate certificate("DNS:router.test");
  const Context server = *TlsContext::server(certificate.cert_file(), certificate.key_file());
  const Context client = *TlsContext::client(certificate.cert_file());
  std::mt19937 random(5);
  for (int round = 0; round < 10; ++round) {
    run_loop([&](Loop& loop) -> Task<void> {
      TlsPair pair(loop);
      const Status status = co_await pair.shake_hands(client, server, "router.test");
      EXPECT_TRUE(status.has_value()) << status.error().message;
      std::vector<std::string> pieces(1 + random() % 100);
      std::string expected;
      for (std::string& piece : pieces) {
        piece.assign(random() % 30'000, static_cast<char>('a' + random() % 26));
        expected += piece;
      }
      const std::vector<std::string_view> views(pieces.begin(), pieces.end());
      int done = 0;
      const auto write = [&](Stream& stream) -> Task<void> {
        EXPECT_TRUE((co_await stream.write_all(views, loop.after(20s))).has_value());
        stream.shutdown_write();
        ++done;
      };
      std::string got[2];
      const auto read = [&](Stream& stream, std::string& out) -> Task<void> {
        std::vector<char> buffer(1 + random() % 40'000);
        for (;;) {
          const Result<size_t> bytes = co_await stream.read_some(buffer, loop.after(20s));
          EXPECT_TRUE(bytes.has_value());
          if (!bytes || *bytes == 0) break;
          out.append(buffer.data(), *bytes);
        }
        ++done;
      };
      loop.spawn(write(pair.client));
      loop.spawn(write(pair.server));
      loop.spawn(read(pair.client, got[0]));
      loop.spawn(read(pair.server, got[1]));
      while (done < 4) (void)co_await loop.sleep(1ms);
      EXPECT_TRUE(got[0] == expected);
      EXPECT_TRUE(got[1] == expected);
    });
  }
}

TEST(Tls, TheEndOfATruncatedStreamIsAnError) {
  const TestCertificate certificate("DNS:router.test");
  const Context server = *TlsContext::server(certificate.cert_file(), certificate.key_file());
  const Context client = *TlsContext::client(certificate.cert_file());
  run_loop([&](Loop& loop) -> Task<void> {
    TlsPair pair(loop);
    EXPECT_TRUE((co_await pair.shake_hands(client, server, "router.test")).has_value());
    // The socket ends, TLS did not: somebody on the way may have cut it.
    shutdown(pair.server.fd(), SHUT_WR);
    char buffer[16];
    EXPECT_EQ((co_await pair.client.read_some(buffer, loop.after(5s))).error().code,
              ErrorCode::kClosed);
  });
}

TEST(Tls, AHandshakeThatHangsEndsAtItsDeadline) {
  const Context client = *TlsContext::client();
  run_loop([&](Loop& loop) -> Task<void> {
    TlsPair pair(loop);
    const Status status =
        co_await start_client_tls(pair.client, client, "router.test", loop.after(10ms), nullptr);
    EXPECT_EQ(status.error().code, ErrorCode::kTimeout);
  });
}

TEST(Tls, BadFilesAreNamed) {
  const TestCertificate one("DNS:a.test");
  const TestCertificate two("DNS:b.test");
  const auto missing = TlsContext::server("/no/such/cert.pem", one.key_file());
  EXPECT_NE(missing.error().message.find("/no/such/cert.pem"), std::string::npos);
  const auto mismatch = TlsContext::server(one.cert_file(), two.key_file());
  EXPECT_NE(mismatch.error().message.find(two.key_file()), std::string::npos);
  const auto authority = TlsContext::client("/no/such/ca.pem");
  EXPECT_NE(authority.error().message.find("/no/such/ca.pem"), std::string::npos);
}

TEST(Tls, OffersAndChoosesHttp11) {
  const TestCertificate certificate("DNS:router.test");
  const Context server = *TlsContext::server(certificate.cert_file(), certificate.key_file());
  const Context client = *TlsContext::client(certificate.cert_file());
  run_loop([&](Loop& loop) -> Task<void> {
    auto fds = socket_pair();
    Stream client_stream(loop, fds.first);
    Stream server_stream(loop, fds.second);
    // A session of our own on one side, to be asked what was agreed.
    SSL* session = SSL_new(server->get());
    SSL_set_accept_state(session);
    SSL_set_fd(session, server_stream.fd());
    server_stream.attach_tls(session);
    char byte;
    const auto serve = [&]() -> Task<void> {
      (void)co_await server_stream.read_some({&byte, 1}, loop.after(5s));
    };
    loop.spawn(serve());
    EXPECT_TRUE(
        (co_await start_client_tls(client_stream, client, "router.test", loop.after(5s), nullptr))
            .has_value());
    const std::string_view pieces[] = {"x"};
    (void)co_await client_stream.write_all(pieces, loop.after(5s));
    while (loop.running_tasks() > 1) (void)co_await loop.sleep(1ms);
    const unsigned char* agreed = nullptr;
    unsigned bytes = 0;
    SSL_get0_alpn_selected(session, &agreed, &bytes);
    EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(agreed), bytes), "http/1.1");
    EXPECT_STREQ(SSL_get_servername(session, TLSEXT_NAMETYPE_host_name), "router.test");
  });
}

}  // namespace
}  // namespace vsr::net
