#pragma once

// Which rows a reader wants: a ReplayQuery with its alternatives resolved. matches() is the one
// definition of the filter; a store with indexes gives the same answer.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "store/replay.h"
#include "store/row.h"

namespace vsr::store {

struct Filter {
  int64_t from = 0;  // from <= sequence < to
  int64_t to = INT64_MAX;
  std::vector<std::string> session_ids;  // any of them; empty: all
  std::vector<std::string> conversation_ids;
  std::optional<std::string> api_key_name;
  // "": those without one.
  std::optional<std::string> decision;
  std::optional<std::string> model;
  std::optional<std::string> action;
  std::optional<Lifecycle> state;
  std::string search;
  bool makes_ids = false;                           // its answer made tool calls or opaque items
  std::optional<std::unordered_set<int64_t>> only;  // sequences
  std::unordered_set<int64_t> without;              // sequences that the reader has already

  bool operator==(const Filter&) const = default;
};

// `query` must come from parse_replay_query or be as well-formed. Rows before `oldest` are expired.
// Its `unsafe` takes more than one row to tell and is not in here; see Replay.
Filter make_filter(const ReplayQuery& query, UnixMillis oldest);

// All of the filter but `search`.
bool matches_columns(const Filter& filter, const Row& row);
// Needs the row's prompt.
bool matches_search(const Filter& filter, const Row& row);
inline bool matches(const Filter& filter, const Row& row) {
  return matches_columns(filter, row) && matches_search(filter, row);
}

// True if `needle` stands in `text`, without ASCII case.
bool contains(std::string_view text, std::string_view needle);

}  // namespace vsr::store
