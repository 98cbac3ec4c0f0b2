#pragma once

// The three price sets that learning is evaluated with, as Configs: models with quality and prices
// and nothing else. Pure.

#include <memory>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace vsr::eval {

// "pub3", "recipe5" or "real4"; λ in USD. All prices are multiplied by `factor`.
Result<std::shared_ptr<const config::Config>> price_set(std::string_view name, double lambda,
                                                        config::CandidateSet candidate_set,
                                                        double factor = 1);

}  // namespace vsr::eval
