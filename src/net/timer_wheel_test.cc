#include "net/timer_wheel.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <random>

namespace vsr::net {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = std::chrono::milliseconds(TimerWheel::kTickMs);
constexpr MonoTime kTurn = kTick * static_cast<int64_t>(TimerWheel::kSlots);

class Bell final : public Timer {
 public:
  std::function<void()> ring;

 private:
  void on_time() override {
    if (ring) ring();
  }
};

TEST(TimerWheel, FiresOnceNeverEarlyAndAtMostATickLate) {
  for (const MonoTime delay : {MonoTime(0), MonoTime(1ms), MonoTime(7ms), MonoTime(8ms),
                               MonoTime(1s), kTurn - 1ms, kTurn, kTurn + 1ms, MonoTime(75s)}) {
    const MonoTime start = 12'345ms;
    TimerWheel wheel(start);
    Bell bell;
    MonoTime now = start;
    MonoTime rang{0};
    int times = 0;
    bell.ring = [&] {
      rang = now;
      ++times;
    };
    wheel.arm(bell, start + delay);
    // As the loop does: sleep as long as it says, then look.
    while (const auto sleep = wheel.until_next(now)) {
      now += *sleep;
      wheel.advance(now);
      ASSERT_LE(now, start + delay + 2 * kTick);
    }
    EXPECT_EQ(times, 1);
    EXPECT_GE(rang, start + delay);
    EXPECT_LE(rang, start + delay + kTick);
    EXPECT_FALSE(bell.armed());
  }
}

TEST(TimerWheel, NothingArmedMeansNoNeedToWake) {
  TimerWheel wheel(5s);
  EXPECT_FALSE(wheel.until_next(5s));
  {
    Bell bell;
    wheel.arm(bell, 6s);
    EXPECT_TRUE(wheel.until_next(5s));
  }
  EXPECT_EQ(wheel.armed(), 0u);
  EXPECT_FALSE(wheel.until_next(5s));
}

TEST(TimerWheel, MovingADueTimerKeepsTheOthersOfItsSlot) {
  // One slot holds a timer for now, one that the first disarms, and one for the next turn.
  TimerWheel wheel(0s);
  Bell first;
  Bell disarmed;
  Bell later;
  int later_rang = 0;
  bool disarmed_rang = false;
  first.ring = [&] { disarmed.disarm(); };
  disarmed.ring = [&] { disarmed_rang = true; };
  later.ring = [&] { ++later_rang; };
  wheel.arm(first, 80ms);
  wheel.arm(disarmed, 80ms);
  wheel.arm(later, 80ms + kTurn);
  wheel.advance(100ms);
  EXPECT_FALSE(disarmed_rang);
  EXPECT_EQ(wheel.armed(), 1u);
  ASSERT_TRUE(wheel.until_next(100ms));
  wheel.advance(100ms + kTurn);
  EXPECT_EQ(later_rang, 1);
}

TEST(TimerWheel, ATimerMayArmItselfAgain) {
  TimerWheel wheel(0s);
  Bell bell;
  MonoTime now = 0s;
  int times = 0;
  bell.ring = [&] {
    if (++times < 5) wheel.arm(bell, now + 100ms);
  };
  wheel.arm(bell, 100ms);
  for (; now < 2s; now += 10ms) wheel.advance(now);
  EXPECT_EQ(times, 5);
}

TEST(TimerWheel, ALongSleepFiresEverythingInOrderOfTicks) {
  TimerWheel wheel(0s);
  std::deque<Bell> bells(50);
  std::vector<int> rang;
  for (int i = 0; i < 50; ++i) {
    bells[i].ring = [&rang, i] { rang.push_back(i); };
    wheel.arm(bells[i], std::chrono::milliseconds(20) * (50 - i));
  }
  wheel.advance(2s);
  ASSERT_EQ(rang.size(), 50u);
  EXPECT_TRUE(std::is_sorted(rang.rbegin(), rang.rend()));
  wheel.arm(bells[0], 3s);
  wheel.advance(10'000s);
  EXPECT_EQ(rang.size(), 51u);
}

TEST(TimerWheel, AnyHistoryFiresWhatAModelFires) {
  std::mt19937 random(11);
  TimerWheel wheel(0s);
  std::deque<Bell> bells(64);
  std::vector<std::optional<MonoTime>> due(bells.size());
  MonoTime now = 0s;
  for (size_t i = 0; i < bells.size(); ++i) {
    bells[i].ring = [&, i] {
      ASSERT_TRUE(due[i]) << "a disarmed timer fired";
      EXPECT_LE(*due[i], now);
      due[i].reset();
    };
  }
  for (int step = 0; step < 20'000; ++step) {
    const size_t i = random() % bells.size();
    if (random() % 3 == 0) {
      bells[i].disarm();
      due[i].reset();
    } else {
      due[i] = now + std::chrono::milliseconds(random() % (random() % 2 ? 100 : 20'000));
      wheel.arm(bells[i], *due[i]);
    }
    now += std::chrono::milliseconds(random() % 40);
    wheel.advance(now);
    size_t armed = 0;
    for (size_t k = 0; k < bells.size(); ++k) {
      armed += due[k] ? 1 : 0;
      if (due[k]) {
        ASSERT_GT(*due[k] + kTick, now) << "a timer is late";
      }
    }
    ASSERT_EQ(wheel.armed(), armed);
  }
}

}  // namespace
}  // namespace vsr::net
