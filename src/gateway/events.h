#pragma once

// The live view's feed: one JSON document per routed request, numbered. A ring of the latest
// kEventsKept; a reader asks for what came after a number, so that it can resume. Thread-safe.

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace vsr::gateway {

class EventFeed {
 public:
  static constexpr size_t kEventsKept = 1024;

  // Cheap check, so that nobody renders an event that nobody reads. When the last reader has left,
  // the next kEventsKept are still kept: it may come back and resume.
  bool wanted() const {
    return readers_.load(std::memory_order_relaxed) > 0 ||
           unread_left_.load(std::memory_order_relaxed) > 0;
  }
  void add_reader() { ++readers_; }
  void remove_reader() {
    unread_left_ = kEventsKept;
    --readers_;
  }

  void publish(std::string json);
  // Events with a number over `after`, oldest first; the newest number if `after` is 0 and none.
  std::vector<std::pair<uint64_t, std::string>> since(uint64_t after) const;
  uint64_t newest() const;

 private:
  std::atomic<uint32_t> readers_{0};
  std::atomic<int64_t> unread_left_{0};
  mutable std::mutex mutex_;
  uint64_t next_ = 1;
  std::deque<std::pair<uint64_t, std::string>> events_;
};

}  // namespace vsr::gateway
