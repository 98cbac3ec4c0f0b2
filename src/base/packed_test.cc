#include "base/packed.h"

#include <gtest/gtest.h>

#include <limits>

namespace vsr {
namespace {

TEST(Packed, EverythingComesBack) {
  const uint64_t numbers[] = {0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX};
  PackedWriter out;
  out.text("taken back");
  out.clear();
  for (const uint64_t number : numbers) out.number(number);
  out.byte(255);
  out.hash(0x0123456789abcdef);
  out.real(-0.1);
  out.text("text");
  out.time(1'700'000'000'000);
  out.raw("raw");
  PackedReader in(out.bytes());
  for (const uint64_t number : numbers) EXPECT_EQ(in.number(), number);
  EXPECT_EQ(in.byte(), 255);
  EXPECT_EQ(in.hash(), 0x0123456789abcdef);
  EXPECT_EQ(in.real(), -0.1);
  EXPECT_EQ(in.text(), "text");
  EXPECT_EQ(in.time(), 1'700'000'000'000);
  for (const char c : {'r', 'a', 'w'}) EXPECT_EQ(in.byte(), c);
  EXPECT_TRUE(in.at_end());
}

TEST(Packed, WhatIsNotThereIsZero) {
  PackedWriter out;
  out.number(1'000);
  const auto reads = [&](auto&& read) {
    PackedReader in(out.bytes());
    read(in);
    EXPECT_TRUE(in.failed());
    EXPECT_FALSE(in.at_end());
    EXPECT_EQ(in.byte(), 0);
    EXPECT_EQ(in.count(1), 0);
  };
  reads([](PackedReader& in) { EXPECT_EQ(in.hash(), 0); });
  reads([](PackedReader& in) { EXPECT_EQ(in.text(), ""); });
  reads([](PackedReader& in) { EXPECT_EQ(in.count(2), 0); });
  // More than ten bytes that all say that another follows.
  const std::string endless(11, '\xff');
  PackedReader in(endless);
  in.number();
  EXPECT_TRUE(in.failed());
}

}  // namespace
}  // namespace vsr
