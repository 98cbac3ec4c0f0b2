#pragma once

// Numbers as CPython rounds and prints them, for files that it wrote first. Pure.

#include <span>
#include <string>

namespace vsr::eval {

// repr(x) of a finite x: the shortest text that reads back equal, with a point or an exponent; in
// scientific notation below 1e-4 and from 1e16.
std::string python_repr(double x);
// round(x, places): the decimal value of x correctly rounded, ties to even.
double python_round(double x, int places);
// statistics.mean(values) of values whose magnitude is 0 or in [2^-18, 2^30]: the exact sum,
// divided and rounded once. 0 for none.
double exact_mean(std::span<const double> values);

}  // namespace vsr::eval
