// A simulated backend asked over loopback.
#include "sim/sim.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "http/client.h"
#include "http/sse.h"
#include "json/value.h"

namespace vsr::sim {
namespace {

using namespace std::chrono_literals;
using json::Value;

constexpr const char* kChat = "/v1/chat/completions";
constexpr const char* kHello =
    R"({"model":"openai/gpt5.4","messages":[{"role":"user","content":"hello"}]})";
constexpr const char* kHelloStream =
    R"({"model":"openai/gpt5.4","stream":true,"stream_options":{"include_usage":true},)"
    R"("messages":[{"role":"user","content":"hello"}]})";

class Sim : public testing::Test {
 protected:
  void SetUp() override { start({}); }
  void start(const SimOptions& options) {
    auto started = SimBackend::start(options);
    ASSERT_TRUE(started.has_value()) << started.error().message;
    sim = std::move(*started);
  }
  Result<http::SimpleResponse> ask(const std::string& method, const std::string& path,
                                   std::string_view body = {}) {
    return http::fetch(method, sim->url() + path, {{"content-type", "application/json"}}, body, 5s);
  }
  Value json_of(const Result<http::SimpleResponse>& response, int status = 200) {
    EXPECT_TRUE(response.has_value()) << response.error().message;
    if (!response) return Value();
    EXPECT_EQ(response->status, status) << response->body;
    auto value = Value::parse(response->body);
    EXPECT_TRUE(value.has_value()) << response->body;
    return value ? *value : Value();
  }
  Value chat(std::string_view body, int status = 200) {
    return json_of(ask("POST", kChat, body), status);
  }
  void script(const std::string& answers) {
    json_of(ask("POST", "/sim/script", R"({"answers":[)" + answers + "]}"));
  }
  std::vector<std::string> events(std::string_view body) {
    const auto response = ask("POST", kChat, body);
    EXPECT_TRUE(response.has_value()) << response.error().message;
    std::vector<std::string> data;
    http::SseParser parser;
    if (response) {
      parser.feed(response->body, [&](std::string_view one) { data.emplace_back(one); });
    }
    return data;
  }

  // A request counts as running until just after its last byte.
  bool all_ended() {
    const MonoTime begun = SystemClock().mono();
    while (sim->state().stats().running > 0 && SystemClock().mono() - begun < 2s) {
      std::this_thread::yield();
    }
    return sim->state().stats().running == 0;
  }

  std::unique_ptr<SimBackend> sim;
};

TEST_F(Sim, DefaultAnswerNamesTheModelAskedAndReportsTheFirst) {
  const Value answer = chat(kHello);
  EXPECT_EQ(answer["model"].as_string(), default_models().front());
  EXPECT_EQ(answer["choices"][0]["finish_reason"].as_string(), "stop");
  const std::string content(answer["choices"][0]["message"]["content"].as_string());
  EXPECT_EQ(content, "I was asked as openai/gpt5.4. The prompt has " +
                         std::to_string(answer["usage"]["prompt_tokens"].as_int()) + " tokens.");
  EXPECT_GT(answer["usage"]["completion_tokens"].as_int(), 0);
  EXPECT_EQ(content, chat(kHello)["choices"][0]["message"]["content"].as_string());
}

TEST_F(Sim, StreamsTheSameAnswer) {
  const std::string whole(chat(kHello)["choices"][0]["message"]["content"].as_string());
  const std::vector<std::string> data = events(kHelloStream);
  ASSERT_GT(data.size(), 4u);
  EXPECT_EQ(data.back(), "[DONE]");
  std::string content;
  int usages = 0;
  for (size_t i = 0; i + 1 < data.size(); ++i) {
    const Value event = *Value::parse(data[i]);
    content += event["choices"][0]["delta"]["content"].as_string();
    if (event["usage"].is_object()) {
      ++usages;
      EXPECT_EQ(event["choices"].size(), 0u);
    }
  }
  EXPECT_EQ(content, whole);
  EXPECT_EQ(usages, 1);
  const auto quiet = events(R"({"stream":true,"messages":[{"role":"user","content":"hello"}]})");
  for (const std::string& one : quiet) EXPECT_EQ(one.find("usage"), std::string::npos) << one;
}

TEST_F(Sim, PrefixCacheIsSharedByModelsAndCounted) {
  const std::string system(2'000, 's');
  const auto ask_with = [&](const std::string& model, const std::string& more) {
    return chat(R"({"model":")" + model + R"(","messages":[{"role":"system","content":")" + system +
                R"("},{"role":"user","content":"hello"}])" + more + "}")["usage"];
  };
  const auto cached = [](const Value& usage) {
    return usage["prompt_tokens_details"]["cached_tokens"].as_int(-1);
  };
  const Value cold = ask_with("openai/gpt5.4", "");
  EXPECT_EQ(cached(cold), 0);
  EXPECT_GT(cold["prompt_tokens_details"]["created_cache_tokens"].as_int(), 480);
  EXPECT_GT(cached(ask_with("google/gemini-3.1-pro", "")), 480);
  EXPECT_EQ(cached(ask_with("google/gemini-3.1-pro", R"(,"cache_salt":"t1")")), 0);
  EXPECT_EQ(cached(ask_with("openai/gpt5.4", R"(,"tools":[{"type":"function"}])")), 0);
  const auto metrics = ask("GET", "/metrics");
  ASSERT_TRUE(metrics.has_value());
  for (const char* name : {"prefix_cache_queries_total", "prefix_cache_hits_total",
                           "prompt_tokens_total", "prompt_tokens_cached_total",
                           "num_requests_running", "num_requests_waiting", "kv_cache_usage_perc"}) {
    EXPECT_NE(metrics->body.find(std::string("\nvllm:") + name + "{engine=\"0\",model_name=\"" +
                                 default_models().front() + "\"} "),
              std::string::npos)
        << name;
  }
}

