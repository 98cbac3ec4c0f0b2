#include "wire/response.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "json/writer.h"
#include "wire/hash.h"
#include "wire/message.h"
#include "wire/reply.h"

namespace vsr::wire {
namespace {

std::string delta(std::string_view fields, std::string_view finish = "null") {
  return R"({"id":"r1","model":"q","choices":[{"index":0,"delta":{)" + std::string(fields) +
         R"(},"finish_reason":)" + std::string(finish) + "}]}";
}

Observation observe(const std::vector<std::string>& payloads, ObserverLimits limits = {}) {
  json::Reader reader;
  StreamObserver observer(limits);
  for (const std::string& payload : payloads) observer.on_data(reader, payload);
  return observer.take();
}

TEST(StreamObserver, GathersTextUsageAndFinish) {
  const Observation seen = observe(
      {delta(R"("role":"assistant","content":"")"), delta(R"("content":"Hel")"),
       delta(R"("content":"lo\n")"), delta(R"("reasoning_content":"why")"), delta("", "\"stop\""),
       R"({"id":"r1","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,
           "prompt_tokens_details":{"cached_tokens":8,"created_cache_tokens":1},
           "completion_tokens_details":{"reasoning_tokens":1}}})",
       "[DONE]"});
  EXPECT_EQ(seen.id, "r1");
  EXPECT_EQ(seen.model, "q");
  EXPECT_EQ(seen.text, "Hello\n");
  EXPECT_EQ(seen.reasoning, "why");
  EXPECT_EQ(seen.finish_reason, "stop");
  EXPECT_TRUE(seen.usage.present);
  EXPECT_EQ(seen.usage.prompt_tokens, 10);
  EXPECT_EQ(seen.usage.cached_tokens, 8);
  EXPECT_EQ(seen.usage.created_cache_tokens, 1);
  EXPECT_EQ(seen.usage.completion_tokens, 2);
  EXPECT_EQ(seen.usage.reasoning_tokens, 1);
  EXPECT_EQ(seen.usage.total_tokens, 12);
  EXPECT_TRUE(seen.done);
  EXPECT_TRUE(seen.has_content);
  EXPECT_FALSE(seen.has_tool_call);
  EXPECT_FALSE(seen.is_empty());
  EXPECT_EQ(seen.chunks, 6u);
  EXPECT_EQ(seen.bad_chunks, 0u);
  EXPECT_EQ(seen.content_bytes, 9u);
}

TEST(StreamObserver, TellsWhatAChunkIs) {
  struct Case {
    std::string payload;
    bool done, error, usage_only, has_output, bad;
  };
  const std::string usage = R"("usage":{"prompt_tokens":1})";
  const Case cases[] = {
      {"[DONE]", true, false, false, false, false},
      {" [DONE] ", true, false, false, false, false},
      {delta(R"("role":"assistant")"), false, false, false, false, false},
      {delta(R"("content":"")"), false, false, false, false, false},
      {delta(R"("content":"x")"), false, false, false, true, false},
      {delta(R"("tool_calls":[{"index":0,"id":"c"}])"), false, false, false, true, false},
      {R"({"choices":[],)" + usage + "}", false, false, true, false, false},
      {R"({"choices":[{"delta":{"content":"x"}}],)" + usage + "}", false, false, false, true,
       false},
      {R"({"choices":[],"usage":null})", false, false, false, false, false},
      {"{" + usage + "}", false, false, false, false, false},
      {R"({"error":{"message":"m","type":"t","code":400}})", false, true, false, false, false},
      {R"({"error":"m"})", false, true, false, false, false},
      {R"({"object":"error","message":"m","code":400})", false, true, false, false, false},
      {R"({"error":null,"choices":[]})", false, false, false, false, false},
      {"", false, false, false, false, true},
      {"not json", false, false, false, false, true},
      {"[1]", false, false, false, false, true},
      {R"({"choices":[)", false, false, false, false, true},
      {R"({"choices":5,"usage":"x","id":[],"model":{}})", false, false, false, false, false},
  };
  for (const Case& c : cases) {
    json::Reader reader;
    StreamObserver observer;
    const auto chunk = observer.on_data(reader, c.payload);
    EXPECT_EQ(chunk.done, c.done) << c.payload;
    EXPECT_EQ(chunk.error, c.error) << c.payload;
    EXPECT_EQ(chunk.usage_only, c.usage_only) << c.payload;
    EXPECT_EQ(chunk.has_output, c.has_output) << c.payload;
    EXPECT_EQ(chunk.bad, c.bad) << c.payload;
    EXPECT_EQ(observer.result().bad_chunks, c.bad ? 1u : 0u) << c.payload;
    EXPECT_EQ(observer.result().has_error, c.error) << c.payload;
    if (c.error) {
      EXPECT_EQ(observer.result().error.message, "m") << c.payload;
    }
  }
}

