#include "learning/learning.h"

#include <algorithm>

#include "base/check.h"

namespace vsr::learning {

std::string_view to_string(Action action) {
  switch (action) {
    case Action::kNone:
      return "";
    case Action::kSelect:
      return "select";
    case Action::kStay:
      return "stay";
    case Action::kSwitch:
      return "switch";
    case Action::kHardLock:
      return "hard_lock";
    case Action::kBypass:
      return "bypass";
    case Action::kNoop:
      return "noop";
  }
  return "";
}

std::string_view portability_reason(wire::OpaqueKind kind) {
  switch (kind) {
    case wire::OpaqueKind::kPreviousResponseId:
      return "hard_lock=context_portability:previous_response_id";
    case wire::OpaqueKind::kConversation:
      return "hard_lock=context_portability:conversation";
    case wire::OpaqueKind::kItemReference:
      return "hard_lock=context_portability:item_reference";
    case wire::OpaqueKind::kThinking:
      return "hard_lock=context_portability:thinking";
    case wire::OpaqueKind::kThoughtSignature:
      return "hard_lock=context_portability:thought_signature";
    case wire::OpaqueKind::kEncryptedContent:
      return "hard_lock=context_portability:encrypted_content";
    case wire::OpaqueKind::kServerTool:
      return "hard_lock=context_portability:server_tool";
    case wire::OpaqueKind::kFile:
      return "hard_lock=context_portability:file";
  }
  return "hard_lock=context_portability";
}

size_t candidate_tiers(const Tables& tables, std::span<const config::ModelId> refs, bool pinned,
                       Tier proposed, Tier current, std::array<Tier, kTiersMax>& out) {
  std::array<bool, kTiersMax> in{};
  const bool fresh = current == kNoTier;
  config::CandidateSet set = pinned ? config::CandidateSet::kDecision : tables.candidate_set;
  if (set == config::CandidateSet::kLadderAfterFirst) {
    set = fresh ? config::CandidateSet::kDecision : config::CandidateSet::kLadder;
  }
  if (set == config::CandidateSet::kDecision) {
    if (fresh) {
      in[proposed] = true;  // the first turn takes the routed model
    } else {
      for (const config::ModelId model : refs) {
        if (tables.tier_of[model] != kNoTier) in[tables.tier_of[model]] = true;
      }
    }
  } else {
    const Tier least = set == config::CandidateSet::kLadder ? Tier{0}
                       : fresh                              ? proposed
                                                            : std::min(proposed, current);
    for (const Tier tier : tables.ladder) in[tier] = tier >= least;
  }
  in[proposed] = true;
  if (!fresh) in[current] = true;
  size_t count = 0;
  for (size_t tier = 0; tier < tables.k; ++tier) {
    if (in[tier]) out[count++] = static_cast<Tier>(tier);
  }
  return count;
}

namespace {

struct Lock {
  Tier tier = kNoTier;
  std::string_view reason;
  bool provider_state = false;
  bool origin_known = false;
  bool owner_gone = false;  // known, but not in the recipe any more
  bool expired = false;
};

config::ModelId model_of(const Tables& tables, Tier tier) {
  return tier == kNoTier ? config::kNoModel : tables.model[tier];
}

// The first item that ties the request to its maker, or nullptr.
const wire::ProviderState* item_that_binds(const Snapshot& snapshot, const Facts& facts) {
  const auto& state = facts.provider_state;
  const auto binding = std::ranges::count_if(state, &wire::ProviderState::binds);
  if (static_cast<size_t>(binding) <= snapshot.bypass_items) return nullptr;
  return &*std::ranges::find_if(state, &wire::ProviderState::binds);
}

// Which tier must serve, and why. A tool loop belongs to the model that made the call, provider
// state to the one that made the item. Of ids that nobody remembers the lineage's model is the
// owner; without one the decision is free.
Lock find_lock(const Tables& tables, const config::Learning& settings, const Snapshot& snapshot,
               const Facts& facts, Tier current) {
  Lock lock;
  const wire::ProviderState* const item = item_that_binds(snapshot, facts);
  const bool has_owner = facts.tool_loop && snapshot.owner.id_hash != 0;
  const bool has_origin = item != nullptr && snapshot.origin.id_hash != 0;
  if (!facts.tool_loop && item == nullptr) return lock;
  lock.origin_known = has_owner || has_origin;
  lock.provider_state = !has_owner && (has_origin || !facts.tool_loop);
  double since = snapshot.lineage_t;
  if (lock.origin_known) {
    const Origin& origin = has_owner ? snapshot.owner : snapshot.origin;
    lock.tier = tables.tier_of_name(origin.model_hash);
    lock.owner_gone = lock.tier == kNoTier;
    since = origin.t;
  } else {
    lock.tier = current;
  }
  const bool holds = lock.owner_gone || lock.tier != kNoTier;
  lock.expired = holds && facts.step.t - since > settings.lock_max_seconds;
  lock.reason = !lock.provider_state
                    ? "hard_lock=tool_loop"
                    : portability_reason(has_origin ? snapshot.origin_kind : item->item.kind);
  return lock;
}

bool is_auxiliary(const Snapshot& snapshot, const Facts& facts) {
  if (facts.auxiliary_class && snapshot.has_main) return true;
  return snapshot.has_main && snapshot.main_lineage_hash != facts.lineage_hash &&
         facts.tool_count < snapshot.main_tool_count &&
         facts.system_hash != snapshot.main_system_hash;
}

Verdict explicit_verdict(Verdict v, const Lock& lock, Tier current, Tier proposed) {
  v.reason = "explicit_model";
  v.lock_ignored = lock.tier != kNoTier && lock.tier != proposed ? lock.reason : "";
  v.action = current == kNoTier    ? Action::kSelect
             : current == proposed ? Action::kStay
                                   : Action::kSwitch;
  v.next.cur = proposed;
  v.commits = true;
  return v;
}

// The refs in their order and the current model; on the first turn the routed model alone.
size_t weighted_candidates(const Tables& tables, const Proposal& proposal, Tier proposed,
                           Tier current, std::array<WeightedCandidate, kTiersMax>& out) {
  const std::array<double, kTiersMax> pressures = cache_pressures(tables);
  size_t count = 0;
  const auto add = [&](Tier tier, double score) {
    const auto listed = std::span(out).first(count);
    if (std::ranges::find(listed, tier, &WeightedCandidate::tier) != listed.end()) return;
    out[count++] = {tier, score, pressures[tier]};
  };
  for (size_t i = 0; i < proposal.candidates.size(); ++i) {
    const Tier tier = tables.tier_of[proposal.candidates[i]];
    if (tier == kNoTier || (current == kNoTier && tier != proposed)) continue;
    add(tier, i < proposal.scores.size() ? proposal.scores[i] : 0);
  }
  add(proposed, 0);
  if (current != kNoTier) add(current, 0);
  return count;
}

WeightedChoice weighted_choice(const Tables& tables, const Step& step, const Proposal& proposal,
                               Tier current, const Lineage& lineage) {
  std::array<WeightedCandidate, kTiersMax> candidates;
  WeightedInput input;
  input.candidates =
      std::span(candidates)
          .first(weighted_candidates(tables, proposal, step.proposed, current, candidates));
  input.current = current;
  input.context_tokens = step.length;
  input.history_tokens = step.length - std::min(step.user_tokens, step.length);
  input.turns = lineage.turns;
  input.switches = lineage.switches;
  if (current != kNoTier && lineage.ledger[current].messages > 0) {
    const double hit = ledger_hit(tables, lineage, step, current);
    input.warmth = hit / std::max(1.0, input.context_tokens);
    input.idle = step.t - lineage.ledger[current].t > proposal.tuning.idle_timeout_seconds;
  }
  return choose_weighted(proposal.tuning, input);
}

Verdict free_verdict(const Tables& tables, const config::Learning& settings,
                     const SharedCounts& shared, const Step& step, const Proposal& proposal,
                     Tier current, Verdict v) {
  Tier chosen = kNoTier;
  if (settings.policy == config::PolicyKind::kWeightedScore) {
    v.weighted = weighted_choice(tables, step, proposal, current, v.next);
    v.reason = v.weighted.reason;
    v.next.cur = chosen = v.weighted.tier;
  } else {
    std::array<Tier, kTiersMax> tiers;
    const size_t count = candidate_tiers(tables, proposal.candidates, proposal.pinned,
                                         step.proposed, current, tiers);
    v.choice = choose(tables, shared, v.next, step, std::span(tiers).first(count));
    v.reason = v.choice.reason;
    chosen = v.choice.tier;
  }
  v.action = current == kNoTier  ? Action::kSelect
             : chosen == current ? Action::kStay
                                 : Action::kSwitch;
  if (v.action == Action::kSwitch) v.next.switches += 1;
  v.model = tables.model[chosen];
  v.commits = true;
  return v;
}

}  // namespace

Verdict decide(const Tables& tables, const config::Learning& settings, SharedCounts& shared,
               const Snapshot& snapshot, const Facts& facts, const Proposal& proposal) {
  Verdict v;
  v.scope = proposal.scope;
  v.mode = proposal.mode;
  v.model = proposal.model;
  if (proposal.mode == config::AdaptationMode::kObserve) v.observed = proposal.model;
  v.next = snapshot.lineage;
  v.next.tool_count = facts.tool_count;
  const Tier proposed = tables.tier_of[proposal.model];
  const Tier current = snapshot.known ? snapshot.lineage.cur : kNoTier;
  v.previous = model_of(tables, current);
  if (snapshot.known) v.idle_seconds = facts.step.t - snapshot.lineage_t;
  if (proposal.mode == config::AdaptationMode::kBypass && !proposal.explicit_model) {
    v.action = Action::kBypass;
    v.reason = "decision_bypass";
    v.bypass = v.commits = true;
    return v;
  }
  if (!facts.has_identity) {
    v.action = Action::kNoop;
    v.reason = "identity_missing";
    return v;
  }
  if (proposed == kNoTier) {
    v.action = Action::kNoop;
    v.reason = "untracked_model";
    return v;
  }
  Step step = facts.step;
  step.proposed = proposed;
  step.tool = facts.tool_loop;
  const Lock lock = find_lock(tables, settings, snapshot, facts, current);
  if (proposal.explicit_model) {
    observe(tables, shared, v.next, step, true);
    return explicit_verdict(std::move(v), lock, current, proposed);
  }
  const bool has_lock = lock.tier != kNoTier && !lock.expired;
  v.lock_origin_known = lock.origin_known;
  const bool auxiliary = is_auxiliary(snapshot, facts);
  if (auxiliary && !has_lock) {
    v.action = Action::kNoop;
    v.reason = "auxiliary_request";
    v.main = false;
    return v;
  }
  const bool observing = proposal.mode == config::AdaptationMode::kObserve;
  const bool state_lost = lock.owner_gone && lock.provider_state && !lock.expired;
  if (state_lost && !observing) {
    v.action = Action::kHardLock;
    v.reason = lock.reason;
    v.provider_state_unavailable = true;
    return v;
  }
  v.next.auxiliary = auxiliary;
  v.next.side = snapshot.has_main && snapshot.main_lineage_hash != facts.lineage_hash;
  v.main = !auxiliary;
  observe(tables, shared, v.next, step, has_lock || state_lost);
  if (state_lost) {
    v.action = Action::kHardLock;
    v.reason = lock.reason;
  } else if (has_lock) {
    v.action = Action::kHardLock;
    v.reason = lock.reason;
    v.locked = true;
    v.next.cur = lock.tier;
    v.model = tables.model[lock.tier];
    v.commits = true;
  } else if (current != kNoTier &&
             snapshot.lineage.turns < proposal.tuning.min_turns_before_switch) {
    v.action = Action::kHardLock;
    v.reason = "hard_lock=min_turns";
    v.locked = true;
    v.model = tables.model[current];
    v.commits = true;
  } else {
    const Tier held = proposal.scope == config::Scope::kSession
                          ? tables.tier_of_name(snapshot.session_model)
                          : kNoTier;
    const bool idle = facts.step.t - snapshot.session_t > proposal.tuning.idle_timeout_seconds;
    if (held != kNoTier && !idle) {
      v.action = Action::kStay;
      v.reason = "session_scope_protect";
      v.previous = tables.model[held];
      v.next.cur = held;
      v.model = tables.model[held];
      v.commits = true;
    } else {
      v = free_verdict(tables, settings, shared, step, proposal, current, std::move(v));
      if (lock.owner_gone) v.reason = "switch_allowed:owner_unavailable";
      if (lock.expired) v.reason = "lock_expired";
    }
  }
  if (observing) {
    v.observed = state_lost ? config::kNoModel : v.model;
    v.model = proposal.model;
    v.next.cur = proposed;
    v.next.switches = snapshot.lineage.switches + (current != kNoTier && current != proposed);
    v.commits = true;
  }
  return v;
}

}  // namespace vsr::learning
