#include "text/terms.h"

#include <libstemmer.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "text/normalize.h"

namespace vsr::text {
namespace {

// Sorted, for binary search.
constexpr auto kStopWords = std::to_array<std::string_view>({
    "a",      "about",  "above", "after",   "again",    "all",        "am",      "an",
    "and",    "any",    "are",   "as",      "at",       "be",         "because", "been",
    "before", "being",  "below", "between", "both",     "but",        "by",      "can",
    "could",  "did",    "do",    "does",    "doing",    "down",       "during",  "each",
    "few",    "for",    "from",  "further", "had",      "has",        "have",    "having",
    "he",     "her",    "here",  "hers",    "herself",  "him",        "himself", "his",
    "how",    "i",      "if",    "in",      "into",     "is",         "it",      "it's",
    "its",    "itself", "just",  "me",      "more",     "most",       "my",      "myself",
    "no",     "nor",    "not",   "now",     "of",       "off",        "on",      "once",
    "only",   "or",     "other", "our",     "ours",     "ourselves",  "out",     "over",
    "own",    "same",   "she",   "should",  "so",       "some",       "such",    "than",
    "that",   "the",    "their", "theirs",  "them",     "themselves", "then",    "there",
    "these",  "they",   "this",  "those",   "through",  "to",         "too",     "under",
    "until",  "up",     "very",  "was",     "we",       "were",       "what",    "when",
    "where",  "which",  "while", "who",     "whom",     "why",        "will",    "with",
    "would",  "you",    "your",  "yours",   "yourself", "yourselves",
});
static_assert(std::ranges::is_sorted(kStopWords));

}  // namespace

void Stemmer::Delete::operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }

Stemmer::Stemmer() : stemmer_(sb_stemmer_new("english", nullptr)) {
  VSR_CHECK(stemmer_ != nullptr, "libstemmer has no English stemmer");
}

std::string_view Stemmer::stem(std::string_view word) {
  const auto* bytes = reinterpret_cast<const sb_symbol*>(word.data());
  const sb_symbol* stem = sb_stemmer_stem(stemmer_.get(), bytes, static_cast<int>(word.size()));
  VSR_CHECK(stem != nullptr, "stemming a word of {} bytes", word.size());
  return {reinterpret_cast<const char*>(stem),
          static_cast<size_t>(sb_stemmer_length(stemmer_.get()))};
}

bool is_stop_word(std::string_view word) { return std::ranges::binary_search(kStopWords, word); }

std::vector<std::string> terms(std::string_view text) {
  std::vector<std::string> out;
  Stemmer stemmer;
  for_each_term(normalized(text), stemmer, [&](std::string_view term) { out.emplace_back(term); });
  return out;
}

}  // namespace vsr::text
