#include "eval/similarity.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "eval/figures.h"
#include "eval/rows.h"
#include "json/writer.h"
#include "nn/vectors.h"
#include "signals/similarity.h"

namespace vsr::eval {

namespace {

struct Answer {
  double cosine = 0;
  double score = 0;
  double us = 0;
  std::string_view label() const { return score >= signals::kSameThreshold ? "same" : "different"; }
};

Result<std::array<std::string_view, 2>> pair_of(const json::Value& input) {
  for (const auto& [first, second] : {std::pair{"a", "b"}, std::pair{"text", "text2"}}) {
    if (input[first].is_string() && input[second].is_string()) {
      return std::array{input[first].as_string(), input[second].as_string()};
    }
  }
  return fail(ErrorCode::kInvalidArgument, "it has no texts `a` and `b`");
}

std::string answer_line(const json::Value& input, const Answer& answer) {
  constexpr std::array<std::string_view, 5> kReplaced = {"score", "cosine", "label", "gold", "us"};
  json::JsonWriter w;
  w.begin_object();
  for (const auto& [key, value] : input.fields()) {
    if (std::ranges::find(kReplaced, key) != kReplaced.end()) continue;
    w.key(key);
    value.write(w);
  }
  w.short_field("score", answer.score).short_field("cosine", answer.cosine);
  w.field("label", answer.label());
  if (const json::Value* gold = input.find("label")) {
    w.key("gold");
    gold->write(w);
  }
  w.short_field("us", answer.us).end_object();
  return w.take();
}

Summary summary_of(const Confusion& confusion, const Roc& roc) {
  if (confusion.rows() == 0) return {};
  Summary out;
  json::JsonWriter w;
  w.begin_object().field("rows", confusion.rows());
  if (roc.useful()) {
    w.short_field("auc", roc.area());
    out.text = fmt::format("ROC AUC {:.4f}, ", roc.area());
  }
  w.short_field("accuracy", confusion.accuracy())
      .field("threshold", signals::kSameThreshold)
      .end_object();
  out.text += fmt::format("accuracy {:.2f} % at the threshold {} of {} rows\n",
                          100 * confusion.accuracy(), signals::kSameThreshold, confusion.rows());
  out.json = w.take();
  return out;
}

}  // namespace

Result<Summary> similarity(const SimilarityOptions& options, const nn::Encoder& encoder,
                           const Clock& clock, std::istream& in,
                           const std::function<void(const std::string&)>& out) {
  Confusion confusion;
  Roc roc;
  const auto work = [&](const json::Value& input) -> Result<Answer> {
    const auto texts = pair_of(input);
    if (!texts) return std::unexpected(texts.error());
    std::vector<float> vectors(2 * encoder.dims());
    const MonoTime begun = clock.mono();
    if (const Status done = encoder.encode(*texts, vectors); !done) {
      return std::unexpected(done.error());
    }
    const std::span<const float> both = vectors;
    Answer answer;
    answer.cosine = nn::dot(both.first(encoder.dims()), both.last(encoder.dims()));
    answer.score = signals::calibrated(encoder.similarity_curve(), answer.cosine);
    answer.us = std::chrono::duration<double, std::micro>(clock.mono() - begun).count();
    return answer;
  };
  const auto done = [&](const json::Value& input, const Answer& answer) {
    out(answer_line(input, answer));
    const std::string_view gold = input["label"].as_string();
    if (gold != "same" && gold != "different") return;
    confusion.add(gold, answer.label());
    roc.add(answer.cosine, gold == "same");
  };
  if (const Status read = for_each_row<Answer>(in, options.threads, work, done); !read) {
    return std::unexpected(read.error());
  }
  return summary_of(confusion, roc);
}

}  // namespace vsr::eval
