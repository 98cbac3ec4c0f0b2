#include "json/reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "json/splice.h"

namespace vsr::json {
namespace {

bool is_valid(std::string_view text) {
  Reader reader;
  reader.open(text);
  reader.skip_checked();
  return reader.at_end();
}

TEST(Reader, AcceptsAndRefusesByTheGrammar) {
  const std::vector<std::string> valid = {
      "{}",
      "[]",
      "null",
      "true",
      "false",
      "0",
      "-0",
      "1e5",
      "-1.5E-10",
      R"("")",
      R"("a\"b\\")",
      " { \"a\" : [ 1 , { } , [ ] , null ] } \n",
      "[[[[]]]]",
      "123456789012345678901234567890",
      R"({"a":1,"a":2})",
      "\"\xE4\xB8\xAD\"",
      R"(["\ud83d\ude00"])",
  };
  for (const auto& text : valid) EXPECT_TRUE(is_valid(text)) << text;
  const std::vector<std::string> invalid = {
      "",
      " ",
      "{",
      "}",
      "[",
      "]",
      "{]",
      "[}",
      "[1,]",
      "{\"a\":1,}",
      "[,1]",
      "{,}",
      "[1 2]",
      "{\"a\" 1}",
      "{\"a\"}",
      "{\"a\":}",
      "{1:2}",
      "{a:1}",
      "tru",
      "truex",
      "nul",
      "01",
      "1.",
      ".5",
      "-",
      "+1",
      "1e",
      "1e+",
      "NaN",
      "\"",
      "\"a",
      "\"\x01\"",
      "\"\xFF\"",
      "\"\xC3\"",
      "[\"a\"\"b\"]",
      "{}{}",
      "[] 1",
      "\xEF\xBB\xBF{}",
      "{\"a\":[}]}",
      "true\"x\"",
      ":",
      ",",
  };
  for (const auto& text : invalid) EXPECT_FALSE(is_valid(text)) << text;
}

TEST(Reader, EveryProperPrefixIsAnError) {
  const std::string text =
      R"({"model":"auto","n":[1,2.5e3,{"x":null}],"s":"a\"\\\u00e9中","t":true,"o":{"k":[{}]}})";
  ASSERT_TRUE(is_valid(text));
  for (size_t length = 0; length < text.size(); ++length) {
    const std::string cut = text.substr(0, length);
    EXPECT_FALSE(is_valid(cut)) << cut;
    Reader reader;
    Arena arena;
    reader.open(cut);
    read_fields(reader, arena);
    EXPECT_TRUE(reader.failed()) << cut;
    EXPECT_NE(reader.error(), "");
  }
}

TEST(Reader, WalksFieldsAndElements) {
  Reader reader;
  Arena arena;
  ASSERT_TRUE(reader.open(R"( {"m\u006fdel": "a\nb", "n": [1, -2, 3.5], "b": false, "z": null} )"));
  std::string_view key;
  std::string_view text;
  ASSERT_TRUE(reader.begin_object());
  ASSERT_TRUE(reader.next_field(key));
  EXPECT_EQ(key, "model");
  EXPECT_EQ(reader.key_span().in(reader.text()), R"("m\u006fdel")");
  ASSERT_TRUE(reader.read_string(arena, text));
  EXPECT_EQ(text, "a\nb");
  ASSERT_TRUE(reader.next_field(key));
  ASSERT_TRUE(reader.begin_array());
  std::vector<double> numbers;
  while (reader.next_element()) reader.read_double(numbers.emplace_back());
  EXPECT_EQ(numbers, (std::vector<double>{1, -2, 3.5}));
  bool truth = true;
  ASSERT_TRUE(reader.next_field(key));
  ASSERT_TRUE(reader.read_bool(truth));
  EXPECT_FALSE(truth);
  ASSERT_TRUE(reader.next_field(key));
  EXPECT_EQ(reader.kind(), Kind::kNull);
  ASSERT_TRUE(reader.read_null());
  EXPECT_FALSE(reader.next_field(key));
  EXPECT_TRUE(reader.at_end()) << reader.error();
}

