#include "counterfactual/walk.h"

#include <algorithm>

#include "counterfactual/causes.h"
#include "wire/hash.h"

namespace vsr::counterfactual {
namespace {

uint64_t session_of(const router::RequestFacts& facts) {
  return facts.session_key != 0 ? facts.session_key : facts.conversation_key;
}

uint64_t lineage_of(const router::RequestFacts& facts) {
  return wire::fold(wire::fold(session_of(facts), facts.conversation_key), facts.lineage_hash);
}

}  // namespace

Walk::Walk(const router::Router& router, const config::Learning& learning,
           const std::vector<Turn>& turns, Texts& texts, Visit visit)
    : router_(router), learning_(learning), turns_(turns), texts_(texts), visit_(std::move(visit)) {
  const auto fingerprints = router.fingerprints();
  for (size_t id = 0; id < fingerprints.size(); ++id) {
    if (fingerprints[id] != 0) signal_of_[fingerprints[id]] = static_cast<config::SignalId>(id);
  }
}

bool Walk::run(const std::function<bool()>& is_late) {
  for (const Turn& turn : turns_) {
    if (!router::decode_rerun(turn.rerun)) visit_(turn, {kNoFacts});
  }
  for (const Epoch& epoch : epochs_of(turns_)) {
    begin_epoch();
    for (const Operation& operation : epoch.operations) {
      if (operation.kind == Operation::Kind::kDecide && is_late()) return false;
      count_operation(operation);
      if (operation.kind == Operation::Kind::kDecide) {
        decide(operation.turn);
      } else {
        change(operation);
      }
      if (operation.is_last) in_flight_.erase(operation.turn);
    }
  }
  return true;
}

void Walk::begin_epoch() {
  state_ = std::make_shared<router::LearningState>(learning_.state_ttl_seconds);
  fork_ = router_.fork(learning_, state_);
  last_order_ = 0;
  shared_is_off_ = false;
  shared_known_ = false;  // the process may have begun with what an earlier one had learned
  sessions_.clear();
  prefixes_.clear();
  in_flight_.clear();
}

// A number that is missing is an operation without a record, which may have changed the counts
// that all conversations share.
void Walk::count_operation(const Operation& operation) {
  if (operation.order == 0) return;
  if (operation.order != last_order_ + 1) shared_known_ = false;
  last_order_ = operation.order;
}

bool Walk::complete_prefix(router::Recorded& recorded) const {
  if (!recorded.goes_on) return true;
  const auto before = prefixes_.find(lineage_of(recorded.facts));
  if (before == prefixes_.end() || before->second.size() != recorded.first_hash) return false;
  std::ranges::copy(before->second, recorded.facts.prefix_hashes.begin());
  return true;
}

std::string_view Walk::check_state(const router::Recorded& recorded, Session& session) {
  if (recorded.order == 0) return session.unknown;
  if (recorded.session_version == 0 && session.changes > 0) {
    session = {};
    state_->sessions.forget(session_of(recorded.facts));
  }
  if (recorded.checkpoint && (!shared_known_ || shared_is_off_)) {
    const std::lock_guard lock(state_->shared_mutex);
    if (recorded.checkpoint->tables_id == fork_->tables().id) {
      state_->counts_of(fork_->tables().id) = recorded.checkpoint->shared;
    }
    shared_known_ = true;
    shared_is_off_ = false;
  }
  if (!session.unknown.empty()) return session.unknown;
  if (recorded.session_version != session.changes || !shared_known_) {
    session.unknown = kHistoryMissing;
  }
  return session.unknown;
}

void Walk::decide(size_t index) {
  const Turn& turn = turns_[index];
  router::Recorded recorded = *router::decode_rerun(turn.rerun);
  const uint64_t key = session_of(recorded.facts);
  Session nobody;  // without a key nothing is remembered, so nothing of it is unknown later
  Session& session = key == 0 ? nobody : sessions_[key];
  std::string_view cause = check_state(recorded, session);
  if (cause.empty() && !complete_prefix(recorded)) cause = kHistoryMissing;
  if (cause.empty() && recorded.cut) cause = kTooLong;
  if (cause.empty() && recorded.identity_settings != router::identity_fingerprint(learning_)) {
    cause = kIdentityChanged;
  }
  InFlight& flight = in_flight_[index];
  flight.session_key = key;
  flight.lineage = lineage_of(recorded.facts);
  flight.prefix_hashes = recorded.facts.prefix_hashes;
  if (cause.empty()) {
    auto again = std::make_unique<router::Decision>();
    cause = decide_again(turn, recorded, *again);
    if (cause.empty()) flight.decision = std::move(again);
  }
  if (!cause.empty() && recorded.order != 0) shared_is_off_ = true;
  if (!cause.empty() && session.unknown.empty()) session.unknown = kEarlierTurn;
  visit_(turn, {cause, flight.decision.get()});
}

std::string_view Walk::decide_again(const Turn& turn, router::Recorded& recorded,
                                    router::Decision& out) {
  const config::Config& config = router_.config();
  std::vector<config::SignalValue> values(config.signals.size());
  for (const router::KnownSignal& known : recorded.signals) {
    const auto id = signal_of_.find(known.fingerprint);
    if (id != signal_of_.end()) values[id->second] = known.value;
  }
  recorded.facts.models.assign(config.models.size(), {});
  for (const auto& [name, state] : recorded.models) {
    const config::ModelId model = config.find_model(name);
    if (model != config::kNoModel) recorded.facts.models[model] = state;
  }
  router::Known known{.facts = recorded.facts,
                      .values = values,
                      .fit_fingerprint = recorded.fit_fingerprint,
                      .fitted = config.find_model(recorded.fitted),
                      .fit_scores = recorded.fit_scores,
                      .input = &texts_.shape(recorded.facts)};
  router::Again again = fork_->decide_again(known);
  std::string_view problem;
  // The prompt may be enough for the first rule that is missing, and not for the next.
  while (!again.missing.empty()) {
    if (again.missing_reads == signals::Reads::kRequest) return kHeadersMissing;
    const signals::Reads had = known.reach;
    known.input = &texts_.text(turn.id, recorded.facts, again.missing_reads, known.reach, problem);
    if (known.reach <= had) return problem;
    again = fork_->decide_again(known);
  }
  out = std::move(again.decision);
  return {};
}

void Walk::change(const Operation& operation) {
  using enum Operation::Kind;
  const auto found = in_flight_.find(operation.turn);
  if (found == in_flight_.end()) return;  // its decision is in an epoch of its own
  InFlight& flight = found->second;
  const Turn& turn = turns_[operation.turn];
  if (operation.order != 0) sessions_[flight.session_key].changes += 1;
  const router::Decision* const decision = flight.decision.get();
  if (operation.kind == kDone && operation.order != 0 && decision == nullptr) shared_is_off_ = true;
  const bool served =
      decision != nullptr && !decision->error && decision->model != config::kNoModel;
  if (operation.kind == kCommit && served) fork_->commit(*decision, operation.unix_ms);
  if (operation.kind == kNote && served) {
    const router::StateLog::Noted& noted = turn.log.noted[operation.note];
    if (noted.kind) {
      fork_->add_opaque(*decision, {*noted.kind, noted.hash}, operation.unix_ms);
    } else {
      fork_->add_tool_call(*decision, noted.hash, operation.unix_ms);
    }
  }
  if (operation.kind != kDone) return;
  if (served) {
    fork_->done(*decision, turn.summary->prompt_tokens, turn.summary->completion_tokens,
                operation.unix_ms);
  }
  if (operation.order != 0 && turn.summary->action != "bypass") {
    prefixes_[flight.lineage] = std::move(flight.prefix_hashes);
  }
}

}  // namespace vsr::counterfactual
