#include "store/sqlite_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "json/writer.h"

namespace vsr::store {

const char* const kRecordColumns =
    "r.seq, r.id, r.session_id, r.conversation_id, r.api_key_name, r.turn_index, r.decision, "
    "r.original_model, r.previous_model, r.selected_model, r.action, r.reason, r.mode, r.phase, "
    "r.is_switch, r.routing_us, r.signals, r.state, r.terminal_reason, r.ended_at, r.duration_ms, "
    "r.response_status, r.prompt_tokens, r.cached_prompt_tokens, r.cache_write_tokens, "
    "r.completion_tokens, r.total_tokens, r.actual_cost, r.baseline_cost, r.currency, r.lineage, "
    "r.prefix, r.parent, r.delivered, r.emitted";

// What is known before dispatch does not change but for `delivered`, which has no index, so an
// update leaves those columns and their indexes alone. An id that is there under another sequence
// would be a stranger's: it stays.
const char* const kUpsertRecord =
    "INSERT INTO records (seq, id, session_id, conversation_id, api_key_name, turn_index, "
    "decision, original_model, previous_model, selected_model, action, reason, mode, phase, "
    "is_switch, routing_us, signals, state, terminal_reason, ended_at, duration_ms, "
    "response_status, prompt_tokens, cached_prompt_tokens, cache_write_tokens, completion_tokens, "
    "total_tokens, actual_cost, baseline_cost, currency, lineage, prefix, parent, "
    "delivered, emitted) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
    "ON CONFLICT (seq) DO UPDATE SET state = excluded.state, "
    "terminal_reason = excluded.terminal_reason, ended_at = excluded.ended_at, "
    "duration_ms = excluded.duration_ms, response_status = excluded.response_status, "
    "prompt_tokens = excluded.prompt_tokens, "
    "cached_prompt_tokens = excluded.cached_prompt_tokens, "
    "cache_write_tokens = excluded.cache_write_tokens, "
    "completion_tokens = excluded.completion_tokens, total_tokens = excluded.total_tokens, "
    "actual_cost = excluded.actual_cost, baseline_cost = excluded.baseline_cost, "
    "currency = excluded.currency, delivered = excluded.delivered, "
    "emitted = excluded.emitted "
    "ON CONFLICT (id) DO NOTHING";

namespace {

std::string_view bytes_of(const Id128& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

std::string json_list(const std::unordered_set<int64_t>& numbers) {
  json::JsonWriter list;
  list.begin_array();
  for (const int64_t number : numbers) list.value(number);
  list.end_array();
  return list.take();
}

}  // namespace

void bind_columns(SqliteStatement& statement, const Row& row) {
  const Summary& summary = *row.summary;
  int at = 0;
  statement.bind(++at, row.sequence);
  statement.bind_blob(++at, bytes_of(row.id));
  for (const std::string* text :
       {&summary.session_id, &summary.conversation_id, &summary.api_key_name}) {
    statement.bind(++at, std::string_view(*text));
  }
  statement.bind(++at, static_cast<int64_t>(summary.turn_index));
  for (const std::string* text :
       {&summary.decision, &summary.original_model, &summary.previous_model,
        &summary.selected_model, &summary.action, &summary.reason, &summary.mode, &summary.phase}) {
    statement.bind(++at, std::string_view(*text));
  }
  statement.bind(++at, summary.is_switch ? 1 : 0);
  statement.bind(++at, summary.routing_us);
  statement.bind(++at, std::string_view(summary.signals));
  statement.bind(++at, static_cast<int>(summary.state));
  statement.bind(++at, std::string_view(summary.terminal_reason));
  statement.bind(++at, summary.ended_at);
  statement.bind(++at, summary.duration_ms);
  statement.bind(++at, summary.response_status);
  for (const uint64_t tokens :
       {summary.prompt_tokens, summary.cached_prompt_tokens, summary.cache_write_tokens,
        summary.completion_tokens, summary.total_tokens}) {
    statement.bind(++at, tokens);
  }
  statement.bind(++at, summary.actual_cost);
  statement.bind(++at, summary.baseline_cost);
  statement.bind(++at, std::string_view(summary.currency));
  for (const uint64_t hash : {summary.lineage, summary.prefix, summary.parent}) {
    statement.bind(++at, hash);
  }
  for (const std::string* text : {&summary.delivered, &summary.emitted}) {
    statement.bind(++at, std::string_view(*text));
  }
}

Row read_columns(const SqliteStatement& statement) {
  Row row;
  auto read = std::make_shared<Summary>();
  Summary& summary = *read;
  int at = 0;
  row.sequence = statement.integer(at++);
  summary.timestamp = row.sequence >> kSequenceBits;
  const std::string_view id = statement.text(at++);
  std::memcpy(row.id.bytes.data(), id.data(), std::min(id.size(), row.id.bytes.size()));
  for (std::string* text : {&summary.session_id, &summary.conversation_id, &summary.api_key_name}) {
    *text = statement.text(at++);
  }
  summary.turn_index = static_cast<uint32_t>(statement.integer(at++));
  for (std::string* text :
       {&summary.decision, &summary.original_model, &summary.previous_model,
        &summary.selected_model, &summary.action, &summary.reason, &summary.mode, &summary.phase}) {
    *text = statement.text(at++);
  }
  summary.is_switch = statement.integer(at++) != 0;
  summary.routing_us = statement.real(at++);
  summary.signals = statement.text(at++);
  constexpr auto kLast = static_cast<int64_t>(Lifecycle::kAborted);
  summary.state = static_cast<Lifecycle>(std::clamp<int64_t>(statement.integer(at++), 0, kLast));
  summary.terminal_reason = statement.text(at++);
  summary.ended_at = statement.integer(at++);
  summary.duration_ms = statement.real(at++);
  summary.response_status = static_cast<int>(statement.integer(at++));
  for (uint64_t* tokens :
       {&summary.prompt_tokens, &summary.cached_prompt_tokens, &summary.cache_write_tokens,
        &summary.completion_tokens, &summary.total_tokens}) {
    *tokens = static_cast<uint64_t>(statement.integer(at++));
  }
  summary.actual_cost = statement.real(at++);
  summary.baseline_cost = statement.real(at++);
  summary.currency = statement.text(at++);
  for (uint64_t* hash : {&summary.lineage, &summary.prefix, &summary.parent}) {
    *hash = static_cast<uint64_t>(statement.integer(at++));
  }
  for (std::string* text : {&summary.delivered, &summary.emitted}) {
    *text = statement.text(at++);
  }
  row.summary = std::move(read);
  return row;
}

Where::Where(const Filter& filter) {
  if (filter.from > 0) add("r.seq >= ?", filter.from);
  if (filter.to < INT64_MAX) add("r.seq < ?", filter.to);
  add_any_of("r.session_id", filter.session_ids);
  add_any_of("r.conversation_id", filter.conversation_ids);
  if (filter.api_key_name) add("r.api_key_name = ?", *filter.api_key_name);
  if (filter.decision) add("r.decision = ?", *filter.decision);
  if (filter.model) add("r.selected_model = ?", *filter.model);
  if (filter.action) add("r.action = ?", *filter.action);
  if (filter.state) add("r.state = ?", static_cast<int64_t>(*filter.state));
  if (filter.makes_ids) add("r.emitted <> ''");
  if (!filter.search.empty()) add_search(filter.search);
  if (filter.only) add("r.seq IN (SELECT value FROM json_each(?))", json_list(*filter.only));
  if (filter.without.empty()) return;
  add("r.seq NOT IN (SELECT value FROM json_each(?))", json_list(filter.without));
}

void Where::add(std::string_view condition) {
  sql_.append(sql_.empty() ? " WHERE " : " AND ").append(condition);
}

void Where::add(std::string_view condition, Value value) {
  add(condition);
  values_.push_back(std::move(value));
}

void Where::add_any_of(std::string_view column, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return;
  std::string marks = "?";
  for (size_t i = 1; i < wanted.size(); ++i) marks.append(",?");
  add(fmt::format("{} IN ({})", column, marks));
  values_.insert(values_.end(), wanted.begin(), wanted.end());
}

void Where::add_search(const std::string& search) {
  add("(contains_text(r.decision, ?) OR contains_text(r.selected_model, ?) OR "
      "contains_text(r.original_model, ?) OR "
      "contains_text((SELECT prompt FROM beginnings s WHERE s.seq = r.seq), ?))");
  values_.insert(values_.end(), 4, search);
}

int Where::bind(SqliteStatement& statement) const {
  int at = 0;
  for (const auto& value : values_) {
    ++at;
    if (const auto* number = std::get_if<int64_t>(&value)) {
      statement.bind(at, *number);
    } else {
      statement.bind(at, std::string_view(std::get<std::string>(value)));
    }
  }
  return at + 1;
}

}  // namespace vsr::store
