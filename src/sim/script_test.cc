#include "sim/script.h"

#include <gtest/gtest.h>

#include "sim/bytes.h"

namespace vsr::sim {
namespace {

TEST(Script, ReadsEveryField) {
  const auto answers = parse_script(R"({"answers":[
    {"content":"hi","reasoning":"why","extra":{"a":1},"chunks":3,"chunk_delay_ms":1,
     "first_byte_delay_ms":2,"delay_ms":3,"usage":{"prompt_tokens":9},"headers":{"x-a":"b"},
     "tool_calls":[{"id":"c1","name":"f","arguments":"{\"p\":1}","extra":{"sig":"s"}},
                   {"name":"g","arguments":{"q":2}}]},
    {"status":503,"error_body":{"error":{"message":"busy"}},"usage":"none","fault":"hang"},
    {"error_body":"not json"}, {}]})");
  ASSERT_TRUE(answers.has_value()) << answers.error().message;
  ASSERT_EQ(answers->size(), 4u);
  const Answer& first = answers->at(0);
  EXPECT_TRUE(first.has_content);
  EXPECT_EQ(first.content, "hi");
  EXPECT_EQ(first.reasoning, "why");
  EXPECT_EQ(first.extra, R"({"a":1})");
  EXPECT_EQ(first.chunks, 3);
  EXPECT_EQ(first.chunk_delay_ms, 1);
  EXPECT_EQ(first.first_byte_delay_ms, 2);
  EXPECT_EQ(first.delay_ms, 3);
  EXPECT_EQ(first.usage_kind, UsageKind::kGiven);
  EXPECT_EQ(first.usage, R"({"prompt_tokens":9})");
  EXPECT_EQ(first.headers.at(0).second, "b");
  EXPECT_EQ(first.tool_calls.at(0).extra, R"({"sig":"s"})");
  EXPECT_EQ(first.tool_calls.at(1).id, "");
  EXPECT_EQ(first.tool_calls.at(1).arguments, R"({"q":2})");
  const Answer& second = answers->at(1);
  EXPECT_EQ(second.status, 503);
  EXPECT_EQ(second.error_body, R"({"error":{"message":"busy"}})");
  EXPECT_EQ(second.usage_kind, UsageKind::kNone);
  EXPECT_EQ(second.fault, Fault::kHang);
  EXPECT_EQ(answers->at(2).error_body, "not json");
  EXPECT_FALSE(answers->at(3).has_content);
  EXPECT_EQ(answers->at(3).status, 200);
}

TEST(Script, SaysWhichFieldIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"{", "the script is not JSON"},
      {"{}", "answers must be an array"},
      {R"({"answers":[{},7]})", "answers[1] must be an object"},
      {R"({"answers":[{"content":1}]})", "answers[0].content must be a string"},
      {R"({"answers":[{"chunks":0}]})", "answers[0].chunks must be a number from 1 to"},
      {R"({"answers":[{"delay_ms":-1}]})", "answers[0].delay_ms must be a number from 0 to"},
      {R"({"answers":[{"delay_ms":"1"}]})", "answers[0].delay_ms must be a number"},
      {R"({"answers":[{"status":100}]})", "answers[0].status must be a number from 200 to 599"},
      {R"({"answers":[{"fault":"explode"}]})", "answers[0].fault must be one of close_before_head"},
      {R"({"answers":[{"fault":3}]})", "answers[0].fault must be one of"},
      {R"({"answers":[{"usage":"some"}]})", "answers[0].usage must be an object or \"none\""},
      {R"({"answers":[{"headers":{"a":1}}]})", "answers[0].headers.a must be a string"},
      {R"({"answers":[{"extra":[]}]})", "answers[0].extra must be an object"},
      {R"({"answers":[{"tool_calls":{}}]})", "answers[0].tool_calls must be an array"},
      {R"({"answers":[{"tool_calls":[{"id":"a"}]}]})", "answers[0].tool_calls[0].name must be"},
      {R"({"answers":[{"tool_calls":[{"name":"a","arguments":1}]}]})",
       "answers[0].tool_calls[0].arguments must be a string or an object"},
      {R"({"answers":[{"contents":"a"}]})", "answers[0].contents must not be there; known are"},
  };
  for (const auto& [script, expected] : cases) {
    const auto answers = parse_script(script);
    ASSERT_FALSE(answers.has_value()) << script;
    EXPECT_EQ(answers.error().message.substr(0, std::string_view(expected).size()), expected);
  }
}

TEST(Bytes, Utf8IsWhatTheStandardSays) {
  const std::pair<std::string_view, bool> cases[] = {
      {"", true},
      {"plain", true},
      {"\xC3\xA9", true},
      {"\xE4\xB8\xAD", true},
      {"\xF0\x9F\x98\x80", true},
      {"\xC3", false},
      {"\xC0\x80", false},
      {"\xED\xA0\x80", false},
      {"\xE0\x80\x80", false},
      {"\xF4\x90\x80\x80", false},
      {"\xFF", false},
      {"a\x80", false},
  };
  for (const auto& [bytes, good] : cases) EXPECT_EQ(is_utf8(bytes), good) << base64(bytes);
}

TEST(Bytes, Base64AndCut) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64(std::string_view("\xff\x00\xfe\x01", 4)), "/wD+AQ==");
  for (const size_t count : {1u, 2u, 3u, 7u, 100u}) {
    const std::string text = "a\xE4\xB8\xAD\xE6\x96\x87z\xF0\x9F\x98\x80!";
    std::string joined;
    const auto parts = cut(text, count);
    for (const std::string_view part : parts) {
      EXPECT_TRUE(is_utf8(part));
      EXPECT_FALSE(part.empty());
      joined += part;
    }
    EXPECT_LE(parts.size(), count);
    EXPECT_EQ(joined, text);
  }
  EXPECT_TRUE(cut("", 3).empty());
}

}  // namespace
}  // namespace vsr::sim
