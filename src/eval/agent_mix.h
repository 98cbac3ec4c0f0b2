#pragma once

// AgentMix: conversations of coding agents, assistants and researchers, drawn from SplitMix64. A
// plan holds all that is drawn, with three attempts for every round; a walk turns it into requests:
// flatten() takes the first attempts, a closed loop takes the next one when an answer has failed.
// Everything is a function of (profile, seed, index, options, qualities).

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/economy.h"
#include "eval/workload.h"

namespace vsr::eval {

constexpr size_t kAttemptsMax = 3;
constexpr int32_t kContextMax = 160'000;  // tokens; then the conversation is compacted

struct Profile {
  std::string_view name;
  int system_low, system_span;
  double new_task, idle, long_idle, contentless, uses_tools;
  int loop, tool_tokens;
  double sub_agent, provider_state, private_text, auxiliary;
};
Result<Profile> profile(std::string_view name);

struct MixOptions {
  double confusion = 0.15;  // share of messages whose proposal says nothing of their difficulty
  bool flap = false;        // proposals of user turns alternate between the extremes
};

struct SubAgent {
  struct Call {
    int tool_tokens = 0, completion = 0;
  };
  int system = 0;
  Tier proposed = 0;
  double need = 0;
  std::vector<Call> calls;
};

struct PlannedCall {
  int tool_tokens = 0, completion = 0, gap = 0;
  Tier proposed = 0;
  std::vector<SubAgent> sub_agents;
};

struct Attempt {
  int gap = 0, user_tokens = 0;
  Tier proposed = 0;
  bool complains = false;    // says that the last answer was wrong
  int auxiliary_length = 0;  // 0: no title request
  int auxiliary_completion = 0;
  std::vector<PlannedCall> calls;
  double success_draw = 0, notice_draw = 0;
};

struct PlannedRound {
  int32_t task = 0;
  bool opens_task = false;
  bool private_text = false, provider_state = false;
  double need = 0;
  std::array<Attempt, kAttemptsMax> attempts;
};

struct Plan {
  int system = 0;
  std::vector<PlannedRound> rounds;
};

Plan draw_plan(const Profile& profile, const MixOptions& options, const Economy& economy,
               uint64_t seed, uint64_t index);

// Where a conversation stands while its plan becomes requests.
class Walk {
 public:
  explicit Walk(const Plan& plan) : plan_(&plan), length_(plan.system) {}

  // Appends the requests of one attempt at a round. `round` numbers attempts that were made.
  void attempt(const PlannedRound& planned, const Attempt& attempt, int32_t round,
               std::vector<Request>& out);
  int32_t lineages() const { return lineages_; }

 private:
  void run_sub_agents(const std::vector<SubAgent>& agents, int32_t task, std::vector<Request>& out);

  const Plan* plan_;
  int64_t t_ = 0;
  int32_t length_;
  int32_t prefix_ = 0;
  int32_t lineages_ = 1;
};

Session flatten(const Plan& plan);

// FNV-1a 64 over the requests' lines; what the check values of the workload are.
uint64_t fingerprint(const std::vector<Session>& sessions);

}  // namespace vsr::eval
