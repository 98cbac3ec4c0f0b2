#include "eval/classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "eval/figures.h"
#include "eval/rows.h"
#include "json/writer.h"
#include "nn/heads.h"

namespace vsr::eval {

namespace {

using router::Classifier;
using signals::EntityType;

struct Answer {
  router::Classification result;
  std::string prompt;
  double us = 0;
};

// The types that span figures are about.
constexpr std::array kCounted = {EntityType::kPerson, EntityType::kAddress,  EntityType::kEmail,
                                 EntityType::kPhone,  EntityType::kCard,     EntityType::kSsn,
                                 EntityType::kIban,   EntityType::kIp,       EntityType::kLicence,
                                 EntityType::kCnId,   EntityType::kNhsNumber};

void add_span(EntityType type, size_t start, size_t end, std::vector<Span>& out) {
  if (std::ranges::find(kCounted, type) == kCounted.end()) return;
  out.push_back({signals::to_string(type), start, end});
}

std::vector<Span> gold_spans(const json::Value& input) {
  std::vector<Span> out;
  for (const json::Value& span : input["spans"].items()) {
    EntityType type;
    if (!signals::parse_entity_type(span["type"].as_string(), type)) continue;
    add_span(type, static_cast<size_t>(span["start"].as_int()),
             static_cast<size_t>(span["end"].as_int()), out);
  }
  return out;
}

std::vector<Span> found_spans(const router::Classification& result) {
  std::vector<Span> out;
  for (const router::PiiSpan& span : result.spans) {
    if (span.confidence >= router::kPiiThreshold) add_span(span.type, span.start, span.end, out);
  }
  return out;
}

// Labels of another kind of difficulty data (which of two models failed) are no gold for tiers.
bool is_gold(Classifier classifier, std::string_view label) {
  return classifier != Classifier::kDifficulty ||
         std::ranges::find(nn::kTierLabels, label) != nn::kTierLabels.end();
}

class Scoreboard {
 public:
  explicit Scoreboard(Classifier classifier)
      : classifier_(classifier), positive_(router::positive_label(classifier)) {}

  void add(const json::Value& input, const router::Classification& result) {
    const json::Value& gold = input["label"];
    if (gold.is_string() && is_gold(classifier_, gold.as_string())) {
      confusion_.add(gold.as_string(), result.label);
      roc_.add(result.positive, gold.as_string() == positive_);
    }
    if (classifier_ == Classifier::kPii && input["spans"].is_array()) {
      spans_.add(gold_spans(input), found_spans(result));
      span_rows_ += 1;
    }
  }

  Summary summary() const {
    if (confusion_.rows() == 0 && span_rows_ == 0) return {};
    json::JsonWriter w;
    w.begin_object().field("rows", std::max(confusion_.rows(), span_rows_));
    std::string text;
    if (confusion_.rows() > 0) add_labels(text, w);
    if (span_rows_ > 0) add_spans(text, w);
    w.end_object();
    return {std::move(text), w.take()};
  }

 private:
  void add_labels(std::string& text, json::JsonWriter& w) const {
    w.short_field("accuracy", confusion_.accuracy()).short_field("macro_f1", confusion_.macro_f1());
    text += fmt::format("rows {}, accuracy {:.2f} %, macro-F1 {:.2f}\n", confusion_.rows(),
                        100 * confusion_.accuracy(), 100 * confusion_.macro_f1());
    if (!positive_.empty() && roc_.useful()) {
      const double recall = confusion_.recall(positive_);
      const double false_positives = confusion_.false_positive_rate(positive_);
      w.short_field("auc", roc_.area()).short_field("recall_at_1", roc_.recall_at(0.01));
      w.short_field("recall_at_5", roc_.recall_at(0.05)).short_field("recall", recall);
      w.short_field("false_positive_rate", false_positives);
      text += fmt::format(
          "ROC AUC {:.4f}, recall {:.1f} % at 1 % and {:.1f} % at 5 % false positives\n"
          "at the shipped threshold: recall {:.1f} %, false positives {:.1f} %\n",
          roc_.area(), 100 * roc_.recall_at(0.01), 100 * roc_.recall_at(0.05), 100 * recall,
          100 * false_positives);
    }
    w.key("confusion").begin_object();
    for (const auto& [gold, row] : confusion_.counts()) {
      w.key(gold).begin_object();
      text += fmt::format("{:<18}", gold);
      for (const auto& [label, rows] : row) {
        w.field(label, rows);
        text += fmt::format(" {}={}", label, rows);
      }
      w.end_object();
      text += '\n';
    }
    w.end_object();
  }