TEST_F(Sim, TheNextTurnFindsTheAnswerInTheCache) {
  const std::string long_answer(640, 'w');
  script(R"({"content":")" + long_answer + R"("})");
  const int64_t first = chat(kHello)["usage"]["prompt_tokens"].as_int();
  const Value usage =
      chat(R"({"messages":[{"role":"user","content":"hello"},{"role":"assistant","content":")" +
           long_answer + R"("},{"role":"user","content":"more"}]})")["usage"];
  EXPECT_GE(usage["prompt_tokens_details"]["cached_tokens"].as_int(), first + 640 / 4 - 16);
}

TEST_F(Sim, ScriptedAnswersComeInOrderThenTheDefault) {
  script(
      R"({"content":"one","reasoning":"think","extra":{"sig":"x"},"headers":{"x-extra":"yes"}},
         {"tool_calls":[{"id":"call_a","name":"f","arguments":"{\"path\":\"a\"}",
                         "extra":{"extra_content":{"google":{"thought_signature":"s"}}}}],
          "usage":"none"},
         {"status":429,"error_body":{"error":{"message":"slow down"}},
          "headers":{"retry-after":"7"}})");
  const Value one = chat(kHello)["choices"][0]["message"];
  EXPECT_EQ(one["content"].as_string(), "one");
  EXPECT_EQ(one["reasoning"].as_string(), "think");
  EXPECT_EQ(one["sig"].as_string(), "x");
  const Value two = chat(kHello);
  EXPECT_TRUE(two["usage"].is_null());
  EXPECT_EQ(two["choices"][0]["finish_reason"].as_string(), "tool_calls");
  const Value& call = two["choices"][0]["message"]["tool_calls"][0];
  EXPECT_EQ(call["function"]["arguments"].as_string(), R"({"path":"a"})");
  EXPECT_EQ(call["extra_content"]["google"]["thought_signature"].as_string(), "s");
  EXPECT_TRUE(two["choices"][0]["message"]["content"].is_null());
  EXPECT_EQ(chat(kHello, 429)["error"]["message"].as_string(), "slow down");
  EXPECT_NE(chat(kHello)["choices"][0]["message"]["content"].as_string().find("I was asked"),
            std::string::npos);
}

TEST_F(Sim, StreamedToolCallIsTheWholeOne) {
  script(R"({"tool_calls":[{"name":"f","arguments":"{\"path\":\"a\"}"},{"name":"g"}]})");
  std::string arguments;
  std::vector<std::string> ids;
  std::string finish;
  for (const std::string& data : events(kHelloStream)) {
    const auto event = Value::parse(data);
    if (!event) continue;
    const Value& choice = (*event)["choices"][0];
    for (const Value& call : choice["delta"]["tool_calls"].items()) {
      if (call["id"].is_string()) ids.emplace_back(call["id"].as_string());
      if (call["index"].as_int() == 0) arguments += call["function"]["arguments"].as_string();
    }
    if (choice["finish_reason"].is_string()) finish = choice["finish_reason"].as_string();
  }
  EXPECT_EQ(arguments, R"({"path":"a"})");
  ASSERT_EQ(ids.size(), 2u);
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_EQ(finish, "tool_calls");
}

