#include "wire/message.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/envelope.h"
#include "wire/hash.h"

namespace vsr::wire {
namespace {

class MessageTest : public ::testing::Test {
 protected:
  Message parse(std::string text) {
    bodies_.push_back(std::make_unique<std::string>(std::move(text)));
    auto message = parse_message(reader_, arena_, *bodies_.back(), 2);
    EXPECT_TRUE(message) << message.error().message << " in " << *bodies_.back();
    return message.value_or(Message{});
  }
  uint64_t hash(std::string text) { return parse(std::move(text)).canonical_hash; }

  json::Reader reader_;
  json::Arena arena_;
  std::vector<std::unique_ptr<std::string>> bodies_;
};

TEST_F(MessageTest, TextOfEveryShapeOfContent) {
  struct Case {
    const char* body;
    const char* text;
  };
  const Case cases[] = {
      {R"({"role":"user","content":"a\nb"})", "a\nb"},
      {R"({"role":"user","content":null})", ""},
      {R"({"role":"user"})", ""},
      {R"({"role":"user","content":[]})", ""},
      {R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"input_text","text":"b"}]})",
       "a b"},
      {R"({"role":"user","content":["a",{"type":"text","text":" "},{"text":"b","type":"text"}]})",
       "a b"},
      {R"({"role":"user","content":[{"type":"text","text":null},{"type":"refusal","refusal":"n"}]})",
       "n"},
      {R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"data:x"}},
          {"type":"text","text":"what"}]})",
       "what"},
      {R"({"role":"user","content":"<system-reminder>x</system-reminder>\n do it "})", "do it"},
      {R"({"role":"user","content":[{"type":"text","text":"<environment_context>y</environment_context>"},
          {"type":"text","text":"go"}]})",
       "go"},
  };
  for (const Case& c : cases) EXPECT_EQ(parse(c.body).text, c.text) << c.body;
}

TEST_F(MessageTest, ToolCallsOfEveryDialect) {
  const Message a = parse(
      R"({"role":"assistant","content":null,"tool_calls":[
         {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
         {"id":"c2","function":{"name":"g","arguments":{"b":2}},"extra_content":{"google":
         {"thought_signature":"sig"}}}]})");
  ASSERT_EQ(a.tool_calls.size(), 2u);
  EXPECT_EQ(a.tool_calls[0].id, "c1");
  EXPECT_EQ(a.tool_calls[0].name, "f");
  EXPECT_EQ(a.tool_calls[0].arguments, R"({"a":1})");
  EXPECT_EQ(a.tool_calls[1].arguments, R"({"b":2})");
  ASSERT_EQ(a.opaque.size(), 1u);
  EXPECT_EQ(a.opaque[0], (OpaqueItem{OpaqueKind::kThoughtSignature, hash_bytes("sig")}));

  const Message old = parse(R"({"role":"assistant","function_call":{"name":"f","arguments":"1"}})");
  ASSERT_EQ(old.tool_calls.size(), 1u);
  EXPECT_EQ(old.tool_calls[0].id, "");
  EXPECT_EQ(old.tool_calls[0].name, "f");

  const Message blocks = parse(R"({"role":"assistant","content":[{"type":"text","text":"t"},
      {"type":"tool_use","id":"u1","name":"Read","input":{"file_id":"not a handle"}}]})");
  ASSERT_EQ(blocks.tool_calls.size(), 1u);
  EXPECT_EQ(blocks.tool_calls[0].id, "u1");
  EXPECT_EQ(blocks.tool_calls[0].name, "Read");
  EXPECT_EQ(blocks.tool_calls[0].arguments, R"({"file_id":"not a handle"})");
  EXPECT_TRUE(blocks.opaque.empty()) << "arguments are the caller's own";
}

