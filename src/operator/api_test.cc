// Every path of the operator's address over a real connection, with a small recipe behind it.
#include "operator/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

#include "operator/api_fixture.h"
#include "store/record_fixture.h"
#include "store/temporary_folder.h"

namespace vsr::operator_api {
namespace {

using namespace std::chrono_literals;
using fixture::header_of;
using fixture::Headers;
using fixture::kRecipe;
using fixture::Site;
using fixture::with_default;
using testing::HasSubstr;
using testing::Not;

// ---- paths and methods --------------------------------------------------------------------------

TEST(OperatorApi, EveryPathHasItsStatusAndType) {
  struct Case {
    const char* path;
    int status;
    const char* type;
    const char* says;
  };
  const Case cases[] = {
      {"/healthz", 200, "application/json", "\"ok\""},
      {"/readyz", 200, "application/json", "\"ready\":true"},
      {"/metrics", 200, "text/plain", "# TYPE vsr_routing_seconds histogram"},
      {"/api/v1/config", 200, "application/yaml", "version: v0.3"},
      {"/api/v1/models", 200, "application/json", "\"small\""},
      {"/api/v1/sessions", 200, "application/json", "\"limit\":200"},
      {"/api/v1/system", 200, "application/json", "\"version\""},
      {"/api/v1/models/", 200, "application/json", "\"small\""},
      {"/api/v1/models?x=1", 200, "application/json", "\"small\""},
      {"/v1/router_replay", 404, "application/json", "replay_off"},
      {"/api/v1/nothing", 404, "application/json", "/docs lists"},
      {"/openapi.json", 200, "application/json", "\"openapi\""},
      {"/docs", 200, "text/html", "/api/v1/config/rollback"},
      {"/api/v1/sessions/abc", 200, "application/json", "\"session\":\"abc\""},
      {"/api/v1/logs", 200, "application/json", "\"lines\""},
      {"/api/v1/topology", 200, "application/json", "\"keyword:hard\""},
      {"/api/v1", 404, "application/json", "unknown_path"},
      {"/v1/router_replays", 404, "application/json", "unknown_path"},
      {"/api/v1/classify", 404, "application/json", "unknown_path"},
  };
  Site site;
  for (const Case& c : cases) {
    const http::SimpleResponse response = site.send("GET", c.path);
    EXPECT_EQ(response.status, c.status) << c.path;
    EXPECT_THAT(response.content_type, HasSubstr(c.type)) << c.path;
    EXPECT_THAT(response.body, HasSubstr(c.says)) << c.path;
  }
}

TEST(OperatorApi, AWrongMethodIsToldTheRightOnes) {
  struct Case {
    const char* method;
    const char* path;
    const char* allow;  // nullptr: there is no such path
  };
  const Case cases[] = {
      {"POST", "/healthz", "GET, HEAD"},
      {"DELETE", "/readyz", "GET, HEAD"},
      {"POST", "/metrics", "GET, HEAD"},
      {"DELETE", "/api/v1/config", "GET, HEAD, PUT"},
      {"POST", "/api/v1/models", "GET, HEAD"},
      {"DELETE", "/v1/router_replay/abc", "GET, HEAD"},
      {"GET", "/api/v1/eval", "POST"},
      {"GET", "/api/v1/classify/pii", "POST"},
      {"GET", "/api/v1/embeddings", "POST"},
      {"PUT", "/api/v1/similarity", "POST"},
      {"GET", "/api/v1/config/validate", "POST"},
      {"POST", "/nothing", nullptr},
      {"DELETE", "/api/v1/nothing", nullptr},
  };
  Site site;
  for (const Case& c : cases) {
    const http::SimpleResponse response = site.send(c.method, c.path);
    EXPECT_EQ(response.status, c.allow != nullptr ? 405 : 404) << c.method << " " << c.path;
    EXPECT_EQ(header_of(response, "allow"), c.allow != nullptr ? c.allow : "") << c.path;
    EXPECT_THAT(response.body, HasSubstr(c.path));
  }
}

TEST(OperatorApi, HeadIsGetWithoutTheBody) {
  Site site;
  const http::SimpleResponse response = site.send("HEAD", "/api/v1/models");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "");
}

TEST(OperatorApi, NotReadyIs503AndSaysWhy) {
  Site site;
  site.readiness_ = {false, "no recipe is active"};
  const json::Value body = site.json(503, "GET", "/readyz");
  EXPECT_FALSE(body["ready"].as_bool(true));
  EXPECT_EQ(body["problem"].as_string(), "no recipe is active");
  EXPECT_EQ(site.json(200, "GET", "/healthz")["status"].as_string(), "ok");
}

// ---- who may ask --------------------------------------------------------------------------------

TEST(OperatorApi, WithATokenOnlyProbesAreOpen) {
  struct Case {
    const char* path;
    const char* authorization;
    int status;
  };
  const Case cases[] = {
      {"/healthz", "", 200},
      {"/readyz", "", 200},
      {"/metrics", "", 401},
      {"/api/v1/models", "", 401},
      {"/api/v1/nothing", "", 401},
      {"/api/v1/models", "Bearer wrong", 401},
      {"/api/v1/models", "Bearer ", 401},
      {"/api/v1/models", "Bearer secret-token-longer", 401},
      {"/api/v1/models", "secret-token", 401},
      {"/api/v1/models", "Bearer secret-token", 200},
      {"/api/v1/nothing", "Bearer secret-token", 404},
  };
  Site site("secret-token");
  for (const Case& c : cases) {
    Headers headers;
    if (*c.authorization != '\0') headers.emplace_back("authorization", c.authorization);
    const http::SimpleResponse response = site.send("GET", c.path, "", headers);
    EXPECT_EQ(response.status, c.status) << c.path << " " << c.authorization;
    EXPECT_THAT(response.body, Not(HasSubstr("secret-token")));
  }
}

TEST(OperatorApi, WithoutATokenOnlyNamesOfThisMachineAreServed) {
  struct Case {
    const char* host;
    int status;
  };
  const Case cases[] = {
      {"127.0.0.1", 200},         {"127.0.0.1:8700", 200},
      {"localhost:8700", 200},    {"[::1]:8700", 200},
      {"127.9.9.9", 200},         {"console.example", 421},
      {"127.0.0.1.example", 421}, {"localhost.example:8700", 421},
      {"10.0.0.1", 421},
  };
  Site site;
  for (const Case& c : cases) {
    EXPECT_EQ(site.status_for_host(c.host), c.status) << c.host;
  }
}

TEST(OperatorApi, WithATokenAnyNameIsServed) {
  Site site("secret-token");
  EXPECT_EQ(site.status_for_host("router.example", "authorization: Bearer secret-token\r\n"), 200);
  EXPECT_EQ(site.status_for_host("router.example"), 401);
}

// ---- eval ---------------------------------------------------------------------------------------

TEST(OperatorApi, EvalTakesATextOrMessages) {
  Site site;
  const json::Value text = site.json(200, "POST", "/api/v1/eval", R"({"text":"prove it"})");
  EXPECT_EQ(text["routing_decision"].as_string(), "hard");
  EXPECT_EQ(text["selected_model"].as_string(), "large");
  EXPECT_EQ(text["requested_model"].as_string(), "auto");
  EXPECT_EQ(text["recipe"].as_string(), site.config_->hash);
  const json::Value messages = site.json(
      200, "POST", "/api/v1/eval",
      R"({"messages":[{"role":"user","content":"prove it"},{"role":"assistant","content":"ok"},)"
      R"({"role":"user","content":"thanks"}],"model":"small"})");
  EXPECT_EQ(messages["requested_model"].as_string(), "small");
  EXPECT_EQ(messages["selection_reason"].as_string(), "explicit_model");
}

TEST(OperatorApi, EvalReadsHeadersWhateverTheirCase) {
  Site site;
  for (const char* name : {"x-session-id", "X-Session-Id"}) {
    const json::Value document =
        site.json(200, "POST", "/api/v1/eval",
                  fmt::format(R"({{"text":"hello","headers":{{"{}":"s-1"}}}})", name));
    EXPECT_EQ(document["learning"]["identity"]["session_source"].as_string(), "header:x-session-id")
        << name;
  }
}

TEST(OperatorApi, EvalSeesTheStateOfTheBackends) {
  Site site;
  site.runtime_->backends.of(1)[0].endpoint->set_active_health(false);
  const json::Value document = site.json(200, "POST", "/api/v1/eval", R"({"text":"prove it"})");
  EXPECT_EQ(document["selected_model"].as_string(), "small");
  EXPECT_EQ(document["selection_status"].as_string(), "fallback");
}

TEST(OperatorApi, EvalChangesNothing) {
  Site site;
  for (int i = 0; i < 3; ++i) {
    const json::Value document = site.json(
        200, "POST", "/api/v1/eval", R"({"text":"prove it","headers":{"x-conversation-id":"c"}})");
    EXPECT_EQ(document["learning"]["reason"].as_string(), "missing_previous_model");
  }
  EXPECT_EQ(site.learning_->sessions.sessions(), 0U);
  EXPECT_EQ(site.services_.metrics.decision("hard").Value(), 0);
}

TEST(OperatorApi, EvalOfACandidateRecipe) {
  Site site;
  json::JsonWriter w;
  w.begin_object().field("text", "hello").field("config", with_default("large")).end_object();
  const json::Value candidate = site.json(200, "POST", "/api/v1/eval?config=candidate", w.str());
  EXPECT_EQ(candidate["selected_model"].as_string(), "large");
  EXPECT_NE(candidate["recipe"].as_string(), site.config_->hash);
  const json::Value broken = site.json(400, "POST", "/api/v1/eval?config=candidate",
                                       R"({"text":"hello","config":"version: v9"})");
  EXPECT_EQ(broken["error"]["code"].as_string(), "invalid_recipe");
  EXPECT_THAT(broken["error"]["message"].as_string(), HasSubstr("recipe:1:"));
}

TEST(OperatorApi, EvalRefusesWhatItCannotRead) {
  struct Case {
    const char* body;
    const char* code;
    const char* param;
    const char* told;  // part of the message
    const char* query = "";
  };
  const char* const candidate = "?config=candidate";
  const Case cases[] = {
      {"", "invalid_json", "", "no JSON value"},
      {"{", "invalid_json", "", "no JSON"},
      {"[]", "invalid_json", "", "is an array"},
      {"{\"text\":\"\xff\"}", "invalid_json", "", "not valid UTF-8"},
      {"{}", "missing_required_parameter", "text", "send `text`"},
      {R"({"model":"auto"})", "missing_required_parameter", "text", "send `text`"},
      {R"({"text":7})", "invalid_type", "text", "has to be a string, and is a number"},
      {R"({"text":null})", "invalid_type", "text", "has to be a string"},
      {R"({"text":""})", "invalid_value", "text", "`text` is empty"},
      {R"({"messages":"hello"})", "invalid_type", "messages", "has to be a list, and is a string"},
      {R"({"text":"a","messages":[]})", "invalid_value", "messages", "not both"},
      {R"({"messages":[{"role":"user","content":7}]})", "invalid_type", "messages[0].content", ""},
      {R"({"prompt":"x"})", "unknown_parameter", "prompt", "send `text`"},
      {R"({"txet":"x"})", "unknown_parameter", "txet", "did you mean text?"},
      {R"({"text":"x","header":{}})", "unknown_parameter", "header", "did you mean headers?"},
      {R"({"text":"x","model":5})", "invalid_type", "model", "has to be a string"},
      {R"({"text":"x","headers":"a: b"})", "invalid_type", "headers", "has to be an object"},
      {R"({"text":"x","headers":{"a":5}})", "invalid_type", "headers.a", "and is a number"},
      {R"({"text":"x","config":"version: v0.3"})", "invalid_value", "config", "?config=candidate"},
      {R"({"text":"x"})", "invalid_value", "config", "?config=running", "?config=running"},
      {R"({"text":"x"})", "invalid_value", "config", "?config is", "?config"},
      {R"({"text":"x"})", "unknown_parameter", "recipe", "config=candidate", "?recipe=candidate"},
      {R"({"text":"x"})", "missing_required_parameter", "config", "as `config`", candidate},
      {R"({"text":"x","config":5})", "invalid_type", "config", "has to be a string", candidate},
      {"{\"text\":\"\xff\"}", "invalid_json", "", "not valid UTF-8", candidate},
  };
  Site site;
  for (const Case& c : cases) {
    const json::Value error =
        site.json(400, "POST", fmt::format("/api/v1/eval{}", c.query), c.body)["error"];
    EXPECT_EQ(error["code"].as_string(), c.code) << c.body;
    EXPECT_EQ(error["param"].as_string(), c.param) << c.body;
    EXPECT_THAT(error["message"].as_string(), HasSubstr(c.told)) << c.body;
  }
}

TEST(OperatorApi, EvalTakesWhateverElseAChatRequestHolds) {
  Site site;
  for (const char* more : {R"("temperature":0.1)", R"("tools":[])", R"("models":["a","b"])",
                           R"("x-of-a-provider":{"a":1})", R"("user":"u")", R"("headers":{})"}) {
    for (const char* subject :
         {R"("text":"prove it")", R"("messages":[{"role":"user","content":"prove it"}])"}) {
      const json::Value document =
          site.json(200, "POST", "/api/v1/eval", fmt::format("{{{},{}}}", subject, more));
      EXPECT_EQ(document["routing_decision"].as_string(), "hard") << subject << more;
    }
  }
}

TEST(OperatorApi, EvalOfAnUnknownModelIsADocumentThatSaysSo) {
  Site site;
  const json::Value document =
      site.json(200, "POST", "/api/v1/eval", R"({"text":"hello","model":"lrage"})");
  EXPECT_EQ(document["error"]["code"].as_string(), "model_not_found");
  EXPECT_THAT(document["error"]["message"].as_string(), HasSubstr("large"));
}

TEST(OperatorApi, WithoutARecipeThereIsNothingToEvaluate) {
  Site site("", false);
  EXPECT_EQ(site.json(503, "POST", "/api/v1/eval", R"({"text":"x"})")["error"]["code"].as_string(),
            "not_configured");
  EXPECT_EQ(site.json(200, "GET", "/api/v1/models")["models"].size(), 0U);
  site.keeper_.texts_.clear();
  EXPECT_EQ(site.send("GET", "/api/v1/config").status, 404);
}

TEST(OperatorApi, ABodyOverTheLimitIs413) {
  Site site;
  const std::string large(9UL << 20, ' ');
  for (const char* path : {"/api/v1/eval", "/api/v1/config/validate", "/api/v1/classify/pii"}) {
    EXPECT_EQ(site.send("POST", path, large).status, 413) << path;
  }
}

// ---- models, validate, classifiers --------------------------------------------------------------

TEST(OperatorApi, ModelsHaveTheirEndpointsAndHealth) {
  Site site;
  const auto& backends = site.runtime_->backends.of(0);
  backends[0].endpoint->set_active_health(false);
  backends[1].endpoint->redirect({"127.0.0.1", 99});
  backends[1].endpoint->in_flight = 4;
  backends[1].endpoint->requests = 7;
  site.runtime_->backends.of(1)[0].endpoint->set_active_health(false);
  const json::Value models = site.json(200, "GET", "/api/v1/models")["models"];
  ASSERT_EQ(models.size(), 2U);
  const json::Value& small = models[0];
  EXPECT_EQ(small["name"].as_string(), "small");
  EXPECT_TRUE(small["healthy"].as_bool());
  EXPECT_EQ(small["quality_score"].as_double(), 0.8);
  EXPECT_EQ(small["context_window_size"].as_int(), 4000);
  EXPECT_EQ(small["pricing"]["completion_per_1m"].as_double(), 0.4);
  EXPECT_EQ(small["requests"].as_int(-1), 0);
  ASSERT_EQ(small["endpoints"].size(), 2U);
  EXPECT_FALSE(small["endpoints"][0]["healthy"].as_bool(true));
  EXPECT_EQ(small["endpoints"][0]["name"].as_string(), "one");
  EXPECT_TRUE(small["endpoints"][1]["healthy"].as_bool());
  EXPECT_EQ(small["endpoints"][1]["weight"].as_int(), 3);
  EXPECT_EQ(small["endpoints"][1]["address"].as_string(), "127.0.0.1:2");
  EXPECT_EQ(small["endpoints"][1]["connects_to"].as_string(), "127.0.0.1:99");
  EXPECT_EQ(small["endpoints"][1]["in_flight"].as_int(), 4);
  EXPECT_EQ(small["endpoints"][1]["requests"].as_int(), 7);
  EXPECT_FALSE(models[1]["healthy"].as_bool(true));
  EXPECT_EQ(models[1].find("pricing"), nullptr);
}

TEST(OperatorApi, ABackendThatSaysNothingOfItsCacheIsAProblemOfItsOwn) {
  Site site;
  const json::Value endpoints = site.json(200, "GET", "/api/v1/endpoints/metrics")["endpoints"];
  ASSERT_EQ(endpoints.size(), 3U);
  for (const json::Value& endpoint : endpoints.items()) {
    EXPECT_THAT(endpoint["key"].as_string(), testing::StartsWith("http://127.0.0.1:"));
    EXPECT_NE(endpoint["problem"].as_string(), "");
    EXPECT_EQ(endpoint.find("hit_rate"), nullptr);
  }
}

TEST(OperatorApi, ValidateHandsTheRecipeOn) {
  Site site;
  EXPECT_TRUE(site.json(200, "POST", "/api/v1/config/validate", "good")["valid"].as_bool());
  EXPECT_FALSE(site.json(200, "POST", "/api/v1/config/validate", "bad")["valid"].as_bool(true));
}

TEST(OperatorApi, ClassifiersAnswerByTask) {
  struct Case {
    const char* task;
    const char* body;
    int status;
    const char* label;  // or the code of the error
  };
  const Case cases[] = {
      {"pii", R"({"text":"write to maria.keller@example.org"})", 200, "pii"},
      {"pii", R"({"text":"nothing to see"})", 200, "none"},
      {"pii", R"({"messages":[{"role":"user","content":"maria.keller@example.org"}]})", 200, "pii"},
      {"language", R"({"text":"Guten Morgen, wie geht es Ihnen heute?"})", 200, "de"},
      {"pii", "{", 400, "invalid_json"},
      {"pii", "{}", 400, "missing_required_parameter"},
      {"pii", R"({"text":5})", 400, "invalid_type"},
      {"pii", R"({"messages":"x"})", 400, "invalid_type"},
      {"pii", R"({"text":"x","messages":[]})", 400, "invalid_value"},
      {"pii", R"({"text":"x","tetx":"y"})", 400, "unknown_parameter"},
      {"mood", R"({"text":"x"})", 404, "unknown_task"},
      {"security/pii", R"({"text":"x"})", 404, "unknown_task"},
      {"batch", R"({"texts":["x"]})", 400, "unknown_task"},
      {"batch", R"({"task":"pii"})", 400, "missing_required_parameter"},
      {"batch", R"({"task":"pii","texts":[7]})", 400, "invalid_type"},
      {"batch", R"({"task":"pii","texts":"x"})", 400, "invalid_type"},
      {"batch", R"({"task":"pii","texts":["x"],"inputs":[]})", 400, "invalid_value"},
      {"batch", R"({"task":"pii","inputs":[{"txt":"x"}]})", 400, "unknown_parameter"},
      {"batch", R"({"task":"pii","text":"x"})", 400, "unknown_parameter"},
  };
  Site site;
  for (const Case& c : cases) {
    const json::Value body =
        site.json(c.status, "POST", fmt::format("/api/v1/classify/{}", c.task), c.body);
    EXPECT_EQ(c.status == 200 ? body["label"].as_string() : body["error"]["code"].as_string(),
              c.label)
        << c.task << " " << c.body;
  }
  const json::Value batch =
      site.json(200, "POST", "/api/v1/classify/batch",
                R"({"task":"pii","texts":["maria.keller@example.org","nothing"]})");
  ASSERT_EQ(batch["results"].size(), 2U);
  EXPECT_EQ(batch["results"][0]["label"].as_string(), "pii");
  EXPECT_EQ(batch["results"][1]["label"].as_string(), "none");
}

TEST(OperatorApi, WithoutAnEncoderItsPathsSaySo) {
  Site site;
  for (const auto& [path, body] : {std::pair{"/api/v1/embeddings", R"({"input":"x"})"},
                                   std::pair{"/api/v1/similarity", R"({"a":"x","b":"y"})"}}) {
    const http::SimpleResponse response = site.send("POST", path, body);
    EXPECT_GE(response.status, 500) << path;
    EXPECT_THAT(response.body, HasSubstr("error")) << path;
  }
  for (const auto& [body, code] :
       {std::pair{"{}", "missing_required_parameter"}, std::pair{R"({"input":5})", "invalid_type"},
        std::pair{R"({"input":"x","texts":["y"]})", "invalid_value"},
        std::pair{R"({"input":"x","dimension":8})", "unknown_parameter"}}) {
    EXPECT_EQ(site.json(400, "POST", "/api/v1/embeddings", body)["error"]["code"].as_string(), code)
        << body;
  }
  EXPECT_EQ(
      site.json(400, "POST", "/api/v1/similarity", R"({"a":"x"})")["error"]["param"].as_string(),
      "b");
}

// ---- metrics, replay, events --------------------------------------------------------------------

TEST(OperatorApi, MetricsShowWhatWasCounted) {
  Site site;
  site.runtime_->model_metrics[0].requests->Increment(3);
  site.services_.metrics.count_learning("stay", "cost");
  const std::string text = site.send("GET", "/metrics").body;
  EXPECT_THAT(text, HasSubstr("llm_model_requests_total{model=\"small\"} 3"));
  EXPECT_THAT(text, HasSubstr("vsr_learning_actions_total"));
  EXPECT_THAT(text, Not(HasSubstr("vsr_replay_dropped_total"))) << "there is no replay here";
}

class WithReplay : public testing::Test {
 protected:
  WithReplay() {
    store::ReplayOptions options;
    options.config.backend = config::StoreBackend::kMemory;
    options.state_folder = folder_.path();
    options.clock = &site_.clock_;
    std::string notice;
    auto replay = store::open_replay(options, &notice);
    EXPECT_TRUE(replay) << replay.error().message;
    site_.services_.replay = std::move(*replay);
    for (uint32_t i = 0; i < 3; ++i) {
      site_.services_.replay->begin(store::fixture::id_of(i), store::fixture::routing(i));
      site_.services_.replay->end(store::fixture::id_of(i), store::fixture::terminal(i));
    }
    EXPECT_TRUE(site_.services_.replay->flush(10s));
  }
  store::fixture::TemporaryFolder folder_;
  Site site_;
};

TEST_F(WithReplay, ListsShowsAddsUp) {
  EXPECT_EQ(site_.json(200, "GET", "/v1/router_replay")["data"].size(), 3U);
  EXPECT_EQ(site_.json(200, "GET", "/v1/router_replay?limit=2")["data"].size(), 2U);
  EXPECT_EQ(site_.json(200, "GET", "/v1/router_replay?model=model-b")["data"].size(), 1U);
  const std::string id = to_hex(store::fixture::id_of(1).bytes);
  EXPECT_EQ(site_.json(200, "GET", "/v1/router_replay/" + id)["id"].as_string(), id);
  EXPECT_TRUE(site_.json(200, "GET", "/v1/router_replay/aggregate").is_object());
  EXPECT_TRUE(
      site_.json(200, "GET", "/v1/router_replay/trajectory?session_id=session-0").is_object());
  EXPECT_THAT(site_.send("GET", "/metrics").body,
              HasSubstr("vsr_replay_dropped_total{kind=\"record\"} 0"));
}

TEST_F(WithReplay, RefusesWhatIsNotThere) {
  struct Case {
    const char* path;
    int status;
  };
  const Case cases[] = {
      {"/v1/router_replay/ffffffffffffffffffffffffffffffff", 404},
      {"/v1/router_replay/not-an-id", 404},
      {"/v1/router_replay?limit=0", 400},
      {"/v1/router_replay?limit=many", 400},
      {"/v1/router_replay?colour=red", 400},
  };
  for (const Case& c : cases) {
    const json::Value body = site_.json(c.status, "GET", c.path);
    EXPECT_FALSE(body["error"]["message"].as_string().empty()) << c.path;
  }
}

// Records without facts are counted and not decided again; see simulation_test.cc for the rest.
TEST_F(WithReplay, Simulates) {
  const json::Value answer =
      site_.json(200, "POST", "/api/v1/replay/simulate", R"({"filter":{"model":"model-b"}})");
  EXPECT_EQ(answer["object"].as_string(), "replay.simulation");
  EXPECT_EQ(answer["policy_version"].as_string(), site_.config_->hash);
  const json::Value& records = answer["records"];
  EXPECT_GT(records["read"].as_int(), records["matched"].as_int());
  EXPECT_EQ(records["not_replayable_causes"]["no_facts"].as_int(), records["matched"].as_int(-1));
  const std::string other =
      json::JsonWriter().begin_object().field("recipe", with_default("large")).end_object().str();
  const json::Value under = site_.json(200, "POST", "/api/v1/replay/simulate", other);
  EXPECT_NE(under["policy_version"].as_string(), site_.config_->hash);
  const json::Value broken =
      site_.json(400, "POST", "/api/v1/replay/simulate", R"({"recipe":"version: v9"})");
  EXPECT_EQ(broken["error"]["code"].as_string(), "invalid_recipe");
  const json::Value wrong = site_.json(400, "POST", "/api/v1/replay/simulate", R"({"filter":1})");
  EXPECT_EQ(wrong["error"]["param"].as_string(), "filter");
}

TEST(OperatorApi, WithoutRecordsThereIsNothingToSimulate) {
  Site site;
  const json::Value body = site.json(404, "POST", "/api/v1/replay/simulate");
  EXPECT_EQ(body["error"]["code"].as_string(), "replay_off");
}

// Collects what a stream brings, for a test to wait on.
class Stream {
 public:
  void add(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    text_ += bytes;
    changed_.notify_all();
  }
  bool await(std::string_view part) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return text_.find(part) != std::string::npos; });
  }
  std::string text() {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
};

