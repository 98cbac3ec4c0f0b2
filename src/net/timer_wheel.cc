#include "net/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace vsr::net {

namespace {

int64_t ms_of(MonoTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}
int64_t tick_of(MonoTime time) { return ms_of(time) / TimerWheel::kTickMs; }

}  // namespace

void Timer::disarm() {
  if (!linked()) return;
  unlink();
  --wheel_->armed_;
  wheel_->note_slot(TimerWheel::slot_of(tick_));
}

TimerWheel::TimerWheel(MonoTime now) : current_tick_(tick_of(now)) {}

TimerWheel::~TimerWheel() {
  for (internal::ListNode& slot : slots_) {
    while (slot.linked()) slot.next->unlink();
  }
}

void TimerWheel::note_slot(size_t slot) {
  const uint64_t bit = 1ULL << (slot % 64);
  if (slots_[slot].linked()) {
    occupied_[slot / 64] |= bit;
  } else {
    occupied_[slot / 64] &= ~bit;
  }
}

void TimerWheel::arm(Timer& timer, MonoTime at) {
  timer.disarm();
  timer.wheel_ = this;
  // One tick up, so that a time within a tick is not early.
  timer.tick_ = std::max(tick_of(at), current_tick_) + 1;
  const size_t slot = slot_of(timer.tick_);
  static_cast<internal::ListNode&>(timer).push_before(slots_[slot]);
  occupied_[slot / 64] |= 1ULL << (slot % 64);
  ++armed_;
}

void TimerWheel::fire_slot(size_t slot, int64_t target) {
  // Due ones move aside first: what on_time() arms belongs to the wheel again.
  internal::ListNode due;
  for (internal::ListNode* node = slots_[slot].next; node != &slots_[slot];) {
    auto* timer = static_cast<Timer*>(node);
    node = node->next;
    if (timer->tick_ > target) continue;  // a later turn of the wheel
    static_cast<internal::ListNode*>(timer)->unlink();
    static_cast<internal::ListNode*>(timer)->push_before(due);
  }
  note_slot(slot);
  while (due.linked()) {
    auto* timer = static_cast<Timer*>(due.next);
    static_cast<internal::ListNode*>(timer)->unlink();
    --armed_;
    timer->on_time();
  }
}

void TimerWheel::advance(MonoTime now) {
  const int64_t target = tick_of(now);
  // After a long sleep one turn over the wheel reaches every slot.
  current_tick_ = std::max(current_tick_, target - static_cast<int64_t>(kSlots));
  while (current_tick_ < target) {
    const size_t slot = slot_of(++current_tick_);
    if (slots_[slot].linked()) fire_slot(slot, target);
  }
}

// A timer more than one turn away ends the sleep once a turn for nothing, which is cheaper than a
// second wheel.
std::optional<std::chrono::milliseconds> TimerWheel::until_next(MonoTime now) const {
  if (armed_ == 0) return std::nullopt;
  const size_t start = slot_of(current_tick_ + 1);
  for (size_t words = 0; words <= occupied_.size(); ++words) {
    const size_t word = (start / 64 + words) % occupied_.size();
    uint64_t bits = occupied_[word];
    if (words == 0) bits &= ~0ULL << (start % 64);
    if (bits == 0) continue;
    const size_t slot = word * 64 + static_cast<size_t>(std::countr_zero(bits));
    const int64_t ticks = static_cast<int64_t>((slot + kSlots - start) % kSlots) + 1;
    return std::chrono::milliseconds(
        std::max<int64_t>((current_tick_ + ticks) * kTickMs - ms_of(now), 0));
  }
  return std::nullopt;
}

}  // namespace vsr::net
