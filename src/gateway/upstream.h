#pragma once

// The request as a backend gets it: path and headers. Pure.

#include <string>
#include <string_view>

#include "config/config.h"
#include "gateway/backends.h"
#include "http/message.h"

namespace vsr::gateway {

// `public_path` under the ref's base path; a base URL that ends in the version the path begins with
// ("/v1" + "/v1/embeddings") does not repeat it.
std::string upstream_path(const config::BackendRef& ref, std::string_view public_path);

// Request line, headers and the empty line. Hop-by-hop headers, credentials, accept-encoding and
// what describes the old body are left out; the backend's own key is put in, or the client's
// authorization if the backend is configured to get it.
std::string upstream_head(const http::RequestHead& request, const config::BackendRef& ref,
                          const Address& address, std::string_view path, size_t body_bytes,
                          std::string_view request_id);

// A header of a backend's answer that goes on to the client.
bool forwards_to_client(std::string_view name);

}  // namespace vsr::gateway