TEST(OperatorApi, EventsStreamToWhoListens) {
  Site site;
  EXPECT_FALSE(site.services_.events.wanted());
  Stream stream;
  std::thread reader([&] {
    site.send("GET", "/api/v1/events", "", {}, [&](std::string_view bytes) { stream.add(bytes); });
  });
  EXPECT_TRUE(stream.await(": live"));
  EXPECT_TRUE(site.services_.events.wanted());
  site.services_.events.publish(R"({"decision":"hard"})");
  EXPECT_TRUE(stream.await("data: {\"decision\":\"hard\"}\n\n"));
  EXPECT_THAT(stream.text(), HasSubstr("id: 1\n"));
  site.stop();
  reader.join();
  // The reader may come back and resume, so the next ones are kept, and no more than that.
  for (size_t i = 0; i < gateway::EventFeed::kEventsKept; ++i) {
    EXPECT_TRUE(site.services_.events.wanted());
    site.services_.events.publish("{}");
  }
  EXPECT_FALSE(site.services_.events.wanted());
}

TEST(OperatorApi, EventsResumeBehindTheLastOneSeen) {
  Site site;
  site.services_.events.publish("\"one\"");
  site.services_.events.publish("\"two\"");
  Stream stream;
  std::thread reader([&] {
    site.send("GET", "/api/v1/events", "", {{"last-event-id", "1"}},
              [&](std::string_view bytes) { stream.add(bytes); });
  });
  EXPECT_TRUE(stream.await("data: \"two\""));
  EXPECT_THAT(stream.text(), Not(HasSubstr("\"one\"")));
  site.stop();
  reader.join();
}

}  // namespace
}  // namespace vsr::operator_api
