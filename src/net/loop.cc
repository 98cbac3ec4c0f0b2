#include "net/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace vsr::net {

namespace {

constexpr int kEventsPerTurn = 256;

int64_t tick_of(MonoTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count() / Loop::kTickMs;
}

// Runs a task to its end and forgets it.
struct Detached {
  struct promise_type {
    static void* operator new(size_t bytes) { return allocate_frame(bytes); }
    static void operator delete(void* frame, size_t bytes) noexcept { release_frame(frame, bytes); }
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

Detached run_detached(Task<void> task, size_t* running) {
  co_await std::move(task);
  --*running;
}

}  // namespace

void CancelSource::cancel() {
  cancelled_ = true;
  while (waiting_.linked()) {
    auto* node = static_cast<Op::CancelNode*>(waiting_.next);
    node->op->abort(ErrorCode::kCancelled);
  }
}

void Timer::disarm() {
  if (!linked()) return;
  internal::ListNode* const neighbour = next;
  unlink();
  --loop_->armed_;
  if (!neighbour->linked()) loop_->occupied_[slot_ / 64] &= ~(1ULL << (slot_ % 64));
}

bool Op::await_suspend(std::coroutine_handle<> waiter) {
  if (cancel_ != nullptr) {
    if (cancel_->cancelled_) {
      aborted_ = ErrorCode::kCancelled;
      return false;
    }
    cancel_node_.push_before(cancel_->waiting_);
  }
  waiter_ = waiter;
  if (deadline_ != kNever) loop_.arm(*this, deadline_);
  begin_wait();
  return true;
}

void Op::finish() {
  end_wait();
  disarm();
  cancel_node_.unlink();
}

void Op::notify() {
  if (!waiter_ || !attempt()) return;
  finish();
  std::exchange(waiter_, {}).resume();
}

void Op::abort(ErrorCode code) {
  if (!waiter_) return;
  aborted_ = code;
  finish();
  // Not resumed here: the caller may be another coroutine in the middle of its own work.
  loop_.resume_soon(std::exchange(waiter_, {}));
}

Loop::Loop() {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  VSR_CHECK(epoll_fd_ >= 0 && wake_fd_ >= 0, "{}", std::strerror(errno));
  epoll_event event{EPOLLIN, {.ptr = nullptr}};
  VSR_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) == 0, "{}", std::strerror(errno));
  refresh_now();
  current_tick_ = tick_of(now_);
}

Loop::~Loop() {
  close(wake_fd_);
  close(epoll_fd_);
}

void Loop::refresh_now() {
  now_ = std::chrono::duration_cast<MonoTime>(std::chrono::steady_clock::now().time_since_epoch());
}

void Loop::stop() {
  stopping_ = true;
  eventfd_write(wake_fd_, 1);
}

void Loop::post(std::function<void()> work) {
  {
    const std::lock_guard lock(posted_mutex_);
    VSR_CHECK(posted_.size() < kPostedMax, "the loop is stuck");
    posted_.push_back(std::move(work));
    if (posted_.size() > 1) return;
  }
  eventfd_write(wake_fd_, 1);
}

void Loop::run_posted() {
  std::vector<std::function<void()>> work;
  {
    const std::lock_guard lock(posted_mutex_);
    work.swap(posted_);
  }
  for (auto& item : work) item();
}

void Loop::spawn(Task<void> task) {
  ++running_tasks_;
  run_detached(std::move(task), &running_tasks_);
}

void Loop::arm(Timer& timer, MonoTime at) {
  timer.disarm();
  timer.loop_ = this;
  timer.tick_ = std::max(tick_of(at) + 1, current_tick_ + 1);
  timer.slot_ = static_cast<size_t>(timer.tick_) % kWheelSlots;
  static_cast<internal::ListNode&>(timer).push_before(wheel_[timer.slot_]);
  occupied_[timer.slot_ / 64] |= 1ULL << (timer.slot_ % 64);
  ++armed_;
}