TEST(StreamObserver, ABadChunkDoesNotEndIt) {
  const Observation seen = observe({delta(R"("content":"a")"), "{", delta(R"("content":"b")")});
  EXPECT_EQ(seen.text, "ab");
  EXPECT_EQ(seen.bad_chunks, 1u);
}

TEST(StreamObserver, EmptyAnswersAreSeenAsSuch) {
  EXPECT_TRUE(observe({"[DONE]"}).is_empty());
  EXPECT_TRUE(
      observe({delta(R"("role":"assistant","content":"")", "\"stop\""), "[DONE]"}).is_empty());
  EXPECT_FALSE(observe({R"({"choices":[],"usage":{}})"}).is_empty());
}

TEST(StreamObserver, MergesToolCallsByIndexAndId) {
  const Observation seen = observe({
      delta(R"("tool_calls":[{"index":1,"id":"c2","function":{"name":"g","arguments":""}}])"),
      delta(R"("tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f"}}])"),
      delta(R"("tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}])"),
      delta(R"("tool_calls":[{"index":1,"function":{"arguments":"{}"}}])"),
      delta(R"("tool_calls":[{"function":{"arguments":":1}"},"index":0}])"),
      delta(R"("tool_calls":[{"index":0,"id":"c3","function":{"name":"h","arguments":"3"}}])"),
  });
  ASSERT_EQ(seen.tool_calls.size(), 3u);
  EXPECT_EQ(seen.tool_calls[0].id, "c2");
  EXPECT_EQ(seen.tool_calls[0].name, "g");
  EXPECT_EQ(seen.tool_calls[0].arguments, "{}");
  EXPECT_EQ(seen.tool_calls[1].id, "c1");
  EXPECT_EQ(seen.tool_calls[1].arguments, R"({"a":1})");
  EXPECT_EQ(seen.tool_calls[2].id, "c3") << "a backend that numbers every call 0";
  EXPECT_TRUE(seen.has_tool_call);
  EXPECT_FALSE(seen.has_content);
}

TEST(StreamObserver, LimitsAreKept) {
  ObserverLimits limits;
  limits.text_bytes_max = 5;
  limits.arguments_bytes_max = 4;
  std::vector<std::string> payloads = {delta(R"("content":"abc")"), delta(R"("content":"d中e")"),
                                       delta(R"("content":"f")")};
  for (size_t i = 0; i < kObservedToolCallsMax + 5; ++i) {
    const std::string id = std::to_string(i);
    payloads.push_back(delta(R"("tool_calls":[{"index":)" + id + R"(,"id":"c)" + id +
                             R"(","function":{"arguments":"123"}}])"));
  }
  payloads.push_back(R"({"id":")" + std::string(4000, 'x') + "\"}");
  const Observation seen = observe(payloads, limits);
  EXPECT_EQ(seen.text, "abcd") << "whole characters only";
  EXPECT_TRUE(seen.text_truncated);
  EXPECT_EQ(seen.content_bytes, 9u);
  EXPECT_EQ(seen.tool_calls.size(), kObservedToolCallsMax);
  EXPECT_EQ(seen.tool_calls[0].arguments, "123");
  EXPECT_EQ(seen.tool_calls[1].arguments, "1");
  EXPECT_EQ(seen.tool_calls[2].arguments, "");
  EXPECT_TRUE(seen.arguments_truncated);
  EXPECT_EQ(seen.id.size(), kObservedIdBytesMax);
}

