#include "wire/chat_request.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/hash.h"
#include "wire/sample_body.h"

namespace vsr::wire {
namespace {

struct Parsed {
  explicit Parsed(std::string text) : body(std::move(text)), request(parse()) {}
  ApiResult<ChatRequest> parse() { return parse_chat(reader, arena, body); }
  std::string body;
  json::Reader reader;
  json::Arena arena;
  ApiResult<ChatRequest> request;
};

TEST(ParseChat, ReadsEveryField) {
  Parsed parsed(R"( { "m\u006fdel" : "a\u002fb", "messages":[ {"role":"system","content":"s"},
    {"content":null,"role":"assistant","tool_calls":[]}, {"role":"developer","content":[]} ,
    {"role":"critic","content":"x"}],
    "stream":true,"stream_options":{"include_usage":true,"x":1},"tools":[{"a":1}],
    "max_tokens":5,"max_completion_tokens":7,"reasoning_effort":"low",
    "chat_template_kwargs":{"k":[1]},"response_format":{"type":"json_object"},"audio":{},
    "promptCacheKey":"pk","user":"u","metadata":{"user_id":"mu","other":3},
    "previous_response_id":"pr","conversation":{"id":"cv"},"container":"ct",
    "big":123456789012345678901234567890,"big":1.5e300 } )");
  ASSERT_TRUE(parsed.request) << parsed.request.error().message;
  const ChatRequest& r = *parsed.request;
  EXPECT_EQ(r.model, "a/b");
  EXPECT_TRUE(r.stream);
  EXPECT_TRUE(r.include_usage);
  ASSERT_EQ(r.messages.size(), 4u);
  EXPECT_EQ(r.messages[0].role, Role::kSystem);
  EXPECT_EQ(r.messages[1].role, Role::kAssistant);
  EXPECT_EQ(r.messages[2].role, Role::kDeveloper);
  EXPECT_EQ(r.messages[3].role, Role::kUnknown);
  EXPECT_EQ(r.messages[3].raw.in(parsed.body), R"({"role":"critic","content":"x"})");
  EXPECT_EQ(r.messages[3].raw_hash, hash_bytes(R"({"role":"critic","content":"x"})"));
  EXPECT_EQ(r.tools.in(parsed.body), R"([{"a":1}])");
  EXPECT_EQ(r.tools_raw_hash, hash_bytes(R"([{"a":1}])"));
  EXPECT_EQ(r.max_tokens, 7);
  EXPECT_EQ(r.reasoning_effort, "low");
  ASSERT_TRUE(r.chat_template_kwargs);
  EXPECT_EQ(r.chat_template_kwargs->span.in(parsed.body), R"({"k":[1]})");
  EXPECT_TRUE(r.has_response_format);
  EXPECT_TRUE(r.asks_for_audio);
  EXPECT_EQ(r.prompt_cache_key, "pk");
  EXPECT_EQ(r.user, "u");
  EXPECT_EQ(r.metadata_user_id, "mu");
  EXPECT_EQ(r.previous_response_id, "pr");
  EXPECT_EQ(r.conversation, "cv");
  EXPECT_EQ(r.container, "ct");
  EXPECT_EQ(r.object.offset, 1u);
  EXPECT_EQ(r.object.end(), parsed.body.size() - 1);
  EXPECT_EQ(r.fields.size(), 19u) << "unknown keys may be repeated";
  EXPECT_EQ(r.fields[0].key, "model");
  EXPECT_EQ(r.fields[0].value.in(parsed.body), R"("a\u002fb")");
}

TEST(ParseChat, NullsAreAbsent) {
  Parsed parsed(R"({"model":"m","messages":[],"stream":null,"stream_options":null,"tools":null,
    "max_tokens":null,"reasoning_effort":null,"chat_template_kwargs":null,"response_format":null,
    "audio":null,"prompt_cache_key":null,"user":null,"metadata":null,"previous_response_id":null,
    "conversation":null,"container":null})");
  ASSERT_TRUE(parsed.request) << parsed.request.error().message;
  EXPECT_FALSE(parsed.request->stream);
  EXPECT_FALSE(parsed.request->stream_options);
  EXPECT_FALSE(parsed.request->max_tokens);
  EXPECT_FALSE(parsed.request->chat_template_kwargs);
  EXPECT_TRUE(parsed.request->tools.empty());
  EXPECT_FALSE(parsed.request->has_response_format);
  EXPECT_FALSE(parsed.request->asks_for_audio);
  EXPECT_EQ(parsed.request->user, "");
}

