#pragma once

// Records summed by conversation: one row per session and conversation, for lists of them. Rows go
// in one by one, oldest first; pages come out, the latest first. Memory: at most kConversationsMax
// rows, and one word per record that delivered something, at most Deliveries::kIdsMax; further
// conversations are counted as left out. Not thread-safe.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "store/delivery.h"
#include "store/row.h"

namespace vsr::store {

class Conversations {
 public:
  static constexpr size_t kConversationsMax = 50'000;

  void add(const Row& row);
  // {"count","has_more","next_offset"?,"left_out","data":[…]}; `joined` says which of the rows
  // were unsafe switches.
  std::string to_json(size_t offset, size_t limit, const Deliveries::Result& joined);

 private:
  struct Entry {
    UnixMillis first = 0;
    UnixMillis last = 0;
    uint64_t turns = 0;
    uint64_t switches = 0;
    uint64_t unsafe_switches = 0;
    uint64_t failed = 0;
    std::vector<std::string> models;  // in the order of their first use
    std::string last_decision;
    uint64_t prompt_tokens = 0;
    uint64_t cached_prompt_tokens = 0;
    uint64_t completion_tokens = 0;
    double actual_cost = 0;
    std::string currency;
  };
  using Key = std::pair<std::string, std::string>;  // session, conversation

  std::map<Key, Entry> entries_;
  std::vector<std::pair<int64_t, Entry*>> delivering_;  // by sequence: records with deliveries
  uint64_t left_out_ = 0;  // records of conversations that had no place
};

}  // namespace vsr::store
