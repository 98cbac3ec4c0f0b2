#pragma once

// What a record keeps so that its request can be decided again: the facts that deciding and
// learning read, the results of its rules under fingerprints, which state learning had read, and
// what the answer changed in that. Compact bytes in base64; doubles are exact. No text but names
// of models: hashes pass through a KeyedHash, whose key is never stored. Pure.
//
// Version 2. Readers take no other; records of another version cannot be decided again.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/keyed_hash.h"
#include "router/router.h"

namespace vsr::router {

// Of a request with more, the record says that it is cut, and is not decided again.
constexpr size_t kPrefixHashesKept = 1024;
constexpr size_t kIdsKept = 256;  // pending calls, and opaque items
// Without learning nothing says what the request goes on from, so only the end is kept.
constexpr size_t kPrefixHashesUnlearned = 32;

struct KnownSignal {
  uint64_t fingerprint = 0;
  config::SignalValue value;
};

struct Checkpoint {
  uint64_t tables_id = 0;
  learning::SharedCounts shared;
};

// The routing part, read back. Hashes are keyed.
struct Recorded {
  uint64_t epoch = 0;  // of the process
  uint64_t order = 0;  // SessionMap::Handle; 0: learning was off
  uint32_t session_version = 0;
  // Without `models`; of prefix_hashes those before `first_hash` are zero, and equal those of the
  // last answered request of the lineage if `goes_on`.
  RequestFacts facts;
  uint32_t first_hash = 0;
  bool goes_on = false;
  bool cut = false;
  uint64_t identity_settings = 0;  // identity_fingerprint() then
  std::vector<KnownSignal> signals;
  std::vector<std::pair<std::string, policy::ModelState>> models;  // others were healthy and idle
  uint64_t fit_fingerprint = 0;
  std::string fitted;
  std::vector<double> fit_scores;
  std::optional<Checkpoint> checkpoint;
};

// What the answer changed in what learning remembers; orders are 0 where nothing changed, times
// where nothing happened.
struct StateLog {
  struct Noted {
    uint64_t order = 0;
    UnixMillis unix_ms = 0;
    uint64_t hash = 0;                     // learning::id_hash of a call, or of an opaque item
    std::optional<wire::OpaqueKind> kind;  // absent: a call
  };
  uint64_t commit_order = 0;
  UnixMillis commit_ms = 0;
  uint64_t done_order = 0;
  UnixMillis done_ms = 0;
  std::vector<Noted> noted;
};

// Where identity is read from. Headers are not stored, so it cannot be read anew.
uint64_t identity_fingerprint(const config::Learning& settings);

std::string encode_rerun(const Router& router, const Decision& decision, const KeyedHash& key);
std::optional<Recorded> decode_rerun(std::string_view text);
std::string encode_state_log(const StateLog& log, const KeyedHash& key);
std::optional<StateLog> decode_state_log(std::string_view text);

}  // namespace vsr::router