TEST(ParseChat, SaysWhatIsWrong) {
  struct Case {
    const char* body;
    const char* code;
    const char* param;
    const char* message;
  };
  const Case cases[] = {
      {"", "invalid_json", "", "The request body is not valid JSON: there is no JSON value."},
      {"{\"model\":", "invalid_json", "",
       "The request body is not valid JSON: expected a value at byte 9."},
      {"{\"model\":\"\xFF\"}", "invalid_json", "",
       "The request body is not valid JSON: the text is not valid UTF-8."},
      {R"({"model":"m","messages":[]} {})", "invalid_json", "",
       "The request body is not valid JSON: something follows the value at byte 28."},
      {"[]", "invalid_type", "", "The request body must be an object, but is an array."},
      {"{}", "missing_required_parameter", "model",
       "The request body has no 'model', which is required."},
      {R"({"model":"m"})", "missing_required_parameter", "messages",
       "The request body has no 'messages', which is required."},
      {R"({"model":1})", "invalid_type", "model", "'model' must be a string, but is a number."},
      {R"({"model":null})", "invalid_type", "model", "'model' must be a string, but is null."},
      {R"({"messages":{}})", "invalid_type", "messages",
       "'messages' must be an array, but is an object."},
      {R"({"messages":null})", "invalid_type", "messages",
       "'messages' must be an array, but is null."},
      {R"({"messages":["x"]})", "invalid_type", "messages[0]",
       "'messages[0]' must be an object, but is a string."},
      {R"({"messages":[{"role":"user"},{}]})", "missing_required_parameter", "messages[1].role",
       "'messages[1].role' is missing; it names who speaks."},
      {R"({"messages":[{"role":7}]})", "invalid_type", "messages[0].role",
       "'messages[0].role' must be a string, but is a number."},
      {R"({"messages":[{"role":"user","content":5}]})", "invalid_type", "messages[0].content",
       "'messages[0].content' must be a string, an array of parts, or null, but is a number."},
      {R"({"messages":[{"role":"user","tool_calls":"x"}]})", "invalid_type",
       "messages[0].tool_calls",
       "'messages[0].tool_calls' must be an array or null, but is a string."},
      {R"({"messages":[{"role":"user","role":"system"}]})", "duplicate_key", "messages[0].role",
       "'messages[0].role' is there more than once."},
      {R"({"stream":"yes"})", "invalid_type", "stream",
       "'stream' must be a boolean or null, but is a string."},
      {R"({"stream_options":[]})", "invalid_type", "stream_options",
       "'stream_options' must be an object or null, but is an array."},
      {R"({"stream_options":{"include_usage":1}})", "invalid_type", "stream_options.include_usage",
       "'stream_options.include_usage' must be true or false."},
      {R"({"tools":{}})", "invalid_type", "tools",
       "'tools' must be an array or null, but is an object."},
      {R"({"max_tokens":"5"})", "invalid_type", "max_tokens",
       "'max_tokens' must be a number or null, but is a string."},
      {R"({"max_completion_tokens":5.5})", "invalid_type", "max_completion_tokens",
       "'max_completion_tokens' must be a whole number."},
      {R"({"reasoning_effort":3})", "invalid_type", "reasoning_effort",
       "'reasoning_effort' must be a string or null, but is a number."},
      {R"({"chat_template_kwargs":"x"})", "invalid_type", "chat_template_kwargs",
       "'chat_template_kwargs' must be an object or null, but is a string."},
      {R"({"prompt_cache_key":1})", "invalid_type", "prompt_cache_key",
       "'prompt_cache_key' must be a string or null, but is a number."},
      {R"({"promptCacheKey":[]})", "invalid_type", "promptCacheKey",
       "'promptCacheKey' must be a string or null, but is an array."},
      {R"({"user":{}})", "invalid_type", "user",
       "'user' must be a string or null, but is an object."},
      {R"({"metadata":"x"})", "invalid_type", "metadata",
       "'metadata' must be an object or null, but is a string."},
      {R"({"metadata":{"user_id":1}})", "invalid_type", "metadata.user_id",
       "'metadata.user_id' must be a string or null, but is a number."},
      {R"({"previous_response_id":1})", "invalid_type", "previous_response_id",
       "'previous_response_id' must be a string or null, but is a number."},
      {R"({"conversation":1})", "invalid_type", "conversation",
       "'conversation' must be an object, a string or null, but is a number."},
      {R"({"model":"a","m\u006fdel":"b"})", "duplicate_key", "model",
       "'model' is in the request body more than once."},
      {R"({"messages":[],"messages":[]})", "duplicate_key", "messages",
       "'messages' is in the request body more than once."},
      {R"({"stream":true,"stream":false})", "duplicate_key", "stream",
       "'stream' is in the request body more than once."},
  };
  for (const Case& c : cases) {
    Parsed parsed(c.body);
    ASSERT_FALSE(parsed.request) << c.body;
    const ApiError& error = parsed.request.error();
    EXPECT_EQ(error.status, 400) << c.body;
    EXPECT_EQ(error.code, c.code) << c.body;
    EXPECT_EQ(error.param, c.param) << c.body;
    EXPECT_EQ(error.message, c.message) << c.body;
  }
}

