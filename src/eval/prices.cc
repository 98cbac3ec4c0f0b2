#include "eval/prices.h"

#include <fmt/format.h>

#include <span>

namespace vsr::eval {

namespace {

struct PricedModel {
  const char* name;
  double quality, prompt, cached, completion;
  double write = -1;  // −1: the prompt price
};
constexpr PricedModel kPub3[] = {{"qwen3-8b", .64, .05, .01, .10},
                                 {"qwen3-32b", .78, .30, .06, .60},
                                 {"frontier-reasoner", .94, 8, 1.2, 24}};
constexpr PricedModel kRecipe5[] = {{"qwen/qwen3.6-rocm", .78, 0, 0, 0},
                                    {"google/gemini-2.5-flash-lite", .84, .01, .002, .04},
                                    {"google/gemini-3.1-pro", .90, .48, .12, 1.92},
                                    {"openai/gpt5.4", .95, 1.20, .30, 4.80},
                                    {"anthropic/claude-opus-4.6", .96, 1.80, .45, 7.20}};
constexpr PricedModel kReal4[] = {{"local-35b-a3b", .70, .10, .02, .40},
                                  {"flash-like", .80, .30, .03, 2.50},
                                  {"gpt-like", .88, 1.25, .125, 10},
                                  {"opus-like", .95, 5, .50, 25, 6.25}};

}  // namespace

Result<std::shared_ptr<const config::Config>> price_set(std::string_view name, double lambda,
                                                        config::CandidateSet candidate_set,
                                                        double factor) {
  std::span<const PricedModel> models;
  if (name == "pub3") models = kPub3;
  if (name == "recipe5") models = kRecipe5;
  if (name == "real4") models = kReal4;
  if (models.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("there are no prices {}; use pub3, recipe5 or real4", name));
  }
  auto config = std::make_shared<config::Config>();
  for (const PricedModel& priced : models) {
    config::Model model;
    model.name = priced.name;
    model.quality_score = priced.quality;
    model.pricing = config::Pricing{.prompt_per_1m = priced.prompt * factor,
                                    .cached_input_per_1m = priced.cached * factor,
                                    .completion_per_1m = priced.completion * factor};
    if (priced.write >= 0) model.pricing->cache_write_per_1m = priced.write * factor;
    config->learning.ladder.push_back(static_cast<config::ModelId>(config->models.size()));
    config->models.push_back(std::move(model));
  }
  config->learning.enabled = config->learning.session_aware = true;
  config->learning.quality_weight_usd = lambda;
  config->learning.candidate_set = candidate_set;
  return config;
}

}  // namespace vsr::eval
