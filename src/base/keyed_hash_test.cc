#include "base/keyed_hash.h"

#include <gtest/gtest.h>

namespace vsr {
namespace {

// The reference vector of SipHash-2-4 for the key 00 01 … 0f and the message 00 01 … 07.
TEST(KeyedHash, IsSipHash) {
  const KeyedHash hash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
  EXPECT_EQ(hash(0x0706050403020100), 0x93f5f5799a932462);
}

TEST(KeyedHash, KeepsEqualityUnderOneKeyOnly) {
  const KeyedHash one = KeyedHash::random();
  const KeyedHash other = KeyedHash::random();
  EXPECT_EQ(one(7), one(7));
  EXPECT_NE(one(7), one(8));
  EXPECT_NE(one(7), other(7));
  EXPECT_EQ(one(0), 0);
  EXPECT_EQ(one.epoch(), one.epoch());
  EXPECT_NE(one.epoch(), other.epoch());
}

}  // namespace
}  // namespace vsr