TEST_F(Sim, FaultsOfWholeAnswers) {
  struct Case {
    const char* fault;
    int status;         // 0: no answer
    const char* holds;  // in the body
  };
  const Case cases[] = {
      {"close_before_head", 0, ""},       {"close_after_head", 0, ""},
      {"close_mid_stream", 0, ""},        {"wrong_content_length", 0, ""},
      {"error_object", 200, "\"error\""}, {"empty", 200, "\"content\":\"\""},
      {"bad_json", 200, "\"cut"},         {"no_done", 200, "I was asked"},
  };
  for (const Case& c : cases) {
    script(std::string(R"({"fault":")") + c.fault + "\"}");
    const auto response = ask("POST", kChat, kHello);
    EXPECT_EQ(response.has_value(), c.status != 0) << c.fault;
    if (!response) continue;
    EXPECT_EQ(response->status, c.status) << c.fault;
    EXPECT_NE(response->body.find(c.holds), std::string::npos) << c.fault << response->body;
    if (std::string_view(c.fault) == "empty") {
      EXPECT_EQ(response->body.find("usage"), std::string::npos);
    }
  }
  EXPECT_TRUE(all_ended());
  EXPECT_EQ(sim->state().stats().aborted, 0u);
}

TEST_F(Sim, FaultsOfStreams) {
  struct Case {
    const char* answer;
    std::optional<size_t> events;  // none: the connection ended early
    const char* last;              // "" = any
    size_t bad;                    // events that are not JSON, [DONE] left out
  };
  const Case cases[] = {
      {R"({"fault":"close_before_head"})", {}, "", 0},
      {R"({"fault":"close_after_head"})", {}, "", 0},
      {R"({"fault":"close_mid_stream"})", {}, "", 0},
      {R"({"fault":"wrong_content_length"})", {}, "", 0},
      {R"({"fault":"error_object"})", 2, "[DONE]", 0},
      {R"({"fault":"empty"})", 3, "[DONE]", 0},
      {R"({"content":"a b c","fault":"no_done"})", 6, "", 0},
      {R"({"content":"a b","fault":"error_object"})", 5, "[DONE]", 0},
      {R"({"content":"a b","fault":"bad_json"})", 6, "", 6},
      {R"({"content":"a b","fault":"bad_sse"})", 9, "[DONE]", 3},
  };
  for (const Case& c : cases) {
    script(c.answer);
    const auto response = ask("POST", kChat, kHelloStream);
    ASSERT_EQ(response.has_value(), c.events.has_value()) << c.answer;
    if (!response) continue;
    std::vector<std::string> data;
    http::SseParser parser;
    parser.feed(response->body, [&](std::string_view one) { data.emplace_back(one); });
    EXPECT_EQ(data.size(), *c.events) << c.answer << response->body;
    if (*c.last != '\0') {
      EXPECT_EQ(data.back(), c.last) << c.answer;
    }
    size_t bad = 0;
    for (const std::string& one : data) bad += one != "[DONE]" && !Value::parse(one) ? 1 : 0;
    EXPECT_EQ(bad, c.bad) << c.answer << response->body;
  }
}