TEST(Reader, WrongKindFailsAndStaysFailed) {
  Reader reader;
  Arena arena;
  ASSERT_TRUE(reader.open("[1]"));
  std::string_view text;
  ASSERT_TRUE(reader.begin_array());
  ASSERT_TRUE(reader.next_element());
  EXPECT_FALSE(reader.read_string(arena, text));
  EXPECT_EQ(reader.error(), "expected a string at byte 1");
  int64_t number = 0;
  EXPECT_FALSE(reader.read_int(number));
  EXPECT_FALSE(reader.next_element());
  EXPECT_TRUE(reader.skip().empty());
  EXPECT_FALSE(reader.at_end());
  EXPECT_EQ(reader.error(), "expected a string at byte 1");
  EXPECT_TRUE(reader.open("[]"));
  EXPECT_FALSE(reader.failed());
}

TEST(Reader, IntegersAreExactOrNotIntegers) {
  struct Case {
    const char* text;
    bool is_int;
    int64_t value;
  };
  const Case cases[] = {{"0", true, 0},
                        {"-7", true, -7},
                        {"9223372036854775807", true, INT64_MAX},
                        {"9223372036854775808", false, 0},
                        {"1.0", false, 0},
                        {"1e3", false, 0}};
  for (const Case& c : cases) {
    Reader reader;
    reader.open(c.text);
    int64_t value = 0;
    EXPECT_EQ(reader.read_int(value), c.is_int) << c.text;
    EXPECT_FALSE(reader.failed()) << c.text;
    if (c.is_int) {
      EXPECT_EQ(value, c.value);
    }
  }
}

TEST(Reader, NestingIsBounded) {
  for (const bool checked : {false, true}) {
    for (const uint32_t depth : {kDepthMax, kDepthMax + 1}) {
      const std::string text = std::string(depth, '[') + std::string(depth, ']');
      Reader reader;
      ASSERT_TRUE(reader.open(text));
      const Span span = checked ? reader.skip_checked() : reader.skip();
      EXPECT_EQ(reader.failed(), depth > kDepthMax) << depth << reader.error();
      if (depth <= kDepthMax) {
        EXPECT_EQ(span.length, text.size());
      }
    }
  }
}

TEST(Reader, SkipGivesTheBytesOfEachKind) {
  for (const char* const value : {"1", "-1.5e3", "true", "null", R"("a\"b")", R"("\\")", "{}",
                                  R"({"a":[1,"]"]})", "[ [ ] ]"}) {
    const std::string text = std::string("[ ") + value + " \n , 2 ]";
    Reader reader;
    reader.open(text);
    reader.begin_array();
    ASSERT_TRUE(reader.next_element());
    EXPECT_EQ(reader.skip().in(text), value);
    EXPECT_TRUE(reader.next_element());
    EXPECT_EQ(reader.skip().in(text), "2");
    EXPECT_FALSE(reader.next_element());
    EXPECT_TRUE(reader.at_end());
  }
}

TEST(Unescape, KnowsEveryEscape) {
  struct Case {
    const char* raw;
    const char* text;  // nullptr: an error
  };
  const Case cases[] = {
      {"", ""},
      {"plain", "plain"},
      {R"(\"\\\/\b\f\n\r\t)", "\"\\/\b\f\n\r\t"},
      {R"(a\u0041\u00e9\u4e2d)", "aA\xC3\xA9\xE4\xB8\xAD"},
      {R"(\ud83d\ude00)", "\xF0\x9F\x98\x80"},
      {R"(\ud83d)", "\xEF\xBF\xBD"},
      {R"(\ude00x)", "\xEF\xBF\xBDx"},
      {R"(\ud83d\u0041)",
       "\xEF\xBF\xBD"
       "A"},
      {R"(\ud83d\n)", "\xEF\xBF\xBD\n"},
      {R"(\x)", nullptr},
      {R"(\u12)", nullptr},
      {R"(\u12g4)", nullptr},
      {"\\", nullptr},
  };
  for (const Case& c : cases) {
    const std::string_view raw = c.raw;
    std::string out(raw.size(), '\0');
    const char* const end = unescape(raw, out.data());
    if (c.text == nullptr) {
      EXPECT_EQ(end, nullptr) << raw;
      continue;
    }
    ASSERT_NE(end, nullptr) << raw;
    EXPECT_EQ(out.substr(0, end - out.data()), c.text);
  }
}

TEST(Arena, KeepsItsFirstBlock) {
  Arena arena(1024);
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 10; ++i) arena.array<uint64_t>(8);
    arena.reset();
  }
  EXPECT_EQ(arena.blocks_allocated(), 1u);
  EXPECT_EQ(arena.copy(std::string(5000, 'x')), std::string(5000, 'x'));
  EXPECT_EQ(arena.blocks_allocated(), 2u);
}

}  // namespace
}  // namespace vsr::json
