#pragma once

// Bodies of the operator's single classifiers and of the encoder: what a caller may send, and what
// it is told. The classifiers take milliseconds, so they belong on a pool.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "json/value.h"
#include "nn/encoder.h"
#include "router/classification.h"
#include "wire/api_error.h"

namespace vsr::operator_api {

inline constexpr size_t kClassifyTextsMax = 1000;
// Each takes the encoder for 10 to 100 ms.
inline constexpr size_t kEmbeddingTextsMax = 64;

// Of a body, or of one of its inputs (`where`): `text` is a string or `messages` a list, not both.
std::optional<wire::ApiError> misfit_subject(const json::Value& object, std::string_view where);
// The body as an object; the error says what is no JSON, and what to send instead.
wire::ApiResult<json::Value> object_of(std::string_view body, std::string_view example);

// `task` as the path names it: intent (also domain), pii, security (also jailbreak and
// security/jailbreak), harmful (also security/harmful), difficulty, language with a body {text |
// messages}; batch with {task, texts[] | inputs[{text | messages}]}. Each answer is what
// `eval --classify` writes: label, confidence, probabilities, spans of pii in code points, us.
wire::ApiResult<std::string> classify(std::string_view task, const router::Classifiers& classifiers,
                                      const Clock& clock, std::string_view body);

// {"input" | "texts": text or list of texts}; the answer is OpenAI's list of embeddings.
wire::ApiResult<std::vector<std::string>> embedding_texts(std::string_view body);
std::string embeddings_answer(std::string_view version,
                              std::span<const std::vector<float>> vectors);

struct Pair {
  std::string a;
  std::string b;
};
// {"a", "b"} or {"text1", "text2"}.
wire::ApiResult<Pair> similarity_pair(std::string_view body);
// `score` is the calibrated probability that both mean the same, `label` same or different.
std::string similarity_answer(std::string_view version, nn::SimilarityCurve curve, double cosine);

}  // namespace vsr::operator_api
