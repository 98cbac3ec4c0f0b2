#pragma once

// A few threads for calls that block (name lookups, files), and a way for a coroutine to await one.
// Bounded: a full queue is refused, never waited for. Thread-safe.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/result.h"
#include "net/loop.h"

namespace vsr::net {

class OffloadPool {
 public:
  explicit OffloadPool(size_t threads, size_t queue_max = 1024);
  ~OffloadPool();

  // False if the queue is full.
  bool submit(std::function<void()> work);

 private:
  void work();

  const size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// Runs `work` on the pool and resumes on `loop` with its result; kUnavailable if the queue is full.
template <typename T>
Task<Result<T>> offload(OffloadPool& pool, Loop& loop, std::function<Result<T>()> work) {
  struct Awaiter {
    OffloadPool& pool;
    Loop& loop;
    std::function<Result<T>()>& work;
    std::optional<Result<T>> result;
    bool await_ready() const { return false; }
    bool await_suspend(std::coroutine_handle<> waiter) {
      const bool queued = pool.submit([this, waiter] {
        result.emplace(work());
        loop.post([waiter] { waiter.resume(); });
      });
      if (!queued) result.emplace(fail(ErrorCode::kUnavailable, "too much work is waiting"));
      return queued;
    }
    Result<T> await_resume() { return std::move(*result); }
  };
  Awaiter awaiter{pool, loop, work, std::nullopt};
  co_return co_await awaiter;
}

}  // namespace vsr::net
