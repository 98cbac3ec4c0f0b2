#include "wire/prepare.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "json/value.h"
#include "wire/sample_body.h"

namespace vsr::wire {
namespace {

std::string prepared(const std::string& body, const PrepareOptions& options) {
  json::Reader reader;
  json::Arena arena;
  const auto request = parse_chat(reader, arena, body);
  EXPECT_TRUE(request) << request.error().message << body;
  json::Splicer splicer(body);
  const auto done = prepare(*request, options, reader, arena, splicer);
  EXPECT_TRUE(done) << done.error().message;
  EXPECT_EQ(splicer.size(), splicer.joined().size());
  return splicer.joined();
}

constexpr Reasoning kOff{ReasoningParameter::kChatTemplateKwargs, "enable_thinking", false, "",
                         false};
constexpr Reasoning kOn{ReasoningParameter::kChatTemplateKwargs, "enable_thinking", true, "medium",
                        false};
constexpr Reasoning kEffort{ReasoningParameter::kReasoningEffort, "reasoning_effort", true, "high",
                            false};
constexpr Reasoning kNoEffort{ReasoningParameter::kReasoningEffort, "reasoning_effort", false, "",
                              false};
constexpr Reasoning kEffortVllm{ReasoningParameter::kReasoningEffort, "reasoning_effort", true,
                                "high", true};
constexpr Reasoning kNoEffortVllm{ReasoningParameter::kReasoningEffort, "reasoning_effort", false,
                                  "", true};

TEST(Prepare, ChangesOnlyWhatItMust) {
  struct Case {
    const char* name;
    Reasoning reasoning;
    bool ask_for_usage;
    const char* body;
    const char* expected;
  };
  const Case cases[] = {
      {"the model, odd spacing, an escaped key, a big number",
       {},
       false,
       "{ \"m\\u006fdel\" :\t\"auto\" ,\"messages\":[ ], \"n\":1e400 ,\"n\": 123456789012345678901 "
       "}",
       "{ \"m\\u006fdel\" :\t\"m/1\" ,\"messages\":[ ], \"n\":1e400 ,\"n\": 123456789012345678901 "
       "}"},
      {"the right model stays as it was written",
       {},
       false,
       R"({"model":"m\/1","messages":[]})",
       R"({"model":"m\/1","messages":[]})"},
      {"usage on a stream",
       {},
       true,
       R"({"model":"m/1","messages":[],"stream":true})",
       R"({"model":"m/1","messages":[],"stream":true,"stream_options":{"include_usage":true}})"},
      {"no usage without a stream",
       {},
       true,
       R"({"model":"m/1","messages":[]})",
       R"({"model":"m/1","messages":[]})"},
      {"usage that was asked for",
       {},
       true,
       R"({"model":"m/1","messages":[],"stream":true,"stream_options":{"include_usage":true}})",
       R"({"model":"m/1","messages":[],"stream":true,"stream_options":{"include_usage":true}})"},
      {"usage that was refused",
       {},
       true,
       R"({"model":"m/1","stream_options":{"a":1, "include_usage" : false},"messages":[],"stream":true})",
       R"({"model":"m/1","stream_options":{"a":1, "include_usage" : true},"messages":[],"stream":true})"},
      {"other stream options stay",
       {},
       true,
       R"({"model":"m/1","stream_options":{ "a":1 },"messages":[],"stream":true})",
       R"({"model":"m/1","stream_options":{ "a":1,"include_usage":true },"messages":[],"stream":true})"},
      {"null stream options",
       {},
       true,
       R"({"model":"m/1","stream_options":null,"messages":[],"stream":true})",
       R"({"model":"m/1","stream_options":{"include_usage":true},"messages":[],"stream":true})"},
      {"reasoning on", kOn, false, R"({"model":"m/1","messages":[]})",
       R"({"model":"m/1","messages":[],"chat_template_kwargs":{"enable_thinking":true}})"},
      {"reasoning off", kOff, false, R"({"model":"m/1","chat_template_kwargs":{},"messages":[]})",
       R"({"model":"m/1","chat_template_kwargs":{"enable_thinking":false},"messages":[]})"},
      {"reasoning off against the client's wish", kOff, false,
       R"({"model":"m/1","messages":[],"chat_template_kwargs":{"enable_thinking":true,"k":[1]}})",
       R"({"model":"m/1","messages":[],"chat_template_kwargs":{"enable_thinking":false,"k":[1]}})"},
      {"effort", kEffort, false, R"({"model":"m/1","messages":[]})",
       R"({"model":"m/1","messages":[],"reasoning_effort":"high"})"},
      {"effort replaced", kEffort, false,
       R"({"model":"m/1","reasoning_effort":"low","messages":[]})",
       R"({"model":"m/1","reasoning_effort":"high","messages":[]})"},
      {"effort removed", kNoEffort, false,
       R"({"reasoning_effort":"low", "model":"m/1","messages":[]})",
       R"({"model":"m/1","messages":[]})"},
      {"effort for vLLM", kEffortVllm, false,
       R"({"model":"m/1","messages":[],"reasoning_effort":"low"})",
       R"({"model":"m/1","messages":[],"chat_template_kwargs":{"reasoning_effort":"high"}})"},
      {"no effort for vLLM", kNoEffortVllm, false,
       R"({"model":"m/1","messages":[],"chat_template_kwargs":{"reasoning_effort":"low","k":1}})",
       R"({"model":"m/1","messages":[],"chat_template_kwargs":{"k":1}})"},
      {"no family leaves the client's settings",
       {},
       false,
       R"({"model":"m/1","messages":[],"reasoning_effort":"low"})",
       R"({"model":"m/1","messages":[],"reasoning_effort":"low"})"},
  };
  for (const Case& c : cases) {
    PrepareOptions options;
    options.provider_model = "m/1";
    options.reasoning = c.reasoning;
    options.ask_for_usage = c.ask_for_usage;
    EXPECT_EQ(prepared(c.body, options), c.expected) << c.name;
  }
}

TEST(Prepare, SystemPrompt) {
  struct Case {
    SystemPromptMode mode;
    const char* messages;
    const char* expected;
  };
  const Case cases[] = {
      {SystemPromptMode::kInsert, R"([])", R"([{"role":"system","content":"Be \"kind\""}])"},
      {SystemPromptMode::kInsert, R"([ {"role":"user"}])",
       R"([ {"role":"system","content":"Be \"kind\""},{"role":"user"}])"},
      {SystemPromptMode::kReplace, R"([{"role":"user"}])",
       R"([{"role":"system","content":"Be \"kind\""},{"role":"user"}])"},
      {SystemPromptMode::kReplace, R"([{"content":"o\u006cd","role":"system"}])",
       R"([{"content":"Be \"kind\"","role":"system"}])"},
      {SystemPromptMode::kInsert, R"([{"content":"o\u006cd","role":"system"}])",
       R"([{"content":"Be \"kind\"\n\no\u006cd","role":"system"}])"},
      {SystemPromptMode::kInsert, R"([{"role":"developer","content":""}])",
       R"([{"role":"developer","content":"Be \"kind\""}])"},
      {SystemPromptMode::kInsert, R"([{"role":"system","content":null}])",
       R"([{"role":"system","content":"Be \"kind\""}])"},
      {SystemPromptMode::kInsert, R"([{"role":"system"}])",
       R"([{"role":"system","content":"Be \"kind\""}])"},
      {SystemPromptMode::kInsert, R"([{"role":"system","content":[ ]}])",
       R"([{"role":"system","content":[{"type":"text","text":"Be \"kind\""} ]}])"},
      {SystemPromptMode::kInsert, R"([{"role":"system","content":[{"type":"text","text":"x"}]}])",
       R"([{"role":"system","content":[{"type":"text","text":"Be \"kind\""},{"type":"text","text":"x"}]}])"},
  };
  for (const Case& c : cases) {
    PrepareOptions options;
    options.provider_model = "m";
    options.system_prompt_mode = c.mode;
    options.system_prompt = "Be \"kind\"";
    const std::string head = R"({"model":"auto","messages":)";
    const std::string expected_head = R"({"model":"m","messages":)";
    EXPECT_EQ(prepared(head + c.messages + "}", options), expected_head + c.expected + "}");
  }
}

