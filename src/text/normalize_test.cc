#include "text/normalize.h"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include <cstdlib>

#include "text/utf8.h"

namespace vsr::text {
namespace {

TEST(Normalize, Table) {
  const struct {
    const char* in;
    const char* out;
  } cases[] = {
      {"", ""},
      {"Hello, World!", "hello, world!"},
      {"ＡＢＣ１２３，", "abc123,"},
      {"Ünïcödé", "ünïcödé"},
      {"e\u0301tude", "étude"},    // a mark composes with the ASCII letter before it
      {"かa\u3099", "かa\u3099"},  // nothing to compose with
      {"か\u3099", "が"},          // composes with a character that is otherwise copied
      {"Straße", "strasse"},
      {"ﬁne", "fine"},
      {"ig\u200Bnore", "ignore"},  // zero width space
      {"a\u202Eb", "ab"},          // bidirectional control
      {"中文，测试。", "中文,测试。"},
      {"Ⅷ", "viii"},
      {"\xC3", "\uFFFD"},
      {"a\xFF\xFEz", "a\uFFFD\uFFFDz"},
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},                          // a surrogate
      {"q\u0323\u0307 q\u0307\u0323", "q\u0323\u0307 q\u0323\u0307"},  // canonical order
  };
  for (const auto& c : cases) EXPECT_EQ(normalized(c.in), c.out) << c.in;
}

// The library's own whole-string function is the reference; ours takes short cuts.
TEST(Normalize, EqualsReferenceForEveryCodePointInContext) {
  std::string text;
  for (char32_t c = 1; c <= 0x2FFFF; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    text = "Ax";
    append_utf8(c, text);
    text += "か";
    append_utf8(c, text);
    text += "一Z";
    auto* bytes = utf8proc_NFKC_Casefold(reinterpret_cast<const utf8proc_uint8_t*>(text.c_str()));
    ASSERT_NE(bytes, nullptr);
    const std::string want(reinterpret_cast<const char*>(bytes));
    std::free(bytes);
    ASSERT_EQ(normalized(text), want) << "U+" << std::hex << static_cast<uint32_t>(c);
  }
}

TEST(Normalize, LongRunOfMarksIsBounded) {
  std::string text = "a";
  for (int i = 0; i < 5000; ++i) append_utf8(0x0301, text);
  EXPECT_LE(normalized(text).size(), text.size());
}

}  // namespace
}  // namespace vsr::text
