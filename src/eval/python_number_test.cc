#include "eval/python_number.h"

#include <gtest/gtest.h>

#include <vector>

namespace vsr::eval {
namespace {

TEST(PythonNumber, ReprChoosesItsNotationAsCPythonDoes) {
  const std::pair<double, const char*> cases[] = {
      {0, "0.0"},
      {-0.0, "-0.0"},
      {6, "6.0"},
      {.1, "0.1"},
      {.0001, "0.0001"},
      {.00009999, "9.999e-05"},
      {8.205e-05, "8.205e-05"},
      {1e15, "1000000000000000.0"},
      {9007199254740993.0, "9007199254740992.0"},
      {1e16, "1e+16"},
      {-1.5e300, "-1.5e+300"},
      {5e-324, "5e-324"},
      {0.20475224113200008, "0.20475224113200008"},
  };
  for (const auto& [x, text] : cases) EXPECT_EQ(python_repr(x), text);
}

TEST(PythonNumber, RoundsTheDecimalValueTiesToEven) {
  struct Case {
    double x;
    int places;
    double rounded;
  };
  const Case cases[] = {
      {.5, 0, 0},         {1.5, 0, 2},          {2.5, 0, 2},
      {.125, 2, .12},     {.375, 2, .38},  // ties in binary too
      {2.675, 2, 2.67},   {1.005, 2, 1},   // below the tie
      {.00005, 4, .0001}, {-.12345, 4, -.1235}, {123.456789, 4, 123.4568},
  };
  for (const Case& c : cases) EXPECT_EQ(python_round(c.x, c.places), c.rounded) << c.x;
}

TEST(PythonNumber, MeansAreRoundedOnce) {
  EXPECT_EQ(exact_mean({}), 0);
  const std::vector<double> tenths(10, .1);  // added one by one they give .9999999999999999
  EXPECT_EQ(exact_mean(tenths), .1);
  EXPECT_EQ(exact_mean(std::vector<double>{1, 2, 2}), 5.0 / 3);
  EXPECT_EQ(exact_mean(std::vector<double>{-1, 0, .5}), -.5 / 3);
}

}  // namespace
}  // namespace vsr::eval
