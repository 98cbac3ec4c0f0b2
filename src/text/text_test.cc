#include <gtest/gtest.h>

#include <string>

#include "text/hash.h"
#include "text/script.h"
#include "text/tokens.h"
#include "text/utf8.h"

namespace vsr::text {
namespace {

TEST(Utf8, RoundTripsEveryCodePoint) {
  std::string bytes;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    bytes.clear();
    append_utf8(c, bytes);
    size_t at = 0;
    ASSERT_EQ(next_code_point(bytes, at), c);
    ASSERT_EQ(at, bytes.size());
  }
}

TEST(Utf8, BadBytesReadAsReplacementOneByOne) {
  const std::string_view cases[] = {"\xC0\x80", "\xE0\x80\x80", "\xF4\x90\x80\x80", "\xED\xA0\x80",
                                    "\x80",     "\xE4\xB8",     "\xF0\x9F\x98",     "\xFF"};
  for (const std::string_view bytes : cases) {
    size_t at = 0;
    EXPECT_EQ(next_code_point(bytes, at), kReplacement);
    EXPECT_EQ(at, 1u);
  }
}

TEST(Utf8, FloorNeverCutsACharacter) {
  const std::string text = "a中😀";
  const size_t want[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, 8};
  for (size_t i = 0; i < std::size(want); ++i) EXPECT_EQ(floor_code_point(text, i), want[i]) << i;
}

TEST(Script, OneOfEach) {
  const struct {
    char32_t code_point;
    Script script;
  } cases[] = {{U'a', Script::kLatin},      {U'Z', Script::kLatin},   {U'1', Script::kCommon},
               {U'é', Script::kLatin},      {U'×', Script::kCommon},  {U'λ', Script::kGreek},
               {U'ж', Script::kCyrillic},   {U'ש', Script::kHebrew},  {U'ع', Script::kArabic},
               {U'ह', Script::kDevanagari}, {U'ไ', Script::kThai},    {U'中', Script::kHan},
               {U'𠮷', Script::kHan},       {U'の', Script::kKana},   {U'ー', Script::kKana},
               {U'한', Script::kHangul},    {U'😀', Script::kCommon}, {U'。', Script::kCommon}};
  for (const auto& c : cases)
    EXPECT_EQ(script_of(c.code_point), c.script) << (uint32_t)c.code_point;
}

TEST(Hash, StableAcrossBuilds) {
  EXPECT_EQ(hash64(""), 0x2D06800538D394C2ull);
  EXPECT_NE(hash64("a"), hash64("b"));
  EXPECT_NE(hash64("a", 1), hash64("a", 2));
}

// Counts of a 100,000-entry byte-pair vocabulary are about 12, 22 and 9 for these.
TEST(Tokens, RightOrderOfMagnitude) {
  EXPECT_EQ(estimate_tokens(""), 0u);
  EXPECT_NEAR(estimate_tokens("The quick brown fox jumps over the lazy dog near the river."), 13,
              4);
  EXPECT_NEAR(estimate_tokens("for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; }"), 24, 7);
  EXPECT_NEAR(estimate_tokens("今天天气很好，我们去公园吧。"), 11, 4);
}

TEST(Tokens, AddsUpOverParts) {
  const std::string part = "Tokens of parts add up. 中文也是。";
  std::string whole;
  for (int i = 0; i < 100; ++i) whole += part;
  EXPECT_NEAR(estimate_tokens(whole), 100.0 * estimate_tokens(part), 100);
}

}  // namespace
}  // namespace vsr::text
