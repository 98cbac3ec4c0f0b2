#pragma once

// Parts of a record → rows → the JSON object of the HTTP API. Everything that leaves here is
// redacted (see stored_text). Pure but for calling the parts' `details`.

#include <string>

#include "store/record.h"
#include "store/row.h"

namespace vsr::store {

// Sets the summary and texts of `row`; its sequence and id stay.
void render_routing(const RoutingPart& part, Row& row);
// Adds the end to a row that has its routing summary. `redact` as in the routing part.
void render_terminal(const TerminalPart& part, bool redact, Row& row);

// The record as a JSON object; request and response body only with `details`. A row whose texts are
// lost still gives what its summary knows. Whether it was an unsafe switch takes other records to
// tell, so the caller says it.
std::string compose(const Row& row, bool details, bool is_unsafe_switch);

// Both steps at once; `terminal` null while the request runs.
std::string render_record(const Id128& id, const RoutingPart& routing, const TerminalPart* terminal,
                          bool details);

}  // namespace vsr::store
