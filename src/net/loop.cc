#include "net/loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace vsr::net {

namespace {

constexpr int kEventsPerTurn = 256;

MonoTime clock_now() {
  return std::chrono::duration_cast<MonoTime>(std::chrono::steady_clock::now().time_since_epoch());
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

CancelSource::~CancelSource() {
  VSR_CHECK(!waiting_.linked(), "a cancel source was destroyed under those who wait");
}

void CancelSource::cancel() {
  cancelled_ = true;
  while (waiting_.linked()) {
    auto* node = static_cast<Op::CancelNode*>(waiting_.next);
    node->op->abort(ErrorCode::kCancelled);
  }
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

// Not resumed at once: the caller may be another coroutine in the middle of its own work.
void Op::wake_soon() {
  if (!waiter_) return;
  finish();
  loop_.resume_soon(std::exchange(waiter_, {}));
}

void Op::abort(ErrorCode code) {
  if (!waiter_) return;
  aborted_ = code;
  wake_soon();
}

void Notice::notify_all() {
  while (waiting_.linked()) static_cast<Node*>(waiting_.next)->wait->wake_soon();
}

Loop::Loop() : now_(clock_now()), wheel_(now_) {
  // Writing to a connection that the other side closed is an error, not the end of the process.
  // sendmsg is told so each time, but OpenSSL writes in its own way.
  signal(SIGPIPE, SIG_IGN);
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  VSR_CHECK(epoll_fd_ >= 0 && wake_fd_ >= 0, "{}", std::strerror(errno));
  epoll_event event{EPOLLIN, {.ptr = nullptr}};
  VSR_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) == 0, "{}", std::strerror(errno));
}

Loop::~Loop() {
  close(wake_fd_);
  close(epoll_fd_);
}

void Loop::refresh_now() { now_ = clock_now(); }

void Loop::stop() {
  stopping_ = true;
  eventfd_write(wake_fd_, 1);
}

void Loop::post(std::function<void()> work) {
  {
    const std::lock_guard lock(posted_mutex_);
    VSR_CHECK(posted_.size() < kPostedMax, "the loop is stuck");
    posted_.push_back(std::move(work));
    if (posted_.size() > 1) return;  // whoever came first has woken the loop
  }
  eventfd_write(wake_fd_, 1);
}

void Loop::run_posted() {
  {
    const std::lock_guard lock(posted_mutex_);
    running_posted_.swap(posted_);
  }
  for (auto& item : running_posted_) item();
  running_posted_.clear();
}

// Once a turn: a coroutine that yields again and again lets sockets and timers have their turn.
void Loop::run_ready() {
  resuming_.swap(ready_);
  for (const std::coroutine_handle<> handle : resuming_) handle.resume();
  resuming_.clear();
}

void Loop::spawn(Task<void> task) {
  ++running_tasks_;
  run_detached(std::move(task), &running_tasks_);
}

int Loop::sleep_ms() const {
  if (!ready_.empty()) return 0;
  const auto time = wheel_.until_next(now_);
  return time ? static_cast<int>(time->count()) : -1;
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
  refresh_now();
  while (!stopping_) {
    const int count = epoll_wait(epoll_fd_, events, kEventsPerTurn, sleep_ms());
    refresh_now();
    removed_.clear();
    for (int i = 0; i < count; ++i) {
      auto* watched = static_cast<Watched*>(events[i].data.ptr);
      if (watched == nullptr) {
        eventfd_t value;
        eventfd_read(wake_fd_, &value);
        run_posted();
      } else if (std::find(removed_.begin(), removed_.end(), watched) == removed_.end()) {
        watched->on_events(events[i].events);
      }
    }
    wheel_.advance(now_);
    run_ready();
  }
}

}  // namespace vsr::net