TEST_F(Sim, AClientThatClosesAbortsAtOnce) {
  script(R"({"fault":"hang"},{"fault":"hang_after_head"},{"chunks":5,"chunk_delay_ms":60000},
            {"delay_ms":60000})");
  for (const uint64_t aborted : {1u, 2u, 3u, 4u}) {
    const auto response = http::fetch("POST", sim->url() + kChat, {}, kHelloStream, 100ms);
    EXPECT_FALSE(response.has_value());
    const MonoTime closed = SystemClock().mono();
    while (sim->state().stats().aborted < aborted && SystemClock().mono() - closed < 2s) {
      std::this_thread::yield();
    }
    EXPECT_LT(SystemClock().mono() - closed, 100ms);
    const SeenRequest seen = sim->state().requests().back();
    EXPECT_TRUE(seen.aborted);
    EXPECT_GE(seen.aborted_after_ms, 50);
    EXPECT_LT(seen.aborted_after_ms, 1'000);
    EXPECT_EQ(sim->state().stats().running, 0u);
  }
}

TEST_F(Sim, RequestsAreKeptAsTheyCame) {
  const std::string body = "{\"model\" :\t\"openai/gpt5.4\", \"messages\":[] , \"é\": 1e400}";
  ask("POST", kChat, body);
  ask("POST", kChat, "\xff\xfe");
  ask("PUT", "/elsewhere?a=1", "put");
  for (const char* polled : {"/v1/models", "/health", "/metrics"}) ask("GET", polled);
  const Value seen = json_of(ask("GET", "/sim/requests"));
  ASSERT_EQ(seen["requests"].size(), 3u);
  EXPECT_EQ(seen["requests"][0]["body"].as_string(), body);
  EXPECT_EQ(seen["requests"][0]["headers"]["content-type"].as_string(), "application/json");
  EXPECT_FALSE(seen["requests"][0]["aborted"].as_bool(true));
  EXPECT_EQ(seen["requests"][1]["body_base64"].as_string(), "//4=");
  EXPECT_EQ(seen["requests"][2]["method"].as_string(), "PUT");
  EXPECT_EQ(seen["requests"][2]["path"].as_string(), "/elsewhere?a=1");
  json_of(ask("POST", "/sim/clear"));
  EXPECT_EQ(json_of(ask("GET", "/sim/requests"))["requests"].size(), 0u);
}

TEST_F(Sim, ToolResultsForAnotherModelAreViolations) {
  script(R"({"tool_calls":[{"id":"call_a","name":"f"}]})");
  chat(kHello);
  const auto deliver = [&](const std::string& model, const std::string& after) {
    chat(R"({"model":")" + model + R"(","messages":[{"role":"assistant","tool_calls":[]},)" +
         R"({"role":"tool","tool_call_id":"call_a","content":"r"})" + after + "]}");
    return sim->state().stats();
  };
  EXPECT_EQ(deliver("openai/gpt5.4", "").violations, 0u);
  // A later turn repeats the result as history, to whomever it likes.
  EXPECT_EQ(deliver("google/gemini-3.1-pro", R"(,{"role":"assistant","content":"ok"})").deliveries,
            1u);
  const Stats stats = deliver("google/gemini-3.1-pro", R"(,{"role":"user","content":"Continue."})");
  EXPECT_EQ(stats.deliveries, 2u);
  EXPECT_EQ(stats.violations, 1u);
}

TEST_F(Sim, OpaqueItemsForAnotherModelAreViolations) {
  script(R"({"content":"x","extra":{"extra_content":{"google":
            {"thought_signature":"sim-opaque-1"}}}})");
  chat(kHello);
  const auto deliver = [&](const std::string& model, const std::string& item) {
    chat(R"({"model":")" + model + R"(","messages":[{"role":"assistant","content":"x","any":")" +
         item + R"("},{"role":"user","content":")" + item + R"("}]})");
    return sim->state().stats();
  };
  EXPECT_EQ(deliver("openai/gpt5.4", "sim-opaque-1").opaque_violations, 0u);
  EXPECT_EQ(deliver("google/gemini-3.1-pro", "sim-opaque-2").opaque_violations, 0u) << "unknown";
  const Stats stats = deliver("google/gemini-3.1-pro", "sim-opaque-1");
  EXPECT_EQ(stats.opaque_deliveries, 2u) << "a request counts each item once";
  EXPECT_EQ(stats.opaque_violations, 1u);
}

TEST_F(Sim, ARequestMayBringItsAnswer) {
  script(R"({"content":"of the script"})");
  const auto with = [&](const std::string& answer) {
    return http::fetch("POST", sim->url() + kChat, {{"x-sim-answer", answer}}, kHello, 2s);
  };
  const auto own = with(R"({"content":"of its own"})");
  ASSERT_TRUE(own.has_value());
  EXPECT_NE(own->body.find("of its own"), std::string::npos);
  EXPECT_NE(ask("POST", kChat, kHello)->body.find("of the script"), std::string::npos);
  for (const char* const wrong : {"{}},{", R"({"nothing":1})", R"({"content":"a"},{})"}) {
    const auto refused = with(wrong);
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->status, 400) << wrong;
  }
}