// Reads the conversation, drops everything that ties it to a provider, and reads it again.
TEST(Prepare, DropsForeignItemsAsWholeBlocks) {
  struct Case {
    const char* body;
    const char* expected;
  };
  const Case cases[] = {
      {R"({"model":"m","previous_response_id":"p","messages":[],"conversation":{"id":"c"}})",
       R"({"model":"m","messages":[]})"},
      {R"({"model":"m","messages":[{"role":"assistant","content":[{"type":"thinking","signature":"S","thinking":"t"}, {"type":"text","text":"x"}]}]})",
       R"({"model":"m","messages":[{"role":"assistant","content":[{"type":"text","text":"x"}]}]})"},
      {R"({"model":"m","messages":[{"role":"assistant","content":[{"type":"redacted_thinking","data":"D"},{"type":"thinking","signature":"S"}],"tool_calls":[]}]})",
       R"({"model":"m","messages":[{"role":"assistant","content":"","tool_calls":[]}]})"},
      {R"({"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"},"extra_content":{"google":{"thought_signature":"G","x":1}}}]}]})",
       R"({"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f"},"extra_content":{"google":{"x":1}}}]}]})"},
      {R"({"model":"m","messages":[{"role":"assistant","content":"x","reasoning_details":[{"type":"reasoning.summary"},{"type":"reasoning.encrypted","data":"E"}]}]})",
       R"({"model":"m","messages":[{"role":"assistant","content":"x","reasoning_details":[{"type":"reasoning.summary"}]}]})"},
      {R"({"model":"m","messages":[{"role":"assistant","audio":{"id":"A"},"content":"x"}]})",
       R"({"model":"m","messages":[{"role":"assistant","content":"x"}]})"},
      {R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"file","file":{"file_id":"F"}},{"type":"text","text":"y"}]}]})",
       R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}]})"},
      {R"({"model":"m","messages":[{"role":"assistant","content":[{"type":"thinking","signature":"S","cache":{"thought_signature":"G"}}]}]})",
       R"({"model":"m","messages":[{"role":"assistant","content":""}]})"},
  };
  for (const Case& c : cases) {
    const std::string body = c.body;
    json::Reader reader;
    json::Arena arena;
    const auto provider_state = [&](const std::string& text) {
      const auto request = parse_chat(reader, arena, text);
      std::vector<MessageFacts> facts;
      for (size_t i = 0; i < request->messages.size(); ++i) {
        facts.push_back(
            facts_of(*parse_message(reader, arena, request->messages[i].raw.in(text), i)));
      }
      std::vector<const MessageFacts*> pointers;
      for (const MessageFacts& f : facts) pointers.push_back(&f);
      return analyse(*request, pointers, {}, arena).provider_state;
    };
    PrepareOptions options;
    options.provider_model = "m";
    options.drop = provider_state(body);
    EXPECT_FALSE(options.drop.empty()) << body;
    const std::string after = prepared(body, options);
    EXPECT_EQ(after, c.expected);
    EXPECT_TRUE(provider_state(after).empty()) << after;
    options.drop = {};
    EXPECT_EQ(prepared(body, options), body);
  }
}

