#include "store/conversations.h"

#include <algorithm>

#include "json/writer.h"

namespace vsr::store {

void Conversations::add(const Row& row) {
  const Summary& summary = *row.summary;
  const Key key(summary.session_id, summary.conversation_id);
  auto at = entries_.find(key);
  if (at == entries_.end()) {
    if (entries_.size() >= kConversationsMax) {
      ++left_out_;
      return;
    }
    at = entries_.emplace(key, Entry{}).first;
    at->second.first = summary.timestamp;
    at->second.last = summary.timestamp;
  }
  Entry& entry = at->second;
  entry.first = std::min(entry.first, summary.timestamp);
  if (summary.timestamp >= entry.last) {
    entry.last = summary.timestamp;
    entry.last_decision = summary.decision;
  }
  ++entry.turns;
  entry.switches += summary.is_switch ? 1 : 0;
  if (!summary.delivered.empty() && delivering_.size() < Deliveries::kIdsMax) {
    delivering_.emplace_back(row.sequence, &entry);
  }
  const bool is_good =
      summary.state == Lifecycle::kCompleted || summary.state == Lifecycle::kRunning;
  entry.failed += is_good ? 0 : 1;
  if (!summary.selected_model.empty() &&
      std::ranges::find(entry.models, summary.selected_model) == entry.models.end()) {
    entry.models.push_back(summary.selected_model);
  }
  entry.prompt_tokens += summary.prompt_tokens;
  entry.cached_prompt_tokens += summary.cached_prompt_tokens;
  entry.completion_tokens += summary.completion_tokens;
  entry.actual_cost += summary.actual_cost;
  if (!summary.currency.empty()) entry.currency = summary.currency;
}

std::string Conversations::to_json(size_t offset, size_t limit, const Deliveries::Result& joined) {
  for (auto& [key, entry] : entries_) entry.unsafe_switches = 0;
  for (const auto& [sequence, entry] : delivering_) {
    entry->unsafe_switches += joined.is_unsafe(sequence) ? 1 : 0;
  }
  std::vector<const std::pair<const Key, Entry>*> order;
  order.reserve(entries_.size());
  for (const auto& entry : entries_) order.push_back(&entry);
  std::ranges::sort(order, [](const auto* a, const auto* b) {
    return a->second.last != b->second.last ? a->second.last > b->second.last : a->first < b->first;
  });
  const size_t begin = std::min(offset, order.size());
  const size_t end = std::min(begin + limit, order.size());
  json::JsonWriter w;
  w.begin_object();
  w.field("count", end - begin).field("total", order.size());
  w.field("has_more", end < order.size()).field("left_out", left_out_);
  w.key("data").begin_array();
  for (size_t i = begin; i < end; ++i) {
    const auto& [key, entry] = *order[i];
    w.begin_object();
    w.field("session_id", key.first).field("conversation_id", key.second);
    w.field("first", format_rfc3339(entry.first)).field("last", format_rfc3339(entry.last));
    w.field("turns", entry.turns).field("switches", entry.switches);
    w.field("unsafe_switches", entry.unsafe_switches).field("failed", entry.failed);
    w.key("models").begin_array();
    for (const std::string& model : entry.models) w.value(model);
    w.end_array();
    w.field("last_decision", entry.last_decision);
    w.field("prompt_tokens", entry.prompt_tokens);
    w.field("cached_prompt_tokens", entry.cached_prompt_tokens);
    w.field("completion_tokens", entry.completion_tokens);
    w.field("actual_cost", entry.actual_cost).field("currency", entry.currency);
    w.end_object();
  }
  w.end_array().end_object();
  return w.take();
}

}  // namespace vsr::store
