#pragma once

// Envelopes are blocks that agent harnesses put into user messages (`<system-reminder>…`,
// `<environment_context>…`, …): they are not the user's words. Pure; time linear in the text.

#include <string_view>

#include "json/arena.h"

namespace vsr::wire {

// The text without envelopes, trimmed if one was cut; the same view if there was none, otherwise
// bytes in the arena. An envelope that is not closed stays.
std::string_view strip_envelopes(std::string_view text, json::Arena& arena);

// The same without the outermost tags alone: what stands between them is kept.
std::string_view unwrap_envelopes(std::string_view text, json::Arena& arena);

}  // namespace vsr::wire