TEST(StreamObserver, OpaqueItemsHashAsInALaterRequest) {
  const Observation seen = observe({
      delta(R"("tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{}"},)"
            R"("extra_content":{"google":{"thought_signature":"G\u003d"}}}])"),
      delta(R"("thinking_blocks":[{"type":"thinking","thinking":"t","signature":"S"}])"),
      delta(R"("reasoning_details":[{"type":"reasoning.encrypted","data":"E"}])"),
  });
  json::Reader reader;
  json::Arena arena;
  const auto echoed = parse_message(
      reader, arena,
      R"({"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"},
         "extra_content":{"google":{"thought_signature":"G="}}}],
         "thinking_blocks":[{"signature":"S","type":"thinking","thinking":"t"}],
         "reasoning_details":[{"type":"reasoning.encrypted","data":"E"}]})",
      0);
  ASSERT_TRUE(echoed);
  ASSERT_EQ(seen.opaque.size(), 3u);
  EXPECT_EQ(seen.opaque, std::vector<OpaqueItem>(echoed->opaque.begin(), echoed->opaque.end()));
}

TEST(ObserveBody, ChatCompletionsAndEmbeddings) {
  json::Reader reader;
  const Observation chat = observe_body(
      reader,
      R"({"id":"r","choices":[{"message":{"role":"assistant","content":"hi","tool_calls":
         [{"id":"","function":{"name":"f","arguments":"1"}},{"function":{"name":"g"}}]},
         "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":4,
         "prompt_tokens_details":null}})");
  EXPECT_EQ(chat.text, "hi");
  ASSERT_EQ(chat.tool_calls.size(), 2u) << "calls of a whole answer are never merged";
  EXPECT_EQ(chat.tool_calls[1].name, "g");
  EXPECT_EQ(chat.finish_reason, "tool_calls");
  EXPECT_EQ(chat.usage.prompt_tokens, 3);
  EXPECT_EQ(chat.usage.cached_tokens, -1);

  EXPECT_EQ(observe_body(reader, R"({"choices":[{"text":"abc"}]})").text, "abc");
  const Observation parts =
      observe_body(reader, R"({"choices":[{"message":{"content":[{"type":"text","text":"x"}]}}]})");
  EXPECT_FALSE(parts.is_empty());
  const Observation embedding =
      observe_body(reader, R"({"data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":2}})");
  EXPECT_TRUE(embedding.has_content);
  EXPECT_EQ(embedding.usage.prompt_tokens, 2);
  EXPECT_EQ(observe_body(reader, "<html>").bad_chunks, 1u);
  EXPECT_TRUE(observe_body(reader, R"({"choices":[{"message":{"content":null}}]})").is_empty());
}

