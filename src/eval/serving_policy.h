#pragma once

// A policy under evaluation: it says which tier serves a request. Requests with private text never
// reach serve(); every policy gives them to tier 0. One object per run, used by one thread; what it
// learns across conversations stays, in the order of the workload.

#include <memory>
#include <string_view>

#include "eval/workload.h"

namespace vsr::eval {

class ServingPolicy {
 public:
  virtual ~ServingPolicy() = default;

  // A new conversation: nothing of the last one is known any more.
  virtual void begin_session() {}
  // `owner` is the tier that made the pending tool call or holds the state; kNoTier: free.
  virtual Tier serve(const Request& request, Tier owner) = 0;
  // `tier` has answered, also a request with private text.
  virtual void answered(const Request& request, Tier tier) {
    (void)request;
    (void)tier;
  }
};

}  // namespace vsr::eval
