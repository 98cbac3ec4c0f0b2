#include "counterfactual/simulate.h"

#include <fmt/format.h>

#include <algorithm>

#include "counterfactual/comparison.h"
#include "store/filter.h"

namespace vsr::counterfactual {
namespace {

constexpr std::string_view kNote =
    "Recorded requests were routed again; none was sent to a model. What other models would have "
    "answered is unknown: later turns would have been different, and more or fewer. Whether a task "
    "succeeded is not observed. Token counts are those of the recorded answers. Cost is worked out "
    "for both sides under the same cache model and the recipe's prices, and is not what was "
    "billed.";

enum class Cut : uint8_t { kNo, kRecords, kTime };

config::Learning changed(config::Learning settings, const PolicyChange& change) {
  settings.policy = change.kind.value_or(settings.policy);
  settings.candidate_set = change.candidate_set.value_or(settings.candidate_set);
  settings.quality_weight_usd = change.quality_weight_usd.value_or(settings.quality_weight_usd);
  return settings;
}

// From the oldest to the newest. Records before `from` are read as far back as learning remembers.
Result<std::vector<Turn>> read_turns(store::Replay& replay, const Options& options,
                                     const config::Learning& learning,
                                     const std::function<bool()>& is_late, Cut& cut) {
  const store::Filter filter = store::make_filter(options.filter, 0);
  const auto remembered = static_cast<UnixMillis>(learning.state_ttl_seconds * 1000);
  const UnixMillis oldest = std::max<UnixMillis>(options.filter.from - remembered, 0);
  std::vector<Turn> out;
  const Status status = replay.read(options.filter.to, [&](const store::Row& row) {
    if (row.summary->timestamp < oldest) return false;
    if (out.size() == options.records_max) cut = Cut::kRecords;
    if (cut == Cut::kNo && is_late()) cut = Cut::kTime;
    if (cut != Cut::kNo) return false;
    out.push_back(turn_of(row, store::matches(filter, row)));
    return true;
  });
  if (!status) return std::unexpected(status.error());
  std::ranges::reverse(out);
  return out;
}

void write_cut(Cut cut, size_t records_max, json::JsonWriter& out) {
  switch (cut) {
    case Cut::kNo:
      out.null_field("cut");
      return;
    case Cut::kRecords:
      out.field("cut", fmt::format("only the newest {} records were read; older ones are left out, "
                                   "and what learning knew of them",
                                   records_max));
      return;
    case Cut::kTime:
      out.field("cut", "the time was up; later records are left out. Narrow the filter");
      return;
  }
}

std::string_view name_of(config::PolicyKind kind) {
  return kind == config::PolicyKind::kExpectedCost ? "expected_cost" : "weighted_score";
}

std::string_view name_of(config::CandidateSet set) {
  using enum config::CandidateSet;
  switch (set) {
    case kDecision:
      return "decision";
    case kLadderAfterFirst:
      return "ladder_after_first";
    case kAtLeast:
      return "at_least";
    case kLadder:
      return "ladder";
  }
  return "";
}

}  // namespace

Result<std::string> simulate(store::Replay& replay, const router::Router& router,
                             const Options& options, const Clock& clock) {
  const std::function<bool()> is_late = [&] {
    return options.deadline != MonoTime(0) && clock.mono() > options.deadline;
  };
  const config::Config& config = router.config();
  const config::Learning learning = changed(config.learning, options.policy);
  Cut cut = Cut::kNo;
  const auto turns = read_turns(replay, options, learning, is_late, cut);
  if (!turns) return std::unexpected(turns.error());
  Texts texts(replay);
  Comparison comparison(std::make_shared<const config::Config>(config));
  Walk walk(router, learning, *turns, texts,
            [&](const Turn& turn, const Outcome& outcome) { comparison.add(turn, outcome); });
  if (!walk.run(is_late)) cut = Cut::kTime;

  json::JsonWriter out;
  out.begin_object().field("object", "replay.simulation");
  out.field("policy_version", config.hash).field("recipe_name", config.name);
  out.key("policy").begin_object().field("learning", learning.enabled);
  out.field("kind", name_of(learning.policy));
  out.field("candidate_set", name_of(learning.candidate_set));
  out.field("quality_weight_usd", learning.quality_weight_usd).end_object();
  write_cut(cut, options.records_max, out);
  comparison.write(out);
  out.field("note", kNote).end_object();
  return out.take();
}

}  // namespace vsr::counterfactual
