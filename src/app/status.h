#pragma once

// What the operator API tells of the program as a whole, as JSON. Pure.

#include <chrono>
#include <optional>
#include <string>

#include "app/discovery.h"
#include "gateway/runtime.h"
#include "learning/session_map.h"
#include "operator/api.h"
#include "store/replay.h"

namespace vsr::app {

struct SystemFacts {
  std::string version;
  std::string state_folder;
  std::chrono::nanoseconds uptime{0};
  uint64_t in_flight = 0;
  operator_api::Readiness readiness;
  std::optional<store::ReplayHealth> replay;  // nothing when records are off
  std::string replay_notice;
  std::optional<DiscoveryState> backends;  // nothing before the first look
  EmbeddedStatus embedded;
};
std::string system_document(const SystemFacts& facts);

// The sessions used last, at most `limit`; `runtime` names their models and may be null.
std::string sessions_document(const learning::SessionMap& sessions, const gateway::Runtime* runtime,
                              size_t limit);

}  // namespace vsr::app
