#include "signals/bm25.h"

#include <cmath>
#include <map>
#include <unordered_set>

#include "text/hash.h"

namespace vsr::signals {

uint32_t Bm25Index::add_rule(std::span<const std::string> phrases) {
  constexpr double kK1 = 1.2;
  constexpr double kB = 0.75;
  const uint32_t first = phrases_;
  struct Phrase {
    std::map<uint64_t, uint32_t> counts;  // by term
    double length = 0;
  };
  std::vector<Phrase> documents;
  std::map<uint64_t, uint32_t> phrases_with;  // by term
  double total = 0;
  for (const std::string& text : phrases) {
    Phrase phrase;
    for (const std::string& term : text::terms(text)) {
      ++phrase.counts[text::hash64(term)];
      ++phrase.length;
    }
    for (const auto& [term, count] : phrase.counts) ++phrases_with[term];
    total += phrase.length;
    documents.push_back(std::move(phrase));
  }
  const auto n = static_cast<double>(documents.size());
  const double mean = total > 0 ? total / n : 1;
  for (const Phrase& phrase : documents) {
    for (const auto& [term, count] : phrase.counts) {
      const double with = phrases_with[term];
      const double idf = std::log(1 + (n - with + 0.5) / (with + 0.5));
      const double weight =
          idf * count * (kK1 + 1) / (count + kK1 * (1 - kB + kB * phrase.length / mean));
      postings_[term].push_back({phrases_, weight});
    }
    ++phrases_;
  }
  return first;
}

void Bm25Index::score(std::string_view normalized, text::Stemmer& stemmer,
                      std::vector<double>& out) const {
  out.assign(phrases_, 0);
  std::unordered_set<uint64_t> seen;  // only terms that some phrase has
  text::for_each_term(normalized, stemmer, [&](std::string_view term) {
    const uint64_t hash = text::hash64(term);
    const auto found = postings_.find(hash);
    if (found == postings_.end() || !seen.insert(hash).second) return;
    for (const Posting& posting : found->second) out[posting.phrase] += posting.weight;
  });
}

}  // namespace vsr::signals
