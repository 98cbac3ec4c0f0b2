#include "text/words.h"

namespace vsr::text {
namespace {

bool is_apostrophe(char32_t c) { return c == '\'' || c == 0x2019; }

}  // namespace

bool WordCursor::next(Word& word) {
  size_t begin = at_;
  char32_t first = 0;
  while (true) {
    if (at_ >= text_.size()) return false;
    begin = at_;
    first = next_code_point(text_, at_);
    if (is_word(first)) break;
  }
  const bool cjk = is_cjk(first);
  while (at_ < text_.size()) {
    size_t after = at_;
    char32_t c = next_code_point(text_, after);
    if (!cjk && is_apostrophe(c) && after < text_.size()) {
      size_t beyond = after;
      c = next_code_point(text_, beyond);
      if (script_of(c) == Script::kCommon) break;
      after = beyond;
    }
    if (!is_word(c) || is_cjk(c) != cjk) break;
    at_ = after;
  }
  word = {text_.substr(begin, at_ - begin), cjk};
  return true;
}

}  // namespace vsr::text
