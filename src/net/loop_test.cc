#include "net/loop.h"

#include <gtest/gtest.h>

#include <thread>

#include "net/offload.h"
#include "net/run_loop.h"

namespace vsr::net {
namespace {

using namespace std::chrono_literals;

TEST(Task, PassesValuesThroughAnyDepth) {
  struct Deep {
    static Task<int> count(int depth) {
      if (depth == 0) co_return 0;
      co_return 1 + co_await count(depth - 1);
    }
  };
  run_loop([](Loop&) -> Task<void> {
    // Symmetric transfer: no stack is used up by the depth of completed awaits.
    EXPECT_EQ(co_await Deep::count(10'000), 10'000);
  });
}

TEST(Loop, SleepsInOrderAndNeverShort) {
  run_loop([](Loop& loop) -> Task<void> {
    for (const auto time : {0ms, 1ms, 9ms, 30ms}) {
      const MonoTime before = SystemClock().mono();
      EXPECT_TRUE((co_await loop.sleep(time)).has_value());
      EXPECT_GE(SystemClock().mono() - before, time - 1ms);
    }
  });
}

TEST(Loop, CancelEndsASleepAtOnce) {
  run_loop([](Loop& loop) -> Task<void> {
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

TEST(Loop, YieldLetsOthersGoFirst) {
  run_loop([](Loop& loop) -> Task<void> {
    // A coroutine that never waits but for yields must not keep a timer from firing.
    bool slept = false;
    const auto sleeper = [&]() -> Task<void> {
      (void)co_await loop.sleep(1ms);
      slept = true;
    };
    loop.spawn(sleeper());
    const MonoTime begun = SystemClock().mono();
    while (!slept && SystemClock().mono() - begun < 5s) co_await loop.yield();
    EXPECT_TRUE(slept);
  });
}

TEST(Loop, ADeadlineAndACancelEndWhicheverWaitComesFirst) {
  run_loop([](Loop& loop) -> Task<void> {
    Notice notice;
    CancelSource cancel;
    EXPECT_EQ((co_await notice.wait(loop, loop.after(5ms), &cancel)).error().code,
              ErrorCode::kTimeout);
    loop.post([&] { notice.notify_all(); });
    EXPECT_TRUE((co_await notice.wait(loop, loop.after(5s), &cancel)).has_value());
    loop.post([&] { cancel.cancel(); });
    EXPECT_EQ((co_await notice.wait(loop, loop.after(5s), &cancel)).error().code,
              ErrorCode::kCancelled);
  });
}

TEST(Loop, ANoticeWakesAllThatWait) {
  run_loop([](Loop& loop) -> Task<void> {
    Notice notice;
    int woken = 0;
    const auto waiter = [&]() -> Task<void> {
      woken += (co_await notice.wait(loop)).has_value() ? 1 : 0;
    };
    for (int i = 0; i < 10; ++i) loop.spawn(waiter());
    EXPECT_EQ(woken, 0);
    notice.notify_all();
    EXPECT_EQ(woken, 0) << "the waiters resume after the one who notifies";
    co_await loop.yield();
    EXPECT_EQ(woken, 10);
  });
}

TEST(Offload, GivesTheResultOnTheLoopsThread) {
  run_loop([](Loop& loop) -> Task<void> {
    OffloadPool pool(2);
    const std::thread::id here = std::this_thread::get_id();
    for (int i = 0; i < 100; ++i) {
      std::function<Result<int>()> work = [i] { return i; };
      const Result<int> got = co_await offload<int>(pool, loop, std::move(work));
      EXPECT_EQ(*got, i);
      EXPECT_EQ(std::this_thread::get_id(), here);
    }
  });
}

}  // namespace
}  // namespace vsr::net
