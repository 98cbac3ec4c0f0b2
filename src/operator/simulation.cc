#include "operator/simulation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "json/value.h"

namespace vsr::operator_api {
namespace {

constexpr auto kMembers = std::to_array<std::string_view>({"recipe", "filter", "policy"});
constexpr auto kPolicyMembers =
    std::to_array<std::string_view>({"kind", "candidate_set", "quality_weight_usd"});
// Of the parameters of lists, those that say which records.
constexpr auto kFilters =
    std::to_array<std::string_view>({"session_id", "conversation_id", "decision", "model", "action",
                                     "status", "from", "to", "search"});

template <typename T>
using Choice = std::pair<std::string_view, T>;
constexpr auto kKinds = std::to_array<Choice<config::PolicyKind>>(
    {{"expected_cost", config::PolicyKind::kExpectedCost},
     {"weighted_score", config::PolicyKind::kWeightedScore}});
constexpr auto kSets = std::to_array<Choice<config::CandidateSet>>(
    {{"decision", config::CandidateSet::kDecision},
     {"ladder_after_first", config::CandidateSet::kLadderAfterFirst},
     {"at_least", config::CandidateSet::kAtLeast},
     {"ladder", config::CandidateSet::kLadder}});

std::unexpected<wire::ApiError> bad(std::string_view member, std::string message) {
  return std::unexpected(
      wire::ApiError{400, "invalid_request", std::string(member), std::move(message)});
}

wire::ApiResult<void> check_members(const json::Value& object, std::string_view name,
                                    std::span<const std::string_view> known) {
  for (const auto& [key, value] : object.fields()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    return bad(key, fmt::format("{} has no member {}; there are {}", name, key.substr(0, 64),
                                fmt::join(known, ", ")));
  }
  return {};
}

template <typename T, size_t N>
wire::ApiResult<void> read_choice(const json::Value& policy, std::string_view name,
                                  const std::array<Choice<T>, N>& choices, std::optional<T>& out) {
  const json::Value* const value = policy.find(name);
  if (value == nullptr) return {};
  const auto found = std::ranges::find(choices, value->as_string(), &Choice<T>::first);
  if (found == choices.end()) {
    std::vector<std::string_view> names;
    for (const auto& choice : choices) names.push_back(choice.first);
    return bad(fmt::format("policy.{}", name),
               fmt::format("policy.{} must be one of {}", name, fmt::join(names, ", ")));
  }
  out = found->second;
  return {};
}

wire::ApiResult<void> read_policy(const json::Value& policy, counterfactual::PolicyChange& out) {
  if (policy.is_null()) return {};
  if (!policy.is_object()) return bad("policy", "policy must be an object");
  if (auto status = check_members(policy, "policy", kPolicyMembers); !status) return status;
  if (auto status = read_choice(policy, "kind", kKinds, out.kind); !status) return status;
  if (auto status = read_choice(policy, "candidate_set", kSets, out.candidate_set); !status) {
    return status;
  }
  const json::Value* const weight = policy.find("quality_weight_usd");
  if (weight == nullptr) return {};
  // As in a recipe.
  if (!weight->is_number() || !(weight->as_double() >= 0) || !std::isfinite(weight->as_double())) {
    return bad("policy.quality_weight_usd",
               "policy.quality_weight_usd must be a number from 0, in USD");
  }
  out.quality_weight_usd = weight->as_double();
  return {};
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return out;
}

// By way of the query string of lists, so that both mean the same.
wire::ApiResult<store::ReplayQuery> read_filter(const json::Value& filter) {
  if (!filter.is_null() && !filter.is_object()) return bad("filter", "filter must be an object");
  if (auto status = check_members(filter, "filter", kFilters); !status) {
    return std::unexpected(status.error());
  }
  std::string query;
  for (const auto& [name, value] : filter.fields()) {
    if (value.is_null()) continue;
    if (!value.is_string() && !value.is_number()) {
      return bad("filter." + name, fmt::format("filter.{} must be a text", name));
    }
    const std::string text = value.is_string() ? std::string(value.as_string()) : value.dump();
    query += fmt::format("{}{}={}", query.empty() ? "" : "&", name, percent_encoded(text));
  }
  auto parsed = store::parse_replay_query(query);
  if (!parsed) return bad("filter", "filter: " + parsed.error().message);
  return *std::move(parsed);
}

}  // namespace

wire::ApiResult<Simulation> parse_simulation(std::string_view body) {
  const Result<json::Value> input = json::Value::parse(body.empty() ? "{}" : body);
  if (!input || !input->is_object()) {
    return std::unexpected(wire::ApiError{
        400, "invalid_json", "",
        "the body is no JSON object; send {\"recipe\": YAML, \"filter\": {…}, \"policy\": {…}}, "
        "each of which may be left out"});
  }
  if (auto status = check_members(*input, "the body", kMembers); !status) {
    return std::unexpected(status.error());
  }
  const json::Value& recipe = (*input)["recipe"];
  if (!recipe.is_null() && !recipe.is_string()) {
    return bad("recipe", "recipe must be the text of a recipe, or be left out for the running one");
  }
  Simulation out;
  out.recipe = recipe.as_string();
  if (recipe.is_string() && out.recipe.find_first_not_of(" \t\r\n") == std::string::npos) {
    return bad("recipe",
               "recipe is empty; send the text of one, or leave it out for the running one");
  }
  auto filter = read_filter((*input)["filter"]);
  if (!filter) return std::unexpected(filter.error());
  out.options.filter = *std::move(filter);
  if (auto status = read_policy((*input)["policy"], out.options.policy); !status) {
    return std::unexpected(status.error());
  }
  return out;
}

}  // namespace vsr::operator_api