  void add_spans(std::string& text, json::JsonWriter& w) const {
    text += fmt::format("exact spans in {} rows: micro-F1 {:.2f}, macro-F1 {:.2f}\n", span_rows_,
                        100 * spans_.all().f1(), 100 * spans_.macro_f1());
    w.short_field("span_micro_f1", spans_.all().f1());
    w.short_field("span_macro_f1", spans_.macro_f1());
    w.key("spans").begin_object();
    for (const auto& [type, count] : spans_.by_type()) {
      text += fmt::format("{:<18} F1 {:6.2f}, gold {}, found {}, exact {}\n", type,
                          100 * count.f1(), count.gold, count.found, count.hit);
      w.key(type).begin_object().short_field("f1", count.f1());
      w.field("gold", count.gold).field("found", count.found).field("exact", count.hit);
      w.end_object();
    }
    w.end_object();
  }

  const Classifier classifier_;
  const std::string_view positive_;
  Confusion confusion_;
  Roc roc_;
  SpanScore spans_;
  size_t span_rows_ = 0;
};

std::string answer_line(const json::Value& input, const Answer& answer) {
  const bool pii = answer.result.classifier == Classifier::kPii;
  constexpr std::array<std::string_view, 8> kReplaced = {
      "label", "confidence", "probabilities", "gold", "gold_spans", "prompt", "us", "spans"};
  json::JsonWriter w;
  w.begin_object();
  for (const auto& [key, value] : input.fields()) {
    if (std::ranges::find(kReplaced, key) != kReplaced.end()) continue;
    if (key == "score" && answer.result.score) continue;
    w.key(key);
    value.write(w);
  }
  if (!input["text"].is_string()) w.field("prompt", answer.prompt);
  router::write_fields(answer.result, w);
  const auto echo = [&](std::string_view key, std::string_view as) {
    if (const json::Value* gold = input.find(key)) {
      w.key(as);
      gold->write(w);
    }
  };
  echo("label", "gold");
  if (pii) echo("spans", "gold_spans");
  w.short_field("us", answer.us).end_object();
  return w.take();
}

}  // namespace

Result<Summary> classify(const ClassifyOptions& options, const router::Classifiers& classifiers,
                         const Clock& clock, std::istream& in,
                         const std::function<void(const std::string&)>& out) {
  Scoreboard board(options.classifier);
  const auto work = [&](const json::Value& input) -> Result<Answer> {
    const auto subject = router::Subject::of(input);
    if (!subject) return fail(ErrorCode::kInvalidArgument, subject.error().message);
    Answer answer;
    answer.prompt = (*subject)->prompt();
    const MonoTime begun = clock.mono();
    Result<router::Classification> result = classifiers.classify(options.classifier, **subject);
    if (!result) return std::unexpected(result.error());
    answer.result = std::move(*result);
    answer.us = std::chrono::duration<double, std::micro>(clock.mono() - begun).count();
    return answer;
  };
  const auto done = [&](const json::Value& input, const Answer& answer) {
    out(answer_line(input, answer));
    board.add(input, answer.result);
  };
  if (const Status read = for_each_row<Answer>(in, options.threads, work, done); !read) {
    return std::unexpected(read.error());
  }
  return board.summary();
}

}  // namespace vsr::eval
