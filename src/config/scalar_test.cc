#include "config/scalar.h"

#include <gtest/gtest.h>

namespace vsr::config {
namespace {

TEST(Scalar, Numbers) {
  EXPECT_EQ(parse_number("0"), 0);
  EXPECT_EQ(parse_number(".5"), 0.5);
  EXPECT_EQ(parse_number("-1.25e2"), -125);
  EXPECT_EQ(parse_number(" +3 "), 3);
  for (const char* bad : {"", "inf", "nan", "0x10", "1,5", "1 2", "1e999", "--1", "+-1", "five"}) {
    EXPECT_EQ(parse_number(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_integer("-7"), -7);
  EXPECT_EQ(parse_integer("1e3"), 1000);
  EXPECT_EQ(parse_integer("1.5"), std::nullopt);
  EXPECT_EQ(parse_integer("1e19"), std::nullopt);
}

TEST(Scalar, TruthValues) {
  for (const char* yes : {"true", "True", "yes", "ON"}) EXPECT_EQ(parse_bool(yes), true) << yes;
  for (const char* no : {"false", "FALSE", "no", "off"}) EXPECT_EQ(parse_bool(no), false) << no;
  for (const char* bad : {"", "1", "y", "truth"}) EXPECT_EQ(parse_bool(bad), std::nullopt) << bad;
}

TEST(Scalar, Durations) {
  const std::pair<const char*, uint64_t> kGood[] = {
      {"1200s", 1'200'000}, {"5m", 300'000}, {"100ms", 100},     {"1h30m", 5'400'000},
      {"2d", 172'800'000},  {"1.5s", 1'500}, {"30", 30'000},     {"0", 0},
      {"0.5", 500},         {"1500us", 2},   {"1m0.5s", 60'500},
  };
  for (const auto& [text, ms] : kGood) EXPECT_EQ(parse_duration_ms(text), ms) << text;
  for (const char* bad : {"", "s", "5 m s", "-5s", "5x", "1h30", "ms5", "1e400s", "9e30d"}) {
    EXPECT_EQ(parse_duration_ms(bad), std::nullopt) << bad;
  }
}

TEST(Scalar, Sizes) {
  EXPECT_EQ(parse_tokens("8K"), 8'000U);
  EXPECT_EQ(parse_tokens("1M"), 1'000'000U);
  EXPECT_EQ(parse_tokens("1.5k"), 1'500U);
  EXPECT_EQ(parse_tokens("262144"), 262'144U);
  EXPECT_EQ(parse_tokens("8KiB"), std::nullopt);
  EXPECT_EQ(parse_tokens("-1"), std::nullopt);
  EXPECT_EQ(parse_bytes("64MiB"), 64U << 20);
  EXPECT_EQ(parse_bytes("64 MB"), 64'000'000U);
  EXPECT_EQ(parse_bytes("1Ki"), 1'024U);
  EXPECT_EQ(parse_bytes("12 parsecs"), std::nullopt);
  EXPECT_EQ(parse_bytes("99999999999G"), std::nullopt);
}

std::optional<std::string> environment(std::string_view name) {
  if (name == "HOST") return "vllm";
  if (name == "PORT_1") return "8000";
  if (name == "EMPTY") return "";
  if (name == "NESTED") return "${HOST}";
  return std::nullopt;
}

TEST(Scalar, Substitution) {
  struct Case {
    const char* text;
    const char* result;
    const char* unset;
  };
  const Case kCases[] = {
      {"plain $ text", "plain $ text", ""},
      {"${HOST}:${PORT_1}", "vllm:8000", ""},
      {"${NOBODY}", "", "NOBODY"},
      {"${NOBODY:-8090}", "8090", ""},
      {"${NOBODY:-}", "", ""},
      {"${HOST:-other}", "vllm", ""},
      {"${EMPTY}", "", ""},
      {"${EMPTY:-full}", "full", ""},
      {"${NESTED}", "${HOST}", ""},
      {"$${HOST}", "${HOST}", ""},
      {"${jndi:ldap://x}", "${jndi:ldap://x}", ""},
      {"${HOST", "${HOST", ""},
      {"${}", "${}", ""},
      {"${1HOST}", "${1HOST}", ""},
      {"${A}${B}", "", "A"},
      {"${HOST-}", "${HOST-}", ""},
      {"a${HOST:-}b}", "avllmb}", ""},
  };
  for (const Case& one : kCases) {
    const Substitution result = substitute(one.text, environment);
    EXPECT_EQ(result.text, one.result) << one.text;
    EXPECT_EQ(result.unset, one.unset) << one.text;
  }
}

}  // namespace
}  // namespace vsr::config
