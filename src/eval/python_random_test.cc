#include "eval/python_random.h"

#include <gtest/gtest.h>

namespace vsr::eval {
namespace {

TEST(PythonRandom, DrawsWhatCPythonDraws) {
  PythonRandom words(20'260'530);
  for (const uint32_t word : {879'404'161U, 2'609'816'302U, 2'914'510'522U, 1'113'927'145U}) {
    EXPECT_EQ(words.next32(), word);
  }
  EXPECT_EQ(PythonRandom(20'260'530).unit(), 0.20475224113200008);
  PythonRandom calls(20'260'530);
  EXPECT_EQ(calls.randint(512, 2048), 931);
  EXPECT_EQ(calls.below(3), 2U);
  EXPECT_EQ(calls.uniform(-.09, .09), 0.03214572419735898);
}

TEST(PythonRandom, SeedsOfTwoWords) {
  // random.Random(2**32 + 1).getrandbits(32), and the thousandth draw after it.
  PythonRandom random((uint64_t{1} << 32) + 1);
  EXPECT_EQ(random.next32(), 991850117U);
  for (int i = 1; i < 1000; ++i) random.next32();
  EXPECT_EQ(random.next32(), 3648713277U);
}

}  // namespace
}  // namespace vsr::eval
