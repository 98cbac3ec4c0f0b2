// The recipe over the API: shown, changed, rolled back, imported; endpoints drained.
#include "operator/recipes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operator/api_fixture.h"

namespace vsr::operator_api {
namespace {

using fixture::header_of;
using fixture::kRecipe;
using fixture::Site;
using testing::HasSubstr;

TEST(RecipesApi, ChangedOnlyIfItIsTheOneThatWasRead) {
  Site site;
  const auto shown = site.send("GET", "/api/v1/config");
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.content_type, "application/yaml");
  const std::string tag = header_of(shown, "etag");
  EXPECT_EQ(tag, "\"tag1\"");
  const std::string next = std::string(kRecipe) + "# edited\n";
  const json::Value done = site.json(200, "PUT", "/api/v1/config", next, {{"if-match", tag}});
  EXPECT_EQ(done["version"].as_int(), 2);
  EXPECT_EQ(done["notes"][size_t{0}].as_string(), "the listeners change");
  EXPECT_EQ(site.send("GET", "/api/v1/config").body, next);
  const json::Value late = site.json(412, "PUT", "/api/v1/config", next, {{"if-match", tag}});
  EXPECT_EQ(late["error"]["code"].as_string(), "recipe_changed");
  EXPECT_EQ(site.json(200, "PUT", "/api/v1/config", next, {{"if-match", "*"}})["version"].as_int(),
            3);
}

TEST(RecipesApi, ErrorsOfARecipeComeWithTheirLines) {
  Site site;
  const json::Value answer = site.json(400, "PUT", "/api/v1/config", "version: v0.2\n");
  EXPECT_EQ(answer["error"]["code"].as_string(), "invalid_recipe");
  ASSERT_GT(answer["diagnostics"].size(), 0U);
  bool names_the_line = false;
  for (const json::Value& one : answer["diagnostics"].items()) {
    names_the_line = names_the_line || one["line"].as_int() == 1;
  }
  EXPECT_TRUE(names_the_line);
  EXPECT_EQ(site.keeper_.texts_.size(), 1U);
}

TEST(RecipesApi, VersionsAndRollback) {
  Site site;
  const std::string second = std::string(kRecipe) + "# two\n";
  site.json(200, "PUT", "/api/v1/config", second);
  const json::Value versions = site.json(200, "GET", "/api/v1/config/versions");
  ASSERT_EQ(versions["versions"].size(), 2U);
  EXPECT_TRUE(versions["versions"][size_t{0}]["running"].as_bool());
  EXPECT_EQ(site.send("GET", "/api/v1/config/versions/1").body, kRecipe);
  EXPECT_EQ(site.send("GET", "/api/v1/config/versions/9").status, 404);
  EXPECT_EQ(site.send("GET", "/api/v1/config/versions/x").status, 404);
  site.json(200, "POST", "/api/v1/config/rollback", R"({"version":1})");
  EXPECT_EQ(site.send("GET", "/api/v1/config").body, kRecipe);
  EXPECT_EQ(site.send("POST", "/api/v1/config/rollback", R"({"version":9})").status, 404);
  EXPECT_EQ(site.send("POST", "/api/v1/config/rollback", "{}").status, 400);
}

TEST(RecipesApi, ImportShowsAndActivatesNothing) {
  Site site;
  json::JsonWriter body;
  body.begin_object().field("yaml", kRecipe).end_object();
  const json::Value good = site.json(200, "POST", "/api/v1/recipes/import", body.str());
  EXPECT_TRUE(good["valid"].as_bool());
  EXPECT_EQ(good["models"].size(), 2U);
  EXPECT_EQ(good["decisions"][size_t{0}].as_string(), "hard");
  EXPECT_FALSE(
      site.json(200, "POST", "/api/v1/recipes/import", R"({"yaml":"a: ["})")["valid"].as_bool(
          true));
  EXPECT_EQ(site.keeper_.texts_.size(), 1U);
  struct Case {
    const char* body;
    const char* says;
  };
  const Case kCases[] = {
      {"{}", "url"},
      {R"({"url":"https://a.test/x","yaml":"a: b"})", "url"},
      {R"({"url":"file:///etc/passwd"})", "no address of http"},
      {R"({"url":"http://127.0.0.1:1/x"})", "127.0.0.1"},
      {"no json", "url"},
  };
  for (const Case& one : kCases) {
    const json::Value refused = site.json(400, "POST", "/api/v1/recipes/import", one.body);
    EXPECT_THAT(std::string(refused["error"]["message"].as_string()), HasSubstr(one.says))
        << one.body;
  }
}

TEST(RecipesApi, ShippedRecipesAndProbes) {
  Site site;
  EXPECT_EQ(site.json(200, "GET", "/api/v1/recipes")["recipes"][size_t{0}]["name"].as_string(),
            "one");
  EXPECT_EQ(site.send("GET", "/api/v1/recipes/one").body, kRecipe);
  EXPECT_EQ(site.send("GET", "/api/v1/recipes/two").status, 404);
  EXPECT_EQ(
      site.json(200, "POST", "/api/v1/config/probes", R"({"config":"abc"})")["passed"].as_int(), 3);
  EXPECT_EQ(site.send("POST", "/api/v1/config/probes", "[]").status, 400);
}

TEST(RecipesApi, TopologyJoinsWhatTheRecipeJoins) {
  Site site;
  const json::Value graph = site.json(200, "GET", "/api/v1/topology");
  ASSERT_EQ(graph["decisions"].size(), 1U);
  EXPECT_EQ(graph["decisions"][size_t{0}]["signals"][size_t{0}].as_string(), "keyword:hard");
  EXPECT_EQ(graph["decisions"][size_t{0}]["models"][size_t{0}].as_string(), "large");
  EXPECT_EQ(graph["default_model"].as_string(), "small");
  EXPECT_EQ(graph["models"][size_t{0}]["endpoints"].size(), 2U);
  Site setup("", false);
  EXPECT_EQ(setup.send("GET", "/api/v1/topology").status, 503);
}

TEST(RecipesApi, EndpointsAreDrainedAndEnabled) {
  Site site;
  const json::Value models = site.json(200, "GET", "/api/v1/models");
  const json::Value& endpoint = models["models"][size_t{0}]["endpoints"][size_t{0}];
  const std::string key(endpoint["key"].as_string());
  EXPECT_FALSE(endpoint["drained"].as_bool(true));
  const auto drain = [&](bool drained) {
    json::JsonWriter body;
    body.begin_object().field("key", key).field("drained", drained).end_object();
    site.json(200, "POST", "/api/v1/endpoints", body.str());
    return site.json(200, "GET", "/api/v1/models")["models"][size_t{0}]["endpoints"][size_t{0}];
  };
  const json::Value drained = drain(true);
  EXPECT_TRUE(drained["drained"].as_bool());
  EXPECT_FALSE(drained["healthy"].as_bool(true));
  EXPECT_TRUE(drain(false)["healthy"].as_bool());
  EXPECT_EQ(site.send("POST", "/api/v1/endpoints", R"({"key":"x","drained":true})").status, 404);
  EXPECT_EQ(site.send("POST", "/api/v1/endpoints", R"({"key":"x"})").status, 400);
}

}  // namespace
}  // namespace vsr::operator_api
