#pragma once

// Recorded requests decided again in the order in which they came, with a learning state that
// grows from nothing as it did: every decision, first byte, tool call and end changes it at its
// place. What is recorded of the state (how often a session had been changed, how many operations
// there had been) tells where records are missing, and where a process went on from what an
// earlier one remembered; what depends on those is not decided. One thread; holds one decision for
// each request in flight.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/config.h"
#include "counterfactual/texts.h"
#include "counterfactual/turn.h"
#include "router/router.h"

namespace vsr::counterfactual {

// What became of one turn. `cause` empty: `decision` is what would have been decided.
struct Outcome {
  std::string_view cause;
  const router::Decision* decision = nullptr;
};

class Walk {
 public:
  using Visit = std::function<void(const Turn& turn, const Outcome& outcome)>;

  // All outlive the walk. `visit` gets each turn once, those with a `rerun` in order.
  Walk(const router::Router& router, const config::Learning& learning,
       const std::vector<Turn>& turns, Texts& texts, Visit visit);

  // False when `is_late` says so: the turns from there on were not visited.
  bool run(const std::function<bool()>& is_late);

 private:
  // What the records tell of a session as it was.
  struct Session {
    uint32_t changes = 0;
    std::string_view unknown;  // the cause, "" as long as everything is known
  };

  void begin_epoch();
  void count_operation(const Operation& operation);
  void decide(size_t index);
  std::string_view decide_again(const Turn& turn, router::Recorded& recorded,
                                router::Decision& out);
  // Why the state that the request had read is not that of the walk; "" if it is.
  std::string_view check_state(const router::Recorded& recorded, Session& session);
  bool complete_prefix(router::Recorded& recorded) const;
  void change(const Operation& operation);

  const router::Router& router_;
  const config::Learning& learning_;
  const std::vector<Turn>& turns_;
  Texts& texts_;
  const Visit visit_;
  std::unordered_map<uint64_t, config::SignalId> signal_of_;  // by fingerprint

  std::shared_ptr<router::LearningState> state_;
  std::shared_ptr<const router::Router> fork_;
  uint64_t last_order_ = 0;
  bool shared_known_ = true;
  // An operation was not repeated, so the counts are a little off until a record tells them.
  bool shared_is_off_ = false;
  std::unordered_map<uint64_t, Session> sessions_;
  // Of the last answered request by lineage, as SessionMap has it.
  std::unordered_map<uint64_t, std::vector<uint64_t>> prefixes_;
  struct InFlight {
    uint64_t session_key = 0;
    uint64_t lineage = 0;
    std::vector<uint64_t> prefix_hashes;
    std::unique_ptr<router::Decision> decision;  // null: not decided again
  };
  std::unordered_map<size_t, InFlight> in_flight_;  // by turn
};

}  // namespace vsr::counterfactual