// What the router writes itself is understood by its own observer.
TEST(Reply, IsReadBackByTheObservers) {
  const ChatReply reply{
      "chatcmpl-1", "auto", 1'780'000'000, "No \"secrets\" here.\n", "stop", 7, 5};
  json::Reader reader;
  const Observation plain = observe_body(reader, chat_completion(reply));
  EXPECT_EQ(plain.text, reply.text);
  EXPECT_EQ(plain.id, reply.id);
  EXPECT_EQ(plain.model, reply.model);
  EXPECT_EQ(plain.finish_reason, "stop");
  EXPECT_EQ(plain.usage.total_tokens, 12);

  for (const bool include_usage : {false, true}) {
    std::string stream = chat_completion_stream(reply, include_usage);
    std::vector<std::string> payloads;
    for (size_t end; (end = stream.find("\n\n")) != std::string::npos; stream.erase(0, end + 2)) {
      ASSERT_TRUE(stream.starts_with("data: "));
      payloads.push_back(stream.substr(6, end - 6));
    }
    EXPECT_EQ(stream, "");
    const Observation seen = observe(payloads);
    EXPECT_EQ(seen.text, reply.text);
    EXPECT_EQ(seen.finish_reason, "stop");
    EXPECT_TRUE(seen.done);
    EXPECT_EQ(seen.usage.present, include_usage);
    EXPECT_EQ(seen.bad_chunks, 0u);
  }
}

TEST(Reply, ModelListing) {
  const ModelEntry models[] = {{"auto", "vllm-sr", "Chooses a model", 5, 0},
                               {"q/w", "local", "", 5, 8192}};
  EXPECT_EQ(model_list(models),
            R"({"object":"list","data":[{"id":"auto","object":"model","created":5,)"
            R"("owned_by":"vllm-sr","description":"Chooses a model"},{"id":"q/w","object":"model",)"
            R"("created":5,"owned_by":"local","context_window":8192}]})");
  EXPECT_EQ(model_list({}), R"({"object":"list","data":[]})");
}

TEST(ApiError, BodyAndMapping) {
  const ApiError error{400, "duplicate_key", "model", "Say \"model\" once."};
  EXPECT_EQ(error_body(error),
            R"({"error":{"message":"Say \"model\" once.","type":"invalid_request_error",)"
            R"("code":"duplicate_key","param":"model"}})");
  EXPECT_EQ(error_event({502, "", "", "gone"}),
            "data: {\"error\":{\"message\":\"gone\",\"type\":\"upstream_error\",\"code\":null,"
            "\"param\":null}}\n\n");
  struct Case {
    ErrorCode code;
    ErrorSource source;
    int status;
    const char* type;
    const char* name;
  };
  const Case cases[] = {
      {ErrorCode::kInvalidArgument, ErrorSource::kClient, 400, "invalid_request_error",
       "invalid_request"},
      {ErrorCode::kInvalidArgument, ErrorSource::kSelf, 500, "api_error", "internal_error"},
      {ErrorCode::kUnauthenticated, ErrorSource::kClient, 401, "authentication_error",
       "invalid_api_key"},
      {ErrorCode::kPermissionDenied, ErrorSource::kClient, 403, "permission_error",
       "permission_denied"},
      {ErrorCode::kNotFound, ErrorSource::kClient, 404, "not_found_error", "not_found"},
      {ErrorCode::kTimeout, ErrorSource::kClient, 408, "timeout_error", "request_timeout"},
      {ErrorCode::kTimeout, ErrorSource::kUpstream, 504, "upstream_error", "backend_timeout"},
      {ErrorCode::kTooLarge, ErrorSource::kClient, 413, "request_too_large", "request_too_large"},
      {ErrorCode::kRateLimited, ErrorSource::kClient, 429, "rate_limit_error",
       "rate_limit_exceeded"},
      {ErrorCode::kUnavailable, ErrorSource::kUpstream, 502, "upstream_error",
       "backend_unreachable"},
      {ErrorCode::kUnavailable, ErrorSource::kSelf, 503, "upstream_error", "overloaded"},
      {ErrorCode::kProtocol, ErrorSource::kUpstream, 502, "upstream_error",
       "backend_protocol_error"},
      {ErrorCode::kInternal, ErrorSource::kSelf, 500, "api_error", "internal_error"},
  };
  for (const Case& c : cases) {
    const ApiError mapped = to_api_error(Error{c.code, c.source, Retry::kNo, "why"});
    EXPECT_EQ(mapped.status, c.status) << to_string(c.code);
    EXPECT_EQ(error_type(mapped.status), c.type) << to_string(c.code);
    EXPECT_EQ(mapped.code, c.name) << to_string(c.code);
    EXPECT_EQ(mapped.message, "why");
  }
}

}  // namespace
}  // namespace vsr::wire
