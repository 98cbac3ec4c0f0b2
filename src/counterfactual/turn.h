#pragma once

// A recorded request as the simulation reads it, and the operations that recorded requests made on
// what learning remembers, in the order in which they happened. Values; one thread.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "router/rerun.h"
#include "store/row.h"

namespace vsr::counterfactual {

struct Turn {
  Id128 id;
  int64_t sequence = 0;  // as in store::Row
  std::shared_ptr<const store::Summary> summary;
  bool is_wanted = false;  // the filter asks for it; others are there for their state
  std::string rerun;       // router::decode_rerun; "" if the record has none
  router::StateLog log;
  std::string policy_version;
};

Turn turn_of(const store::Row& row, bool is_wanted);

struct Operation {
  enum class Kind : uint8_t { kDecide, kCommit, kNote, kDone };
  size_t turn = 0;
  Kind kind = Kind::kDecide;
  uint32_t note = 0;   // index into StateLog::noted
  uint64_t order = 0;  // 0: it changed nothing, or learning was off
  UnixMillis unix_ms = 0;
  bool is_last = false;  // of its turn
};

// The operations of one process, which begins with nothing remembered.
struct Epoch {
  uint64_t id = 0;
  std::vector<Operation> operations;
};

// From the oldest process to the newest. Turns without `rerun` have no operations.
std::vector<Epoch> epochs_of(const std::vector<Turn>& turns);

}  // namespace vsr::counterfactual