TEST_F(MessageTest, ToolResultsOfEveryDialect) {
  const MessageFacts tool =
      facts_of(parse(R"({"role":"tool","tool_call_id":"c1","content":"ok"})"));
  EXPECT_TRUE(tool.is_tool_result);
  EXPECT_EQ(tool.tool_result_ids, std::vector<std::string>{"c1"});
  const MessageFacts old = facts_of(parse(R"({"role":"function","name":"f","content":"ok"})"));
  EXPECT_TRUE(old.is_tool_result);
  EXPECT_EQ(old.tool_result_ids, std::vector<std::string>{""});
  const Message blocks = parse(R"({"role":"user","content":[
      {"type":"tool_result","tool_use_id":"u1","content":[{"type":"text","text":"out"}]},
      {"type":"tool_result","tool_use_id":"u2","content":"err","is_error":true},
      {"type":"text","text":"note"}]})");
  EXPECT_TRUE(blocks.is_tool_result);
  EXPECT_EQ(facts_of(blocks).tool_result_ids, (std::vector<std::string>{"u1", "u2"}));
  ASSERT_EQ(blocks.texts.size(), 3u);
  EXPECT_EQ(blocks.texts[0], "out");
  EXPECT_EQ(blocks.texts[1], "err");
  EXPECT_FALSE(facts_of(parse(R"({"role":"user","content":"x"})")).is_tool_result);
}

TEST_F(MessageTest, OpaqueItemsByKind) {
  struct Case {
    const char* body;
    OpaqueKind kind;
    const char* decisive;
  };
  const Case cases[] = {
      {R"({"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"S\u003d"}]})",
       OpaqueKind::kThinking, "S="},
      {R"({"role":"assistant","content":[{"type":"redacted_thinking","data":"D"}]})",
       OpaqueKind::kThinking, "D"},
      {R"({"role":"assistant","thinking_blocks":[{"signature":"S","type":"thinking"}]})",
       OpaqueKind::kThinking, "S"},
      {R"({"role":"assistant","reasoning_details":[{"type":"reasoning.text","text":"t","signature":"S"}]})",
       OpaqueKind::kThinking, "S"},
      {R"({"role":"assistant","reasoning_details":[{"type":"reasoning.encrypted","data":"E"}]})",
       OpaqueKind::kEncryptedContent, "E"},
      {R"({"role":"assistant","reasoning_items":[{"type":"reasoning","encrypted_content":"E"}]})",
       OpaqueKind::kEncryptedContent, "E"},
      {R"({"role":"assistant","content":"x","extra_content":{"google":{"thought_signature":"G"}}})",
       OpaqueKind::kThoughtSignature, "G"},
      {R"({"role":"assistant","content":[{"type":"text","text":"x","thoughtSignature":"G"}]})",
       OpaqueKind::kThoughtSignature, "G"},
      {R"({"role":"assistant","content":[{"type":"item_reference","id":"I"}]})",
       OpaqueKind::kItemReference, "I"},
      {R"({"role":"assistant","content":null,"audio":{"id":"A"}})", OpaqueKind::kItemReference,
       "A"},
      {R"({"role":"assistant","content":[{"type":"server_tool_use","id":"T","input":{}}]})",
       OpaqueKind::kServerTool, "T"},
      {R"({"role":"assistant","content":[{"type":"web_search_tool_result","tool_use_id":"T"}]})",
       OpaqueKind::kServerTool, "T"},
      {R"({"role":"user","content":[{"type":"file","file":{"file_id":"F"}}]})", OpaqueKind::kFile,
       "F"},
      {R"({"role":"user","content":[{"type":"container_upload","file_id":"F"}]})",
       OpaqueKind::kFile, "F"},
      {R"({"role":"user","content":[{"type":"media","file_data":{"file_uri":"F"}}]})",
       OpaqueKind::kFile, "F"},
      {R"({"role":"assistant","content":[{"type":"web_search_call","id":"W","status":"completed"}]})",
       OpaqueKind::kServerTool, "W"},
      {R"({"role":"assistant","content":[{"type":"text","text":"x","citations":[{"encrypted_index":"E"}]}]})",
       OpaqueKind::kEncryptedContent, "E"},
      {R"({"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"G"}}}]})",
       OpaqueKind::kThoughtSignature, "G"},
  };
  for (const Case& c : cases) {
    const Message message = parse(c.body);
    ASSERT_EQ(message.opaque.size(), 1u) << c.body;
    EXPECT_EQ(message.opaque[0], (OpaqueItem{c.kind, hash_bytes(c.decisive)})) << c.body;
  }
  for (const char* const none :
       {R"({"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":""}]})",
        R"({"role":"user","content":[{"type":"file","file":{"file_data":"data:"}}]})",
        R"({"role":"assistant","content":[{"type":"function_call","id":"c","name":"f"}]})",
        R"({"role":"tool","content":"{\"thought_signature\":\"G\"}","tool_call_id":"c"})"}) {
    EXPECT_TRUE(parse(none).opaque.empty()) << none;
  }
}

