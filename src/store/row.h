#pragma once

// A record as stores keep it: the columns that filters and aggregates look at, and up to five
// texts. The texts are shared and immutable, so a row is cheap to copy between the queue, the
// readers and the memory store.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/id.h"
#include "store/record.h"

namespace vsr::store {

// How filters and sums call a missing decision, model or action.
constexpr std::string_view kNone = "none";

struct Summary {
  UnixMillis timestamp = 0;
  std::string session_id;
  std::string conversation_id;
  std::string api_key_name;
  uint32_t turn_index = 0;
  std::string decision;
  std::string original_model;
  std::string previous_model;
  std::string selected_model;
  std::string action;
  std::string reason;
  std::string mode;
  std::string phase;
  bool is_switch = false;
  uint64_t lineage = 0;  // hashes, see RoutingPart
  uint64_t prefix = 0;
  uint64_t parent = 0;
  double routing_us = 0;
  std::string signals;    // JSON: {family: [names]}, "" if there are none
  std::string delivered;  // ids, see delivery.h
  std::string emitted;

  Lifecycle state = Lifecycle::kRunning;
  std::string terminal_reason;
  UnixMillis ended_at = 0;
  double duration_ms = 0;
  int response_status = 0;
  uint64_t prompt_tokens = 0;
  uint64_t cached_prompt_tokens = 0;
  uint64_t cache_write_tokens = 0;
  uint64_t completion_tokens = 0;
  uint64_t total_tokens = 0;
  double actual_cost = 0;
  double baseline_cost = 0;
  std::string currency;
};

using Text = std::shared_ptr<const std::string>;  // null: absent

struct Row {
  // Orders records by time: milliseconds since the epoch times 2^kSequenceBits, plus a count.
  int64_t sequence = 0;
  Id128 id;
  std::shared_ptr<const Summary> summary;
  Text routing;  // JSON object: what is known before dispatch, without the texts below
  Text prompt;   // plain text, redacted
  Text request_body;
  Text terminal;  // JSON object: how it ended
  Text response_body;
};

constexpr int kSequenceBits = 20;
constexpr UnixMillis kTimeMax = (int64_t{1} << (63 - kSequenceBits)) - 1;  // in the year 2248
constexpr int64_t first_sequence_at(UnixMillis time) {
  return std::clamp(time, UnixMillis{0}, kTimeMax) << kSequenceBits;
}

// Takes from `other` the texts that `row` does not have.
void fill_texts(Row& row, const Row& other);
size_t text_bytes(const Row& row);

// How a record ends that its process left running.
constexpr std::string_view kCrashReason = "crash";
std::shared_ptr<const Summary> crashed(const Summary& summary, UnixMillis now);

}  // namespace vsr::store
