#include "net/resolver.h"

#include <gtest/gtest.h>

#include "net/run_loop.h"

namespace vsr::net {
namespace {

using namespace std::chrono_literals;

TEST(Resolver, LiteralsNeedNoLookup) {
  run_loop([](Loop& loop) -> Task<void> {
    OffloadPool pool(0);  // nobody would ever answer
    Resolver resolver(loop, pool);
    EXPECT_EQ(*co_await resolver.resolve("127.0.0.1"), std::vector<std::string>{"127.0.0.1"});
    EXPECT_EQ(*co_await resolver.resolve("::1"), std::vector<std::string>{"::1"});
  });
}

TEST(Resolver, NamesAreAskedOfTheSystem) {
  run_loop([](Loop& loop) -> Task<void> {
    OffloadPool pool(1);
    Resolver resolver(loop, pool);
    EXPECT_EQ((co_await resolver.resolve("localhost"))->front(), "127.0.0.1");
    const auto missing = co_await resolver.resolve("no-such-host.invalid");
    EXPECT_EQ(missing.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(missing.error().message.find("no-such-host.invalid"), std::string::npos);
  });
}

TEST(Resolver, ALookupThatHangsEndsAtTheDeadlineAndServesTheNext) {
  run_loop([](Loop& loop) -> Task<void> {
    std::mutex gate;
    gate.lock();
    OffloadPool pool(1);
    Resolver resolver(loop, pool);
    pool.submit([&] { const std::lock_guard wait(gate); });
    const auto late = co_await resolver.resolve("localhost", loop.after(10ms));
    EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
    CancelSource cancel;
    loop.post([&] { cancel.cancel(); });
    const auto cancelled = co_await resolver.resolve("localhost", kNever, &cancel);
    EXPECT_EQ(cancelled.error().code, ErrorCode::kCancelled);
    gate.unlock();
    EXPECT_TRUE((co_await resolver.resolve("localhost")).has_value());
  });
}

}  // namespace
}  // namespace vsr::net
