#pragma once

// One event loop: epoll, a coarse timer wheel, and coroutines. A Loop belongs to the thread that
// calls run(); only post() and stop() may be called from others. Timers fire up to kTickMs late and
// cost no system call. Everything that waits is an Op: it is finished by its event, its deadline or
// its cancel source, whichever comes first.

#include <array>
#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/task.h"

namespace vsr::net {

class Loop;
class Op;

// No deadline.
constexpr MonoTime kNever = MonoTime::max();

namespace internal {
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

// Cancels every operation that waits under it, and those started later. Loop-local.
class CancelSource {
 public:
  CancelSource() = default;
  CancelSource(const CancelSource&) = delete;
  CancelSource& operator=(const CancelSource&) = delete;
  void cancel();
  bool cancelled() const { return cancelled_; }

 private:
  friend class Op;
  bool cancelled_ = false;
  internal::ListNode waiting_;
};

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
  friend class Loop;
  Loop* loop_ = nullptr;
  int64_t tick_ = 0;
  size_t slot_ = 0;
};

// Something a coroutine waits for. attempt() tries to finish without blocking.
class Op : private Timer {
 public:
  explicit Op(Loop& loop, MonoTime deadline, CancelSource* cancel)
      : loop_(loop), deadline_(deadline), cancel_(cancel) {
    cancel_node_.op = this;
  }

  bool await_ready() { return attempt(); }
  // False if it was cancelled before it began to wait: await_resume then follows at once.
  bool await_suspend(std::coroutine_handle<> waiter);

  // Tries again; if it finished, resumes the waiter before returning.
  void notify();
  // Ends the wait with an error.
  void abort(ErrorCode code);

 protected:
  ~Op() override { cancel_node_.unlink(); }
  // True when the result is there, whatever it is.
  virtual bool attempt() = 0;
  // Wait for whatever attempt() lacked.
  virtual void begin_wait() {}
  virtual void end_wait() {}
  // Set when the wait was ended from outside: kTimeout or kCancelled.
  std::optional<ErrorCode> aborted_;
  Loop& loop_;

 private:
  friend class CancelSource;
  friend class Loop;
  struct CancelNode : internal::ListNode {
    Op* op = nullptr;
  };
  void on_time() override { abort(ErrorCode::kTimeout); }
  void finish();

  const MonoTime deadline_;
  CancelSource* const cancel_;
  CancelNode cancel_node_;
  std::coroutine_handle<> waiter_;
};

// What epoll reports of a descriptor. Loop-local; the owner keeps the descriptor open while added.
class Watched {
 public:
  virtual ~Watched() = default;
  // `events` as epoll gives them.
  virtual void on_events(uint32_t events) = 0;
};

class Loop {
 public:
  static constexpr int64_t kTickMs = 8;
  static constexpr size_t kWheelSlots = 1024;
  static constexpr size_t kPostedMax = 65'536;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop(). Tasks that still wait then are not destroyed by it; see spawn().
  void run();
  void stop();
  // Runs `work` on the loop's thread soon. Any thread.
  void post(std::function<void()> work);

  // Starts a coroutine that nobody awaits; its frame goes when it ends.
  void spawn(Task<void> task);
  // Coroutines begun by spawn() that have not ended.
  size_t running_tasks() const { return running_tasks_; }

  // Time at the start of this turn of the loop; cheap.
  MonoTime now() const { return now_; }
  MonoTime after(std::chrono::milliseconds time) const { return now_ + time; }

  void arm(Timer& timer, MonoTime at);
  // Edge-triggered for reading, writing and hang-up.
  Status add(int fd, Watched& watched);
  // Level-triggered for reading only.
  Status add_level(int fd, Watched& watched);
  void remove(int fd, Watched& watched);
  // Resumes at the end of this turn.
  void resume_soon(std::coroutine_handle<> handle) { ready_.push_back(handle); }

  // co_await loop.sleep(time): waits at least that long, or until cancelled (kCancelled).
  class Sleep;
  Sleep sleep(std::chrono::milliseconds time, CancelSource* cancel = nullptr);

 private:
  void fire_timers();
  void run_posted();
  int next_timeout_ms() const;
  void refresh_now();

  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  std::atomic<bool> stopping_{false};
  MonoTime now_{0};
  size_t running_tasks_ = 0;

  int64_t current_tick_ = 0;
  size_t armed_ = 0;
  std::array<internal::ListNode, kWheelSlots> wheel_;
  std::array<uint64_t, kWheelSlots / 64> occupied_{};

  std::vector<std::coroutine_handle<>> ready_;
  std::vector<Watched*> removed_;  // in this turn: their events must not be delivered any more
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  friend class Timer;
  friend class Op;
};

class [[nodiscard]] Loop::Sleep final : public Op {
 public:
  Sleep(Loop& loop, MonoTime until, CancelSource* cancel) : Op(loop, until, cancel) {}
  Status await_resume() {
    if (aborted_ == ErrorCode::kCancelled) {
      return fail(ErrorCode::kCancelled, "the wait was cancelled");
    }
    return {};
  }

 protected:
  bool attempt() override { return false; }
};

}  // namespace vsr::net
