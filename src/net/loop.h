#pragma once

// One event loop: epoll, a coarse timer wheel, and coroutines. A Loop belongs to the thread that
// calls run(); only post() and stop() may be called from others. Everything that waits is an Op: it
// is finished by its event, its deadline or its cancel source, whichever comes first. The loop
// outlives everything that was made with it.

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
#include "net/timer_wheel.h"

namespace vsr::net {

class Loop;
class Op;

// No deadline.
constexpr MonoTime kNever = MonoTime::max();

// Cancels every operation that waits under it, and those started later. Loop-local; outlives the
// operations.
class CancelSource {
 public:
  CancelSource() = default;
  ~CancelSource();
  CancelSource(const CancelSource&) = delete;
  CancelSource& operator=(const CancelSource&) = delete;
  void cancel();
  bool cancelled() const { return cancelled_; }

 private:
  friend class Op;
  bool cancelled_ = false;
  internal::ListNode waiting_;
};

// Something a coroutine waits for. attempt() tries to finish without blocking.
class Op : private Timer {
 public:
  Op(Loop& loop, MonoTime deadline, CancelSource* cancel)
      : loop_(loop), deadline_(deadline), cancel_(cancel) {
    cancel_node_.op = this;
  }

  bool await_ready() { return attempt(); }
  // False if it was cancelled before it began to wait: await_resume then follows at once.
  bool await_suspend(std::coroutine_handle<> waiter);

  // Tries again; if it finished, resumes the waiter before returning.
  void notify();
  // Ends the wait with an error. The waiter resumes later in this turn of the loop.
  void abort(ErrorCode code);
  // Ends the wait; attempt() must have its result. The waiter resumes later in this turn.
  void wake_soon();

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
  static constexpr size_t kPostedMax = 65'536;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop(). Coroutines that still wait then are never resumed, nor are their frames
  // freed: end them first.
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

  void arm(Timer& timer, MonoTime at) { wheel_.arm(timer, at); }
  // Edge-triggered for reading, writing and hang-up.
  Status add(int fd, Watched& watched);
  // Level-triggered for reading only.
  Status add_level(int fd, Watched& watched);
  void remove(int fd, Watched& watched);
  // Resumes later in this turn, or in the next if the ready ones of this turn are running already.
  void resume_soon(std::coroutine_handle<> handle) { ready_.push_back(handle); }

  // co_await loop.sleep(time): waits at least that long, or until cancelled (kCancelled).
  class Sleep;
  Sleep sleep(std::chrono::milliseconds time, CancelSource* cancel = nullptr);
  // co_await loop.yield(): lets the other work of this loop go first.
  auto yield() {
    struct Yield {
      Loop& loop;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> waiter) const { loop.resume_soon(waiter); }
      void await_resume() const noexcept {}
    };
    return Yield{*this};
  }

 private:
  void run_posted();
  void run_ready();
  int sleep_ms() const;
  void refresh_now();

  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  std::atomic<bool> stopping_{false};
  MonoTime now_;
  TimerWheel wheel_;
  size_t running_tasks_ = 0;

  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::coroutine_handle<>> resuming_;
  std::vector<Watched*> removed_;  // in this turn: their events must not be delivered any more
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::vector<std::function<void()>> running_posted_;
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

// Wakes everything that waits on it; nothing is remembered for those who come later. Loop-local;
// outlives those who wait.
class Notice {
 public:
  class Wait;
  Notice() = default;
  Notice(const Notice&) = delete;
  Notice& operator=(const Notice&) = delete;
  // co_await notice.wait(…): kTimeout or kCancelled if nothing came.
  Wait wait(Loop& loop, MonoTime deadline = kNever, CancelSource* cancel = nullptr);
  void notify_all();

 private:
  struct Node : internal::ListNode {
    Wait* wait = nullptr;
  };
  internal::ListNode waiting_;
};

class [[nodiscard]] Notice::Wait final : public Op {
 public:
  Wait(Notice& notice, Loop& loop, MonoTime deadline, CancelSource* cancel)
      : Op(loop, deadline, cancel), notice_(notice) {
    node_.wait = this;
  }
  Status await_resume() const {
    if (!aborted_) return {};
    return fail(*aborted_, *aborted_ == ErrorCode::kTimeout ? "timed out" : "cancelled");
  }

 protected:
  bool attempt() override { return false; }
  void begin_wait() override { node_.push_before(notice_.waiting_); }
  void end_wait() override { node_.unlink(); }

 private:
  Notice& notice_;
  Node node_;
};

inline Notice::Wait Notice::wait(Loop& loop, MonoTime deadline, CancelSource* cancel) {
  return {*this, loop, deadline, cancel};
}

}  // namespace vsr::net
