#pragma once

// `vllm-sr eval --live-audit`: sessions of simulated agents through the real gateway and simulated
// backends, all in this process and on loopback, once as the recipe says and once with learning
// off. The second run is the control: if it does not lead tool results astray, the first proves
// nothing.

#include <cstdint>
#include <string>

#include "cli/program.h"

namespace vsr::cli {

struct AuditArguments {
  std::string config;  // "": a small recipe of its own
  size_t sessions = 1'000;
  uint64_t seed = 1;
  size_t threads = 16;
};

// With learning off at least this many of every 1,000 sessions' deliveries must go astray.
constexpr size_t kControlViolationsMin = 100;

int eval_audit(const AuditArguments& arguments, const Context& context);

}  // namespace vsr::cli
