#pragma once

// What a client is told when a decision names no model that can serve. Pure.

#include <string_view>

#include "router/decision.h"
#include "wire/api_error.h"

namespace vsr::router {

wire::ApiError unknown_model(const config::Config& config, std::string_view requested);
// By what the selection dropped, and why.
wire::ApiError cannot_serve(const Decision& decision);
// A lock holds a model that cannot be used; `where` narrows that down, "" or " at …".
wire::ApiError lock_unavailable(const Decision& decision, std::string_view where);

}  // namespace vsr::router
