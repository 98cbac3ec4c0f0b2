#pragma once

// What was read of messages and tool arrays before, by the hash of their bytes: an agent sends its
// whole history with every turn, and all but the newest messages are known. One per loop, not
// thread-safe. Limit: kFactsBytesMax, least recently used out first. No text is kept.

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

#include "wire/message.h"

namespace vsr::router {

constexpr size_t kFactsBytesMax = 8UL << 20;

class FactsCache {
 public:
  explicit FactsCache(size_t bytes_max = kFactsBytesMax) : bytes_max_(bytes_max) {}

  std::shared_ptr<const wire::MessageFacts> find_message(uint64_t raw_hash);
  std::shared_ptr<const wire::MessageFacts> put_message(uint64_t raw_hash,
                                                        wire::MessageFacts facts);
  const wire::ToolsFacts* find_tools(uint64_t raw_hash) const;
  void put_tools(uint64_t raw_hash, const wire::ToolsFacts& facts);

  size_t bytes() const { return bytes_; }
  size_t messages() const { return messages_.size(); }

 private:
  static constexpr size_t kToolsMax = 256;  // distinct tool arrays; then all are forgotten
  struct Entry {
    uint64_t raw_hash;
    size_t bytes;
    std::shared_ptr<const wire::MessageFacts> facts;
  };

  const size_t bytes_max_;
  size_t bytes_ = 0;
  std::list<Entry> newest_first_;
  std::unordered_map<uint64_t, std::list<Entry>::iterator> messages_;
  std::unordered_map<uint64_t, wire::ToolsFacts> tools_;
};

}  // namespace vsr::router