TEST_F(MessageTest, CanonicalHashIgnoresWhatMeansNothing) {
  const uint64_t plain = hash(R"({"role":"user","content":"hi"})");
  for (const char* const same :
       {R"({ "content" : "hi", "role":"user" })", R"({"role":"user","content":"h\u0069"})",
        R"({"role":"user","content":[{"type":"text","text":"hi"}]})",
        R"({"role":"user","content":[{"type":"text","text":"hi","cache_control":{"type":"x"}}]})",
        R"({"role":"user","content":"hi","cache_control":{"type":"ephemeral"}})",
        R"({"role":"user","content":[{"type":"text","text":"<system-reminder>r</system-reminder>"},
           {"type":"text","text":"hi"}]})"}) {
    EXPECT_EQ(hash(same), plain) << same;
  }
  for (
      const char* const other :
      {R"({"role":"system","content":"hi"})", R"({"role":"user","content":"ho"})",
       R"({"role":"user","content":"hi","name":"n"})",
       R"({"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"u"}}]})",
       R"({"role":"user","content":"hi","tool_calls":[{"id":"1","function":{"name":"f"}}]})",
       R"({"role":"user","content":"hi","tool_call_id":"1"})",
       R"({"role":"user","content":"hi","reasoning_content":"r"})"}) {
    EXPECT_NE(hash(other), plain) << other;
  }
  EXPECT_NE(hash(R"({"role":"assistant","tool_calls":[{"id":"1"},{"id":"2"}]})"),
            hash(R"({"role":"assistant","tool_calls":[{"id":"2"},{"id":"1"}]})"));
}

TEST_F(MessageTest, ModalitiesAndSizes) {
  const Message m = parse(R"({"role":"user","content":[{"type":"input_audio","input_audio":{}},
      {"type":"image_url","image_url":{"url":"u"}},{"type":"input_file"},{"type":"video_url"},
      {"type":"text","text":"ab中é😀한"}]})");
  EXPECT_EQ(m.modalities, (Modalities{true, true, true, true}));
  EXPECT_EQ(m.size, (TextSize{2, 2, 2}));
  EXPECT_EQ(parse(R"({"role":"user","content":"x"})").modalities, Modalities{});
  EXPECT_EQ(
      parse(R"({"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"{}"}}]})")
          .size,
      (TextSize{3, 0, 0}));
}