// Milliseconds until the next occupied slot; a timer more than one turn of the wheel away wakes
// the loop once a turn for nothing, which is cheaper than a second wheel.
int Loop::next_timeout_ms() const {
  if (!ready_.empty()) return 0;
  if (armed_ == 0) return -1;
  const size_t start = static_cast<size_t>(current_tick_ + 1) % kWheelSlots;
  for (size_t words = 0; words <= occupied_.size(); ++words) {
    const size_t word = (start / 64 + words) % occupied_.size();
    uint64_t bits = occupied_[word];
    if (words == 0) bits &= ~0ULL << (start % 64);
    if (bits == 0) continue;
    const size_t slot = word * 64 + static_cast<size_t>(std::countr_zero(bits));
    const int64_t ticks = static_cast<int64_t>((slot + kWheelSlots - start) % kWheelSlots) + 1;
    const int64_t due_ms = (current_tick_ + ticks) * kTickMs;
    const int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now_).count();
    return static_cast<int>(std::clamp<int64_t>(due_ms - now_ms + 1, 0, kTickMs * kWheelSlots));
  }
  return -1;
}

void Loop::fire_timers() {
  const int64_t target = tick_of(now_);
  // After a long sleep one turn over the wheel reaches every slot.
  if (target - current_tick_ > static_cast<int64_t>(kWheelSlots)) {
    current_tick_ = target - static_cast<int64_t>(kWheelSlots);
  }
  while (current_tick_ < target) {
    ++current_tick_;
    internal::ListNode& head = wheel_[static_cast<size_t>(current_tick_) % kWheelSlots];
    if (!head.linked()) continue;
    internal::ListNode due;  // timers armed by what we call below go to the wheel, not here
    for (internal::ListNode* node = head.next; node != &head;) {
      auto* timer = static_cast<Timer*>(node);
      node = node->next;
      if (timer->tick_ > target) continue;
      static_cast<internal::ListNode*>(timer)->unlink();
      static_cast<internal::ListNode*>(timer)->push_before(due);
    }
    if (!head.linked()) {
      const size_t slot = static_cast<size_t>(current_tick_) % kWheelSlots;
      occupied_[slot / 64] &= ~(1ULL << (slot % 64));
    }
    while (due.linked()) {
      auto* timer = static_cast<Timer*>(due.next);
      static_cast<internal::ListNode*>(timer)->unlink();
      --armed_;
      timer->on_time();
    }
  }
}

Status Loop::add(int fd, Watched& watched) {
  epoll_event event{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = &watched}};
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return fail(ErrorCode::kIo, std::strerror(errno));
}

Status Loop::add_level(int fd, Watched& watched) {
  epoll_event event{EPOLLIN, {.ptr = &watched}};
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0) return {};
  return fail(ErrorCode::kIo, std::strerror(errno));
}

void Loop::remove(int fd, Watched& watched) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  removed_.push_back(&watched);
}

Loop::Sleep Loop::sleep(std::chrono::milliseconds time, CancelSource* cancel) {
  return Sleep(*this, now_ + time, cancel);
}

void Loop::run() {
  epoll_event events[kEventsPerTurn];
  while (!stopping_) {
    const int count = epoll_wait(epoll_fd_, events, kEventsPerTurn, next_timeout_ms());
    refresh_now();
    removed_.clear();
    for (int i = 0; i < count; ++i) {
      auto* watched = static_cast<Watched*>(events[i].data.ptr);
      if (watched == nullptr) {
        eventfd_t value;
        eventfd_read(wake_fd_, &value);
        run_posted();
      } else if (removed_.empty() ||
                 std::find(removed_.begin(), removed_.end(), watched) == removed_.end()) {
        watched->on_events(events[i].events);
      }
    }
    fire_timers();
    while (!ready_.empty()) {
      std::vector<std::coroutine_handle<>> ready;
      ready.swap(ready_);
      for (const std::coroutine_handle<> handle : ready) handle.resume();
    }
  }
}

}  // namespace vsr::net
