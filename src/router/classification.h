#pragma once

// One classifier over one text, by the functions and thresholds that rules go by: what
// `eval --classify` and /api/v1/classify answer. Pure and thread-safe; views of labels are static.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/value.h"
#include "nn/head_bank.h"
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

Classification classify(Classifier classifier, const nn::HeadBank& heads, std::string_view text);

// `text` of the object, or the prompt in its `messages` as a request's signals read it.
wire::ApiResult<std::string> prompt_of(const json::Value& input);

// The fields label, confidence and probabilities, `score` of difficulty and `spans` [{type, start,
// end, confidence}] of pii, into the object that is open.
void write_fields(const Classification& result, json::JsonWriter& w);

}  // namespace vsr::router
