#pragma once

// What the session policy did in recorded traffic: switches, broken locks and cost, beside what
// serving every proposal would have done. Reads replay records, as the operator API lists them with
// details or one a line. Pure but for the stream; any thread; at most kReplayBytesMax of input.

#include <cstddef>
#include <istream>
#include <map>
#include <string>

#include "base/result.h"

namespace vsr::eval {

constexpr size_t kReplayBytesMax = size_t{256} * 1024 * 1024;

// `proposals` is what a router without memory would have done.
struct ReplaySide {
  size_t switches = 0;
  size_t tool_violations = 0;      // switches inside a tool loop
  size_t provider_violations = 0;  // switches of a turn with provider state
};

struct ReplaySummary {
  size_t records = 0;
  size_t without_policy = 0;  // no session_policy: learning was off
  size_t lineages = 0;
  ReplaySide proposals, served;
  std::map<std::string, size_t> actions;
  double cost = 0;           // USD, as charged with what the backends reported as cached
  double baseline_cost = 0;  // USD of the same tokens on the baseline model
  double prompt_tokens = 0;
  double cached_tokens = 0;
};

// The error names the line or byte.
Result<ReplaySummary> summarise_replay(std::istream& in);

std::string replay_json(const ReplaySummary& summary);
std::string replay_text(const ReplaySummary& summary);

}  // namespace vsr::eval
