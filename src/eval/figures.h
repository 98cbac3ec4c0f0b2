#pragma once

// How good answers are against gold labels: the curve over thresholds, the confusion of labels, and
// exact spans. Plain values, one thread; a summary reads as text or as one JSON object.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/writer.h"

namespace vsr::eval {

// Scores of things that are positive or not.
class Roc {
 public:
  void add(double score, bool positive);
  // Both kinds occur; the figures below need that.
  bool useful() const;
  // Area under the curve; ties count half.
  double area() const;
  // The largest recall of a threshold with at most this share of false positives.
  double recall_at(double false_positive_rate) const;

 private:
  // One point per distinct score, highest first: positives and negatives at or above it.
  std::vector<std::pair<double, double>> curve() const;

  std::vector<std::pair<double, bool>> points_;
  size_t positives_ = 0;
};

class Confusion {
 public:
  void add(std::string_view gold, std::string_view label);
  size_t rows() const { return rows_; }
  double accuracy() const;
  // Mean over the labels that occur as gold.
  double macro_f1() const;
  // Of the rows with the gold label, or of all others: the share that was given the label.
  double recall(std::string_view label) const;
  double false_positive_rate(std::string_view label) const;
  using Counts = std::map<std::string, size_t, std::less<>>;
  const std::map<std::string, Counts, std::less<>>& counts() const { return counts_; }

 private:
  std::map<std::string, Counts, std::less<>> counts_;  // by gold
  size_t rows_ = 0;
  size_t correct_ = 0;
};

struct Span {
  std::string_view type;  // static
  size_t start = 0;
  size_t end = 0;
  auto operator<=>(const Span&) const = default;
};

struct SpanCount {
  size_t gold = 0, found = 0, hit = 0;
  double f1() const;
};

// Spans count as found when type, start and end are equal.
class SpanScore {
 public:
  void add(std::vector<Span> gold, std::vector<Span> found);
  const std::map<std::string_view, SpanCount>& by_type() const { return by_type_; }
  SpanCount all() const;
  // Mean over the types that occur as gold.
  double macro_f1() const;

 private:
  std::map<std::string_view, SpanCount> by_type_;
};

}  // namespace vsr::eval
