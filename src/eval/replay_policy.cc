#include "eval/replay_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "json/value.h"
#include "json/writer.h"

namespace vsr::eval {

namespace {

using Records = std::vector<json::Value>;

Result<std::string> read_all(std::istream& in) {
  std::string text;
  std::array<char, 64 * 1024> buffer;
  while (in.read(buffer.data(), buffer.size()), in.gcount() > 0) {
    text.append(buffer.data(), static_cast<size_t>(in.gcount()));
    if (text.size() > kReplayBytesMax) {
      return fail(ErrorCode::kTooLarge, fmt::format("more than {} MiB of records; split the file",
                                                    kReplayBytesMax / 1024 / 1024));
    }
  }
  return text;
}

// A list of the operator API, an array, or a record a line.
Result<Records> read_records(std::istream& in) {
  const Result<std::string> text = read_all(in);
  if (!text) return std::unexpected(text.error());
  const Result<json::Value> whole = json::Value::parse(*text);
  if (whole && whole->is_array()) return whole->items();
  if (whole && (*whole)["data"].is_array()) return (*whole)["data"].items();
  Records out;
  size_t number = 0;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Result<json::Value> record = json::Value::parse(line);
    if (!record || !record->is_object()) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("line {}: {}; write a list of records or one record a line", number,
                              record ? "a record is an object" : record.error().message));
    }
    out.push_back(std::move(*record));
  }
  return out;
}

void count(bool switched, std::string_view phase, ReplaySide& side) {
  side.switches += switched;
  side.tool_violations += switched && phase == "tool_loop";
  side.provider_violations += switched && phase == "provider_state";
}

}  // namespace

Result<ReplaySummary> summarise_replay(std::istream& in) {
  Result<Records> records = read_records(in);
  if (!records) return std::unexpected(records.error());
  // Lists have the newest first. Times are of one form, so their text sorts.
  std::ranges::stable_sort(*records, {}, [](const json::Value& record) {
    return std::string(record["timestamp"].as_string());
  });
  ReplaySummary out;
  std::map<std::string, std::string> proposed;  // by lineage: what was proposed last
  for (const json::Value& record : *records) {
    out.records += 1;
    out.cost += record["actual_cost"].as_double();
    out.baseline_cost += record["baseline_cost"].as_double();
    out.prompt_tokens += record["prompt_tokens"].as_double();
    out.cached_tokens += record["cached_prompt_tokens"].as_double();
    const json::Value& policy = record["session_policy"];
    const std::string_view action = policy["action"].as_string();
    if (action.empty()) {
      out.without_policy += 1;
      continue;
    }
    out.actions[std::string(action)] += 1;
    // Neither moves the conversation, nor is a proposal for it.
    if (action == "bypass" || action == "noop") continue;
    const std::string_view phase = record["route_diagnostics"]["session_phase"].as_string();
    const std::string_view previous = policy["previous_model"].as_string();
    count(!previous.empty() && previous != policy["final_model"].as_string(), phase, out.served);
    const std::string lineage = fmt::format("{}/{}", policy["identity"]["conversation"].as_string(),
                                            policy["identity"]["lineage"].as_string());
    const std::string proposal(policy["proposal_model"].as_string());
    const auto [before, first] = proposed.try_emplace(lineage, proposal);
    count(!first && before->second != proposal, phase, out.proposals);
    before->second = proposal;
  }
  out.lineages = proposed.size();
  return out;
}

std::string replay_json(const ReplaySummary& s) {
  json::JsonWriter w;
  w.begin_object();
  w.field("records", s.records).field("without_policy", s.without_policy);
  w.field("lineages", s.lineages);
  w.key("actions").begin_object();
  for (const auto& [action, times] : s.actions) w.field(action, times);
  w.end_object();
  const auto pair = [&](std::string_view name, size_t ReplaySide::* value) {
    w.field(fmt::format("baseline_{}", name), s.proposals.*value);
    w.field(fmt::format("agentic_{}", name), s.served.*value);
  };
  pair("switches", &ReplaySide::switches);
  pair("tool_loop_switch_violations", &ReplaySide::tool_violations);
  pair("context_portability_violations", &ReplaySide::provider_violations);
  w.field("actual_cost", s.cost).field("baseline_cost", s.baseline_cost);
  w.field("mean_cached_prompt_ratio",
          s.prompt_tokens > 0 ? s.cached_tokens / s.prompt_tokens : 0.0);
  w.end_object();
  return w.take();
}

std::string replay_text(const ReplaySummary& s) {
  std::string out = fmt::format(
      "{} records of {} lineages, {} without a session policy\n"
      "                         every proposal     served\n"
      "switches                     {:>10} {:>10}\n"
      "tool loop violations         {:>10} {:>10}\n"
      "provider state violations    {:>10} {:>10}\n",
      s.records, s.lineages, s.without_policy, s.proposals.switches, s.served.switches,
      s.proposals.tool_violations, s.served.tool_violations, s.proposals.provider_violations,
      s.served.provider_violations);
  for (const auto& [action, times] : s.actions)
    out += fmt::format("{:<28} {:>21}\n", action, times);
  const double ratio = s.prompt_tokens > 0 ? s.cached_tokens / s.prompt_tokens : 0;
  out += fmt::format(
      "cost {:.6f} USD with {:.1f} % of prompt tokens cached; {:.6f} for the same requests on the\n"
      "baseline model. What serving every proposal would have cost is not recorded.\n",
      s.cost, 100 * ratio, s.baseline_cost);
  return out;
}

}  // namespace vsr::eval
