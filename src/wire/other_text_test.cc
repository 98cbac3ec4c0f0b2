#include "wire/other_text.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vsr::wire {
namespace {

std::string text(std::vector<OtherField> fields) {
  json::Reader reader;
  json::Arena arena;
  return std::string(text_of(reader, arena, fields));
}

TEST(OtherText, GivesEveryStringBehindItsKey) {
  struct Case {
    const char* name;
    OtherField field;
    std::string_view text;
  };
  // "a text that was attached"
  const std::string_view encoded = "YSB0ZXh0IHRoYXQgd2FzIGF0dGFjaGVk";
  const Case cases[] = {
      {"a string", {"user", R"("ann")"}, "user: ann\n"},
      {"an escape", {"user", R"("a\u0040b.org")"}, "user: a@b.org\n"},
      {"without a key", {"", R"("ann")"}, "ann\n"},
      {"a list", {"stop", R"(["a", "b"])"}, "stop: a\nstop: b\n"},
      {"an object", {"m", R"({"a":"b","c":{"d":["e"]}})"}, "a: b\nc\nd\nd: e\n"},
      {"numbers and literals", {"m", R"({"a":1,"b":true,"c":null})"}, "a\nb\nc\n"},
      {"base64 of a text",
       {"d", R"("YSB0ZXh0IHRoYXQgd2FzIGF0dGFjaGVk")"},
       "d: a text that was attached\nd: YSB0ZXh0IHRoYXQgd2FzIGF0dGFjaGVk\n"},
      {"a data URL of a text",
       {"d", R"("data:text/plain;base64,YSB0ZXh0IHRoYXQgd2FzIGF0dGFjaGVk")"},
       "d: a text that was attached\n"},
      {"a data URL of bytes", {"d", R"("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA")"}, ""},
      {"a data URL of UTF-16, little endian",
       {"d", R"("data:text/plain;base64,//5hACAAqwA92ADe")"},
       "d: a \u00ab\U0001F600\n"},
      {"a data URL of UTF-16, big endian",
       {"d", R"("data:text/plain;base64,/v8AYQAgAKvYPd4A")"},
       "d: a \u00ab\U0001F600\n"},
      {"a data URL as it stands",
       {"d", R"("data:text/plain,hello")"},
       "d: data:text/plain,hello\n"},
      {"no JSON", {"t", R"({"a":"b)"}, "t: {\"a\":\"b\n"},
      {"a bad escape", {"t", R"({"a":"\x"})"}, "t: {\"a\":\"\\x\"}\n"},
      {"a plain text", {"text", "4111 1111 1111 1111"}, "text: 4111 1111 1111 1111\n"},
      {"a text that looks like a number", {"text", "4111111111111111"}, "text: 4111111111111111\n"},
  };
  for (const Case& c : cases) EXPECT_EQ(text({c.field}), c.text) << c.name;
  EXPECT_EQ(text({{"a", R"("b")"}, {"c", R"("d")"}}), "a: b\nc: d\n");
  EXPECT_EQ(text({}), "");
  const std::string wrapped =
      "\"" + std::string(encoded.substr(0, 16)) + "\\n" + std::string(encoded.substr(16)) + "\"";
  EXPECT_TRUE(text({{"d", wrapped}}).starts_with("d: a text that was attached\n"));
}

TEST(OtherText, LongBase64OfBytesIsLeftOut) {
  std::string bytes(2000, 'A');
  EXPECT_EQ(text({{"data", "\"" + bytes + "\""}}), "");
  bytes.resize(200);
  EXPECT_EQ(text({{"data", "\"" + bytes + "\""}}), "data: " + bytes + "\n");
}

}  // namespace
}  // namespace vsr::wire
