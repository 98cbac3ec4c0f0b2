#include "signals/message_cache.h"

#include <list>
#include <mutex>
#include <unordered_map>

namespace vsr::signals {

size_t MessageResult::bytes() const {
  constexpr size_t kNodeBytes = 160;  // list node, index node, control block
  size_t windows = 0;
  for (const AttackReading& reading : readings) windows += reading.windows.capacity();
  return sizeof(*this) + kNodeBytes + keywords.capacity() * sizeof(KeywordScore) +
         entities.capacity() * sizeof(PartEntity) + (heads ? sizeof(nn::HeadScores) : 0) +
         (vector ? sizeof(*vector) + vector->capacity() * sizeof(float) : 0) +
         windows * sizeof(AttackWindow) + readings.capacity() * sizeof(AttackReading);
}

struct MessageCache::Stripe {
  struct Entry {
    Key key;
    std::shared_ptr<const MessageResult> result;
  };
  struct KeyHash {
    size_t operator()(const Key& key) const { return key.content_hash ^ (key.version * 31); }
  };
  mutable std::mutex mutex;
  std::list<Entry> newest_first;
  std::unordered_map<Key, std::list<Entry>::iterator, KeyHash> by_key;
  Stats stats;
};

MessageCache::MessageCache(size_t bytes_max)
    : stripe_bytes_max_(bytes_max / kStripes), stripes_(std::make_unique<Stripe[]>(kStripes)) {}
MessageCache::~MessageCache() = default;

MessageCache::Stripe& MessageCache::stripe_of(const Key& key) {
  return stripes_[(key.content_hash >> 40) % kStripes];
}

std::shared_ptr<const MessageResult> MessageCache::find(const Key& key) {
  Stripe& stripe = stripe_of(key);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.by_key.find(key);
  if (found == stripe.by_key.end()) {
    ++stripe.stats.misses;
    return nullptr;
  }
  ++stripe.stats.hits;
  stripe.newest_first.splice(stripe.newest_first.begin(), stripe.newest_first, found->second);
  return found->second->result;
}

void MessageCache::put(const Key& key, std::shared_ptr<const MessageResult> result) {
  Stripe& stripe = stripe_of(key);
  const size_t bytes = result->bytes();
  if (bytes > stripe_bytes_max_) return;
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.by_key.find(key);
  if (found != stripe.by_key.end()) {
    stripe.stats.bytes -= found->second->result->bytes();
    stripe.newest_first.erase(found->second);
    stripe.by_key.erase(found);
  }
  stripe.newest_first.push_front({key, std::move(result)});
  stripe.by_key[key] = stripe.newest_first.begin();
  stripe.stats.bytes += bytes;
  while (stripe.stats.bytes > stripe_bytes_max_) {
    const Stripe::Entry& oldest = stripe.newest_first.back();
    stripe.stats.bytes -= oldest.result->bytes();
    stripe.by_key.erase(oldest.key);
    stripe.newest_first.pop_back();
    ++stripe.stats.evictions;
  }
  stripe.stats.entries = stripe.newest_first.size();
}

MessageCache::Stats MessageCache::stats() const {
  Stats total;
  for (size_t i = 0; i < kStripes; ++i) {
    const std::lock_guard lock(stripes_[i].mutex);
    const Stats& one = stripes_[i].stats;
    total.hits += one.hits;
    total.misses += one.misses;
    total.evictions += one.evictions;
    total.entries += one.entries;
    total.bytes += one.bytes;
  }
  return total;
}

}  // namespace vsr::signals
