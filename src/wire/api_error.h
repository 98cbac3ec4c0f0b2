#pragma once

// What a client is told when a request cannot be served: status, machine-readable code, the
// parameter at fault and a sentence. Also the bytes of it, plain and as an SSE event. Values.

#include <expected>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vsr::wire {

struct ApiError {
  int status = 400;
  std::string code;     // "duplicate_key"; empty: null
  std::string param;    // "messages[2].role"; empty: null
  std::string message;  // what was found and what is allowed
  // Of a 429 or 503: what `retry-after` says; 0 = trying again will not help.
  uint32_t retry_after_s = 1;
};

template <typename T>
using ApiResult = std::expected<T, ApiError>;

// The `type` that goes with a status: 400 invalid_request_error, 401 authentication_error, …
std::string_view error_type(int status);
// The one mapping from an Error to what the client sees. Our own faults are 500 for any code that
// is not about load; a client's are 4xx, a backend's 502 to 504.
ApiError to_api_error(const Error& error);

// {"error":{"message","type","code","param"}}
std::string error_body(const ApiError& error);
// One event that ends a stream: "data: {…}\n\n".
std::string error_event(const ApiError& error);

}  // namespace vsr::wire
