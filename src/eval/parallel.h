#pragma once

// Runs independent jobs on a few threads. What a job writes must be its own.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace vsr::eval {

// Jobs done so far, of how many; called from one thread at a time.
using Progress = std::function<void(size_t done, size_t total)>;

// Calls job(0) … job(count − 1), each once, on up to `threads` threads, and waits for them.
inline void run_parallel(size_t count, size_t threads, const std::function<void(size_t)>& job,
                         const Progress& progress = {}) {
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  size_t done = 0;
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) {
      job(i);
      if (!progress) continue;
      const std::lock_guard lock(mutex);
      progress(++done, count);
    }
  };
  std::vector<std::jthread> others;
  for (size_t i = 1; i < std::min(threads, count); ++i) others.emplace_back(work);
  work();
}

}  // namespace vsr::eval
