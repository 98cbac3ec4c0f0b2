#include "eval/figures.h"

#include <algorithm>

namespace vsr::eval {

namespace {

double ratio(size_t part, size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void Roc::add(double score, bool positive) {
  points_.emplace_back(score, positive);
  positives_ += positive;
}

bool Roc::useful() const { return positives_ > 0 && positives_ < points_.size(); }

std::vector<std::pair<double, double>> Roc::curve() const {
  std::vector<std::pair<double, bool>> sorted = points_;
  std::ranges::sort(sorted, std::ranges::greater{});
  const double positives = static_cast<double>(positives_);
  const double negatives = static_cast<double>(points_.size() - positives_);
  std::vector<std::pair<double, double>> out;
  double hits = 0;
  double false_hits = 0;
  for (size_t i = 0; i < sorted.size(); ++i) {
    (sorted[i].second ? hits : false_hits) += 1;
    const bool tied = i + 1 < sorted.size() && sorted[i + 1].first == sorted[i].first;
    if (!tied) out.emplace_back(false_hits / negatives, hits / positives);
  }
  return out;
}

double Roc::area() const {
  double area = 0;
  std::pair<double, double> last{0, 0};
  for (const auto& point : curve()) {
    area += (point.first - last.first) * (point.second + last.second) / 2;
    last = point;
  }
  return area;
}

double Roc::recall_at(double false_positive_rate) const {
  double best = 0;
  for (const auto& [false_positives, recall] : curve()) {
    if (false_positives <= false_positive_rate) best = std::max(best, recall);
  }
  return best;
}

void Confusion::add(std::string_view gold, std::string_view label) {
  ++counts_[std::string(gold)][std::string(label)];
  ++rows_;
  correct_ += gold == label;
}

double Confusion::accuracy() const { return ratio(correct_, rows_); }

double Confusion::macro_f1() const {
  double sum = 0;
  for (const auto& [label, row] : counts_) {
    SpanCount count;
    for (const auto& [given, rows] : row) {
      count.gold += rows;
      if (given == label) count.hit = rows;
    }
    for (const auto& [gold, other] : counts_) {
      if (const auto found = other.find(label); found != other.end()) count.found += found->second;
    }
    sum += count.f1();
  }
  return counts_.empty() ? 0 : sum / static_cast<double>(counts_.size());
}

double Confusion::recall(std::string_view label) const {
  const auto row = counts_.find(label);
  if (row == counts_.end()) return 0;
  size_t all = 0;
  for (const auto& [given, rows] : row->second) all += rows;
  const auto hit = row->second.find(label);
  return hit == row->second.end() ? 0 : ratio(hit->second, all);
}

double Confusion::false_positive_rate(std::string_view label) const {
  size_t all = 0;
  size_t given_label = 0;
  for (const auto& [gold, row] : counts_) {
    if (gold == label) continue;
    for (const auto& [given, rows] : row) {
      all += rows;
      if (given == label) given_label += rows;
    }
  }
  return ratio(given_label, all);
}

double SpanCount::f1() const { return ratio(2 * hit, gold + found); }

void SpanScore::add(std::vector<Span> gold, std::vector<Span> found) {
  std::ranges::sort(gold);
  std::ranges::sort(found);
  for (const Span& span : gold) ++by_type_[span.type].gold;
  for (const Span& span : found) ++by_type_[span.type].found;
  std::vector<Span> hits;
  std::ranges::set_intersection(gold, found, std::back_inserter(hits));
  for (const Span& span : hits) ++by_type_[span.type].hit;
}

SpanCount SpanScore::all() const {
  SpanCount out;
  for (const auto& [type, count] : by_type_) {
    out.gold += count.gold;
    out.found += count.found;
    out.hit += count.hit;
  }
  return out;
}

double SpanScore::macro_f1() const {
  double sum = 0;
  size_t types = 0;
  for (const auto& [type, count] : by_type_) {
    if (count.gold == 0) continue;
    sum += count.f1();
    ++types;
  }
  return types == 0 ? 0 : sum / static_cast<double>(types);
}

}  // namespace vsr::eval
