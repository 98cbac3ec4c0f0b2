#pragma once

// Okapi BM25 with the keyword phrases of each rule as its documents (k1 1.2, b .75,
// idf ln(1+(N−n+.5)/(n+.5))). One inverted index over all rules, so that a text is cut into terms
// once. Immutable after build(); thread-safe.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/terms.h"

namespace vsr::signals {

class Bm25Index {
 public:
  // The phrases of one rule; gives the index of the first of its scores.
  uint32_t add_rule(std::span<const std::string> phrases);
  bool empty() const { return phrases_ == 0; }

  // One score per phrase of all rules. `normalized` as text::normalize gives it.
  void score(std::string_view normalized, text::Stemmer& stemmer, std::vector<double>& out) const;

 private:
  struct Posting {
    uint32_t phrase = 0;
    double weight = 0;
  };
  uint32_t phrases_ = 0;
  std::unordered_map<uint64_t, std::vector<Posting>> postings_;  // by hash of the term
};

}  // namespace vsr::signals