TEST_F(Sim, RefusesAsVllmDoes) {
  struct Case {
    const char* method;
    const char* path;
    const char* body;
    int status;
    const char* holds;
  };
  const Case cases[] = {
      {"POST", kChat, "{", 400, R"("type":"BadRequestError","param":null,"code":400)"},
      {"POST", kChat, "[]", 400, "must be an object"},
      {"POST", kChat, R"({"messages":1})", 400, "messages must be an array"},
      {"POST", kChat, R"({"messages":[{}]})", 400, "messages[0].role must be a string"},
      {"POST", kChat, R"({"stream":1,"messages":[]})", 400, "stream must be a boolean"},
      {"POST", kChat, R"({"model":"x","messages":[]})", 404,
       R"("message":"The model `x` does not exist.","type":"NotFoundError","param":"model","code":404)"},
      {"POST", "/v1/embeddings", "{}", 400, "input must be"},
      {"GET", kChat, "", 405, "Method Not Allowed"},
      {"POST", "/v1/other", "{}", 404, "Not Found"},
      {"POST", "/sim/script", R"({"answers":[{"chunks":0}]})", 400, "answers[0].chunks must be"},
      {"GET", "/sim/other", "", 404, "/sim/requests"},
  };
  for (const Case& c : cases) {
    const auto response = ask(c.method, c.path, c.body);
    ASSERT_TRUE(response.has_value()) << c.path;
    EXPECT_EQ(response->status, c.status) << c.path << c.body;
    EXPECT_NE(response->body.find(c.holds), std::string::npos) << response->body;
  }
}

TEST_F(Sim, OtherEndpoints) {
  const Value models = json_of(ask("GET", "/v1/models"));
  ASSERT_EQ(models["data"].size(), default_models().size());
  EXPECT_EQ(models["data"][1]["id"].as_string(), default_models()[1]);
  EXPECT_EQ(ask("GET", "/health")->status, 200);
  const Value text = json_of(ask("POST", "/v1/completions", R"({"prompt":"once"})"));
  EXPECT_EQ(text["object"].as_string(), "text_completion");
  EXPECT_EQ(text["usage"]["prompt_tokens"].as_int(), 1);
  const Value vectors = json_of(ask("POST", "/v1/embeddings", R"({"input":["a","b","a"]})"));
  ASSERT_EQ(vectors["data"].size(), 3u);
  EXPECT_EQ(vectors["data"][0]["embedding"].size(), kVectorSize);
  EXPECT_EQ(vectors["data"][0]["embedding"], vectors["data"][2]["embedding"]);
  EXPECT_NE(vectors["data"][0]["embedding"], vectors["data"][1]["embedding"]);
  const Value packed =
      json_of(ask("POST", "/v1/embeddings", R"({"input":"a","encoding_format":"base64"})"));
  EXPECT_EQ(packed["data"][0]["embedding"].as_string().size(), 44u);
}

TEST_F(Sim, IdleConnectionsAreClosed) {
  SimOptions options;
  options.idle_close = 100ms;
  start(options);
  net::Loop loop;
  const auto talk = [&]() -> net::Task<void> {
    auto stream = co_await net::connect(loop, "127.0.0.1", sim->port(), loop.after(2s), nullptr);
    const std::string_view request[] = {"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"};
    (void)co_await (*stream)->write_all(request, loop.after(2s));
    char buffer[512];
    EXPECT_GT(*co_await (*stream)->read_some(buffer, loop.after(2s)), 0u);
    const MonoTime answered = loop.now();
    const Result<size_t> end = co_await (*stream)->read_some(buffer, loop.after(2s));
    EXPECT_TRUE(end.has_value());
    EXPECT_EQ(end.value_or(1), 0u);
    EXPECT_GE(loop.now() - answered, 80ms);
    loop.stop();
  };
  loop.spawn(talk());
  loop.run();
}

TEST_F(Sim, SeveralThreadsShareOneState) {
  SimOptions options;
  options.threads = 3;
  start(options);
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&] {
      for (int n = 0; n < 20; ++n) EXPECT_EQ(ask("POST", kChat, kHello)->status, 200);
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(all_ended());
  const Value stats = json_of(ask("GET", "/sim/stats"));
  EXPECT_EQ(stats["requests"].as_int(), 80);
  EXPECT_EQ(stats["running"].as_int(), 0);
  EXPECT_GE(stats["connections"].as_int(), 1);
}

TEST(SimStart, SaysWhyItCannot) {
  const auto first = SimBackend::start({});
  ASSERT_TRUE(first.has_value());
  SimOptions options;
  options.address = "no-address";
  EXPECT_EQ(SimBackend::start(options).error().code, ErrorCode::kInvalidArgument);
  options = {};
  options.threads = 0;
  EXPECT_EQ(SimBackend::start(options).error().code, ErrorCode::kInvalidArgument);
  options = {};
  options.models.clear();
  EXPECT_EQ(SimBackend::start(options).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace vsr::sim
