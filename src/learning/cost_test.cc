#include "learning/cost.h"

#include <gtest/gtest.h>

namespace vsr::learning {
namespace {

config::Model priced(double quality, double prompt, double cached, double completion) {
  config::Model model;
  model.quality_score = quality;
  model.pricing = config::Pricing{
      .prompt_per_1m = prompt, .cached_input_per_1m = cached, .completion_per_1m = completion};
  return model;
}

TEST(Cost, PricesEachKindOfTokenApart) {
  config::Model model = priced(0.9, 1, 0.25, 4);
  EXPECT_DOUBLE_EQ(cost_of(model, {.prompt = 1'000'000}), 1);
  EXPECT_DOUBLE_EQ(cost_of(model, {.prompt = 1'000'000, .cached = 400'000}), 0.6 + 0.1);
  EXPECT_DOUBLE_EQ(cost_of(model, {.completion = 500'000}), 2);
  model.pricing->cache_write_per_1m = 1.25;
  EXPECT_DOUBLE_EQ(cost_of(model, {.prompt = 1'000'000, .cache_write = 1'000'000}), 1.25);
  // A backend that reports more cached than prompt tokens must not make a negative price.
  EXPECT_DOUBLE_EQ(cost_of(model, {.prompt = 100, .cached = 1'000'000}), 100 * 0.25e-6);
  EXPECT_EQ(cost_of(config::Model{}, {.prompt = 1'000'000}), 0);
}

TEST(Cost, BaselineIsTheBestPricedModel) {
  config::Config config;
  EXPECT_EQ(baseline_model(config), config::kNoModel);
  config.models = {priced(0.7, 1, 1, 1), priced(0.95, 2, 1, 1), priced(0.95, 3, 1, 1)};
  config.models.push_back({});
  config.models.back().quality_score = 0.99;
  EXPECT_EQ(baseline_model(config), 2);
}

}  // namespace
}  // namespace vsr::learning