// Top-level fields in any order, with any subset present: the result parses, has the settings
// that were wanted, and every other field is as it was.
TEST(Prepare, AnyOrderOfFieldsGivesTheWantedSettings) {
  const std::vector<std::string> optional = {R"("stream":true)",
                                             R"("stream_options":{"x":[1]})",
                                             R"("reasoning_effort":"low")",
                                             R"("chat_template_kwargs":{"k":1})",
                                             R"("temperature":0.25)",
                                             R"("x" : {"model":"inner"})",
                                             R"("stop":["\"}","]"])"};
  const Reasoning reasonings[] = {{}, kOn, kOff, kEffort, kNoEffort, kEffortVllm, kNoEffortVllm};
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::string> fields = {R"("model":"auto")",
                                       R"("messages":[{"role":"user","content":"hi"}])"};
    for (const std::string& field : optional) {
      if (random() % 2 == 0) fields.push_back(field);
    }
    std::shuffle(fields.begin(), fields.end(), random);
    std::string body = "{";
    for (const std::string& field : fields) body += (body.size() > 1 ? " , " : "") + field;
    body += "}";
    PrepareOptions options;
    options.provider_model = "m/1";
    options.reasoning = reasonings[random() % std::size(reasonings)];
    options.ask_for_usage = random() % 2 == 0;
    const std::string text = prepared(body, options);
    const auto before = json::Value::parse(body).value();
    const auto after = json::Value::parse(text);
    ASSERT_TRUE(after) << text;
    EXPECT_EQ((*after)["model"].as_string(), "m/1");
    for (const char* const key : {"messages", "temperature", "x", "stop", "stream"}) {
      EXPECT_EQ((*after)[key], before[key]) << text;
    }
    if (options.ask_for_usage && before["stream"].as_bool()) {
      EXPECT_TRUE((*after)["stream_options"]["include_usage"].as_bool()) << text;
    } else {
      EXPECT_EQ((*after)["stream_options"], before["stream_options"]) << text;
    }
    const Reasoning& r = options.reasoning;
    const auto& kwargs = (*after)["chat_template_kwargs"];
    EXPECT_EQ(kwargs["k"], before["chat_template_kwargs"]["k"]) << text;
    if (r.parameter == ReasoningParameter::kChatTemplateKwargs) {
      EXPECT_EQ(kwargs["enable_thinking"], json::Value(r.on)) << text;
    }
    if (r.parameter == ReasoningParameter::kReasoningEffort) {
      const std::string_view top = r.on && !r.effort_in_template_kwargs ? "high" : "";
      const std::string_view inner = r.on && r.effort_in_template_kwargs ? "high" : "";
      EXPECT_EQ((*after)["reasoning_effort"].as_string(), top) << text;
      EXPECT_EQ(kwargs["reasoning_effort"].as_string(), inner) << text;
    }
  }
}

TEST(Prepare, DoesNotCopyALargeBody) {
  const std::string body = sample_body(226 * 1024, 24, true);
  json::Reader reader;
  json::Arena arena;
  const auto request = parse_chat(reader, arena, body);
  PrepareOptions options;
  options.provider_model = "m/1";
  options.reasoning = kOn;
  json::Splicer splicer(body);
  ASSERT_TRUE(prepare(*request, options, reader, arena, splicer));
  size_t own_bytes = 0;
  for (const auto piece : splicer.pieces()) {
    const bool inside = piece.data() >= body.data() && piece.data() < body.data() + body.size();
    if (!inside) own_bytes += piece.size();
  }
  EXPECT_LT(own_bytes, 100u);
  EXPECT_LE(splicer.pieces().size(), 5u);
}

}  // namespace
}  // namespace vsr::wire
