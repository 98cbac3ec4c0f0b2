#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "config/build.h"

namespace vsr::config {
namespace {

// What both spellings of tuning have; the older one has the rest too.
void read_common_tuning(const View& view, Tuning& tuning) {
  read(view["idle_timeout_seconds"], tuning.idle_timeout_seconds);
  read(view["min_turns_before_switch"], tuning.min_turns_before_switch);
  read(view["switch_margin"], tuning.switch_margin);
}

void read_tuning(const View& view, Tuning& tuning) {
  read_common_tuning(view, tuning);
  read(view["cache_weight"], tuning.cache_weight);
  read(view["handoff_penalty"], tuning.handoff_penalty);
  read(view["handoff_penalty_weight"], tuning.handoff_penalty_weight);
  read(view["switch_history_weight"], tuning.switch_history_weight);
  read(view["max_cache_cost_multiplier"], tuning.max_cache_cost_multiplier);
}

void read_header(Build& build, const View& view, std::string& header) {
  const auto name = view.text();
  if (!name) return;
  const bool token = !name->empty() && std::ranges::all_of(*name, [](unsigned char c) {
    return c > 0x20 && c < 0x7f &&
           std::string_view("\"(),/:;<=>?@[\\]{}").find(static_cast<char>(c)) ==
               std::string_view::npos;
  });
  if (!token) {
    build.error(view, fmt::format("expected the name of a header, found {}", quote(*name)), *name,
                "the name of a header");
    return;
  }
  header = to_lower(*name);
}

void read_identity(Build& build, const View& view, Learning& learning) {
  read_header(build, view["headers"]["session"], learning.session_header);
  read_header(build, view["headers"]["conversation"], learning.conversation_header);
  read(view["derive"], learning.derive_identity);
}

}  // namespace

void build_learning(Build& build, const View& view) {
  Learning& learning = build.config.learning;
  read(view["enabled"], learning.enabled);

  const View session_aware = view["adaptations"]["session_aware"];
  const View protection = view["protection"];
  bool session_aware_enabled = true;
  read(session_aware["enabled"], session_aware_enabled);
  read(protection["enabled"], session_aware_enabled);
  learning.session_aware = learning.enabled && session_aware_enabled;

  // Where both spellings are used, the newer one wins.
  read_choice(session_aware["scope"], learning.scope);
  read_choice(protection["scope"], learning.scope);
  read_identity(build, session_aware["identity"], learning);
  read_identity(build, protection["identity"], learning);
  read_tuning(session_aware["tuning"], learning.tuning);
  read_common_tuning(protection["tuning"], learning.tuning);
  read(session_aware["lock_max_seconds"], learning.lock_max_seconds);
  read_choice(session_aware["on_lock_unavailable"], learning.on_lock_unavailable);
  read(session_aware["taint"], learning.taint);

  const View policy = view["policy"];
  read_choice(policy["kind"], learning.policy);
  read(policy["quality_weight_usd"], learning.quality_weight_usd);
  read_choice(policy["candidate_set"], learning.candidate_set);
  read_choice(view["adaptation"]["candidate_set"], learning.candidate_set);
  read(policy["latency_usd_per_s"], learning.latency_usd_per_s);

  const View store = view["state_store"];
  learning.state_store_redis = store["backend"].choice().value_or(0) == 1;
  if (learning.state_store_redis) {
    build.warn(store["backend"], "redis: accepted, not acted on yet; state is kept in the process",
               "redis", "local");
  }
  read(store["ttl_seconds"], learning.state_ttl_seconds);
  read_count(store["timeout_ms"], learning.state_timeout_ms);
}

void build_adaptation(Build& build, const View& view, Adaptation& adaptation) {
  adaptation.scope = build.config.learning.scope;
  adaptation.tuning = build.config.learning.tuning;
  const View session_aware = view["session_aware"];
  read_choice(session_aware["mode"], adaptation.mode);
  read_choice(session_aware["scope"], adaptation.scope);
  read_tuning(session_aware["tuning"], adaptation.tuning);
  const View protection = view["protection"];
  read_choice(view["mode"], adaptation.mode);
  read_choice(protection["mode"], adaptation.mode);
  read_choice(protection["scope"], adaptation.scope);
  read(protection["switch_margin"], adaptation.tuning.switch_margin);
}

void build_ladder(Build& build, const View& list) {
  Config& config = build.config;
  std::vector<ModelId>& ladder = config.learning.ladder;
  const auto add = [&](ModelId id) {
    if (id != kNoModel && std::ranges::find(ladder, id) == ladder.end()) ladder.push_back(id);
  };
  const std::vector<std::string> names = list.texts();
  const std::vector<View> items = list.items();
  for (size_t i = 0; i < names.size(); ++i) add(build.model(i < items.size() ? items[i] : list));
  if (names.empty()) {
    for (const Decision& decision : config.decisions) {
      if (decision.adaptation.mode == AdaptationMode::kBypass) continue;
      for (const ModelRef& ref : decision.refs) add(ref.model);
    }
  }
  // Models without a score keep their place in the file, before those that have one.
  std::ranges::sort(ladder, [&](ModelId a, ModelId b) {
    const double qa = config.models[a].quality_score.value_or(0);
    const double qb = config.models[b].quality_score.value_or(0);
    return qa != qb ? qa < qb : a < b;
  });
}

}  // namespace vsr::config