TEST_F(MessageTest, SaysWhatIsWrong) {
  struct Case {
    const char* body;
    const char* param;
    const char* message;
  };
  const Case cases[] = {
      {R"({"role":"user","content":[7]})", "messages[2].content[0]",
       "'messages[2].content[0]' must be an object with a type, or a string, but is a number."},
      {R"({"role":"user","content":[{"type":3}]})", "messages[2].content[0].type",
       "'messages[2].content[0].type' must be a string, but is a number."},
      {R"({"role":"user","content":["a",{"type":"text","text":[]}]})",
       "messages[2].content[1].text",
       "'messages[2].content[1].text' must be a string or null, but is an array."},
      {R"({"role":"assistant","tool_calls":[{},5]})", "messages[2].tool_calls[1]",
       "'messages[2].tool_calls[1]' must be an object, but is a number."},
      {R"({"role":"assistant","tool_calls":[{"id":5}]})", "messages[2].tool_calls[0].id",
       "'messages[2].tool_calls[0].id' must be a string or null, but is a number."},
      {R"({"role":"assistant","tool_calls":[{"function":"f"}]})",
       "messages[2].tool_calls[0].function",
       "'messages[2].tool_calls[0].function' must be an object, but is a string."},
      {R"({"role":"assistant","tool_calls":[{"function":{"name":1}}]})",
       "messages[2].tool_calls[0].function.name",
       "'messages[2].tool_calls[0].function.name' must be a string or null, but is a number."},
      {R"({"role":"assistant","tool_calls":[{"function":{"arguments":1}}]})",
       "messages[2].tool_calls[0].function.arguments",
       "'messages[2].tool_calls[0].function.arguments' must be a string or null, but is a number."},
      {R"({"role":"tool","tool_call_id":1})", "messages[2].tool_call_id",
       "'messages[2].tool_call_id' must be a string or null, but is a number."},
      {R"({"role":"user","content":"\x"})", "",
       "The request body is not valid JSON: a string holds a bad escape at byte 25."},
  };
  for (const Case& c : cases) {
    const auto message = parse_message(reader_, arena_, c.body, 2);
    ASSERT_FALSE(message) << c.body;
    EXPECT_EQ(message.error().param, c.param) << c.body;
    EXPECT_EQ(message.error().message, c.message) << c.body;
  }
}

TEST_F(MessageTest, PartsAreBounded) {
  std::string body = R"({"role":"user","content":["")";
  for (size_t i = 1; i < kPartsMax; ++i) body += ",\"\"";
  parse(body + "]}");
  const auto over = parse_message(reader_, arena_, body + ",\"\"]}", 0);
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, "too_many_parts");
}

TEST(Envelope, CutsWhatHarnessesInject) {
  struct Case {
    const char* text;
    const char* stripped;
  };
  const Case cases[] = {
      {"", ""},
      {"plain <b>text</b> ", "plain <b>text</b> "},
      {"<system-reminder>a</system-reminder>", ""},
      {"do <system-reminder>a</system-reminder>it", "do it"},
      {"a\n<environment_context>\n<cwd>/</cwd>\n</environment_context>\nb", "a\n\nb"},
      {"<plan_context state=\"active\">x</plan_context> go", "go"},
      {"x\n  <environment>date</environment>", "x"},
      {"set <environment>prod</environment> in the file",
       "set <environment>prod</environment> in the file"},
      {"<system-reminder>never closed", "<system-reminder>never closed"},
      {"<system-reminders>a</system-reminders>", "<system-reminders>a</system-reminders>"},
      {"<system-reminder>a</system-reminder>b<system-reminder>c</system-reminder>", "b"},
      {"</system-reminder>a", "</system-reminder>a"},
      {"<system-reminder", "<system-reminder"},
      {"<env>1</env>\n<env>2", "<env>2"},
  };
  json::Arena arena;
  for (const Case& c : cases) EXPECT_EQ(strip_envelopes(c.text, arena), c.stripped) << c.text;
}

TEST(Envelope, UnwrappedKeepsWhatStandsInside) {
  const std::pair<const char*, const char*> cases[] = {
      {"plain", "plain"},
      {"do <system-reminder>a</system-reminder> it", "do a it"},
      {"<user_info mark=\"1\">card 4539</user_info>\nb", "card 4539\nb"},
      {"<system-reminder>never closed", "<system-reminder>never closed"},
      {"<system-reminder><env>a</env></system-reminder>", "<env>a</env>"},
  };
  json::Arena arena;
  for (const auto& [text, inside] : cases) EXPECT_EQ(unwrap_envelopes(text, arena), inside) << text;
}

TEST(Envelope, ManyOpenTagsStayLinear) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "<env>\n<system-reminder>";
  json::Arena arena;
  EXPECT_EQ(strip_envelopes(text, arena).size(), text.size());
}

}  // namespace
}  // namespace vsr::wire
