#pragma once

// A workload that routers are compared on: sessions of requests with what a request truly needs.
// Policies see a request without `need`. Plain values, immutable once made.

#include <cstdint>
#include <vector>

#include "learning/tables.h"

namespace vsr::eval {

using learning::kNoTier;
using learning::Tier;

constexpr int32_t kNoRound = -1;

struct Request {
  int32_t lineage = 0;  // 0: the conversation itself; others are title requests and sub-agents
  int64_t t = 0;        // seconds
  int32_t length = 0;   // prompt tokens
  int32_t prefix = 0;   // which prefix the prompt continues; a compaction starts another
  int32_t shared = 0;   // tokens that all prefixes of the lineage begin with
  int32_t user_tokens = 0;
  Tier proposed = 0;
  bool tool = false;            // delivers a tool result
  bool provider_state = false;  // carries state that only its origin can read
  bool private_text = false;    // must stay on tier 0
  bool auxiliary = false;       // a title request: nobody waits for its quality
  bool failure_feedback = false;
  bool drift = false;      // the route says that the topic has changed; the published matrix only
  int expected_turns = 6;  // of the conversation, as the published policy is told
  int32_t completion = 0;  // tokens
  double need = 0;         // demand, on the scale of Economy::x
  double weight = 1;       // of its round's failure
  int32_t task = 0;
  int32_t round = kNoRound;  // of the conversation; side lineages are one round each
  int32_t gap = 0;           // seconds since the lineage's last request

  bool owned() const { return tool || provider_state; }
};

struct Session {
  std::vector<Request> requests;
  int32_t lineages = 1;
};

struct Workload {
  std::vector<Session> sessions;
};

}  // namespace vsr::eval
