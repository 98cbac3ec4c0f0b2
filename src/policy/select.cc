#include "policy/select.h"

#include <fmt/format.h>

#include <algorithm>

namespace vsr::policy {

using config::AlgorithmType;

double Latency::at(double percentile) const {
  constexpr double kBetween = 72.5;
  return percentile < kBetween ? p50_ms : p95_ms;
}

std::string_view to_string(DropReason reason) {
  switch (reason) {
    case DropReason::kNone:
      return "none";
    case DropReason::kContextTooSmall:
      return "context_window_too_small";
    case DropReason::kModality:
      return "modality_unsupported";
    case DropReason::kTools:
      return "tools_unsupported";
    case DropReason::kUnhealthy:
      return "no_healthy_endpoint";
  }
  return "none";
}

std::string_view to_string(SelectionStatus status) {
  switch (status) {
    case SelectionStatus::kSelected:
      return "selected";
    case SelectionStatus::kFallback:
      return "fallback";
    case SelectionStatus::kUnavailable:
    case SelectionStatus::kTooLong:
      return "unavailable";
  }
  return "unavailable";
}

namespace {

bool lists(const std::vector<std::string>& values, std::string_view any, std::string_view other) {
  return std::any_of(values.begin(), values.end(),
                     [&](const std::string& v) { return v == any || v == other; });
}

bool speaks_images(const config::Model& model) {
  return model.modality.find("image") != std::string::npos ||
         model.modality.find("vision") != std::string::npos || model.modality == "omni" ||
         model.modality == "multimodal" || lists(model.capabilities, "vision", "images");
}

bool speaks_audio(const config::Model& model) {
  return model.modality.find("audio") != std::string::npos || model.modality == "omni" ||
         lists(model.capabilities, "audio", "speech");
}

double price_of(const config::Model& model) {
  if (!model.pricing) return 0;
  return model.pricing->prompt_per_1m + model.pricing->completion_per_1m;
}

bool is_late(const config::Algorithm& algorithm, const ModelState& state) {
  const auto over = [](const Latency& latency, double limit_ms) {
    return limit_ms > 0 && latency.p95_ms > limit_ms;
  };
  return over(state.ttft, algorithm.slo_ttft_ms) || over(state.tpot, algorithm.slo_tpot_ms);
}

// Each term is in 0..1 with 1 best: quality as configured, the others 1 − x/max over the
// candidates. Over a latency objective (at the 95th percentile) that term is one less, so below all
// within it.
void score_multi_factor(const config::Config& config, const config::Algorithm& algorithm,
                        std::span<const ModelState> states, std::vector<Candidate>& candidates) {
  double max_latency = 0;
  double max_price = 0;
  double max_load = 0;
  for (const Candidate& c : candidates) {
    max_latency = std::max(max_latency, states[c.model].ttft.p50_ms);
    max_price = std::max(max_price, price_of(config.models[c.model]));
    max_load = std::max(max_load, static_cast<double>(states[c.model].in_flight));
  }
  const auto term = [](double x, double max) { return max > 0 ? 1 - x / max : 1.0; };
  for (Candidate& c : candidates) {
    const ModelState& state = states[c.model];
    c.score = algorithm.weight_quality * config.models[c.model].quality_score.value_or(0) +
              algorithm.weight_latency *
                  (term(state.ttft.p50_ms, max_latency) - (is_late(algorithm, state) ? 1 : 0)) +
              algorithm.weight_cost * term(price_of(config.models[c.model]), max_price) +
              algorithm.weight_load * term(state.in_flight, max_load);
  }
}

// By the time to the first token and the time per output token, at the percentiles that the recipe
// names: each as a share of the greatest among the candidates, 1 less their mean. A model that was
// not measured gets 1, so that it will be.
void score_latency(const config::Algorithm& algorithm, std::span<const ModelState> states,
                   std::vector<Candidate>& candidates) {
  const auto add = [&](Latency ModelState::* latency, double percentile, double weight) {
    double max = 0;
    for (const Candidate& c : candidates) {
      max = std::max(max, (states[c.model].*latency).at(percentile));
    }
    if (max == 0) return;
    for (Candidate& c : candidates) {
      c.score -= weight * (states[c.model].*latency).at(percentile) / max;
    }
  };
  for (Candidate& c : candidates) c.score = 1;
  const bool by_first = algorithm.ttft_percentile > 0;
  const bool by_each = algorithm.tpot_percentile > 0;
  const double weight = by_first && by_each ? 0.5 : 1;
  if (by_first) add(&ModelState::ttft, algorithm.ttft_percentile, weight);
  if (by_each) add(&ModelState::tpot, algorithm.tpot_percentile, weight);
}

size_t best_of(const std::vector<Candidate>& candidates) {
  return static_cast<size_t>(std::ranges::max_element(candidates, {}, &Candidate::score) -
                             candidates.begin());
}

void select_fallback(const config::Config& config, const Needs& needs,
                     std::span<const ModelState> states, Selection& out) {
  const bool all_too_long =
      !out.dropped.empty() &&
      std::all_of(out.dropped.begin(), out.dropped.end(),
                  [](const Dropped& d) { return d.reason == DropReason::kContextTooSmall; });
  out.status = all_too_long ? SelectionStatus::kTooLong : SelectionStatus::kUnavailable;
  if (config.default_model == config::kNoModel) return;
  const config::ModelId model = config.default_model;
  const DropReason reason = cannot_serve(config.models[model], needs, states[model]);
  if (reason == DropReason::kNone) {
    out.status = SelectionStatus::kFallback;
    out.model = model;
    out.candidates.push_back({0, model, 1});
  } else if (std::none_of(out.dropped.begin(), out.dropped.end(),
                          [&](const Dropped& d) { return d.model == model; })) {
    out.dropped.push_back({model, reason});
    if (reason != DropReason::kContextTooSmall) out.status = SelectionStatus::kUnavailable;
  }
}

}  // namespace

DropReason cannot_serve(const config::Model& model, const Needs& needs, const ModelState& state) {
  if (model.context_window_size > 0 && needs.context_tokens > model.context_window_size) {
    return DropReason::kContextTooSmall;
  }
  if (!model.modality.empty() || !model.capabilities.empty()) {
    if (needs.images && !speaks_images(model)) return DropReason::kModality;
    if (needs.audio && !speaks_audio(model)) return DropReason::kModality;
  }
  if (needs.tools && lists(model.capabilities, "no_tools", "no-tools")) return DropReason::kTools;
  return state.healthy ? DropReason::kNone : DropReason::kUnhealthy;
}

Selection select_model(const config::Config& config, const config::Decision& decision,
                       const Needs& needs, std::span<const ModelState> states) {
  Selection out;
  for (size_t i = 0; i < decision.refs.size(); ++i) {
    const config::ModelRef& ref = decision.refs[i];
    const DropReason reason = cannot_serve(config.models[ref.model], needs, states[ref.model]);
    if (reason == DropReason::kNone) {
      out.candidates.push_back({static_cast<uint16_t>(i), ref.model, ref.weight.value_or(1)});
    } else {
      out.dropped.push_back({ref.model, reason});
    }
  }
  if (out.candidates.empty()) {
    if (decision.adaptation.mode != config::AdaptationMode::kBypass) {
      select_fallback(config, needs, states, out);
      return out;
    }
    const bool too_long = std::all_of(out.dropped.begin(), out.dropped.end(), [](const Dropped& d) {
      return d.reason == DropReason::kContextTooSmall;
    });
    out.status = too_long ? SelectionStatus::kTooLong : SelectionStatus::kUnavailable;
    return out;
  }
  out.status = SelectionStatus::kSelected;
  size_t best = 0;
  if (decision.algorithm.type == AlgorithmType::kMultiFactor) {
    score_multi_factor(config, decision.algorithm, states, out.candidates);
    best = best_of(out.candidates);
  } else if (decision.algorithm.type == AlgorithmType::kLatencyAware) {
    score_latency(decision.algorithm, states, out.candidates);
    best = best_of(out.candidates);
  } else {
    out.candidates.front().score = 1;
  }
  out.model = out.candidates[best].model;
  return out;
}

bool compares_meanings(const config::Decision& decision, const Selection& selection) {
  if (selection.status != SelectionStatus::kSelected || selection.candidates.size() < 2) {
    return false;
  }
  return decision.algorithm.type == AlgorithmType::kRouterDc ||
         (decision.algorithm.type == AlgorithmType::kKnn && !decision.algorithm.outcomes.empty());
}

void choose_by_fit(std::span<const double> fit, double least, Selection& selection) {
  for (Candidate& candidate : selection.candidates) candidate.score = fit[candidate.ref];
  const Candidate& best = selection.candidates[best_of(selection.candidates)];
  if (best.score > 0 && best.score >= least) {
    selection.model = best.model;
  } else {
    selection.note =
        fmt::format("no model fits well enough (best {:.2f}, least {:.2f})", best.score, least);
  }
}

Selection select_default(const config::Config& config, const Needs& needs,
                         std::span<const ModelState> states) {
  Selection out;
  select_fallback(config, needs, states, out);
  if (out.status == SelectionStatus::kFallback) out.status = SelectionStatus::kSelected;
  const bool too_long =
      out.dropped.size() == 1 && out.dropped.front().reason == DropReason::kContextTooSmall;
  if (out.status == SelectionStatus::kUnavailable && too_long) {
    out.status = SelectionStatus::kTooLong;
  }
  return out;
}

}  // namespace vsr::policy
