#include <gtest/gtest.h>

#include <thread>

#include "net/loop.h"
#include "net/offload.h"
#include "net/resolver.h"
#include "net/stream.h"

namespace vsr::net {
namespace {

using namespace std::chrono_literals;

// Runs `body` on a loop to its end.
template <typename Body>
void run(Body body) {
  Loop loop;
  const auto outer = [&]() -> Task<void> {
    co_await body(loop);
    loop.stop();
  };
  loop.spawn(outer());
  loop.run();
}

TEST(Task, PassesValuesThroughAnyDepth) {
  struct Deep {
    static Task<int> count(int depth) {
      if (depth == 0) co_return 0;
      co_return 1 + co_await count(depth - 1);
    }
  };
  run([](Loop&) -> Task<void> {
    // Symmetric transfer: no stack is used up by the depth of completed awaits.
    EXPECT_EQ(co_await Deep::count(10'000), 10'000);
  });
}

TEST(Loop, SleepsInOrderAndNeverShort) {
  run([](Loop& loop) -> Task<void> {
    for (const auto time : {0ms, 1ms, 9ms, 30ms}) {
      const MonoTime before = SystemClock().mono();
      EXPECT_TRUE((co_await loop.sleep(time)).has_value());
      EXPECT_GE(SystemClock().mono() - before, time - 1ms);
    }
  });
}

TEST(Loop, CancelEndsASleepAtOnce) {
  run([](Loop& loop) -> Task<void> {
    CancelSource source;
    loop.post([&] { source.cancel(); });
    const Status ended = co_await loop.sleep(std::chrono::hours(1), &source);
    EXPECT_EQ(ended.error().code, ErrorCode::kCancelled);
    // Under a source that is already cancelled nothing waits at all.
    EXPECT_EQ((co_await loop.sleep(std::chrono::hours(1), &source)).error().code,
              ErrorCode::kCancelled);
  });
}

TEST(Loop, PostedWorkRunsOnTheLoopsThread) {
  Loop loop;
  const std::thread::id here = std::this_thread::get_id();
  std::thread::id ran;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) {
      loop.post([&] { ran = std::this_thread::get_id(); });
    }
    loop.post([&] { loop.stop(); });
  });
  loop.run();
  other.join();
  EXPECT_EQ(ran, here);
}

TEST(Offload, RefusesWhatDoesNotFit) {
  std::mutex gate;
  gate.lock();
  {
    OffloadPool pool(1, 2);
    int accepted = 0;
    for (int i = 0; i < 10; ++i) {
      accepted += pool.submit([&] { const std::lock_guard wait(gate); });
    }
    EXPECT_GE(accepted, 2);
    EXPECT_LE(accepted, 3);  // one may already run
    gate.unlock();
  }
}

TEST(Resolver, LiteralsNeedNoLookup) {
  run([](Loop& loop) -> Task<void> {
    OffloadPool pool(1);
    Resolver resolver(loop, pool);
    EXPECT_EQ(*co_await resolver.resolve("127.0.0.1"), std::vector<std::string>{"127.0.0.1"});
    EXPECT_EQ((co_await resolver.resolve("localhost"))->front(), "127.0.0.1");
    const auto missing = co_await resolver.resolve("no-such-host.invalid");
    EXPECT_EQ(missing.error().code, ErrorCode::kUnavailable);
  });
}

TEST(Connect, RefusedSaysThatTryingAgainIsSafe) {
  run([](Loop& loop) -> Task<void> {
    const auto stream = co_await connect(loop, "127.0.0.1", 1, loop.after(2s), nullptr);
    EXPECT_FALSE(stream.has_value());
    EXPECT_EQ(stream.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(stream.error().retry, Retry::kYes);
  });
}

}  // namespace
}  // namespace vsr::net
