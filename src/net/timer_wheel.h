#pragma once

// One coarse timer wheel: arming and disarming are list operations without allocation or system
// call. A timer fires up to kTickMs late and never early. Loop-local; reads no clock, its owner
// tells it the time.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace vsr::net {

namespace internal {
// A node of a circular list; alone it points to itself.
struct ListNode {
  ListNode* prev = this;
  ListNode* next = this;
  void unlink() {
    prev->next = next;
    next->prev = prev;
    prev = next = this;
  }
  void push_before(ListNode& head) {
    prev = head.prev;
    next = &head;
    prev->next = this;
    head.prev = this;
  }
  bool linked() const { return next != this; }
};
}  // namespace internal

class TimerWheel;

// Called when its time has come. The owner keeps it alive while armed; destruction disarms.
class Timer : private internal::ListNode {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() { disarm(); }
  void disarm();
  bool armed() const { return linked(); }

 protected:
  virtual void on_time() = 0;

 private:
  friend class TimerWheel;
  TimerWheel* wheel_ = nullptr;
  int64_t tick_ = 0;
};

class TimerWheel {
 public:
  static constexpr int64_t kTickMs = 8;
  static constexpr size_t kSlots = 1024;

  explicit TimerWheel(MonoTime now);
  // Disarms what is still armed.
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Moves the timer if it is armed already.
  void arm(Timer& timer, MonoTime at);
  // Fires what is due by `now`, earlier ticks first. Timers may arm and disarm any timer meanwhile.
  void advance(MonoTime now);
  // How long one may sleep from `now` without being late; at most one turn of the wheel. Nothing
  // if no timer is armed.
  std::optional<std::chrono::milliseconds> until_next(MonoTime now) const;
  size_t armed() const { return armed_; }

 private:
  friend class Timer;
  static size_t slot_of(int64_t tick) { return static_cast<size_t>(tick) % kSlots; }
  // Brings the bit of a slot in line with its list.
  void note_slot(size_t slot);
  void fire_slot(size_t slot, int64_t target);

  int64_t current_tick_;
  size_t armed_ = 0;
  std::array<internal::ListNode, kSlots> slots_;
  std::array<uint64_t, kSlots / 64> occupied_{};
};

}  // namespace vsr::net
