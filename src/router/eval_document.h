#pragma once

// A decision as the JSON document of /api/v1/eval: every signal with its value, projections with
// their inputs, every decision with its rule tree, the winner, the candidates, and what learning
// would do. For the operator API and the command line. Pure.

#include <string>
#include <string_view>

#include "json/writer.h"
#include "router/decision.h"
#include "router/router.h"

namespace vsr::router {

// One whole object. `prompt` is where the text that keywords matched is shown from.
std::string eval_document(const Router& router, const Decision& decision,
                          std::string_view prompt = {});

// The learning verdict as members of the object that is open in `w`.
void write_learning(const Router& router, const Decision& decision, json::JsonWriter& w);

// {family: [names]} of matched signals, projections included, as one object.
void write_matched(const config::Config& config, const std::vector<config::SignalValue>& values,
                   json::JsonWriter& w);
// The members projections, projection_scores and projection_trace.
// candidate_scores {MODEL: score} of the refs that can serve, and selection_note if the algorithm
// could not choose.
void write_selection(const Decision& decision, json::JsonWriter& w);
void write_projections(const policy::Explanation& explanation, json::JsonWriter& w);

}  // namespace vsr::router
