#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/strings.h"
#include "config/build.h"
#include "config/load.h"
#include "config/scalar.h"

namespace vsr::config {
namespace {

struct AlgorithmName {
  std::string_view name;
  AlgorithmType type;
};
constexpr AlgorithmName kAlgorithms[] = {
    {"static", AlgorithmType::kStatic},
    {"multi_factor", AlgorithmType::kMultiFactor},
    {"latency_aware", AlgorithmType::kLatencyAware},
    {"router_dc", AlgorithmType::kRouterDc},
    {"knn", AlgorithmType::kKnn},
};

void multi_factor(Build& build, const View& view, Algorithm& algorithm) {
  const View weights = view["weights"];
  read(weights["quality"], algorithm.weight_quality);
  read(weights["latency"], algorithm.weight_latency);
  read(weights["cost"], algorithm.weight_cost);
  read(weights["load"], algorithm.weight_load);
  if (algorithm.type == AlgorithmType::kMultiFactor && algorithm.weight_quality == 0 &&
      algorithm.weight_latency == 0 && algorithm.weight_cost == 0 && algorithm.weight_load == 0) {
    build.warn(weights, "without a weight above 0 every model scores the same: the first is taken",
               "", "quality, latency, cost or load");
  }
  read(view["slo"]["max_ttft_ms"], algorithm.slo_ttft_ms);
  read(view["slo"]["ttft_ms"], algorithm.slo_ttft_ms);
  read(view["slo"]["max_tpot_ms"], algorithm.slo_tpot_ms);
  read(view["slo"]["tpot_ms"], algorithm.slo_tpot_ms);
}

void latency_aware(const View& view, Algorithm& algorithm) {
  constexpr double kMedian = 50;
  read(view["ttft_percentile"], algorithm.ttft_percentile);
  read(view["tpot_percentile"], algorithm.tpot_percentile);
  if (algorithm.ttft_percentile == 0 && algorithm.tpot_percentile == 0) {
    algorithm.ttft_percentile = kMedian;
  }
}

void router_dc(Build& build, const View& view, const View& at, Decision& decision) {
  Algorithm& algorithm = decision.algorithm;
  read(view["min_similarity"], algorithm.min_similarity);
  read(view["use_capabilities"], algorithm.use_capabilities);
  if (algorithm.type != AlgorithmType::kRouterDc) return;
  const bool required = view["require_descriptions"].boolean().value_or(false);
  for (const ModelRef& ref : decision.refs) {
    const Model& model = build.config.models[ref.model];
    if (!model.description.empty() || (algorithm.use_capabilities && !model.capabilities.empty())) {
      continue;
    }
    const std::string message = fmt::format(
        "model {} has no description in its card to compare the prompt with", quote(model.name));
    if (required) {
      build.error(at, message, model.name, "a description in routing.modelCards");
    } else {
      build.warn(at, message + ": it fits no prompt", model.name,
                 "a description in routing.modelCards");
    }
  }
}

bool is_ref(const Decision& decision, ModelId model) {
  return std::ranges::find(decision.refs, model, &ModelRef::model) != decision.refs.end();
}

// One JSON object a line: {"prompt", "model", "quality"}. Outcomes of other models are passed over,
// so that decisions may share a file.
std::string read_outcomes(const std::string& path, const Config& config, Decision& decision) {
  const Result<std::string> text = read_recipe(path);
  if (!text) return text.error().message;
  size_t number = 0;
  for (const std::string_view line : split(*text, '\n')) {
    ++number;
    if (trim(line).empty()) continue;
    Diagnostics out(path);
    Document document = parse_yaml(line, out);
    const Node* const root = document.root();
    if (out.has_errors() || root == nullptr || root->kind != NodeKind::kMapping) {
      return fmt::format("{}:{}: expected one JSON object", path, number);
    }
    const Node* const prompt = root->find("prompt");
    const Node* const model = root->find("model");
    const Node* const quality = root->find("quality");
    const std::optional<double> value = quality == nullptr ? 1 : parse_number(quality->text);
    if (prompt == nullptr || prompt->text.empty() || model == nullptr || !value || *value < 0 ||
        *value > 1) {
      return fmt::format("{}:{}: expected prompt, model and quality from 0 to 1", path, number);
    }
    const ModelId id = config.find_model(model->text);
    if (!is_ref(decision, id)) continue;
    if (decision.algorithm.outcomes.size() >= kOutcomesMax) {
      return fmt::format("{}:{}: more than {} outcomes", path, number, kOutcomesMax);
    }
    decision.algorithm.outcomes.push_back({prompt->text, id, *value});
  }
  return {};
}

void knn(Build& build, const View& view, const View& at, Decision& decision) {
  Algorithm& algorithm = decision.algorithm;
  read(view["k"], algorithm.neighbours);
  algorithm.neighbours = std::max(algorithm.neighbours, 1U);
  if (algorithm.type != AlgorithmType::kKnn) return;
  for (const View& one : view["outcomes"].items()) {
    Outcome outcome;
    outcome.prompt = build.required(one["prompt"]);
    outcome.model = build.model(one["model"]);
    read(one["quality"], outcome.quality);
    if (outcome.prompt.empty() || outcome.model == kNoModel) continue;
    if (!is_ref(decision, outcome.model)) {
      build.error(one["model"],
                  fmt::format("{} is no model of this decision",
                              quote(build.config.models[outcome.model].name)),
                  build.config.models[outcome.model].name, "a model of modelRefs");
      continue;
    }
    algorithm.outcomes.push_back(std::move(outcome));
  }
  if (algorithm.outcomes.size() > kOutcomesMax) {
    build.error(view["outcomes"], fmt::format("more than {} outcomes", kOutcomesMax));
  }
  if (const auto file = view["path"].text()) {
    algorithm.outcomes_from_file = true;
    const std::filesystem::path recipe(build.config.file);
    const std::string problem =
        read_outcomes((recipe.parent_path() / *file).string(), build.config, decision);
    if (!problem.empty()) build.error(view["path"], problem, *file, "a file of JSON lines");
  }
  if (algorithm.outcomes.empty()) {
    build.warn(at, "algorithm \"knn\" acts as static: it has no outcomes", "knn",
               "knn.outcomes or knn.path");
  }
}

}  // namespace

void build_algorithm(Build& build, const View& view, Decision& decision) {
  Algorithm& algorithm = decision.algorithm;
  const View type = view["type"];
  read(type, algorithm.name);
  const auto known = std::ranges::find(kAlgorithms, algorithm.name, &AlgorithmName::name);
  if (known != std::end(kAlgorithms)) {
    algorithm.type = known->type;
  } else {
    std::vector<std::string_view> names;
    for (const AlgorithmName& one : kAlgorithms) names.push_back(one.name);
    const std::string_view close = nearest(algorithm.name, names);
    const std::string hint = close.empty() ? "" : fmt::format("; did you mean {}?", quote(close));
    build.warn(type, fmt::format("algorithm {} acts as static{}", quote(algorithm.name), hint),
               algorithm.name, "static, multi_factor, latency_aware, router_dc or knn");
  }
  multi_factor(build, view["multi_factor"], algorithm);
  latency_aware(view["latency_aware"], algorithm);
  router_dc(build, view["router_dc"], type, decision);
  knn(build, view["knn"], type, decision);
}

}  // namespace vsr::config
