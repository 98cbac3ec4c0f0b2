#include "eval/classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "json/value.h"
#include "json/writer.h"
#include "nn/heads.h"
#include "signals/detect.h"
#include "text/language.h"

namespace vsr::eval {

namespace {

struct Row {
  std::string label;
  double confidence = 0;
  std::vector<std::pair<std::string, double>> probabilities;
  double attack = 0;  // probability of the positive label, for ROC
  std::vector<signals::Entity> entities;
  double score = -1;  // difficulty, 0..1
};

void take_best(Row& row) {
  for (const auto& [label, p] : row.probabilities) {
    if (p > row.confidence || row.label.empty()) {
      row.label = label;
      row.confidence = p;
    }
  }
}

void two_way(Row& row, std::string_view yes, std::string_view no, double p, double threshold) {
  row.probabilities = {{std::string(yes), p}, {std::string(no), 1 - p}};
  row.label = p >= threshold ? yes : no;
  row.confidence = p >= threshold ? p : 1 - p;
  row.attack = p;
}

Row classify_text(std::string_view task, const nn::HeadBank& heads, std::string_view text) {
  Row row;
  if (task == "language") {
    const text::Language language = text::detect_language(text);
    row.label = language.code;
    row.confidence = language.confidence;
    row.probabilities = {{row.label, row.confidence}};
    return row;
  }
  if (task == "pii") {
    row.entities = signals::detect_pii(text);
    for (const signals::Entity& entity : row.entities) {
      row.attack = std::max<double>(row.attack, entity.confidence);
    }
    two_way(row, "pii", "none", row.attack, 0.5);
    return row;
  }
  nn::HeadScores scores;
  heads.score(text, scores);
  if (task == "domain") {
    for (size_t i = 0; i < nn::kDomains; ++i) {
      row.probabilities.emplace_back(nn::kDomainLabels[i], scores.domain[i]);
    }
    take_best(row);
  } else if (task == "difficulty") {
    for (size_t i = 0; i < nn::kTiers; ++i) {
      row.probabilities.emplace_back(nn::kTierLabels[i], scores.tier[i]);
    }
    take_best(row);
    row.score = scores.difficulty;
  } else if (task == "jailbreak") {
    two_way(row, "attack", "benign", scores.jailbreak, heads.jailbreak_threshold());
  } else {
    two_way(row, "harmful", "benign", scores.harmful, heads.harmful_threshold());
  }
  return row;
}

// Text of the last user message with text.
std::string text_of(const json::Value& input) {
  if (input["text"].is_string()) return std::string(input["text"].as_string());
  std::string out;
  for (const json::Value& message : input["messages"].items()) {
    if (message["role"].as_string() != "user") continue;
    if (message["content"].is_string()) out = message["content"].as_string();
    for (const json::Value& part : message["content"].items()) {
      if (part["text"].is_string()) out = part["text"].as_string();
    }
  }
  return out;
}

size_t code_points(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// Area under the ROC curve with ties counted half, and recall at a false-positive rate.
class Roc {
 public:
  void add(double score, bool positive) { points_.emplace_back(score, positive); }
  bool useful() const {
    const auto positives =
        std::count_if(points_.begin(), points_.end(), [](const auto& p) { return p.second; });
    return positives > 0 && positives < static_cast<std::ptrdiff_t>(points_.size());
  }
  double area() {
    sort();
    double area = 0;
    double seen_negative = 0;
    double positives = 0;
    for (size_t i = 0; i < points_.size();) {
      double tie_positive = 0;
      double tie_negative = 0;
      const double score = points_[i].first;
      for (; i < points_.size() && points_[i].first == score; ++i) {
        (points_[i].second ? tie_positive : tie_negative) += 1;
      }
      positives += tie_positive;
      area += tie_negative * (positives - tie_positive / 2);
      seen_negative += tie_negative;
    }
    return area / (positives * seen_negative);
  }
  double recall_at(double false_positive_rate) {
    sort();
    const double positives = static_cast<double>(
        std::count_if(points_.begin(), points_.end(), [](const auto& p) { return p.second; }));
    const double negatives = static_cast<double>(points_.size()) - positives;
    double hits = 0;
    double false_hits = 0;
    double best = 0;
    for (const auto& [score, positive] : points_) {
      (positive ? hits : false_hits) += 1;
      if (false_hits / negatives <= false_positive_rate) best = hits / positives;
    }
    return best;
  }

 private:
  void sort() {
    std::sort(points_.begin(), points_.end(),
              [](const auto& a, const auto& b) { return a.first > b.first; });
  }
  std::vector<std::pair<double, bool>> points_;
};

class Scoreboard {
 public:
  void add(const std::string& gold, const Row& row, std::string_view positive) {
    ++confusion_[gold][row.label];
    ++total_;
    correct_ += gold == row.label;
    if (!positive.empty()) roc_.add(row.attack, gold == positive);
  }
  std::string text() {
    if (total_ == 0) return "";
    std::string out = fmt::format(
        "rows {}, accuracy {:.2f} %, macro-F1 {:.2f}\n", total_,
        100.0 * static_cast<double>(correct_) / static_cast<double>(total_), 100 * macro_f1());
    if (roc_.useful()) {
      out += fmt::format(
          "ROC AUC {:.4f}, recall {:.1f} % at 1 % and {:.1f} % at 5 % false positives\n",
          roc_.area(), 100 * roc_.recall_at(0.01), 100 * roc_.recall_at(0.05));
    }
    for (const auto& [gold, predicted] : confusion_) {
      out += fmt::format("{:<18}", gold);
      for (const auto& [label, count] : predicted) out += fmt::format(" {}={}", label, count);
      out += '\n';
    }
    return out;
  }

 private:
  double macro_f1() const {
    double sum = 0;
    for (const auto& [gold, predicted] : confusion_) {
      double row = 0;
      double column = 0;
      double hit = 0;
      for (const auto& [label, count] : predicted) {
        row += static_cast<double>(count);
        if (label == gold) hit = static_cast<double>(count);
      }
      for (const auto& [other, counts] : confusion_) {
        if (const auto found = counts.find(gold); found != counts.end()) {
          column += static_cast<double>(found->second);
        }
      }
      sum += row + column > 0 ? 2 * hit / (row + column) : 0;
    }
    return sum / static_cast<double>(confusion_.size());
  }

  std::map<std::string, std::map<std::string, size_t>> confusion_;
  Roc roc_;
  size_t total_ = 0;
  size_t correct_ = 0;
};

std::string answer_line(const json::Value& input, std::string_view task, std::string_view text,
                        const Row& row, double us) {
  json::JsonWriter w;
  w.begin_object();
  for (const auto& [key, value] : input.fields()) {
    if (key == "label" || key == "spans" || key == "confidence" || key == "probabilities") continue;
    w.key(key);
    value.write(w);
  }
  w.field("label", row.label).field("confidence", row.confidence);
  w.key("probabilities").begin_object();
  for (const auto& [label, p] : row.probabilities) w.field(label, p);
  w.end_object();
  if (row.score >= 0) w.field("score", row.score);
  if (const json::Value* gold = input.find("label")) {
    w.key("gold");
    gold->write(w);
  }
  if (task == "pii") {
    w.key("spans").begin_array();
    for (const signals::Entity& entity : row.entities) {
      w.begin_object()
          .field("type", signals::to_string(entity.type))
          .field("start", code_points(text.substr(0, entity.start)))
          .field("end", code_points(text.substr(0, entity.end)))
          .field("confidence", static_cast<double>(entity.confidence))
          .end_object();
    }
    w.end_array();
  }
  w.field("us", us);
  w.end_object();
  return w.take();
}

}  // namespace

Result<std::string> classify(std::string_view task, const nn::HeadBank& heads, const Clock& clock,
                             std::istream& in, const std::function<void(const std::string&)>& out) {
  const std::map<std::string_view, std::string_view> positives = {
      {"jailbreak", "attack"}, {"harmful", "harmful"}, {"pii", "pii"}};
  const auto positive = positives.find(task);
  Scoreboard board;
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const Result<json::Value> input = json::Value::parse(line);
    if (!input || !input->is_object()) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("line {} is no JSON object with `text` or `messages`", number));
    }
    const std::string text = text_of(*input);
    const MonoTime begun = clock.mono();
    const Row row = classify_text(task, heads, text);
    const double us = std::chrono::duration<double, std::micro>(clock.mono() - begun).count();
    out(answer_line(*input, task, text, row, us));
    const json::Value& gold = (*input)["label"];
    if (gold.is_string()) {
      board.add(std::string(gold.as_string()), row,
                positive == positives.end() ? "" : positive->second);
    }
  }
  return board.text();
}

}  // namespace vsr::eval
