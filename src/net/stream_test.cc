#include "net/stream.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <random>

#include "net/listener.h"
#include "net/run_loop.h"
#include "net/signals.h"

namespace vsr::net {
namespace {

using namespace std::chrono_literals;

// Two connected streams on one loop.
struct Pair {
  explicit Pair(Loop& loop) : Pair(loop, socket_pair()) {}
  Pair(Loop& loop, std::pair<int, int> fds) : a(loop, fds.first), b(loop, fds.second) {}
  Stream a;
  Stream b;
};

Task<std::string> read_to_end(Stream& stream, size_t step) {
  std::string out;
  std::vector<char> buffer(step);
  for (;;) {
    const Result<size_t> got = co_await stream.read_some(buffer, kNever);
    if (!got || *got == 0) co_return out;
    out.append(buffer.data(), *got);
  }
}

TEST(Stream, AnyPiecesReadInAnyStepsArriveInOrder) {
  std::mt19937 random(3);
  for (int round = 0; round < 30; ++round) {
    run_loop([&](Loop& loop) -> Task<void> {
      Pair pair(loop);
      std::vector<std::string> pieces(1 + random() % 200);
      std::string expected;
      for (std::string& piece : pieces) {
        piece.assign(random() % 3 == 0 ? 0 : random() % 20'000, static_cast<char>('a' + round));
        if (!piece.empty()) piece.back() = static_cast<char>(random());
        expected += piece;
      }
      const std::vector<std::string_view> views(pieces.begin(), pieces.end());
      bool written = false;
      const auto writer = [&]() -> Task<void> {
        EXPECT_TRUE((co_await pair.a.write_all(views, loop.after(10s))).has_value());
        pair.a.shutdown_write();
        written = true;
      };
      loop.spawn(writer());
      const std::string got = co_await read_to_end(pair.b, 1 + random() % 9'000);
      EXPECT_TRUE(got == expected);
      EXPECT_TRUE(written);
    });
  }
}

TEST(Stream, AWriteWaitsForItsReaderAndEndsAtItsDeadline) {
  run_loop([](Loop& loop) -> Task<void> {
    Pair pair(loop);
    const std::string much(4 << 20, 'x');
    const std::string_view pieces[] = {much};
    const Status sent = co_await pair.a.write_all(pieces, loop.after(20ms));
    EXPECT_EQ(sent.error().code, ErrorCode::kTimeout);
  });
}

TEST(Stream, AReadEndsByDeadlineCancelOrEnd) {
  run_loop([](Loop& loop) -> Task<void> {
    auto pair = std::make_unique<Pair>(loop);
    char buffer[16];
    EXPECT_EQ((co_await pair->a.read_some(buffer, loop.after(5ms))).error().code,
              ErrorCode::kTimeout);
    CancelSource cancel;
    loop.post([&] { cancel.cancel(); });
    EXPECT_EQ((co_await pair->a.read_some(buffer, kNever, &cancel)).error().code,
              ErrorCode::kCancelled);
    const std::string_view pieces[] = {"bye"};
    EXPECT_TRUE((co_await pair->b.write_all(pieces, kNever)).has_value());
    pair->b.shutdown_write();
    EXPECT_EQ(*co_await pair->a.read_some(buffer, kNever), 3u);
    EXPECT_EQ(*co_await pair->a.read_some(buffer, kNever), 0u);
    EXPECT_EQ(*co_await pair->a.read_some(buffer, kNever), 0u) << "the end stays the end";
    EXPECT_TRUE(pair->a.hung_up());
  });
}

TEST(Stream, ReadableWaitsWithoutABuffer) {
  run_loop([](Loop& loop) -> Task<void> {
    Pair pair(loop);
    EXPECT_EQ((co_await pair.a.readable(loop.after(5ms))).error().code, ErrorCode::kTimeout);
    EXPECT_FALSE(pair.a.has_unread());
    const std::string_view pieces[] = {"x"};
    (void)co_await pair.b.write_all(pieces, kNever);
    EXPECT_TRUE((co_await pair.a.readable(loop.after(5s))).has_value());
    EXPECT_TRUE(pair.a.has_unread());
    char buffer[4];
    EXPECT_EQ(**pair.a.try_read(buffer), 1u);
    EXPECT_FALSE(pair.a.has_unread());
    EXPECT_FALSE(pair.a.try_read(buffer)->has_value());
  });
}

TEST(Stream, AHangUpCancelsWhateverIsDoneForTheOtherSide) {
  run_loop([](Loop& loop) -> Task<void> {
    auto fds = socket_pair();
    Stream stream(loop, fds.first);
    CancelSource gone;
    stream.cancel_on_hang_up(&gone);
    loop.post([&] { close(fds.second); });
    EXPECT_EQ((co_await loop.sleep(10s, &gone)).error().code, ErrorCode::kCancelled);
    // A source that is set afterwards is told at once.
    CancelSource late;
    stream.cancel_on_hang_up(&late);
    EXPECT_TRUE(late.cancelled());
  });
}

TEST(Stream, BytesForAnIdleConnectionCountAsAHangUp) {
  run_loop([](Loop& loop) -> Task<void> {
    Pair pair(loop);
    pair.a.set_idle(true);
    co_await loop.yield();
    EXPECT_FALSE(pair.a.hung_up());
    const std::string_view pieces[] = {"x"};
    (void)co_await pair.b.write_all(pieces, kNever);
    (void)co_await loop.sleep(1ms);
    EXPECT_TRUE(pair.a.hung_up());
  });
}

TEST(Stream, AWriteMayYieldToAReadAndGoOn) {
  run_loop([](Loop& loop) -> Task<void> {
    Pair pair(loop);
    const std::string much(4 << 20, 'x');
    const std::string_view pieces[] = {much};
    const auto other_side = [&]() -> Task<void> {
      (void)co_await loop.sleep(5ms);
      const std::string_view early[] = {"wait"};
      (void)co_await pair.b.write_all(early, kNever);
    };
    loop.spawn(other_side());
    Stream::WriteOp write(pair.a, pieces, loop.after(5s), nullptr);
    write.yield_to_reads();
    EXPECT_TRUE((co_await write).has_value());
    EXPECT_FALSE(write.complete());
    char buffer[16];
    const auto got = pair.a.try_read(buffer);
    EXPECT_EQ(std::string_view(buffer, **got), "wait");
    size_t received = 0;
    const auto reader = [&]() -> Task<void> {
      received = (co_await read_to_end(pair.b, 65'536)).size();
    };
    loop.spawn(reader());
    EXPECT_TRUE((co_await write).has_value());
    EXPECT_TRUE(write.complete());
    pair.a.shutdown_write();
    while (received == 0) co_await loop.yield();
    EXPECT_EQ(received, much.size());
  });
}

TEST(Connect, RefusedSaysThatTryingAgainIsSafe) {
  run_loop([](Loop& loop) -> Task<void> {
    const auto stream = co_await connect(loop, "127.0.0.1", 1, loop.after(2s), nullptr);
    EXPECT_FALSE(stream.has_value());
    EXPECT_EQ(stream.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(stream.error().retry, Retry::kYes);
    const auto bad = co_await connect(loop, "localhost", 1, loop.after(2s), nullptr);
    EXPECT_EQ(bad.error().code, ErrorCode::kInvalidArgument);
  });
}

TEST(Listener, TakesAFreePortAndSaysWhoIsInTheWay) {
  run_loop([](Loop& loop) -> Task<void> {
    std::vector<std::unique_ptr<Stream>> accepted;
    const auto accept = [&](int fd, const std::string& peer) {
      EXPECT_EQ(peer, "127.0.0.1");
      accepted.push_back(std::make_unique<Stream>(loop, fd));
    };
    auto listener = Listener::open(loop, "127.0.0.1", 0, accept);
    EXPECT_TRUE((*listener)->start().has_value());
    const uint16_t port = (*listener)->port();
    EXPECT_GT(port, 0);
    // Loops share a port; a second program is told.
    EXPECT_TRUE(Listener::open(loop, "127.0.0.1", port, accept).has_value());
    EXPECT_EQ(port_is_free("127.0.0.1", port).error().code, ErrorCode::kAlreadyExists);
    auto first = co_await connect(loop, "127.0.0.1", port, loop.after(2s), nullptr);
    EXPECT_TRUE(first.has_value());
    while (accepted.empty()) (void)co_await loop.sleep(1ms);
    // What the kernel accepted before the end is taken along.
    auto second = co_await connect(loop, "127.0.0.1", port, loop.after(2s), nullptr);
    (*listener)->close_now();
    EXPECT_EQ(accepted.size(), 2u);
    EXPECT_FALSE((co_await connect(loop, "127.0.0.1", port, loop.after(2s), nullptr)).has_value());
    accepted.clear();
  });
}

TEST(Listener, OutOfDescriptorsItPausesAndGoesOn) {
  run_loop([](Loop& loop) -> Task<void> {
    int accepted = 0;
    auto listener = Listener::open(loop, "127.0.0.1", 0, [&](int fd, const std::string&) {
      ++accepted;
      close(fd);
    });
    EXPECT_TRUE((*listener)->start().has_value());
    auto client = co_await connect(loop, "127.0.0.1", (*listener)->port(), loop.after(2s), nullptr);
    while (accepted < 1) (void)co_await loop.sleep(1ms);
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    rlimit tight = before;
    tight.rlim_cur = static_cast<rlim_t>(probe + 1);
    setrlimit(RLIMIT_NOFILE, &tight);
    // The probe itself is the client, so that no descriptor is left for the other end.
    auto raw = std::make_unique<Stream>(loop, probe);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons((*listener)->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof(address));
    (void)co_await loop.sleep(20ms);
    EXPECT_EQ(accepted, 1);
    setrlimit(RLIMIT_NOFILE, &before);
    while (accepted < 2) (void)co_await loop.sleep(1ms);
  });
}

TEST(SignalWatch, ASignalIsAnEventOfTheLoop) {
  run_loop([](Loop& loop) -> Task<void> {
    std::vector<int> seen;
    auto watch = SignalWatch::open(loop, {SIGHUP, SIGTERM}, [&](int s) { seen.push_back(s); });
    EXPECT_TRUE(watch.has_value());
    kill(getpid(), SIGHUP);
    while (seen.empty()) (void)co_await loop.sleep(1ms);
    kill(getpid(), SIGTERM);
    while (seen.size() < 2) (void)co_await loop.sleep(1ms);
    EXPECT_EQ(seen, (std::vector<int>{SIGHUP, SIGTERM}));
  });
}

}  // namespace
}  // namespace vsr::net
