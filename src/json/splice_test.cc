#include "json/splice.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "json/value.h"

namespace vsr::json {
namespace {

struct Parsed {
  explicit Parsed(std::string text_in) : text(std::move(text_in)) {
    reader.open(text);
    object.offset = reader.offset();
    fields = read_fields(reader, arena);
    EXPECT_TRUE(reader.at_end()) << reader.error() << " in " << text;
    object.length = static_cast<uint32_t>(text.find_last_of('}')) + 1 - object.offset;
  }
  std::string text;
  Reader reader;
  Arena arena;
  Span object;
  std::span<const Field> fields;
};

TEST(Splicer, KeepsEditsInOrderAndDropsEmptyPieces) {
  const std::string text = "0123456789";
  Splicer splicer(text);
  splicer.replace({8, 2}, "E");
  splicer.insert(0, "A");
  splicer.erase({2, 3});
  splicer.insert(5, "x");
  splicer.insert(5, "y");
  EXPECT_EQ(splicer.joined(), "A01xy567E");
  EXPECT_EQ(splicer.size(), 9u);
  for (const auto piece : splicer.pieces()) EXPECT_FALSE(piece.empty());
  EXPECT_EQ(splicer.pieces()[1].data(), text.data()) << "untouched bytes are not copied";
  EXPECT_DEATH(splicer.replace({3, 1}, "z"), "overlap");
  EXPECT_DEATH(splicer.replace({9, 2}, "z"), "edit ends");
}

TEST(ObjectEditor, ChangesFieldsWithTheCommasRight) {
  struct Case {
    const char* name;
    const char* text;
    std::vector<std::pair<const char*, const char*>> changes;  // empty value: remove
    const char* expected;
  };
  const Case cases[] = {
      {"replace", R"({ "a" : 1 , "b":2})", {{"a", "9"}}, R"({ "a" : 9 , "b":2})"},
      {"replace an escaped key", R"({"\u0061":1})", {{"a", "9"}}, R"({"\u0061":9})"},
      {"replace a repeated key", R"({"a":1,"a":2})", {{"a", "9"}}, R"({"a":9,"a":9})"},
      {"add to empty", "{}", {{"k", "true"}}, R"({"k":true})"},
      {"add to blank", "{ \n }", {{"k", "true"}}, "{\"k\":true \n }"},
      {"add at the end", "{\"a\":1 }", {{"k", "2"}, {"l\"", "3"}}, R"({"a":1,"k":2,"l\"":3 })"},
      {"remove the only one", "{ \"a\":1 }", {{"a", ""}}, "{  }"},
      {"remove the first", R"({"a":1 , "b":2})", {{"a", ""}}, R"({"b":2})"},
      {"remove the middle", R"({"a":1 , "b":2, "c":3})", {{"b", ""}}, R"({"a":1, "c":3})"},
      {"remove the last", R"({"a":1 , "b":2 })", {{"b", ""}}, R"({"a":1 })"},
      {"remove two first", R"({"a":1,"b":2,"c":3})", {{"a", ""}, {"b", ""}}, R"({"c":3})"},
      {"remove two last", R"({"a":1,"b":2,"c":3})", {{"b", ""}, {"c", ""}}, R"({"a":1})"},
      {"remove all", R"({"a":1,"b":2})", {{"a", ""}, {"b", ""}}, "{}"},
      {"remove all, add one", R"({"a":1,"b":2})", {{"a", ""}, {"b", ""}, {"k", "3"}}, R"({"k":3})"},
      {"remove the last, add one", R"({"a":1,"b":2})", {{"b", ""}, {"k", "3"}}, R"({"a":1,"k":3})"},
      {"remove what is not there", R"({"a":1})", {{"x", ""}}, R"({"a":1})"},
      {"the last change counts", R"({"a":1})", {{"a", ""}, {"a", "2"}}, R"({"a":2})"},
  };
  for (const Case& c : cases) {
    Parsed parsed(c.text);
    ObjectEditor editor(parsed.object, parsed.fields);
    for (const auto& [key, value] : c.changes) {
      if (*value == 0) {
        editor.remove(key);
      } else {
        editor.set(key, value);
      }
    }
    Splicer splicer(parsed.text);
    editor.apply(splicer);
    EXPECT_EQ(splicer.joined(), c.expected) << c.name;
    EXPECT_EQ(splicer.size(), splicer.joined().size()) << c.name;
  }
}

TEST(Erasures, WorkOnArraysToo) {
  const std::string text = "[ 1 , 2 , 3 ]";
  const std::vector<Span> members = {{2, 1}, {6, 1}, {10, 1}};
  struct Case {
    std::vector<bool> goes;
    const char* expected;
  };
  const Case cases[] = {{{false, false, false}, "[ 1 , 2 , 3 ]"},
                        {{true, false, false}, "[ 2 , 3 ]"},
                        {{false, true, false}, "[ 1 , 3 ]"},
                        {{false, false, true}, "[ 1 , 2 ]"},
                        {{true, true, false}, "[ 3 ]"},
                        {{true, false, true}, "[ 2 ]"},
                        {{true, true, true}, "[  ]"}};
  for (const Case& c : cases) {
    Splicer splicer(text);
    for (const Span span : erasures(1, members, c.goes)) splicer.erase(span);
    EXPECT_EQ(splicer.joined(), c.expected);
  }
}

// Random JSON with odd spacing, escapes, big numbers and repeated keys.
class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}
  uint32_t pick(uint32_t below) { return random_() % below; }
  std::string space() {
    static const char* const kSpaces[] = {"", "", "", " ", "\n", "\t ", "  \r\n"};
    return kSpaces[pick(std::size(kSpaces))];
  }
  std::string key() {
    static const char* const kKeys[] = {"a",      "b", "model", "m\\u006fdel",
                                        "x\\\"y", "",  "\\n",   "中"};
    return '"' + std::string(kKeys[pick(std::size(kKeys))]) + '"';
  }
  std::string scalar() {
    static const char* const kScalars[] = {"0",
                                           "-1.25e-7",
                                           "123456789012345678901234567890",
                                           "true",
                                           "false",
                                           "null",
                                           R"("a, b] }")",
                                           R"("\\\"")",
                                           R"("\ud83d\ude00 é")",
                                           "\"\""};
    return kScalars[pick(std::size(kScalars))];
  }
  std::string value(int depth) {
    const uint32_t what = depth == 0 ? 0 : pick(4);
    if (what < 2) return scalar();
    if (what == 2) return object(depth - 1);
    std::string out = "[" + space();
    for (uint32_t i = pick(4); i > 0; --i) {
      out += value(depth - 1) + space() + (i > 1 ? "," + space() : "");
    }
    return out + "]";
  }
  std::string object(int depth) {
    std::string out = "{" + space();
    for (uint32_t i = pick(6); i > 0; --i) {
      out +=
          key() + space() + ":" + space() + value(depth) + space() + (i > 1 ? "," + space() : "");
    }
    return out + "}";
  }

 private:
  std::mt19937 random_;
};

