#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "base/sha256.h"
#include "base/strings.h"

namespace vsr {
namespace {

TEST(Sha256, OfTheStandardsExamples) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Clock, FormatsAndParsesTheSameInstant) {
  struct Case {
    const char* text;
    UnixMillis time;
  };
  const Case cases[] = {
      {"1970-01-01T00:00:00.000Z", 0},
      {"2026-05-30T08:15:00.123Z", 1780128900123},
      {"2000-02-29T23:59:59.999Z", 951868799999},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(format_rfc3339(c.time), c.text);
    EXPECT_EQ(parse_time(c.text), c.time) << c.text;
  }
}

TEST(Clock, ParsesOffsetsDatesAndSeconds) {
  EXPECT_EQ(parse_time("2026-05-30T10:15:00+02:00"), parse_time("2026-05-30T08:15:00Z"));
  EXPECT_EQ(parse_time("2026-05-30"), parse_time("2026-05-30T00:00:00Z"));
  EXPECT_EQ(parse_time("1780128900"), 1780128900000);
}

TEST(Clock, RefusesWhatIsNotATime) {
  for (const char* text :
       {"", "yesterday", "2026-02-30", "2026-05-30T", "2026-05-30T25:00:00Z", "2026-05-30T08:15:00",
        "2026-05-30T08:15:00.Z", "-5", "2026-05-30T08:15:00+2:00", "2026-05-30T08:15:00Zx"}) {
    EXPECT_EQ(parse_time(text), -1) << text;
  }
}

TEST(Id, RoundTripsThroughHexAndDiffers) {
  const Id128 a = random_id();
  const Id128 b = random_id();
  EXPECT_NE(a, b);
  Id128 parsed;
  ASSERT_TRUE(parse_id(a.hex(), parsed));
  EXPECT_EQ(parsed, a);
  EXPECT_FALSE(parse_id("12", parsed));
  EXPECT_FALSE(parse_id(std::string(32, 'g'), parsed));
  EXPECT_EQ(to_hex(0x0123456789abcdefULL), "0123456789abcdef");
}

TEST(Strings, EditDistanceAndNearest) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("ab", "ba"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  const std::vector<std::string_view> known = {"listeners", "providers", "routing"};
  EXPECT_EQ(nearest("listners", known), "listeners");
  EXPECT_EQ(nearest("provider", known), "providers");
  EXPECT_EQ(nearest("zzz", known), "");
}

TEST(Strings, SplitTrimCompare) {
  EXPECT_EQ(split("a,,b", ','), (std::vector<std::string_view>{"a", "", "b"}));
  EXPECT_EQ(trim(" \t x y \n"), "x y");
  EXPECT_TRUE(iequals("Content-Length", "content-length"));
  EXPECT_FALSE(iequals("a", "ab"));
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  uint64_t number = 0;
  EXPECT_TRUE(parse_number("18446744073709551615", number));
  EXPECT_EQ(number, UINT64_MAX);
  for (const std::string_view bad : {"", "-1", "+1", " 1", "1 ", "1x", "18446744073709551616"}) {
    EXPECT_FALSE(parse_number(bad, number)) << bad;
  }
  EXPECT_EQ(to_lower("ÄBc"), "Äbc");
}

TEST(Result, CarriesWhoseFaultItWas) {
  const Status status = fail(ErrorCode::kTimeout, "slow", ErrorSource::kUpstream, Retry::kIfReused);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(to_string(status.error().code), "timeout");
  EXPECT_EQ(to_string(status.error().source), "upstream");
  EXPECT_EQ(status.error().retry, Retry::kIfReused);
}

}  // namespace
}  // namespace vsr
