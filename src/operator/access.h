#pragma once

// Who may use the operator's address. On loopback everybody on this machine, but no page of another
// site (DNS rebinding, forms); elsewhere whoever has the admin token, as a bearer token or as the
// cookie that /api/v1/login gives for it. Immutable.

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "wire/api_error.h"

namespace vsr::operator_api {

class Access {
 public:
  // `token` empty: the address is on loopback and asks for none.
  explicit Access(std::string token);

  bool needs_token() const { return !token_.empty(); }
  bool is_token(std::string_view given) const;
  // Why a request is refused, if it is. `open_path`: it is served without the token.
  std::optional<wire::ApiError> refusal(const http::RequestHead& request, bool open_path) const;

  // Values of set-cookie: after a login, and to forget it.
  std::string cookie() const;
  static std::string no_cookie();
  // A page sends this with whatever changes something; a page of another site cannot.
  static constexpr std::string_view kPageHeader = "x-vsr-request";

 private:
  bool has_cookie(const http::RequestHead& request) const;

  const std::string token_;
  const std::string cookie_value_;
};

}  // namespace vsr::operator_api
