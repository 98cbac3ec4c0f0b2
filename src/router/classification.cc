#include "router/classification.h"

#include <algorithm>
#include <array>

#include "nn/heads.h"
#include "router/facts_cache.h"
#include "router/request.h"
#include "signals/detect.h"
#include "text/language.h"

namespace vsr::router {

namespace {

constexpr std::array<std::string_view, 6> kNames = {"domain", "jailbreak",  "harmful",
                                                    "pii",    "difficulty", "language"};

Classification two_way(std::string_view yes, std::string_view no, double p, double threshold) {
  Classification out;
  out.probabilities = {{yes, p}, {no, 1 - p}};
  out.label = p >= threshold ? yes : no;
  out.confidence = p >= threshold ? p : 1 - p;
  out.positive = p;
  return out;
}

template <size_t N>
Classification best_of(const std::array<std::string_view, N>& labels,
                       const std::array<float, N>& probabilities) {
  Classification out;
  for (size_t i = 0; i < N; ++i) out.probabilities.emplace_back(labels[i], probabilities[i]);
  const auto best = std::ranges::max_element(out.probabilities, {},
                                             [](const auto& labelled) { return labelled.second; });
  out.label = best->first;
  out.confidence = best->second;
  return out;
}

size_t code_points(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Classification classify_pii(std::string_view text) {
  std::vector<PiiSpan> spans;
  double surest = 0;
  size_t at = 0;  // bytes that are counted
  size_t counted = 0;
  const auto position = [&](size_t byte) {
    counted += code_points(text.substr(at, byte - at));
    at = byte;
    return counted;
  };
  for (const signals::Entity& entity : signals::detect_pii(text)) {
    PiiSpan span{.type = entity.type, .confidence = entity.confidence};
    span.start = position(entity.start);
    span.end = position(entity.end);
    surest = std::max(surest, span.confidence);
    spans.push_back(span);
  }
  Classification out = two_way("pii", "none", surest, kPiiThreshold);
  out.spans = std::move(spans);
  return out;
}

Classification classify_language(std::string_view text) {
  const text::Language language = text::detect_language(text);
  Classification out;
  out.label = language.code;
  out.confidence = language.confidence;
  out.probabilities = {{out.label, out.confidence}};
  return out;
}

Classification classify_as(Classifier classifier, const signals::HeadReading& reading,
                           const nn::TextClassifier& heads) {
  if (classifier == Classifier::kDomain) return best_of(nn::kDomainLabels, reading.heads.domain);
  if (classifier == Classifier::kJailbreak) {
    return two_way("attack", "benign", reading.attack, heads.jailbreak_threshold());
  }
  if (classifier == Classifier::kHarmful) {
    return two_way("harmful", "benign", reading.heads.harmful, heads.harmful_threshold());
  }
  Classification out = best_of(nn::kTierLabels, reading.heads.tier);
  out.score = reading.heads.difficulty;
  return out;
}

}  // namespace

std::string_view to_string(Classifier classifier) {
  return kNames[static_cast<size_t>(classifier)];
}

bool parse_classifier(std::string_view name, Classifier& out) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return false;
  out = static_cast<Classifier>(found - kNames.begin());
  return true;
}

std::string_view positive_label(Classifier classifier) {
  switch (classifier) {
    case Classifier::kJailbreak:
      return "attack";
    case Classifier::kHarmful:
      return "harmful";
    case Classifier::kPii:
      return "pii";
    case Classifier::kDomain:
    case Classifier::kDifficulty:
    case Classifier::kLanguage:
      break;
  }
  return "";
}

Result<std::shared_ptr<const Classifiers>> Classifiers::make(signals::Parts parts) {
  if (!parts.heads) return fail(ErrorCode::kUnavailable, "there are no weights of classifiers");
  auto engine = signals::Engine::compile(std::make_shared<const config::Config>(), parts);
  if (!engine) return std::unexpected(engine.error());
  return std::shared_ptr<const Classifiers>(new Classifiers(std::move(*engine)));
}

Result<Classification> Classifiers::classify(Classifier classifier, const Subject& subject) const {
  Classification out;
  if (classifier == Classifier::kPii) {
    out = classify_pii(subject.prompt());
  } else if (classifier == Classifier::kLanguage) {
    out = classify_language(subject.prompt());
  } else {
    signals::Scratch scratch;
    const Result<signals::HeadReading> reading = engine_->read_heads(subject.input(), scratch);
    if (!reading) return std::unexpected(reading.error());
    out = classify_as(classifier, *reading, *engine_->classifier());
  }
  out.classifier = classifier;
  return out;
}

std::shared_ptr<const Subject> Subject::of_text(std::string text) {
  auto out = std::make_shared<Subject>();
  out->text_ = std::move(text);
  out->input_.prompt = out->text_;
  return out;
}

wire::ApiResult<std::shared_ptr<const Subject>> Subject::of(const json::Value& object) {
  if (object["text"].is_string()) return of_text(std::string(object["text"].as_string()));
  if (!object["messages"].is_array()) {
    return std::unexpected(
        wire::ApiError{400, "missing_required_parameter", "text",
                       "send `text` (a string) or `messages` (a list of chat messages)"});
  }
  json::JsonWriter body;
  body.begin_object().field("model", "auto").key("messages");
  object["messages"].write(body);
  body.end_object();
  auto out = std::make_shared<Subject>();
  out->request_ = std::make_unique<Request>();
  FactsCache cache;
  out->text_ = body.take();  // the request points into it
  if (const auto read = out->request_->read_chat(out->text_, cache); !read) {
    return std::unexpected(read.error());
  }
  return out;
}

void write_fields(const Classification& result, json::JsonWriter& w) {
  w.field("label", result.label).short_field("confidence", result.confidence);
  w.key("probabilities").begin_object();
  for (const auto& [label, p] : result.probabilities) w.short_field(label, p);
  w.end_object();
  if (result.score) w.short_field("score", *result.score);
  if (result.classifier != Classifier::kPii) return;
  w.key("spans").begin_array();
  for (const PiiSpan& span : result.spans) {
    w.begin_object().field("type", signals::to_string(span.type));
    w.field("start", span.start).field("end", span.end);
    w.short_field("confidence", span.confidence).end_object();
  }
  w.end_array();
}

}  // namespace vsr::router
