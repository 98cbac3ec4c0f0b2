#include "gateway/private_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace vsr::gateway {
namespace {

constexpr size_t kAll = 1 << 20;

std::string stored(std::string_view text, const PrivateValues& values, size_t bytes_max = kAll) {
  return store::stored_text(private_text(text, values, bytes_max), true).value_or("");
}

TEST(PrivateText, ReplacesEveryPlaceOfAValue) {
  struct Case {
    const char* name;
    std::string_view text;
    PrivateValues values;
    std::string_view stored;
  };
  const Case cases[] = {
      {"once", "call 555-0134 now", {{"PHONE", "555-0134"}}, "call [PHONE] now"},
      {"where it was not detected", "a@b.org,xa@b.org", {{"EMAIL", "a@b.org"}}, "[EMAIL],x[EMAIL]"},
      {"one after the other", "a@b.orga@b.org", {{"EMAIL", "a@b.org"}}, "[EMAIL][EMAIL]"},
      {"the longer of two",
       "4111 1111 1111 1111",
       {{"A", "4111"}, {"CARD", "4111 1111 1111 1111"}},
       "[CARD]"},
      {"the shorter where the longer ends in another way",
       "ab ac abc",
       {{"S", "ab"}, {"L", "abc"}},
       "[S] ac [L]"},
      {"a shorter one behind others of its beginning",
       "abz",
       {{"S", "ab"}, {"L", "abc"}, {"M", "abd"}},
       "[S]z"},
      {"two that overlap", "xabcdey", {{"A", "abc"}, {"B", "cde"}}, "x[A]y"},
      {"the same value found twice", "1234 1234", {{"A", "1234"}, {"A", "1234"}}, "[A] [A]"},
      {"no values", "anything", {}, "[REDACTED]"},
  };
  for (const Case& c : cases) EXPECT_EQ(stored(c.text, c.values), c.stored) << c.name;
}

TEST(PrivateText, LeavesNoPartOfAValueAtTheCut) {
  EXPECT_EQ(stored("key sk_live_123456 end", {{"API_KEY", "sk_live_123456"}}, 8), "key [API_KEY]");
  EXPECT_EQ(stored("na\xC3\xAFve sk_live_123456", {{"API_KEY", "sk_live_123456"}}, 3), "na");
}

// The comparisons for each byte of a text depend on the logarithm of the number of values.
TEST(PrivateText, ComparesLittleForManyValuesInALongText) {
  PrivateValues values;
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    values.emplace_back("CARD", fmt::format("4539 1488 0343 {:04}", i));
    values.emplace_back("CARD", values.back().second);
  }
  while (text.size() < 100'000) text += "My card is 4539 1488 0343 0007. ";
  ValueIndex index(values);
  size_t found = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    found += index.longest_at(std::string_view(text).substr(at)) >= 0 ? 1 : 0;
  }
  EXPECT_EQ(found, text.size() / 32);
  EXPECT_LT(index.comparisons(), text.size() * 12);
}

}  // namespace
}  // namespace vsr::gateway
