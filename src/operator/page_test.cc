// The files of the dashboard, and that the API and its description name the same paths.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "operator/api_fixture.h"
#include "operator/openapi.h"

namespace vsr::operator_api {
namespace {

using fixture::header_of;
using fixture::Site;
using testing::HasSubstr;

TEST(Page, EveryPathOfTheApiIsDescribedAndNothingElse) {
  const json::Value description = json::Value::parse(openapi_json()).value();
  std::set<std::string> described;
  for (const auto& [path, operations] : description["paths"].fields()) {
    for (const auto& [method, operation] : operations.fields()) {
      std::string upper(method);
      for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      described.insert(upper + " " + path);
      EXPECT_FALSE(operation["summary"].as_string().empty()) << path;
    }
  }
  // Where a path of the table stands for several that are described one by one.
  const std::map<std::string, std::vector<std::string>> several = {
      {"POST /api/v1/classify/{task}",
       {"POST /api/v1/classify/intent", "POST /api/v1/classify/pii",
        "POST /api/v1/classify/security", "POST /api/v1/classify/security/harmful",
        "POST /api/v1/classify/difficulty", "POST /api/v1/classify/language",
        "POST /api/v1/classify/batch"}},
      {"GET /v1/router_replay/{id}",
       {"GET /v1/router_replay/{id}", "GET /v1/router_replay/aggregate",
        "GET /v1/router_replay/trajectory"}},
  };
  std::set<std::string> served;
  for (const Api::Route& route : Api::routes()) {
    const std::string one = fmt::format("{} {}", route.method, route.path);
    const auto more = several.find(one);
    if (more == several.end()) {
      served.insert(one);
    } else {
      served.insert(more->second.begin(), more->second.end());
    }
  }
  EXPECT_EQ(served, described);
}

TEST(Page, WithoutTheDashboardTheFirstPageSaysWhatIsHere) {
  Site site("", true, Assets("\n"));
  const auto page = site.send("GET", "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("Ready."));
  EXPECT_EQ(site.send("POST", "/").status, 405);
  EXPECT_EQ(site.send("GET", "/live").status, 404);
}

// Packed as scripts/pack_assets.py does; what the bytes are makes no difference here.
const Assets& dashboard() {
  static const Assets assets(
      "/assets/app-1a2b.js\ttext/javascript\td1\tgzip\t0\t4\n"
      "/index.html\ttext/html\td2\tgzip\t4\t5\n"
      "/index.html\ttext/html\td2\tidentity\t9\t6\n"
      "\nAPP.INDEX<page>");
  return assets;
}

TEST(Page, FilesOfTheDashboard) {
  Site site("secret-token", true, dashboard());
  // The page itself asks for the token, so it is served without one; the API is not.
  const auto first = site.send("GET", "/", "", {{"accept-encoding", "identity"}});
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.content_type, "text/html");
  EXPECT_EQ(first.body, "<page>");
  EXPECT_EQ(header_of(first, "content-encoding"), "");
  EXPECT_EQ(header_of(first, "cache-control"), "no-cache");
  EXPECT_THAT(header_of(first, "content-security-policy"), HasSubstr("script-src 'self'"));
  EXPECT_EQ(header_of(first, "x-frame-options"), "DENY");
  const auto packed = site.send("GET", "/conversations/a/b");
  EXPECT_EQ(packed.status, 200);
  EXPECT_EQ(packed.body, "INDEX");
  EXPECT_NE(header_of(packed, "etag"), header_of(first, "etag"));
  EXPECT_EQ(site.send("GET", "/api/v1/models").status, 401);
  EXPECT_EQ(site.send("POST", "/live").status, 401);

  const auto file = site.send("GET", "/assets/app-1a2b.js");
  EXPECT_EQ(file.status, 200);
  EXPECT_EQ(file.body, "APP.");
  EXPECT_EQ(header_of(file, "content-encoding"), "gzip");
  EXPECT_THAT(header_of(file, "cache-control"), HasSubstr("immutable"));
  const auto again =
      site.send("GET", "/assets/app-1a2b.js", "", {{"if-none-match", header_of(file, "etag")}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(site.send("GET", "/assets/of-another-version.js").status, 404);
}

TEST(Page, LoginGivesACookieForTheToken) {
  Site site("secret-token");
  EXPECT_EQ(site.send("POST", "/api/v1/login", R"({"token":"wrong"})").status, 401);
  EXPECT_EQ(site.send("POST", "/api/v1/login", "{}").status, 400);
  const auto login = site.send("POST", "/api/v1/login", R"({"token":"secret-token"})");
  EXPECT_EQ(login.status, 200);
  const std::string line = header_of(login, "set-cookie");
  EXPECT_THAT(line, HasSubstr("HttpOnly"));
  const std::string cookie = line.substr(0, line.find(';'));
  EXPECT_EQ(site.send("GET", "/api/v1/models", "", {{"cookie", cookie}}).status, 200);
  EXPECT_EQ(site.send("POST", "/api/v1/config/validate", "good", {{"cookie", cookie}}).status, 403);
  EXPECT_EQ(site.send("POST", "/api/v1/config/validate", "good",
                      {{"cookie", cookie}, {"x-vsr-request", "1"}})
                .status,
            200);
  const auto logout =
      site.send("POST", "/api/v1/logout", "", {{"cookie", cookie}, {"x-vsr-request", "1"}});
  EXPECT_THAT(header_of(logout, "set-cookie"), HasSubstr("Max-Age=0"));
}

}  // namespace
}  // namespace vsr::operator_api
