#pragma once

// The evaluation of learning as one page of HTML that needs nothing else: tables and inline SVG.
// Pure.

#include <string>
#include <vector>

#include "eval/frontier.h"
#include "eval/learning_run.h"

namespace vsr::eval {

// Regret by cell and policy; then for each cell cost against success, where the money went, and
// switches.
std::string report_page(const std::vector<Row>& rows);
// Cost against success while λ is swept, beside the baseline.
std::string report_page(const std::vector<Frontier>& frontiers);

}  // namespace vsr::eval
