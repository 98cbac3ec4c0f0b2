#include "store/filter.h"

#include <algorithm>

#include "base/strings.h"

namespace vsr::store {
namespace {

bool is_any_of(std::string_view value, const std::vector<std::string>& wanted) {
  return wanted.empty() || std::ranges::find(wanted, value) != wanted.end();
}

bool is_wanted(std::string_view value, const std::optional<std::string>& wanted) {
  return !wanted || value == *wanted;
}

// "none" asks for rows without a value, which is what sums call them.
std::optional<std::string> value_or_none(const std::string& wanted) {
  if (wanted.empty()) return std::nullopt;
  return wanted == kNone ? std::string() : wanted;
}

std::vector<std::string> raw_or_hash(const std::string& id) {
  if (id.empty()) return {};
  return {id, identity_hash(id)};
}

}  // namespace

Filter make_filter(const ReplayQuery& query, UnixMillis oldest) {
  Filter filter;
  filter.from = first_sequence_at(std::max({query.from, oldest, UnixMillis{0}}));
  if (query.to > 0) filter.to = first_sequence_at(query.to);
  filter.session_ids = raw_or_hash(query.session_id);
  filter.conversation_ids = raw_or_hash(query.conversation_id);
  if (query.own_only) filter.api_key_name = query.api_key_name;
  filter.decision = value_or_none(query.decision);
  filter.model = value_or_none(query.model);
  filter.action = value_or_none(query.action);
  filter.state = parse_lifecycle(query.status);
  filter.search = query.search;
  return filter;
}

bool matches_columns(const Filter& filter, const Row& row) {
  const Summary& summary = *row.summary;
  return row.sequence >= filter.from && row.sequence < filter.to &&
         is_any_of(summary.session_id, filter.session_ids) &&
         is_any_of(summary.conversation_id, filter.conversation_ids) &&
         (!filter.api_key_name || summary.api_key_name == *filter.api_key_name) &&
         is_wanted(summary.decision, filter.decision) &&
         is_wanted(summary.selected_model, filter.model) &&
         is_wanted(summary.action, filter.action) &&
         (!filter.state || summary.state == *filter.state) &&
         (!filter.makes_ids || !summary.emitted.empty()) &&
         (!filter.only || filter.only->contains(row.sequence)) &&
         !filter.without.contains(row.sequence);
}

bool matches_search(const Filter& filter, const Row& row) {
  if (filter.search.empty()) return true;
  const Summary& summary = *row.summary;
  return contains(summary.decision, filter.search) ||
         contains(summary.selected_model, filter.search) ||
         contains(summary.original_model, filter.search) ||
         (row.prompt && contains(*row.prompt, filter.search));
}

bool contains(std::string_view text, std::string_view needle) {
  const auto found = std::ranges::search(text, needle, {}, ascii_lower, ascii_lower);
  return needle.empty() || !found.empty();
}

}  // namespace vsr::store