TEST(ObjectEditor, RandomEditsGiveTheExpectedObjectAndLeaveOtherValuesAlone) {
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    Generator random(seed);
    Parsed parsed(random.space() + random.object(3) + random.space());
    const Value before = Value::parse(parsed.text).value();

    ObjectEditor editor(parsed.object, parsed.fields);
    Value::Object expected = before.fields();
    for (uint32_t n = random.pick(4); n > 0; --n) {
      static const char* const kKeys[] = {"a", "b", "model", "x\"y", "new", "", "\n"};
      const std::string key = kKeys[random.pick(std::size(kKeys))];
      bool present = false;
      if (random.pick(2) == 0) {
        editor.remove(key);
        std::erase_if(expected, [&](const auto& field) { return field.first == key; });
        // A key that is set after it was removed goes to its old place, not to the end.
        if (before.find(key) != nullptr) break;
        continue;
      }
      const std::string json = random.value(1);
      editor.set(key, json);
      for (auto& [name, value] : expected) {
        if (name != key) continue;
        value = Value::parse(json).value();
        present = true;
      }
      if (!present) {
        expected.emplace_back(key, Value::parse(json).value());
        break;
      }
    }
    Splicer splicer(parsed.text);
    editor.apply(splicer);
    const std::string after = splicer.joined();
    const auto reparsed = Value::parse(after);
    ASSERT_TRUE(reparsed) << seed << ": " << parsed.text << " -> " << after;
    EXPECT_EQ(*reparsed, Value(expected)) << seed << ": " << parsed.text << " -> " << after;
    EXPECT_EQ(splicer.size(), after.size());
    // Pieces that point into the text are its bytes, in order.
    const char* at = parsed.text.data();
    for (const auto piece : splicer.pieces()) {
      if (piece.data() < parsed.text.data() ||
          piece.data() >= parsed.text.data() + parsed.text.size()) {
        continue;
      }
      EXPECT_GE(piece.data(), at);
      at = piece.data() + piece.size();
    }
  }
}

}  // namespace
}  // namespace vsr::json
