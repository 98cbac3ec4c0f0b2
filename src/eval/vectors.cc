#include "eval/vectors.h"

#include <fmt/format.h>

#include <array>

#include "eval/learned_policy.h"
#include "eval/prices.h"
#include "json/value.h"
#include "json/writer.h"
#include "learning/learning.h"

namespace vsr::eval {

namespace {

using learning::Tier;

// One conversation, served by the functions that the router calls.
class Conversation {
 public:
  Conversation(std::shared_ptr<const config::Config> config, uint32_t shared_tokens)
      : config_(std::move(config)),
        tables_(learning::make_tables(*config_)),
        shared_tokens_(shared_tokens) {}

  Result<std::string> run(const json::Value& row) {
    const std::string_view kind = row["kind"].as_string();
    const int64_t proposed = row["p"].as_int(-1);
    if (kind != "u" && kind != "t" && kind != "s" && kind != "p") {
      return fail(ErrorCode::kInvalidArgument, "kind must be u, t, s or p");
    }
    if (proposed < 0 || static_cast<size_t>(proposed) >= tables_->k) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("p must be a tier from 0 to {}", tables_->k - 1));
    }
    learning::Facts facts;
    facts.step.t = row["t"].as_double();
    facts.step.length = static_cast<uint32_t>(row["L"].as_int());
    facts.step.user_tokens = static_cast<uint32_t>(row["ut"].as_int());
    facts.step.shared_tokens = shared_tokens_;
    const std::array<uint64_t, 1> prefix = {static_cast<uint64_t>(row["ep"].as_int()) + 1};
    facts.step.prefix_hashes = prefix;
    facts.tool_loop = kind == "t";
    const std::array<wire::ProviderState, 1> item = {
        wire::ProviderState{.item = {wire::OpaqueKind::kPreviousResponseId, 1}}};
    if (kind == "s") facts.provider_state = item;

    learning::Proposal proposal;
    proposal.model = tables_->model[static_cast<size_t>(kind == "p" ? 0 : proposed)];
    const std::array<config::ModelId, 1> refs = {proposal.model};
    proposal.candidates = refs;
    proposal.tuning = config_->learning.tuning;
    if (kind == "p") proposal.mode = config::AdaptationMode::kBypass;

    learning::Snapshot snapshot;
    snapshot.known = lineage_.cur != learning::kNoTier;
    snapshot.lineage = lineage_;
    const learning::Verdict verdict =
        learning::decide(*tables_, config_->learning, shared_, snapshot, facts, proposal);
    const Tier tier = tables_->tier_of[verdict.model];
    if (!verdict.bypass) {
      lineage_ = verdict.next;
      lineage_.turns += 1;
    }
    learning::Step step = facts.step;
    step.tool = facts.tool_loop;
    learning::answered(shared_, lineage_, step, tier, static_cast<uint32_t>(row["comp"].as_int()),
                       verdict.bypass, verdict.main);
    return describe(verdict, tier);
  }

 private:
  std::string describe(const learning::Verdict& verdict, Tier tier) const {
    json::JsonWriter w;
    w.begin_object();
    w.field("tier", static_cast<int>(tier));
    w.field("action", learning::to_string(verdict.action));
    // In vector files the lock's evidence is not part of the reason.
    constexpr std::string_view kPortability = "hard_lock=context_portability";
    w.field("reason", verdict.reason.starts_with(kPortability) ? kPortability : verdict.reason);
    w.key("u").begin_array();
    for (size_t i = 0; i < verdict.choice.cost_count; ++i) w.value(verdict.choice.costs[i].score());
    w.end_array();
    w.field("gain", verdict.choice.gain);
    w.field("margin", verdict.choice.margin);
    w.key("belief").begin_array();
    for (size_t i = 0; i < tables_->k; ++i) w.value(lineage_.belief[i]);
    w.end_array();
    w.end_object();
    return w.take();
  }

  const std::shared_ptr<const config::Config> config_;
  const std::shared_ptr<const learning::Tables> tables_;
  const uint32_t shared_tokens_;
  learning::SharedCounts shared_;
  learning::Lineage lineage_;
};

constexpr std::string_view kFirstLine =
    "the first line must hold the settings, for example "
    "{\"prices\":\"real4\",\"lambda\":1.0,\"candidate_set\":\"decision\"}, and every further one a "
    "request; see docs/evaluation.md";

}  // namespace

Status run_vectors(std::istream& in, std::ostream& out) {
  std::unique_ptr<Conversation> conversation;
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto problem = [&](std::string_view what) {
      return fail(ErrorCode::kInvalidArgument, fmt::format("line {}: {}", number, what));
    };
    const Result<json::Value> row = json::Value::parse(line);
    if (!row) return problem(row.error().message);
    if (!conversation) {
      if (!(*row)["prices"].is_string()) return problem(kFirstLine);
      const auto set = candidate_set_of((*row)["candidate_set"].as_string());
      if (!set) return problem(set.error().message);
      const auto config =
          price_set((*row)["prices"].as_string(), (*row)["lambda"].as_double(1.0), *set);
      if (!config) return problem(config.error().message);
      conversation = std::make_unique<Conversation>(
          *config, static_cast<uint32_t>((*row)["shared"].as_int(9000)));
      continue;
    }
    const Result<std::string> answer = conversation->run(*row);
    if (!answer) return problem(answer.error().message);
    out << *answer << '\n';
  }
  if (!conversation) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("the file is empty; {}", kFirstLine));
  }
  return {};
}

}  // namespace vsr::eval
