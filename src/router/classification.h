#pragma once

// One classifier over one text or conversation, by the engine and the thresholds that rules go by:
// what `eval --classify` and /api/v1/classify answer. Thread-safe; views of labels are static. A
// call takes milliseconds where the encoder reads too.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/value.h"
#include "nn/text_classifier.h"
#include "router/request.h"
#include "signals/engine.h"
#include "signals/entity.h"
#include "wire/api_error.h"

namespace vsr::router {

enum class Classifier : uint8_t { kDomain, kJailbreak, kHarmful, kPii, kDifficulty, kLanguage };

// "domain", "jailbreak", "harmful", "pii", "difficulty", "language".
std::string_view to_string(Classifier classifier);
bool parse_classifier(std::string_view name, Classifier& out);
// "attack", "harmful", "pii"; "" where no label stands for a find.
std::string_view positive_label(Classifier classifier);

// An entity below it is reported and does not make a text one with personal data.
inline constexpr double kPiiThreshold = 0.5;

struct PiiSpan {
  signals::EntityType type = signals::EntityType::kPerson;
  size_t start = 0;  // Unicode code points of the text
  size_t end = 0;    // exclusive
  double confidence = 0;
};

struct Classification {
  Classifier classifier = Classifier::kDomain;
  std::string_view label;
  double confidence = 0;  // of the label
  std::vector<std::pair<std::string_view, double>> probabilities;
  double positive = 0;          // of positive_label(), for curves over thresholds
  std::optional<double> score;  // difficulty: 0 easy, 1 hard
  std::vector<PiiSpan> spans;   // pii: in order of their start, without overlaps
};

// What a caller asks about: `text` of an object, or its `messages` as a request's signals read
// them.
class Subject {
 public:
  static wire::ApiResult<std::shared_ptr<const Subject>> of(const json::Value& object);
  static std::shared_ptr<const Subject> of_text(std::string text);

  const signals::Input& input() const { return request_ ? request_->input() : input_; }
  // The text that spans refer to.
  std::string_view prompt() const { return input().prompt; }

 private:
  std::string text_;      // or the body of request_
  signals::Input input_;  // of text_
  std::unique_ptr<Request> request_;
};

class Classifiers {
 public:
  static Result<std::shared_ptr<const Classifiers>> make(signals::Parts parts);
  Result<Classification> classify(Classifier classifier, const Subject& subject) const;
  // Changes with the weights.
  const std::string& version() const { return engine_->classifier()->version(); }

 private:
  explicit Classifiers(std::shared_ptr<const signals::Engine> engine)
      : engine_(std::move(engine)) {}
  std::shared_ptr<const signals::Engine> engine_;
};

// The fields label, confidence and probabilities, `score` of difficulty and `spans` [{type, start,
// end, confidence}] of pii, into the object that is open.
void write_fields(const Classification& result, json::JsonWriter& w);

}  // namespace vsr::router
