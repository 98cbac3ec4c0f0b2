#include "gateway/upstream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace vsr::gateway {

namespace {

template <size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view other) { return iequals(name, other); });
}

constexpr std::array<std::string_view, 9> kHopByHop = {"connection",
                                                       "keep-alive",
                                                       "proxy-authenticate",
                                                       "proxy-authorization",
                                                       "proxy-connection",
                                                       "te",
                                                       "trailer",
                                                       "transfer-encoding",
                                                       "upgrade"};
constexpr std::array<std::string_view, 9> kNotForwarded = {
    "host",   "content-length", "accept-encoding", "authorization",   "x-api-key",
    "expect", "x-request-id",   "cookie",          "content-encoding"};

// Headers that the client's `connection` header names belong to that hop alone.
bool named_by_connection(const http::Headers& headers, std::string_view name) {
  for (const std::string_view part : split(headers.get("connection"), ',')) {
    if (iequals(trim(part), name)) return true;
  }
  return false;
}

void add_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string upstream_path(const config::BackendRef& ref, std::string_view public_path) {
  std::string_view path =
      public_path == "/v1/chat/completions" ? std::string_view(ref.chat_path) : public_path;
  const size_t slash = path.find('/', 1);
  const std::string_view version = path.substr(0, slash);
  if (slash != std::string_view::npos && ref.base_path.ends_with(version))
    path.remove_prefix(slash);
  std::string out = ref.base_path + std::string(path);
  if (!ref.api_version.empty()) out += "?api-version=" + ref.api_version;
  return out;
}

std::string upstream_head(const http::RequestHead& request, const config::BackendRef& ref,
                          const Address& address, std::string_view path, size_t body_bytes,
                          std::string_view request_id) {
  std::string out;
  out.reserve(512);
  fmt::format_to(std::back_inserter(out), "{} {} HTTP/1.1\r\nhost: {}:{}\r\n", request.method, path,
                 ref.tls ? ref.host : address.host, ref.tls ? ref.port : address.port);
  for (const http::Header& header : request.headers) {
    const bool dropped = is_one_of(header.name, kHopByHop) ||
                         is_one_of(header.name, kNotForwarded) ||
                         named_by_connection(request.headers, header.name);
    if (!dropped) add_line(out, header.name, header.value);
  }
  if (!ref.api_key.empty()) {
    add_line(out, ref.auth_header, ref.auth_prefix + ref.api_key);
  } else if (ref.forward_client_authorization) {
    for (const std::string_view name : {"authorization", "x-api-key"}) {
      if (const std::string_view value = request.headers.get(name); !value.empty()) {
        add_line(out, name, value);
      }
    }
  }
  for (const auto& [name, value] : ref.extra_headers) add_line(out, name, value);
  add_line(out, "x-request-id", request_id);
  fmt::format_to(std::back_inserter(out), "content-length: {}\r\n\r\n", body_bytes);
  return out;
}

bool forwards_to_client(std::string_view name) {
  return !is_one_of(name, kHopByHop) && !iequals(name, "content-length") &&
         !iequals(name, "x-request-id") && !iequals(name, "x-selected-model") &&
         !(name.size() > 6 && iequals(name.substr(0, 6), "x-vsr-"));
}

}  // namespace vsr::gateway
