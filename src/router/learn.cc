// What a decision asks of learning, and what it tells it afterwards: the part of Router that reads
// and moves conversations.
#include <algorithm>

#include "router/refusal.h"
#include "router/router.h"

namespace vsr::router {

namespace {

double seconds(UnixMillis time) { return static_cast<double>(time) * 1e-3; }

}  // namespace

learning::Facts Router::learning_facts(const Decision& decision) const {
  const RequestFacts& request = decision.facts;
  const config::Decision* rule = decision.rule();
  const config::Scope scope = rule != nullptr ? rule->adaptation.scope : config_->learning.scope;
  learning::Facts facts;
  facts.has_identity =
      scope == config::Scope::kSession ? request.session_key != 0 : request.conversation_key != 0;
  facts.tool_loop = request.tool_loop;
  facts.pending_call_hashes = request.pending_calls;
  facts.provider_state = request.provider_state;
  facts.auxiliary_class = request.auxiliary_class;
  facts.lineage_hash = request.lineage_hash;
  facts.system_hash = request.system_hash;
  facts.tool_count = request.tool_count;
  facts.step.t = seconds(request.unix_ms);
  facts.step.length = at_most_32_bits(request.needs.context_tokens);
  facts.step.user_tokens = request.user_tokens;
  facts.step.tool = request.tool_loop;
  facts.step.prefix_hashes = request.prefix_hashes;
  facts.step.shared_messages = request.system_messages;
  return facts;
}

void Router::learn(Decision& decision, bool dry_run, std::vector<learning::Origin>& origins) const {
  using Reading = learning::SessionMap::Reading;
  const learning::Facts facts = learning_facts(decision);
  origins.resize(facts.provider_state.size());
  const uint64_t session = decision.facts.session_key;
  const uint64_t conversation = decision.facts.conversation_key;
  decision.handle = {.session_key = session != 0 ? session : conversation,
                     .conversation_key = conversation,
                     .lineage_hash = facts.lineage_hash,
                     .system_hash = facts.system_hash,
                     .tables_id = tables_->id};

  learning::Proposal proposal;
  std::vector<config::ModelId> candidates;
  std::vector<double> scores;
  for (const policy::Candidate& candidate : decision.selection.candidates) {
    candidates.push_back(candidate.model);
    scores.push_back(candidate.score);
  }
  proposal.model = decision.proposal;
  proposal.candidates = candidates;
  proposal.scores = scores;
  proposal.scope = config_->learning.scope;
  proposal.tuning = config_->learning.tuning;
  proposal.explicit_model = decision.explicit_model;
  if (const config::Decision* rule = decision.rule()) {
    proposal.mode = rule->adaptation.mode;
    proposal.scope = rule->adaptation.scope;
    proposal.tuning = rule->adaptation.tuning;
    proposal.pinned = rule->pin;
  }
  learning::Snapshot snapshot;
  {
    // The snapshot too, so that operations have one order over sessions and shared counts.
    const std::lock_guard lock(learning_->shared_mutex);
    snapshot =
        learning_->sessions.snapshot(*tables_, decision.handle, facts, facts.step.t,
                                     dry_run ? Reading::kDryRun : Reading::kNumbered, origins);
    learning::SharedCounts& shared = learning_->counts_of(tables_->id);
    if (!dry_run) {
      if (decision.handle.order % kCheckpointEvery == 1 || learning_->checkpoint_is_due) {
        decision.shared_before = std::make_shared<const learning::SharedCounts>(shared);
      }
      learning_->checkpoint_is_due = decision.handle.restored;
    }
    learning::SharedCounts scratch;
    if (dry_run) scratch = shared;
    decision.verdict = learning::decide(*tables_, config_->learning, dry_run ? scratch : shared,
                                        snapshot, facts, proposal);
  }
  decision.step = facts.step;
  decision.model = decision.verdict.model;
  decision.previous = decision.verdict.previous;
  if (facts.tool_loop) {
    decision.phase = SessionPhase::kToolLoop;
  } else if (std::ranges::any_of(facts.provider_state, &wire::ProviderState::binds)) {
    decision.phase = SessionPhase::kProviderState;
  } else if (snapshot.known) {
    decision.phase = SessionPhase::kUserTurn;
  }
}

// Learning may name a model that cannot serve this request: one that is down, or one that is held
// and too small for it. Of a lock the recipe says what then; otherwise the proposal serves.
void Router::settle_model(Decision& decision) const {
  const RequestFacts& facts = decision.facts;
  if (decision.error || decision.model == config::kNoModel) return;
  learning::Verdict& verdict = decision.verdict;
  if (verdict.provider_state_unavailable) {
    decision.error = wire::ApiError{
        400, "provider_state_unavailable", "messages",
        "the request carries state of a model that is not in the recipe any more; start a new "
        "conversation, or send it without that state"};
    return;
  }
  if (decision.explicit_model) return;
  const bool healthy = facts.models[decision.model].healthy;
  // A tool call or opaque state cannot be moved because of an estimate: its backend says so if it
  // is too long.
  const bool owned = verdict.locked && (decision.phase == SessionPhase::kToolLoop ||
                                        decision.phase == SessionPhase::kProviderState);
  if (healthy &&
      (owned || policy::cannot_serve(config_->models[decision.model], facts.needs,
                                     facts.models[decision.model]) == policy::DropReason::kNone)) {
    return;
  }
  if (owned && config_->learning.on_lock_unavailable != config::OnLockUnavailable::kPortable) {
    decision.error = lock_unavailable(decision, "");
    return;
  }
  if (decision.proposal == config::kNoModel || !facts.models[decision.proposal].healthy) {
    decision.error = cannot_serve(decision);
    return;
  }
  decision.model = verdict.model = decision.proposal;
  verdict.next.cur = tables_->tier_of[decision.proposal];
  if (decision.previous == config::kNoModel || decision.previous == decision.proposal) return;
  if (verdict.action != learning::Action::kSwitch) verdict.next.switches += 1;
  verdict.action = learning::Action::kSwitch;
  verdict.reason = owned ? "switch_allowed:owner_unavailable" : "switch_allowed";
  verdict.locked = false;
}

// What of the provider state goes along, and which endpoint it lies at. An item that another model
// made is of no use to the one that serves and goes out as a whole block; of one that nobody
// remembers the lineage's model is taken for the maker. A request for a named model is sent as it
// came.
void Router::settle_state(Decision& decision, std::span<const learning::Origin> origins,
                          const EndpointHealth& endpoint_healthy) const {
  if (decision.error || decision.model == config::kNoModel || decision.explicit_model ||
      origins.empty()) {
    return;
  }
  const uint64_t served = learning::model_name_hash(config_->models[decision.model].name);
  const bool moved = decision.verdict.bypass ||
                     (decision.previous != config::kNoModel && decision.previous != decision.model);
  const learning::Origin* home = nullptr;
  const std::vector<wire::ProviderState>& state = decision.facts.provider_state;
  for (size_t i = 0; i < state.size(); ++i) {
    const bool known = origins[i].id_hash != 0;
    if (known ? origins[i].model_hash != served : moved) {
      decision.dropped_state.push_back(state[i]);
      continue;
    }
    if (!known) decision.unowned_state.push_back(state[i].item.hash);
    if (known && state[i].binds() && (home == nullptr || origins[i].t > home->t)) {
      home = &origins[i];
    }
  }
  if (home == nullptr || home->endpoint_hash == 0 || !endpoint_healthy) return;
  using enum config::OnLockUnavailable;
  const config::OnLockUnavailable otherwise = config_->learning.on_lock_unavailable;
  if (endpoint_healthy(decision.model, home->endpoint_hash)) {
    decision.endpoint = home->endpoint_hash;
  } else if (otherwise == kFail) {
    decision.error = lock_unavailable(decision, " at the endpoint that holds its state");
  } else if (otherwise == kPortable) {
    for (size_t i = 0; i < state.size(); ++i) {
      if (origins[i].id_hash == 0 || origins[i].endpoint_hash != home->endpoint_hash ||
          origins[i].model_hash != served) {
        continue;
      }
      decision.dropped_state.push_back(state[i]);
    }
  }
}

uint64_t Router::commit(const Decision& decision, UnixMillis now, uint64_t endpoint) const {
  if (!learning_ || decision.verdict.action == learning::Action::kNone) return 0;
  std::vector<learning::Origin> claimed;
  for (const uint64_t item : decision.unowned_state) {
    claimed.push_back(origin_of(decision, item, now, endpoint));
  }
  return learning_->sessions.commit(*tables_, decision.handle, decision.verdict, seconds(now),
                                    claimed);
}

uint64_t Router::done(const Decision& decision, uint64_t prompt_tokens, uint64_t completion_tokens,
                      UnixMillis now) const {
  if (!learning_ || decision.verdict.action == learning::Action::kNone) return 0;
  learning::Step step = decision.step;
  step.t = seconds(now);
  step.prefix_hashes = decision.facts.prefix_hashes;
  const std::lock_guard lock(learning_->shared_mutex);
  if (learning_->shared_tables != tables_->id) return 0;
  if (decision.handle.restored) learning_->checkpoint_is_due = true;
  return learning_->sessions.done(*tables_, learning_->shared, decision.handle, decision.verdict,
                                  step, at_most_32_bits(prompt_tokens),
                                  at_most_32_bits(completion_tokens));
}

uint64_t Router::add_tool_call(const Decision& decision, std::string_view id,
                               UnixMillis now) const {
  return id.empty() ? 0 : add_tool_call(decision, learning::id_hash(id), now);
}

uint64_t Router::add_tool_call(const Decision& decision, uint64_t id_hash, UnixMillis now) const {
  if (!learning_ || decision.model == config::kNoModel) return 0;
  return learning_->sessions.add_owner(
      decision.handle, id_hash, learning::model_name_hash(config_->models[decision.model].name),
      seconds(now));
}

uint64_t Router::add_opaque(const Decision& decision, const wire::OpaqueItem& item, UnixMillis now,
                            uint64_t endpoint) const {
  if (!learning_ || decision.model == config::kNoModel) return 0;
  return learning_->sessions.add_origin(decision.handle,
                                        origin_of(decision, item.hash, now, endpoint));
}

learning::Origin Router::origin_of(const Decision& decision, uint64_t item, UnixMillis now,
                                   uint64_t endpoint) const {
  return {.id_hash = item,
          .model_hash = learning::model_name_hash(config_->models[decision.model].name),
          .endpoint_hash = endpoint,
          .t = seconds(now),
          .binds = !decision.verdict.bypass};
}

}  // namespace vsr::router
