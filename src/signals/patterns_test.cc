// The search by atoms gives what running every expression would give; literals stand as words.
#include "signals/patterns.h"

#include <gtest/gtest.h>
#include <re2/re2.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "signals/literal_index.h"

namespace vsr::signals {
namespace {

TEST(LiteralIndex, FindsEveryOccurrenceOfEveryLength) {
  const std::vector<std::string> literals = {"a", "ab", "abc", "abcd", "bcdab", "", "d", "abcd"};
  LiteralIndex index;
  for (const std::string& literal : literals) index.add(literal);
  index.build();
  std::mt19937 random(3);
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (size_t i = random() % 40; i > 0; --i) text += static_cast<char>('a' + random() % 4);
    std::vector<std::pair<uint32_t, size_t>> found;
    index.find(text, [&](uint32_t id, size_t at) { found.emplace_back(id, at); });
    std::vector<std::pair<uint32_t, size_t>> expected;
    for (uint32_t id = 0; id < literals.size(); ++id) {
      if (literals[id].empty()) continue;
      for (size_t at = text.find(literals[id]); at != std::string::npos;
           at = text.find(literals[id], at + 1)) {
        expected.emplace_back(id, at);
      }
    }
    std::ranges::sort(found);
    std::ranges::sort(expected);
    ASSERT_EQ(found, expected) << text;
  }
}

TEST(Patterns, LiteralsStandAsWords) {
  struct Case {
    const char* literal;
    bool case_sensitive;
    const char* text;
    size_t count;
  };
  const Case cases[] = {
      {"cat", false, "Cat, cat! CAT", 3},
      {"cat", false, "concatenate cats", 0},
      {"caf", false, "café", 0},
      {"über", false, "Über uns, darüber", 1},
      {"python", false, "用Python写", 1},
      {"python", false, "用ＰＹＴＨＯＮ写", 1},
      {"紧急", false, "这件事很紧急吗", 1},
      {"紧急", false, "紧急紧急", 2},
      {"c++", false, "C++ and c++11", 2},
      {".net", false, "use .NET now", 1},
      {"right now", false, "do it right now", 1},
      {"API", true, "API api", 1},
      {"API", true, "APIs", 0},
      {"ai", false, "AI said ai", 2},
      {"x", false, "x y x", 2},
      {"straße", false, "STRASSE", 1},
      {"дом", false, "Дом и домик", 1},
  };
  for (const Case& c : cases) {
    PatternSet set;
    const auto id = set.add_literal(c.literal, c.case_sensitive);
    set.build();
    TextPatterns patterns;
    patterns.reset(set, c.text);
    EXPECT_EQ(patterns.count(id), c.count) << c.literal << " in " << c.text;
    EXPECT_EQ(patterns.matches(id), c.count > 0) << c.literal << " in " << c.text;
  }
}

TEST(Patterns, ExpressionsCountAndIgnoreCaseAsAsked) {
  struct Case {
    const char* regex;
    bool case_sensitive;
    const char* text;
    size_t count;
  };
  const Case cases[] = {
      {"\\d+", false, "1 22 333", 3},
      {"[\\p{L}\\p{N}]+", false, "two words 中文", 3},
      {"a*", false, "baab", 1},  // empty matches count for nothing
      {"api", true, "API api", 1},
      {"kelvin|long s", false,
       "\xE2\x84\xAA"
       "elvin",
       1},
      {"ſtop", false, "stop", 1},
      {"", false, "abc", 0},
      {"^x", false, "x\nx", 1},
  };
  for (const Case& c : cases) {
    PatternSet set;
    const auto id = set.add_regex(c.regex, c.case_sensitive, true);
    set.build();
    TextPatterns patterns;
    patterns.reset(set, c.text);
    EXPECT_EQ(patterns.count(id), c.count) << c.regex << " in " << c.text;
  }
  PatternSet set;
  const auto wide = set.add_regex("ignore (?:all|any)", false, false);
  set.build();
  TextPatterns patterns;
  patterns.reset(set, "ＩＧＮＯＲＥ　ａｌｌ");
  EXPECT_TRUE(patterns.matches(wide));
}

TEST(Patterns, TheFirstMatchIsATextOfItsOwn) {
  struct Case {
    const char* pattern;
    bool case_sensitive;
    const char* text;
    const char* found;
  };
  const Case cases[] = {
      {"\\d+", false, "a 17 and 23", "17"},
      {"shard\\w*", false, "Sharded store", "Sharded"},
      {"shard\\w*", true, "Sharded store", ""},
      {"\\Qc++ (new)\\E", false, "in C++ (new)", "C++ (new)"},
      {"[", false, "no expression [", ""},
      {"x", false, "", ""},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(first_match(one.pattern, one.text, one.case_sensitive), one.found) << one.pattern;
  }
}

TEST(Patterns, BadExpressionsAreRefusedWithTheReason) {
  for (const char* bad : {"a{2,1}", "(?<=x)y", "[z-a]", "*"})
    EXPECT_NE(regex_problem(bad), "") << bad;
  EXPECT_NE(regex_problem("(open"), "");
  EXPECT_EQ(regex_problem("fine"), "");
}

// Counting by table gives what RE2's matches one after another give.
TEST(Patterns, RunsOfClassesCountAsMatchesDo) {
  const std::string_view expressions[] = {"[\\p{L}\\p{N}]+",
                                          "[a-zA-Z0-9]+|\\p{Han}",
                                          "\\w+",
                                          "[^a-c]+|b",
                                          "é|[à-ý]+",
                                          "\\d|\\d+|\\w",
                                          ",",
                                          "[,;，；、]",
                                          "\\PL+",
                                          "[\\w-]+",
                                          "k+",
                                          "\\s+|[[:alpha:]]+"};
  const std::string_view words[] = {"ab",
                                    "É",
                                    "é",
                                    " ",
                                    "，",
                                    "密码",
                                    "12",
                                    "-",
                                    "\xFF",
                                    "\xE2\x84\xAA",
                                    "k",
                                    "c",
                                    ";",
                                    "\n",
                                    "\xEF\xBF\xBD",
                                    "\xF0\xA0\x80\x80",
                                    "ý",
                                    "Ý"};
  std::mt19937 random(5);
  for (const std::string_view expression : expressions) {
    for (const bool case_sensitive : {true, false}) {
      PatternSet set;
      const auto id = set.add_regex(std::string(expression), case_sensitive, true);
      set.build();
      const RE2 regex((case_sensitive ? "((?:" : "((?i:") + std::string(expression) + "))");
      TextPatterns patterns;
      for (int t = 0; t < 200; ++t) {
        std::string text;
        for (size_t i = random() % 12; i > 0; --i) text += words[random() % std::size(words)];
        size_t expected = 0;
        re2::StringPiece rest(text);
        re2::StringPiece match;
        while (RE2::FindAndConsume(&rest, regex, &match)) ++expected;
        patterns.reset(set, text);
        ASSERT_EQ(patterns.count(id), expected) << expression << " in " << text;
      }
    }
  }
}

#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
// Expressions with gaps, over much text that differs: each automaton keeps its small size.
TEST(Patterns, MemoryStaysSmallOverMuchText) {
  constexpr size_t kGrowthMax = 128 << 20;  // one automaton for all would take all it may
  PatternSet set;
  std::vector<PatternId> ids;
  for (int i = 0; i < 40; ++i) {
    const char a = static_cast<char>('a' + i % 26);
    ids.push_back(set.add_regex(
        std::string("\\b") + a + "\\w*\\b.{0,80}\\b" + a + "[a-m]{2}.{0,60}\\d", false, false));
  }
  set.build();
  const auto resident = [] {
    std::ifstream in("/proc/self/statm");
    size_t total = 0, pages = 0;
    in >> total >> pages;
    return pages * static_cast<size_t>(getpagesize());
  };
  const size_t before = resident();
  std::mt19937 random(1);
  TextPatterns patterns;
  size_t found = 0;
  for (int t = 0; t < 200; ++t) {
    std::string text;
    while (text.size() < 1000) {
      for (size_t i = 1 + random() % 7; i > 0; --i) text += static_cast<char>('a' + random() % 26);
      text += random() % 9 == 0 ? " 7 " : " ";
    }
    patterns.reset(set, text);
    for (const PatternId id : ids) found += patterns.matches(id) ? 1 : 0;
  }
  EXPECT_GT(found, 0u);
  EXPECT_LT(resident() - before, kGrowthMax);
}
#endif

// Random expressions over a small alphabet, many alternatives, gaps and classes, in one set.
TEST(Patterns, SameAsRunningEveryExpression) {
  std::mt19937 random(11);
  const auto below = [&](size_t n) { return random() % n; };
  const std::string_view pieces[] = {
      "ab",   "abc", "(?:xyz|xa)", "a|b",  "[bc]", "[|)]",           "\\|", ".{0,4}", "\\b", "c+",
      "密码", "|",   "(?i:K)",     "[^a]", "[]x]", "(?:a(b|c)|cab)", "é",   "\\w*",   "^",   "$"};
  const std::string_view words[] = {"ab",  "abc", "xyz", "x",  "c", " ", "|",  "密码",
                                    "K",   "é",   "É",   "\n", ")", "]", "ａ", "\xE2\x84\xAA",
                                    "cab", "bcb"};
  for (int round = 0; round < 60; ++round) {
    std::vector<std::pair<std::string, bool>> sources;
    PatternSet set;
    std::vector<PatternId> ids;
    while (sources.size() < 12) {
      std::string source;
      for (size_t i = 1 + below(5); i > 0; --i) source += pieces[below(std::size(pieces))];
      const bool case_sensitive = below(2) == 0;
      if (!regex_problem(source).empty()) continue;
      ids.push_back(set.add_regex(source, case_sensitive, false));
      sources.emplace_back(source, case_sensitive);
    }
    set.build();
    TextPatterns patterns;
    for (int t = 0; t < 60; ++t) {
      std::string text;
      for (size_t i = below(10); i > 0; --i) text += words[below(std::size(words))];
      patterns.reset(set, text);
      for (size_t i = 0; i < ids.size(); ++i) {
        const auto& [source, case_sensitive] = sources[i];
        const RE2 regex((case_sensitive ? "(?:" : "(?i:") + source + ")");
        bool expected = RE2::PartialMatch(text, regex);
        if (!case_sensitive) {
          expected |= RE2::PartialMatch(std::string(patterns.normalized()), regex);
        }
        ASSERT_EQ(patterns.matches(ids[i]), expected) << source << " in " << text;
      }
    }
  }
}

}  // namespace
}  // namespace vsr::signals