TEST(ParseChat, EveryProperPrefixIsInvalidJson) {
  const std::string body = sample_body(1024, 2, true);
  ASSERT_TRUE(Parsed(body).request);
  json::Reader reader;
  for (size_t length = 0; length < body.size(); ++length) {
    json::Arena arena;
    // An exactly sized copy, so that the address sanitizer sees a read behind the end.
    const std::vector<char> cut(body.begin(), body.begin() + length);
    const auto request = parse_chat(reader, arena, {cut.data(), cut.size()});
    ASSERT_FALSE(request) << length;
    EXPECT_EQ(request.error().code, "invalid_json") << length;
  }
}

TEST(ParseChat, ChangedBytesNeverCrash) {
  const std::string body = sample_body(700, 1, false);
  json::Reader reader;
  for (size_t at = 0; at < body.size(); ++at) {
    for (const char c : {'"', '{', '}', '[', ']', ',', ':', '\\', '0', '\x80', '\0'}) {
      std::string changed = body;
      changed[at] = c;
      json::Arena arena;
      const auto request = parse_chat(reader, arena, changed);
      if (!request) {
        EXPECT_FALSE(request.error().message.empty());
      }
    }
  }
}

TEST(ParseChat, AllocatesALittle) {
  const std::string body = sample_body(226 * 1024, 24, true);
  json::Reader reader;
  json::Arena arena(64 * 1024);
  ASSERT_TRUE(parse_chat(reader, arena, body));
  EXPECT_EQ(arena.blocks_allocated(), 1u) << "about 60 bytes per message and field";
}

TEST(ParsePassthrough, NeedsOnlyAModel) {
  json::Reader reader;
  json::Arena arena;
  const auto request =
      parse_passthrough(reader, arena, R"({"model":"m","input":["a"],"messages":7})");
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->model, "m");
  EXPECT_TRUE(request->messages.empty());
  EXPECT_EQ(parse_passthrough(reader, arena, "{}").error().param, "model");
}

TEST(ParseTools, NamesAndHashes) {
  json::Reader reader;
  json::Arena arena;
  const auto parse = [&](std::string_view raw) {
    auto tools = parse_tools(reader, arena, raw);
    EXPECT_TRUE(tools) << tools.error().message;
    return *tools;
  };
  const Tools a = parse(R"([{"type":"function","function":{"name":"f","parameters":{"x":1}}},
                           {"type":"web_search"},{"name":"g","input_schema":{}}])");
  ASSERT_EQ(a.names.size(), 3u);
  EXPECT_EQ(a.names[0], "f");
  EXPECT_EQ(a.names[1], "");
  EXPECT_EQ(a.names[2], "g");

  const Tools plain = parse(R"([{"function":{"name":"f","parameters":{"x":1,"y":2}}}])");
  const Tools marked = parse(
      R"([ { "cache_control":{"type":"ephemeral"}, "function":{"parameters":{"y":2,"x":1},"name":"f"}}])");
  const Tools other = parse(R"([{"function":{"name":"f","parameters":{"x":1,"y":3}}}])");
  EXPECT_EQ(plain.canonical_hash, marked.canonical_hash);
  EXPECT_EQ(plain.names_hash, marked.names_hash);
  EXPECT_NE(plain.canonical_hash, other.canonical_hash);
  EXPECT_EQ(plain.names_hash, other.names_hash);
  EXPECT_NE(plain.names_hash, a.names_hash);

  EXPECT_EQ(parse("").names.size(), 0u);
  EXPECT_EQ(parse_tools(reader, arena, "[3]").error().message,
            "'tools[0]' must be an object, but is a number.");
  EXPECT_EQ(parse_tools(reader, arena, R"([{"function":{"name":3}}])").error().param,
            "tools[0].function.name");
}

}  // namespace
}  // namespace vsr::wire
