// Any bytes through normalisation, words, terms, language and the token estimate: nothing reads out
// of bounds, and what comes out is UTF-8 whose words are inside it.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "text/language.h"
#include "text/normalize.h"
#include "text/terms.h"
#include "text/tokens.h"
#include "text/utf8.h"
#include "text/words.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vsr::text;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string normal = normalized(text);
  for (size_t at = 0; at < normal.size();) {
    const size_t begin = at;
    const char32_t c = next_code_point(normal, at);
    VSR_CHECK(c != kReplacement || at - begin == 3, "normalised text is not UTF-8");
  }
  size_t end = 0;
  for_each_word(normal, [&](const Word& word) {
    const auto begin = static_cast<size_t>(word.text.data() - normal.data());
    VSR_CHECK(!word.text.empty() && begin >= end && begin + word.text.size() <= normal.size());
    end = begin + word.text.size();
  });
  for_each_word(text, [](const Word& word) { VSR_CHECK(!word.text.empty()); });
  terms(text);
  const Language language = detect_language(text);
  VSR_CHECK(language.confidence >= 0 && language.confidence <= 1);
  VSR_CHECK(estimate_tokens(text) <= 2 * size + 1);
  return 0;
}
