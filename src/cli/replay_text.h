#pragma once

// Replay documents of the HTTP API as text for a person: within kColumns of plain_text.h but for
// names that are longer, and without the control characters that a request may hold. Pure.

#include <string>

#include "json/value.h"

namespace vsr::cli {

// Why the model was taken, in one sentence.
std::string why(const json::Value& record);
// A record: why, the models, what they would have cost, signals, tokens, money, times, attempts.
std::string record_text(const json::Value& record);
// One record of a list, on one line.
std::string record_line(const json::Value& record);
// The turns of a session, a few lines each, and their sums.
std::string trajectory_text(const json::Value& trajectory);
// The answer of a simulation (simulation_text.cc).
std::string simulation_text(const json::Value& simulation);

}  // namespace vsr::cli
