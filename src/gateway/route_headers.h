#pragma once

// The x-vsr-* headers: the whole explanation that fits into headers, from the Decision alone. Pure.

#include <string>
#include <string_view>

#include "http/message.h"
#include "router/decision.h"
#include "wire/api_error.h"

namespace vsr::gateway {

struct RouteHeaderFacts {
  std::string_view replay_id;      // "" when replay is off
  std::string_view response_path;  // upstream, cache, fast_response, rate_limited, error
  int64_t routing_us = -1;         // -1: not dispatched
};

void add_route_headers(const router::Decision& decision, const RouteHeaderFacts& facts,
                       http::HeaderText& out);

// `retry-after` of a 429 or 503 that is worth another try.
void add_retry_after(const wire::ApiError& error, http::HeaderText& out);

// A header value in ASCII: other bytes and control characters are percent-encoded, and so are
// commas, which separate the items of lists.
std::string header_item(std::string_view text);

}  // namespace vsr::gateway
