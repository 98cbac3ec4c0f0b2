#include "json/writer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "json/value.h"

namespace vsr::json {
namespace {

TEST(JsonWriter, PutsCommasAndColons) {
  JsonWriter w;
  w.begin_object()
      .field("a", 1)
      .field("b", "x")
      .key("c")
      .begin_array()
      .value(true)
      .null()
      .begin_object()
      .end_object()
      .begin_array()
      .end_array()
      .end_array()
      .raw_field("d", "[1,2]")
      .null_field("e")
      .field("f", uint64_t{18446744073709551615u})
      .field("g", int64_t{-5})
      .end_object();
  EXPECT_TRUE(w.complete());
  EXPECT_EQ(w.str(),
            R"({"a":1,"b":"x","c":[true,null,{},[]],"d":[1,2],"e":null,"f":18446744073709551615,)"
            R"("g":-5})");
}

TEST(JsonWriter, DoublesAreShortestAndReadBackEqual) {
  struct Case {
    double number;
    const char* text;
  };
  const Case cases[] = {{0.1, "0.1"},
                        {1, "1"},
                        {-2.5, "-2.5"},
                        {1e300, "1e+300"},
                        {5e-324, "5e-324"},
                        {std::nan(""), "null"},
                        {std::numeric_limits<double>::infinity(), "null"}};
  for (const Case& c : cases) {
    JsonWriter w;
    w.value(c.number);
    EXPECT_EQ(w.str(), c.text);
    if (std::isfinite(c.number)) {
      EXPECT_EQ(Value::parse(w.str())->as_double(), c.number);
    }
  }
}

TEST(JsonWriter, EscapesAndReplacesWhatIsNotUtf8) {
  struct Case {
    std::string text;
    const char* json;
  };
  const Case cases[] = {
      {"", R"("")"},
      {"a\"b\\c/", R"("a\"b\\c/")"},
      {std::string("\b\f\n\r\t\x01\x1f\0", 8), R"("\b\f\n\r\t\u0001\u001f\u0000")"},
      {"\x7f", "\"\x7f\""},
      {"é中😀", R"("é中😀")"},
      {"a\xFFz", "\"a\xEF\xBF\xBDz\""},
      {"\xC3", "\"\xEF\xBF\xBD\""},
      {"\xC0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},                  // overlong
      {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},  // a surrogate
      {"\xF5\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(json_string(c.text), c.json);
    EXPECT_TRUE(Value::parse(json_string(c.text)));
    // The same at every place of the eight bytes that are looked at together.
    const std::string inner(c.json + 1, std::strlen(c.json) - 2);
    for (size_t before = 0; before < 9; ++before) {
      const std::string plain(before, '!');
      EXPECT_EQ(json_string(plain + c.text + "~~~~~~~~"), '"' + plain + inner + "~~~~~~~~\"");
    }
  }
}

TEST(JsonWriter, ShortFieldsHaveSixDigits) {
  struct Case {
    double number;
    const char* text;
  };
  for (const Case& c :
       {Case{0.8972379665489137, "0.897238"}, Case{0.5, "0.5"}, Case{0, "0"},
        Case{1234567, "1.23457e+06"}, Case{-1e-9, "-1e-09"}, Case{std::nan(""), "null"}}) {
    JsonWriter w;
    w.begin_object().short_field("x", c.number).end_object();
    EXPECT_EQ(w.str(), std::string("{\"x\":") + c.text + "}");
    EXPECT_TRUE(Value::parse(w.str()));
  }
}

TEST(JsonWriter, AppendsToTheStringGiven) {
  std::string out = "data: ";
  JsonWriter w(out);
  w.begin_array().end_array();
  EXPECT_EQ(out, "data: []");
}

TEST(JsonWriter, ChecksTheOrderOfCalls) {
  EXPECT_DEATH({ JsonWriter().begin_object().value(1); }, "needs a key");
  EXPECT_DEATH({ JsonWriter().begin_object().end_array(); }, "does not close");
  EXPECT_DEATH({ JsonWriter().begin_array().key("a"); }, "out of place");
  EXPECT_DEATH({ JsonWriter().value(1).value(2); }, "one value");
}

TEST(Value, ReadsAndWritesTrees) {
  const std::string text = R"({"a":[1,-2.5,true,null,"x"],"b":{"c":12345678901234567890},"b2":""})";
  const auto value = Value::parse(text);
  ASSERT_TRUE(value);
  EXPECT_EQ((*value)["a"][0].as_int(), 1);
  EXPECT_EQ((*value)["a"][1].as_double(), -2.5);
  EXPECT_EQ((*value)["a"][1].as_int(), -2);
  EXPECT_TRUE((*value)["a"][2].as_bool());
  EXPECT_TRUE((*value)["a"][3].is_null());
  EXPECT_EQ((*value)["a"][4].as_string(), "x");
  EXPECT_EQ((*value)["b"]["c"].as_double(), 12345678901234567890.0);
  EXPECT_EQ((*value)["b"]["c"].as_int(-1), -1) << "out of range";
  EXPECT_TRUE((*value)["none"]["at"][7].is_null());
  EXPECT_EQ((*value)["a"].size(), 5u);
  EXPECT_EQ(value->find("zz"), nullptr);
  EXPECT_EQ(value->dump(),
            R"({"a":[1,-2.5,true,null,"x"],"b":{"c":12345678901234567168},"b2":""})");
  EXPECT_EQ(Value::parse(R"({"a":1,"a":2})")->find("a")->as_int(), 2);
}

TEST(Value, SaysWhatIsWrongAndWhere) {
  struct Case {
    const char* text;
    const char* message;
  };
  const Case cases[] = {
      {"", "there is no JSON value"},
      {"{\"a\":1", "the text ends too early at byte 6"},
      {"[1,]", "expected a value at byte 3"},
      {"{\"a\" 1}", "expected a colon at byte 5"},
      {"[1] x", "something follows the value at byte 4"},
      {"[\"\xFF\"]", "the text is not valid UTF-8"},
      {"[tru]", "a value is not JSON at byte 1"},
      {"[1e999]", "a number is out of range at byte 6"},
  };
  for (const Case& c : cases) {
    const auto value = Value::parse(c.text);
    ASSERT_FALSE(value) << c.text;
    EXPECT_EQ(value.error().message, c.message) << c.text;
    EXPECT_EQ(value.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace vsr::json
