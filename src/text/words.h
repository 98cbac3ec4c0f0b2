#pragma once

// Words of a text: runs of letters, marks, digits and underscores, with an apostrophe allowed
// between letters. A run of CJK characters is one piece marked `cjk`, since nothing separates its
// words. Views point into the text given. Pure.

#include <string_view>

#include "text/script.h"
#include "text/utf8.h"

namespace vsr::text {

struct Word {
  std::string_view text;
  bool cjk = false;
};

class WordCursor {
 public:
  // `text` must outlive the cursor and the words. Normalise it first if words are to be compared.
  explicit WordCursor(std::string_view text) : text_(text) {}
  // False at the end.
  bool next(Word& word);

 private:
  std::string_view text_;
  size_t at_ = 0;
};

template <typename F>
void for_each_word(std::string_view text, F&& f) {
  WordCursor cursor(text);
  for (Word word; cursor.next(word);) f(word);
}

// The characters of a CJK run two by two; a single character stands alone.
template <typename F>
void for_each_bigram(std::string_view run, F&& f) {
  size_t begin = 0;
  size_t middle = 0;
  next_code_point(run, middle);
  if (middle == run.size()) return f(run);
  while (middle < run.size()) {
    size_t end = middle;
    next_code_point(run, end);
    f(run.substr(begin, end - begin));
    begin = middle;
    middle = end;
  }
}

}  // namespace vsr::text
