#include "cli/replay_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/plain_text.h"

namespace vsr::cli {
namespace {

using json::Value;

constexpr size_t kPromptShown = 240;  // bytes

std::string text_of(const Value& value) { return plain(value.as_string()); }
std::string name_or_dash(const Value& value) {
  return value.as_string().empty() ? "-" : text_of(value);
}

std::string money(double usd) { return fmt::format("{:.6f}", usd); }
std::string dollars(const Value& usd) { return fmt::format("${}", money(usd.as_double())); }

std::string milliseconds(double ms) {
  return ms >= 1000 ? fmt::format("{:.2f} s", ms / 1000) : fmt::format("{:.2f} ms", ms);
}

const Value& verdict_of(const Value& record) {
  return record["learning"]["adaptations"]["session_aware"];
}

const Value* candidate(const Value& verdict, std::string_view model) {
  for (const Value& one : verdict["candidates"].items()) {
    if (one["model"].as_string() == model) return &one;
  }
  return nullptr;
}

std::string_view portability(std::string_view what) {
  if (what == "previous_response_id") return "the request goes on from a stored response";
  if (what == "conversation")
    return "the request belongs to a conversation that the provider keeps";
  if (what == "item_reference") return "the request refers to an item that the provider keeps";
  if (what == "server_tool") return "it refers to a tool that runs at the provider";
  if (what == "file") return "it refers to a file at the provider";
  return "it carries reasoning that only its maker can read";
}

// ---- why ----------------------------------------------------------------------------------------

// Of a verdict that left a route aside.
std::string why_protected(const Value& verdict, std::string_view reason) {
  const std::string model = text_of(verdict["final_model"]);
  const std::string proposal = text_of(verdict["proposal_model"]);
  const Value* const wanted = candidate(verdict, verdict["proposal_model"].as_string());
  const Value* const kept = candidate(verdict, verdict["previous_model"].as_string());
  if (reason == "cache_protected") {
    if (wanted == nullptr || kept == nullptr) {
      return fmt::format("Stayed on {}: leaving its warm prompt cache costs more than {} gains.",
                         model, proposal);
    }
    return fmt::format(
        "Stayed on {}: this round would cost {} on {} and costs {} here, mostly because the prompt "
        "is in this model's cache.",
        model, dollars((*wanted)["round_usd"]), proposal, dollars((*kept)["round_usd"]));
  }
  if (wanted == nullptr || kept == nullptr) {
    return fmt::format("Stayed on {}: the task so far needs more than this message alone shows.",
                       model);
  }
  return fmt::format(
      "Stayed on {}: the task so far needs it. Expected failures cost {} on {} and {} here.", model,
      dollars((*wanted)["failure_usd"]), proposal, dollars((*kept)["failure_usd"]));
}

std::string why_learned(const Value& verdict) {
  const std::string model = text_of(verdict["final_model"]);
  const std::string previous = text_of(verdict["previous_model"]);
  const std::string_view reason = verdict["reason"].as_string();
  constexpr std::string_view kPortability = "hard_lock=context_portability:";
  if (reason == "hard_lock=tool_loop") {
    return fmt::format("Locked to {}: it made the tool call that this request goes on from.",
                       model);
  }
  if (reason.starts_with(kPortability)) {
    return fmt::format("Locked to {}: {}.", model, portability(reason.substr(kPortability.size())));
  }
  if (reason == "hard_lock=min_turns") {
    return fmt::format("Locked to {}: too few turns were answered since the last change.", model);
  }
  if (reason == "missing_previous_model") {
    return fmt::format("Took {}: nothing was answered in this conversation before.", model);
  }
  if (reason == "stay_has_best_adjusted_score") {
    return fmt::format(
        "Stayed on {}: the route proposed it, and no other is expected to be cheaper.", model);
  }
  if (reason == "switch_margin_not_met") {
    return fmt::format("Stayed on {}: a change would gain {}, and its margin is {}.", model,
                       dollars(verdict["gain_usd"]), dollars(verdict["margin_usd"]));
  }
  if (reason == "cache_protected" || reason == "demand_protected") {
    return why_protected(verdict, reason);
  }
  if (reason == "switch_allowed:owner_unavailable") {
    return fmt::format("Moved to {}: the model that held this conversation cannot be used.", model);
  }
  if (reason.starts_with("switch_allowed")) {
    return fmt::format("Switched from {} to {}: the gain of {} is above the margin of {}.",
                       previous, model, dollars(verdict["gain_usd"]),
                       dollars(verdict["margin_usd"]));
  }
  if (reason == "session_scope_protect") {
    return fmt::format("Stayed on {}: with this scope a session keeps its first model.", model);
  }
  if (reason == "decision_bypass") {
    return fmt::format("{} by the decision itself, which steps around learning.", model);
  }
  if (reason == "explicit_model") return fmt::format("{}: the caller named it.", model);
  if (reason == "auxiliary_request") {
    return fmt::format("{} as routed: a title, a summary or the like, apart from the conversation.",
                       model);
  }
  if (reason == "identity_missing") {
    return fmt::format("{} as routed: the request says neither session nor conversation.", model);
  }
  if (reason == "lock_expired") {
    return fmt::format("{}: the lock on the earlier model has expired.", model);
  }
  return fmt::format("{}: {} ({}).", model, text_of(verdict["action"]), plain(reason));
}

// ---- parts of a record --------------------------------------------------------------------------

std::string models_text(const Value& record, const Value& verdict) {
  const Value& route = record["route_diagnostics"];
  std::string out = labelled("previous", name_or_dash(route["previous_model"]));
  out += labelled("proposed", name_or_dash(route["proposal_model"]));
  if (const Value* observed = verdict.find("observed_model")) {
    out += labelled("observed", observed->as_string().empty()
                                    ? "- (learning would have refused)"
                                    : text_of(*observed) + " (what learning would have taken)");
  }
  out += labelled("final", name_or_dash(route["selected_model"]));
  return out;
}

std::string learning_text(const Value& verdict) {
  if (verdict["action"].as_string().empty()) return labelled("learning", "off");
  std::string line = fmt::format("{}, {}; scope {}, mode {}; {} turns before, {} switches",
                                 text_of(verdict["action"]), text_of(verdict["reason"]),
                                 text_of(verdict["scope"]), text_of(verdict["mode"]),
                                 verdict["turns"].as_int(), verdict["switches"].as_int());
  const double idle = verdict["idle_seconds"].as_double(-1);
  if (idle >= 0) line += fmt::format(", idle {:.1f} s", idle);
  if (!verdict["lock_ignored"].as_string().empty()) {
    line += fmt::format("; against {}", text_of(verdict["lock_ignored"]));
  }
  return labelled("learning", line);
}

size_t widest(const std::vector<std::string>& names, size_t least) {
  for (const std::string& name : names) least = std::max(least, name.size());
  return least;
}

// In USD by expected_cost; weighted_score has scores without a unit.
std::string candidates_text(const Value& verdict) {
  std::vector<std::string> names;
  const auto& costs = verdict["candidates"].items();
  for (const Value& one : costs) names.push_back(text_of(one["model"]));
  std::string out;
  if (!costs.empty()) {
    const size_t width = widest(names, 10);
    out += fmt::format("\n{:<{}} {:>11} {:>11} {:>11} {:>11}\n", "USD", width + 2, "first call",
                       "round", "failure", "score");
    for (size_t i = 0; i < costs.size(); ++i) {
      out += fmt::format(
          "{} {:<{}} {:>11} {:>11} {:>11} {:>11}\n", costs[i]["current"].as_bool() ? '*' : ' ',
          names[i], width, money(costs[i]["first_call_usd"].as_double()),
          money(costs[i]["round_usd"].as_double()), money(costs[i]["failure_usd"].as_double()),
          money(costs[i]["score_usd"].as_double()));
    }
    return out + "* the previous model; score = round + failure, and the lowest is best\n\n";
  }
  const auto& traces = verdict["candidate_traces"].fields();
  if (traces.empty()) return "";
  for (const auto& [model, trace] : traces) names.push_back(plain(model));
  const size_t width = widest(names, 10);
  out += fmt::format("\n{:<{}} {:>11} {:>11} {:>11} {:>11}\n", "no unit", width + 2, "base",
                     "cache", "handoff", "score");
  for (size_t i = 0; i < traces.size(); ++i) {
    const Value& trace = traces[i].second;
    const double cache =
        trace["prefix_cache_benefit"].as_double() - trace["prefix_cache_penalty"].as_double();
    out += fmt::format("{} {:<{}} {:>11.4f} {:>11.4f} {:>11.4f} {:>11.4f}\n",
                       trace["current"].as_bool() ? '*' : ' ', names[i], width,
                       trace["base_score"].as_double(), cache,
                       -trace["handoff_penalty"].as_double(), trace["final_score"].as_double());
  }
  return out + "* the previous model; the highest score is best\n\n";
}

std::string decision_text(const Value& record) {
  const std::string name = text_of(record["decision"]);
  if (name.empty()) {
    return labelled("decision",
                    "none (" + text_of(record["route_diagnostics"]["decision_reason"]) + ")");
  }
  std::string line =
      fmt::format("{} (tier {}, priority {}, confidence {:.2f}, {})", name,
                  record["decision_tier"].as_int(), record["decision_priority"].as_int(),
                  record["confidence_score"].as_double(), text_of(record["selection_method"]));
  return labelled("decision", line);
}

std::string signals_text(const Value& record) {
  std::string out;
  for (const auto& [family, names] : record["signals"].fields()) {
    std::string line = plain(family) + ":";
    for (const Value& name : names.items()) line += " " + text_of(name);
    out += labelled(out.empty() ? "signals" : "", line);
  }
  return out.empty() ? labelled("signals", "none matched") : out;
}

std::string usage_text(const Value& record) {
  const int64_t prompt = record["prompt_tokens"].as_int();
  const int64_t cached = record["cached_prompt_tokens"].as_int();
  std::string line = fmt::format("{} prompt", counted(prompt));
  if (prompt > 0) {
    line += fmt::format(", {} of them cached ({:.0f} %, {})", counted(cached),
                        100.0 * static_cast<double>(cached) / static_cast<double>(prompt),
                        text_of(record["cached_tokens_source"]));
  }
  line += fmt::format(", {} completion", counted(record["completion_tokens"].as_int()));
  std::string out = labelled("tokens", line);
  const std::string currency = text_of(record["currency"]);
  if (currency.empty()) return out + labelled("cost", "the model has no price");
  return out + labelled("cost", fmt::format("{} {}; at the prices of {}: {}",
                                            money(record["actual_cost"].as_double()), currency,
                                            text_of(record["baseline_model"]),
                                            money(record["baseline_cost"].as_double())));
}

std::string times_text(const Value& record) {
  std::string line = fmt::format("{} in all, first byte after {}; routing {}",
                                 milliseconds(record["duration_ms"].as_double()),
                                 milliseconds(record["ttft_ms"].as_double()),
                                 milliseconds(record["routing_latency_us"].as_double() / 1000));
  std::string parts;
  for (const std::string_view part : {"parse", "signals", "decision", "learning"}) {
    const Value* const us = record["timings_us"].find(part);
    if (us == nullptr || !us->is_number()) continue;
    parts += fmt::format("{}{} {:.0f}", parts.empty() ? "" : ", ", part, us->as_double());
  }
  if (!parts.empty()) line += fmt::format(" ({} µs)", parts);
  return labelled("time", line);
}

std::string attempts_text(const Value& record) {
  std::string out;
  for (const Value& attempt : record["backend"]["attempts"].items()) {
    const int64_t status = attempt["status"].as_int();
    std::string line =
        fmt::format("{}  {}  {}", text_of(attempt["endpoint"]),
                    status == 0 ? std::string("no answer") : fmt::format("{}", status),
                    milliseconds(attempt["ms"].as_double()));
    if (!attempt["error"].as_string().empty()) line += "  " + text_of(attempt["error"]);
    out += labelled(out.empty() ? "attempts" : "", line);
  }
  return out.empty() ? labelled("attempts", "none") : out;
}

std::string errors_text(const Value& record) {
  std::string out;
  const auto add = [&](std::string_view line) {
    out += labelled(out.empty() ? "errors" : "", line);
  };
  if (!record["terminal_reason"].as_string().empty()) add(text_of(record["terminal_reason"]));
  for (const auto& [signal, message] : record["signal_errors"].fields()) {
    add(plain(signal) + ": " + text_of(message));
  }
  if (record["is_unsafe_switch"].as_bool()) {
    add("unsafe switch: it delivered a tool result or provider state to a model that had not made "
        "the call or the state");
  }
  return out.empty() ? labelled("errors", "none") : out;
}

}  // namespace

std::string why(const Value& record) {
  const Value& verdict = verdict_of(record);
  const Value& route = record["route_diagnostics"];
  const std::string model = text_of(record["selected_model"]);
  if (model.empty()) return "No model of the recipe could serve the request.";
  if (verdict["action"].as_string().empty()) {
    if (route["decision_reason"].as_string() == "explicit_model")
      return model + ": the caller named it.";
    const std::string decision = text_of(record["decision"]);
    return decision.empty() ? fmt::format("{}: no decision matched, and it is the default.", model)
                            : fmt::format("{}: the decision {} took it.", model, decision);
  }
  if (verdict["mode"].as_string() == "observe") {
    return fmt::format("{} as routed; learning observes, and says {} ({}).", model,
                       text_of(verdict["action"]), text_of(verdict["reason"]));
  }
  return why_learned(verdict);
}

std::string record_text(const Value& record) {
  const Value& verdict = verdict_of(record);
  std::string out = labelled("record", text_of(record["id"]));
  std::string state = text_of(record["lifecycle_state"]);
  if (record["response_status"].as_int() != 0) {
    state += fmt::format(", status {}", record["response_status"].as_int());
  }
  if (record["from_cache"].as_bool()) state += ", from the answer cache";
  out += labelled("at", text_of(record["timestamp"]) + "  " + state);
  out += labelled("why", why(record));
  out += models_text(record, verdict);
  out += learning_text(verdict);
  out += candidates_text(verdict);
  out += decision_text(record);
  out += signals_text(record);
  out += usage_text(record);
  out += times_text(record);
  out += attempts_text(record);
  out += errors_text(record);
  out +=
      labelled("session",
               fmt::format("{}, conversation {}, turn {}", name_or_dash(record["session_id"]),
                           name_or_dash(record["conversation_id"]), record["turn_index"].as_int()));
  if (!record["prompt"].as_string().empty()) {
    out += labelled("prompt", beginning(record["prompt"].as_string(), kPromptShown));
  }
  return out;
}

std::string record_line(const Value& record) {
  const Value& route = record["route_diagnostics"];
  return fmt::format("{}  {}  {:<24} {:<30} {} ({})  {} tokens, {} cached  {}{}\n",
                     text_of(record["timestamp"]), text_of(record["id"]),
                     name_or_dash(record["decision"]), text_of(record["selected_model"]),
                     text_of(route["session_action"]), text_of(route["session_reason"]),
                     record["prompt_tokens"].as_int(), record["cached_prompt_tokens"].as_int(),
                     text_of(record["lifecycle_state"]),
                     record["is_unsafe_switch"].as_bool() ? "  unsafe switch" : "");
}

std::string trajectory_text(const Value& trajectory) {
  std::string out;
  for (const Value& turn : trajectory["turns"].items()) {
    out += fmt::format("{}  {}  {}{}\n", text_of(turn["timestamp"]), text_of(turn["id"]),
                       text_of(turn["lifecycle_state"]),
                       turn["is_unsafe_switch"].as_bool() ? "  unsafe" : "");
    out += fmt::format("  {}: {} ({})\n", name_or_dash(turn["decision"]),
                       name_or_dash(turn["action"]), name_or_dash(turn["reason"]));
    if (turn["is_switch"].as_bool()) {
      out += fmt::format("  {} ->\n", text_of(turn["previous_model"]));
    }
    out += fmt::format("  {}  {} tokens, {} cached", name_or_dash(turn["model"]),
                       counted(turn["prompt_tokens"].as_int()),
                       counted(turn["cached_prompt_tokens"].as_int()));
    if (!turn["currency"].as_string().empty()) {
      out +=
          fmt::format(", {} {}", money(turn["actual_cost"].as_double()), text_of(turn["currency"]));
    }
    out += '\n';
  }
  const Value& totals = trajectory["totals"];
  out += fmt::format("{} turns{}: {} switches, {} of them unsafe, {} hard locks, {} {}\n",
                     totals["turns"].as_int(),
                     trajectory["truncated"].as_bool() ? " (there are more)" : "",
                     totals["switches"].as_int(), totals["unsafe_switches"].as_int(),
                     totals["hard_locks"].as_int(), money(totals["actual_spend"].as_double()),
                     text_of(totals["currency"]));
  return out;
}

}  // namespace vsr::cli
