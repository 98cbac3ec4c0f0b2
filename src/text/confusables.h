#pragma once

// Characters that stand for ASCII ones: letters of other scripts that look like Latin letters,
// stylised Latin letters, and characters that are not seen at all. Pure.

#include <string_view>

namespace vsr::text {

// How much like the Latin letter a character looks.
enum class Likeness : char {
  kNone,
  kLoose,     // alike enough to be read inside a Latin word: в, к, т, η
  kStrict,    // the same shape: а, е, о, ο, Α
  kStylised,  // a Latin letter or digit in another form: fullwidth, mathematical, circled
};

struct Confusable {
  Likeness likeness = Likeness::kNone;
  // The ASCII letter or digit; 0 if there is none.
  char ascii = 0;
};

// For code points above U+007F.
Confusable confusable_of(char32_t code_point);

// Shows nothing itself: zero-width and bidirectional controls, soft hyphen, fillers, variation
// selectors, tag characters.
bool is_invisible(char32_t code_point);

// A variation selector or tag character, as the byte that it can carry; -1 for any other.
int hidden_byte(char32_t code_point);

}  // namespace vsr::text
