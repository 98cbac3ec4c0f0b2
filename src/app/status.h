#pragma once

// What the operator API tells of the program as a whole, as JSON. Pure.

#include <spdlog/details/log_msg_buffer.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/discovery.h"
#include "gateway/runtime.h"
#include "learning/session_map.h"
#include "operator/api.h"
#include "store/replay.h"

namespace vsr::app {

struct SystemFacts {
  std::string version;
  std::string state_folder;
  std::string config;      // path of the recipe, "" in setup mode
  std::string public_url;  // where agents send requests, "" before the listeners are open
  std::shared_ptr<const config::Config> recipe;  // null in setup mode
  std::chrono::nanoseconds uptime{0};
  uint64_t in_flight = 0;
  operator_api::Readiness readiness;
  std::optional<store::ReplayHealth> replay;  // nothing when records are off
  store::DropCounts dropped;
  std::string replay_notice;
  std::optional<uint64_t> texts_encoded;   // nothing while the encoder is not loaded
  std::optional<DiscoveryState> backends;  // nothing before the first look
  EmbeddedStatus embedded;
};
std::string system_document(const SystemFacts& facts);

// The sessions used last, at most `limit`, or those of one session id (as it is shown here);
// `runtime` names their models and may be null.
std::string sessions_document(const learning::SessionMap& sessions, const gateway::Runtime* runtime,
                              size_t limit, std::string_view session);

// Lines of the log, oldest first.
std::string logs_document(const std::vector<spdlog::details::log_msg_buffer>& lines);

}  // namespace vsr::app
