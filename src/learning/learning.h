#pragma once

// Router learning: after the route has proposed a model, may the conversation change to it now?
// decide() is pure: (snapshot of the session, facts of the request, proposal, shared counts) →
// verdict with the lineage as it will be if the answer is good. SessionMap (session_map.h) keeps
// the state; nothing here reads a clock.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/config.h"
#include "learning/expected_cost.h"
#include "learning/identity.h"
#include "learning/tables.h"
#include "learning/weighted_score.h"
#include "wire/conversation.h"

namespace vsr::learning {

enum class Action : uint8_t { kNone, kSelect, kStay, kSwitch, kHardLock, kBypass, kNoop };
std::string_view to_string(Action action);  // "" for kNone: learning is off

// Which answer a tool call or an opaque item came from.
struct Origin {
  uint64_t id_hash = 0;  // 0: not known
  uint64_t model_hash = 0;
  uint64_t endpoint_hash = 0;  // with the provider's key; 0 for tool calls, which any may answer
  double t = 0;                // seconds
  bool binds = true;           // false: made under bypass, which pins nothing
};

struct Proposal {
  config::ModelId model = config::kNoModel;
  std::span<const config::ModelId> candidates;  // refs that can serve, in order
  std::span<const double> scores;               // of the candidates, by the selection; may be empty
  config::AdaptationMode mode = config::AdaptationMode::kApply;
  config::Scope scope = config::Scope::kConversation;
  config::Tuning tuning;
  bool pinned = false;
  bool explicit_model = false;
};

struct Facts {
  bool has_identity = true;
  bool tool_loop = false;
  std::span<const uint64_t> pending_call_hashes;  // of calls whose results are delivered or due
  std::span<const wire::ProviderState> provider_state;
  bool auxiliary_class = false;
  uint64_t lineage_hash = 0;
  uint64_t system_hash = 0;
  uint32_t tool_count = 0;
  Step step;  // `proposed` is filled in by decide()
};

// What decide() reads of a session; copied out under its lock.
struct Snapshot {
  bool known = false;  // the lineage was seen before
  Lineage lineage;
  double lineage_t = 0;  // its last answer
  // The main lineage of the conversation: the most tools, the first seen on a tie.
  bool has_main = false;
  uint64_t main_lineage_hash = 0;
  uint64_t main_system_hash = 0;
  uint32_t main_tool_count = 0;
  // Model of the session under scope session.
  uint64_t session_model = 0;
  double session_t = 0;
  // Of the pending calls and the items that bind, the newest origin that is remembered.
  Origin owner;
  wire::OpaqueKind origin_kind = wire::OpaqueKind::kThinking;
  Origin origin;
  size_t bypass_items = 0;  // items that would bind, but were made under bypass
};

struct Verdict {
  Action action = Action::kNone;
  std::string_view reason;  // static text
  config::Scope scope = config::Scope::kConversation;
  config::AdaptationMode mode = config::AdaptationMode::kApply;
  config::ModelId model = config::kNoModel;     // what is served
  config::ModelId previous = config::kNoModel;  // of the lineage or session
  // Mode observe: what apply would serve; kNoModel if it would refuse.
  config::ModelId observed = config::kNoModel;
  // A lock whose model is gone from the recipe and whose state cannot be moved: 400.
  bool provider_state_unavailable = false;
  bool locked = false;
  // Of a lock: whether the origin is remembered, or the lineage's model is held for lack of it.
  bool lock_origin_known = false;
  std::string_view lock_ignored;  // explicit model: the lock that stood against it
  double idle_seconds = -1;       // since the lineage's last answer; -1: none
  bool commits = false;           // a good answer writes `next`
  bool main = true;               // counts in the shared numbers
  bool bypass = false;            // a good answer writes the ledger only
  Lineage next;
  // Of the policy that was asked: expected_cost or weighted_score. The other's is empty.
  Choice choice;
  WeightedChoice weighted;
};

// `shared` is guarded by the caller for the duration of the call.
Verdict decide(const Tables& tables, const config::Learning& settings, SharedCounts& shared,
               const Snapshot& snapshot, const Facts& facts, const Proposal& proposal);

// Which tiers a free request of a lineage may take, ascending; `refs` are its decision's models and
// `current` is kNoTier on the first request. How many there are.
size_t candidate_tiers(const Tables& tables, std::span<const config::ModelId> refs, bool pinned,
                       Tier proposed, Tier current, std::array<Tier, kTiersMax>& out);

// "hard_lock=context_portability:thinking", …
std::string_view portability_reason(wire::OpaqueKind kind);

}  // namespace vsr::learning
