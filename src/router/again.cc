// Deciding recorded requests once more.
#include <fmt/format.h>

#include <algorithm>

#include "nn/vectors.h"
#include "router/router.h"
#include "wire/hash.h"

namespace vsr::router {

Again Router::decide_again(const Known& known) const {
  Again out;
  Decision& decision = out.decision;
  decision.facts = known.facts;
  if (!resolve_model(decision) || refuse_too_long(decision)) return out;
  if (!decision.explicit_model) {
    std::ranges::copy(known.values, decision.values.signals.begin());
    if (!evaluate_again(known, out)) return out;
    find_winner(decision);
  }
  if (!decision.error && select(decision) && !fit_again(known, out)) return out;
  finish(decision, false, {});
  return out;
}

bool Router::evaluate_again(const Known& known, Again& out) const {
  signals::Scratch scratch;
  signals::Values fresh;
  std::vector<config::SignalValue>& values = out.decision.values.signals;
  bool started = false;
  return evaluate_needed(out.decision.values, [&](std::span<const config::SignalId> stage) {
    for (const config::SignalId id : stage) {
      const signals::Reads reads = engine_->reads(id);
      if (known.input != nullptr && reads <= known.reach) continue;
      const config::SignalInfo& info = config_->signals[id];
      out.missing = fmt::format("{}:{}", config::leaf_name(info.type), info.name);
      out.missing_reads = reads;
      return false;
    }
    if (!started) engine_->start(*known.input, scratch, fresh);
    started = true;
    engine_->evaluate(*known.input, stage, scratch, fresh);
    for (const config::SignalId id : stage) {
      values[id] = fresh.signals[id];
      values[id].evaluated = true;
    }
    return true;
  });
}

bool Router::fit_again(const Known& known, Again& out) const {
  Decision& decision = out.decision;
  const uint64_t fingerprint = fit_fingerprint(*decision.rule(), decision.selection);
  if (known.fitted != config::kNoModel && known.fit_fingerprint == fingerprint) {
    std::vector<policy::Candidate>& candidates = decision.selection.candidates;
    decision.selection.model = known.fitted;
    for (size_t i = 0; i < std::min(candidates.size(), known.fit_scores.size()); ++i) {
      candidates[i].score = known.fit_scores[i];
    }
    return true;
  }
  if (known.input == nullptr || known.reach < signals::Reads::kPrompt) {
    out.missing = fmt::format("algorithm of {}", decision.rule()->name);
    out.missing_reads = signals::Reads::kPrompt;
    return false;
  }
  fit_models(decision, known.input->prompt, signals::Encoding::kNow);
  return true;
}

uint64_t Router::fit_fingerprint(const config::Decision& decision,
                                 const policy::Selection& selection) const {
  if (!policy::compares_meanings(decision, selection)) return 0;
  const config::Algorithm& algorithm = decision.algorithm;
  std::string described = fmt::format(
      "{} {} {} {} {};", algorithm.name, algorithm.min_similarity, algorithm.use_capabilities,
      algorithm.neighbours, vectors_ ? vectors_->version() : std::string_view("no encoder"));
  const auto add = [&](std::string_view text) {
    fmt::format_to(std::back_inserter(described), "{}:{};", text.size(), text);
  };
  for (const policy::Candidate& candidate : selection.candidates) {
    const config::Model& model = config_->models[candidate.model];
    add(model.name);
    add(model.description);
    for (const std::string& capability : model.capabilities) add(capability);
  }
  for (const config::Outcome& outcome : algorithm.outcomes) {
    add(config_->models[outcome.model].name);
    add(outcome.prompt);
    described += fmt::format("{};", outcome.quality);
  }
  return wire::hash_bytes(described);
}

std::shared_ptr<const Router> Router::fork(const config::Learning& settings,
                                           std::shared_ptr<LearningState> learning) const {
  auto config = std::make_shared<config::Config>(*config_);
  config->learning = settings;
  return std::shared_ptr<const Router>(
      new Router(std::move(config), engine_, vectors_, model_fit_, std::move(learning), clock_));
}

}  // namespace vsr::router
