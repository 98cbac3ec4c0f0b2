#pragma once

// A Decision as the routing part of a replay record. What is long is rendered later, on the replay
// writer's thread, from the decision itself, which must not change any more.

#include <memory>
#include <string>

#include "gateway/runtime.h"
#include "router/decision.h"
#include "router/request.h"
#include "router/rerun.h"
#include "store/record.h"

namespace vsr::gateway {

struct RecordFacts {
  std::string request_id;
  std::string api_key_name;
  UnixMillis timestamp = 0;
  double routing_us = 0;
  bool streaming = false;
};

store::RoutingPart routing_part(std::shared_ptr<const router::Decision> decision,
                                router::Request& request, const Runtime& runtime,
                                const KeyedHash& key, RecordFacts facts);
// Writes what the answer changed in what learning remembers.
void write_state_log(const router::StateLog& log, const KeyedHash& key, json::JsonWriter& w);

}  // namespace vsr::gateway
