#pragma once

// The live audit: simulated agents work through a router and simulated backends over sockets, and
// the backends' own books (sim/auditor.h) say whether every tool result and every opaque item came
// back to the model that had made it. What a session does depends on the seed and its number alone;
// how sessions interleave does not. Blocking; at most kAuditThreadsMax sessions at a time.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "sim/auditor.h"

namespace vsr::eval {

constexpr size_t kAuditThreadsMax = 64;
constexpr size_t kAuditSessionsMax = 100'000;

struct AuditOptions {
  std::string url;                        // of the gateway, without a slash at its end
  std::shared_ptr<sim::Auditor> auditor;  // of all backends behind it
  size_t sessions = 1'000;
  uint64_t seed = 1;
  size_t threads = 16;
  // Models that a caller names at times, and decisions that bypass learning.
  std::vector<std::string> models;
  std::set<std::string> bypass_decisions;
  // How a client waits before it tries again; empty: not at all.
  std::function<void(std::chrono::milliseconds)> wait;
};

struct AuditReport {
  uint64_t sessions = 0;
  uint64_t given_up = 0;  // sessions whose request failed kTriesMax times in a row
  uint64_t requests = 0;
  uint64_t streamed = 0;
  uint64_t failures_injected = 0;
  uint64_t overlapping = 0;  // requests sent while another of the same session was under way
  uint64_t named = 0;        // requests for a named model
  uint64_t bypassed = 0;
  uint64_t titles = 0;
  uint64_t sub_agents = 0;
  uint64_t cut_loops = 0;  // results sent of a call whose stream was cut behind it
  sim::DeliveryCounts deliveries;
  // Tool results and opaque items that went to another model, once for each request, however often
  // the router tried it: by the route, and those that a caller or a private decision moved.
  uint64_t violations = 0;
  uint64_t requests_astray = 0;  // that had such a violation; a request may deliver several ids
  uint64_t by_choice = 0;
  std::vector<sim::Misdelivery> examples;  // of the violations, a few
};

Result<AuditReport> run_audit(const AuditOptions& options);

}  // namespace vsr::eval
