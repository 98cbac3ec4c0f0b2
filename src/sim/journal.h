#pragma once

// What happened to a simulated backend: the requests that arrived. Oldest entries go first, and
// what went is counted. Not thread-safe.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "http/message.h"
#include "json/writer.h"

namespace vsr::sim {

constexpr size_t kRequestsKeptMax = 2'000;
constexpr size_t kRequestBytesKeptMax = 256UL << 20;

struct SeenRequest {
  uint64_t number = 0;
  std::string method;
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  UnixMillis received_unix_ms = 0;
  bool aborted = false;  // the client closed before the answer was out
  int64_t aborted_after_ms = 0;
};

class Journal {
 public:
  // Its number.
  uint64_t add(SeenRequest request);
  void set_aborted(uint64_t number, int64_t after_ms);
  // Numbers go on, so that a request that is still running finds no other's entry.
  void clear();
  const std::deque<SeenRequest>& requests() const { return requests_; }
  uint64_t dropped() const { return dropped_; }
  void write(json::JsonWriter& writer) const;

 private:
  std::deque<SeenRequest> requests_;
  size_t bytes_ = 0;
  uint64_t next_ = 1;
  uint64_t dropped_ = 0;
};

}  // namespace vsr::sim
