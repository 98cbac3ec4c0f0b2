#include "gateway/events.h"

namespace vsr::gateway {

void EventFeed::publish(std::string json) {
  if (readers_.load(std::memory_order_relaxed) == 0) --unread_left_;
  const std::lock_guard lock(mutex_);
  events_.emplace_back(next_++, std::move(json));
  if (events_.size() > kEventsKept) events_.pop_front();
}

std::vector<std::pair<uint64_t, std::string>> EventFeed::since(uint64_t after) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<uint64_t, std::string>> out;
  for (const auto& event : events_) {
    if (event.first > after) out.push_back(event);
  }
  return out;
}

uint64_t EventFeed::newest() const {
  const std::lock_guard lock(mutex_);
  return next_ - 1;
}

}  // namespace vsr::gateway
