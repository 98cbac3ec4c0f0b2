#pragma once

// The body of POST /api/v1/replay/simulate. Pure.

#include <string>
#include <string_view>

#include "counterfactual/simulate.h"
#include "wire/api_error.h"

namespace vsr::operator_api {

struct Simulation {
  std::string recipe;  // YAML; "" for the running one
  counterfactual::Options options;
};

// {recipe?: text, filter?: {the filters of lists}, policy?: {kind?, candidate_set?,
// quality_weight_usd?}}. The error names the member and what may stand there.
wire::ApiResult<Simulation> parse_simulation(std::string_view body);

}  // namespace vsr::operator_api
