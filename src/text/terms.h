#pragma once

// Search terms (BM25): normalised words without stop words, reduced to their stem; CJK runs as
// character bigrams. A Stemmer belongs to one thread; making one costs about a microsecond.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/words.h"

struct sb_stemmer;

namespace vsr::text {

// English (Porter 2), as published by the Snowball project.
class Stemmer {
 public:
  Stemmer();
  // The stem of a normalised word; valid until the next call. Other scripts pass unchanged.
  std::string_view stem(std::string_view word);

 private:
  struct Delete {
    void operator()(sb_stemmer* stemmer) const;
  };
  std::unique_ptr<sb_stemmer, Delete> stemmer_;
};

// English words that carry no topic of their own; `word` is normalised.
bool is_stop_word(std::string_view word);

// Calls f(std::string_view term) for each term of a normalised text. A term is valid during the
// call only.
template <typename F>
void for_each_term(std::string_view normalized, Stemmer& stemmer, F&& f) {
  for_each_word(normalized, [&](const Word& word) {
    if (word.cjk) {
      for_each_bigram(word.text, f);
    } else if (!is_stop_word(word.text)) {
      f(stemmer.stem(word.text));
    }
  });
}

// Terms of any text, in order, repeats included.
std::vector<std::string> terms(std::string_view text);

}  // namespace vsr::text
