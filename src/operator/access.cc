#include "operator/access.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "gateway/access.h"
#include "store/replay.h"

namespace vsr::operator_api {

namespace {

constexpr std::string_view kCookieName = "vsr_admin";
constexpr int kCookieSeconds = 30 * 24 * 3600;

// No host at all is a client that is no browser.
bool names_loopback(std::string_view host) {
  if (host.empty()) return true;
  const bool bracketed = host.starts_with('[');
  const size_t end = bracketed ? host.find(']') + 1 : host.find(':');
  const std::string_view name = host.substr(0, end);
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]" ||
         (name.starts_with("127.") && name.find_first_not_of("0123456789.") == name.npos);
}

bool changes_something(std::string_view method) { return method != "GET" && method != "HEAD"; }

// "http://127.0.0.1:8700" is of the host "127.0.0.1:8700".
bool is_of_host(std::string_view origin, std::string_view host) {
  const size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && iequals(origin.substr(scheme + 3), host);
}

}  // namespace

// The cookie holds a digest: it opens this router and does not give the token away.
Access::Access(std::string token)
    : token_(std::move(token)),
      cookie_value_(store::identity_hash("cookie of the dashboard, first half\n" + token_) +
                    store::identity_hash("cookie of the dashboard, second half\n" + token_)) {}

bool Access::is_token(std::string_view given) const {
  return needs_token() && gateway::equal_constant_time(given, token_);
}

bool Access::has_cookie(const http::RequestHead& request) const {
  for (const std::string_view part : split(request.headers.get("cookie"), ';')) {
    const std::string_view one = trim(part);
    if (one.starts_with(kCookieName) && one.substr(kCookieName.size()).starts_with('=') &&
        gateway::equal_constant_time(one.substr(kCookieName.size() + 1), cookie_value_)) {
      return true;
    }
  }
  return false;
}

std::optional<wire::ApiError> Access::refusal(const http::RequestHead& request,
                                              bool open_path) const {
  const std::string_view host = request.headers.get("host");
  if (!needs_token() && !names_loopback(host)) {
    return wire::ApiError{421, "wrong_host", "",
                          "this address is for this machine alone: ask for 127.0.0.1 or "
                          "localhost (a page of another site cannot read it)"};
  }
  const std::string_view origin = request.headers.get("origin");
  if (changes_something(request.method) && !origin.empty() && !is_of_host(origin, host)) {
    return wire::ApiError{403, "foreign_page", "",
                          fmt::format("a page of {} may not change anything here", origin)};
  }
  if (!needs_token() || open_path) return std::nullopt;
  constexpr std::string_view kBearer = "Bearer ";
  const std::string_view given = request.headers.get("authorization");
  if (given.starts_with(kBearer) && is_token(given.substr(kBearer.size()))) return std::nullopt;
  if (!has_cookie(request)) {
    return wire::ApiError{401, "admin_token_required", "",
                          "this address needs the admin token: send `authorization: Bearer "
                          "TOKEN` (it is in the state folder, file admin-token)"};
  }
  if (changes_something(request.method) && request.headers.get(kPageHeader).empty()) {
    return wire::ApiError{403, "page_header_required", "",
                          fmt::format("with the cookie, what changes something needs the header "
                                      "`{}: 1`",
                                      kPageHeader)};
  }
  return std::nullopt;
}

std::string Access::cookie() const {
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict", kCookieName,
                     cookie_value_, kCookieSeconds);
}

std::string Access::no_cookie() {
  return fmt::format("{}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict", kCookieName);
}

}  // namespace vsr::operator_api
