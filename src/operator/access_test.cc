#include "operator/access.h"

#include <gtest/gtest.h>

namespace vsr::operator_api {
namespace {

struct Case {
  const char* what;
  bool with_token;
  std::string_view method;
  std::vector<std::pair<std::string, std::string>> headers;
  int status;  // 0: served
};

std::string cookie_of(const Access& access) {
  const std::string line = access.cookie();
  return line.substr(0, line.find(';'));
}

TEST(Access, WhoIsServed) {
  const Access token("secret");
  const Access open("");
  const std::string cookie = cookie_of(token);
  const Case kCases[] = {
      {"loopback", false, "GET", {{"host", "127.0.0.1:8700"}}, 0},
      {"loopback, write without a page", false, "POST", {{"host", "localhost:8700"}}, 0},
      {"a name that points here", false, "GET", {{"host", "evil.test"}}, 421},
      {"our own page",
       false,
       "POST",
       {{"host", "127.0.0.1:8700"}, {"origin", "http://127.0.0.1:8700"}},
       0},
      {"a foreign page writes",
       false,
       "POST",
       {{"host", "127.0.0.1:8700"}, {"origin", "http://evil.test"}},
       403},
      {"a page of another port",
       false,
       "PUT",
       {{"host", "127.0.0.1:8700"}, {"origin", "http://127.0.0.1:3000"}},
       403},
      {"a page from a file", false, "POST", {{"host", "127.0.0.1:8700"}, {"origin", "null"}}, 403},
      {"no token", true, "GET", {{"host", "router:8700"}}, 401},
      {"wrong token", true, "GET", {{"authorization", "Bearer secreT"}}, 401},
      {"token", true, "PUT", {{"authorization", "Bearer secret"}}, 0},
      {"cookie reads", true, "GET", {{"cookie", "a=b; " + cookie}}, 0},
      {"cookie writes without the header", true, "POST", {{"cookie", cookie}}, 403},
      {"cookie writes", true, "POST", {{"cookie", cookie}, {"x-vsr-request", "1"}}, 0},
      {"cookie from a foreign page",
       true,
       "POST",
       {{"host", "router:8700"},
        {"origin", "http://evil.test"},
        {"cookie", cookie},
        {"x-vsr-request", "1"}},
       403},
      {"the token as the cookie", true, "GET", {{"cookie", "vsr_admin=secret"}}, 401},
      {"an empty cookie", true, "GET", {{"cookie", "vsr_admin="}}, 401},
  };
  for (const Case& one : kCases) {
    http::RequestHead request;
    request.method = one.method;
    for (const auto& [name, value] : one.headers) request.headers.add(name, value);
    const auto refusal = (one.with_token ? token : open).refusal(request, false);
    EXPECT_EQ(refusal ? refusal->status : 0, one.status) << one.what;
  }
}

TEST(Access, OpenPathsNeedNoTokenButAGoodOrigin) {
  const Access access("secret");
  http::RequestHead request;
  request.method = "GET";
  EXPECT_FALSE(access.refusal(request, true));
  request.method = "POST";
  request.headers.add("host", "router:8700");
  request.headers.add("origin", "http://evil.test");
  EXPECT_TRUE(access.refusal(request, true));
}

TEST(Access, TheCookieIsNotTheToken) {
  const Access access("secret");
  EXPECT_EQ(access.cookie().find("secret"), std::string::npos);
  EXPECT_NE(access.cookie(), Access("other").cookie());
  EXPECT_NE(access.cookie().find("HttpOnly"), std::string::npos);
  EXPECT_TRUE(access.is_token("secret"));
  EXPECT_FALSE(access.is_token(""));
  EXPECT_FALSE(Access("").is_token(""));
}

}  // namespace
}  // namespace vsr::operator_api
