#include "operator/meaning.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "json/value.h"
#include "router/classification.h"
#include "signals/similarity.h"

namespace vsr::operator_api {

namespace {

using json::with_article;
using router::Classifier;

std::unexpected<wire::ApiError> bad(std::string_view code, std::string_view param,
                                    std::string message) {
  return std::unexpected(
      wire::ApiError{400, std::string(code), std::string(param), std::move(message)});
}

// A field that is not read is a mistake, and the answer would be about something else.
std::optional<wire::ApiError> unfit(const json::Value& object, std::string_view where,
                                    const std::vector<std::string_view>& known) {
  for (const auto& [name, value] : object.fields()) {
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string_view close = nearest(name, known);
    return wire::ApiError{400, "unknown_parameter", fmt::format("{}{}", where, name),
                          fmt::format("there is no field {}{}; {}", where, name,
                                      close.empty() ? fmt::format("send {}", fmt::join(known, ", "))
                                                    : fmt::format("did you mean {}?", close))};
  }
  return std::nullopt;
}

// What one answer is about: {text} or {messages}, not both.
wire::ApiResult<std::shared_ptr<const router::Subject>> subject_of(const json::Value& object,
                                                                   std::string_view where) {
  if (auto problem = unfit(object, where, {"text", "messages"})) {
    return std::unexpected(std::move(*problem));
  }
  if (auto problem = misfit_subject(object, where)) return std::unexpected(std::move(*problem));
  return router::Subject::of(object);
}

std::optional<Classifier> task_of(std::string_view name) {
  constexpr std::string_view kSecurity = "security/";
  if (name == "intent") return Classifier::kDomain;
  if (name == "security") return Classifier::kJailbreak;
  Classifier out;
  if (name.starts_with(kSecurity)) {
    if (!router::parse_classifier(name.substr(kSecurity.size()), out)) return std::nullopt;
    const bool is_security = out == Classifier::kJailbreak || out == Classifier::kHarmful;
    return is_security ? std::optional(out) : std::nullopt;
  }
  return router::parse_classifier(name, out) ? std::optional(out) : std::nullopt;
}

constexpr std::string_view kTasks =
    "intent, pii, security, security/jailbreak, security/harmful, difficulty and language";

class Answers {
 public:
  Answers(Classifier classifier, const router::Classifiers& classifiers, const Clock& clock)
      : classifier_(classifier), classifiers_(classifiers), clock_(clock) {}

  // The fields of one answer into the object that is open.
  Status write(const router::Subject& subject, json::JsonWriter& w) const {
    const MonoTime begun = clock_.mono();
    const Result<router::Classification> result = classifiers_.classify(classifier_, subject);
    if (!result) return std::unexpected(result.error());
    const MonoTime took = clock_.mono() - begun;
    router::write_fields(*result, w);
    w.short_field("us", std::chrono::duration<double, std::micro>(took).count());
    return {};
  }

 private:
  const Classifier classifier_;
  const router::Classifiers& classifiers_;
  const Clock& clock_;
};

void write_task(Classifier classifier, const router::Classifiers& classifiers,
                json::JsonWriter& w) {
  w.field("task", router::to_string(classifier)).field("version", classifiers.version());
}

using Subjects = std::vector<std::shared_ptr<const router::Subject>>;

std::unexpected<wire::ApiError> unavailable(const Error& error) {
  return std::unexpected(wire::ApiError{503, "classifier_unavailable", "", error.message});
}

wire::ApiResult<Subjects> batch_subjects(const json::Value& input) {
  if (auto problem = unfit(input, "", {"task", "texts", "inputs"})) {
    return std::unexpected(std::move(*problem));
  }
  const bool texts = input.find("texts") != nullptr;
  const std::string_view param = texts ? "texts" : "inputs";
  const json::Value& list = input[param];
  if (texts && input.find("inputs") != nullptr) {
    return bad("invalid_value", "inputs", "send either `texts` or `inputs`, not both");
  }
  if (!list.is_array() && !list.is_null()) {
    return bad("invalid_type", param,
               fmt::format("`{}` has to be a list, and is {}", param, with_article(list.kind())));
  }
  if (list.size() == 0) {
    return bad("missing_required_parameter", "texts",
               "send `texts`, a list of strings, or `inputs`, a list of {text | messages}");
  }
  if (list.size() > kClassifyTextsMax) {
    return bad("too_many_texts", param,
               fmt::format("{} texts are more than {}; send several requests", list.size(),
                           kClassifyTextsMax));
  }
  Subjects out;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string place = fmt::format("{}[{}]", param, i);
    if (texts && !list[i].is_string()) {
      return bad("invalid_type", place, place + " is no string");
    }
    if (texts) {
      out.push_back(router::Subject::of_text(std::string(list[i].as_string())));
      continue;
    }
    auto subject = subject_of(list[i], place + ".");
    if (!subject) return bad(subject.error().code, place, place + ": " + subject.error().message);
    out.push_back(std::move(*subject));
  }
  return out;
}

wire::ApiResult<std::string> classify_batch(const router::Classifiers& classifiers,
                                            const Clock& clock, const json::Value& input) {
  const std::string_view name = input["task"].as_string();
  const std::optional<Classifier> task = task_of(name);
  if (!task) {
    return bad("unknown_task", "task", fmt::format("`task` has to be one of {}", kTasks));
  }
  const auto subjects = batch_subjects(input);
  if (!subjects) return std::unexpected(subjects.error());
  const Answers answers(*task, classifiers, clock);
  json::JsonWriter w;
  w.begin_object();
  write_task(*task, classifiers, w);
  w.key("results").begin_array();
  for (const auto& subject : *subjects) {
    w.begin_object();
    if (const Status done = answers.write(*subject, w); !done) return unavailable(done.error());
    w.end_object();
  }
  w.end_array().end_object();
  return w.take();
}

}  // namespace

wire::ApiResult<json::Value> object_of(std::string_view body, std::string_view example) {
  Result<json::Value> input = json::Value::parse(body);
  if (!input) {
    return bad("invalid_json", "",
               fmt::format("the body is no JSON: {}; send {}", input.error().message, example));
  }
  if (!input->is_object()) {
    return bad("invalid_json", "",
               fmt::format("the body has to be a JSON object, and is {}; send {}",
                           with_article(input->kind()), example));
  }
  return std::move(*input);
}

std::optional<wire::ApiError> misfit_subject(const json::Value& object, std::string_view where) {
  const json::Value* const text = object.find("text");
  const json::Value* const messages = object.find("messages");
  if (text != nullptr && messages != nullptr) {
    return wire::ApiError{400, "invalid_value", fmt::format("{}messages", where),
                          "send either `text` or `messages`, not both"};
  }
  if (text != nullptr && !text->is_string()) {
    return wire::ApiError{
        400, "invalid_type", fmt::format("{}text", where),
        fmt::format("`text` has to be a string, and is {}", with_article(text->kind()))};
  }
  if (messages != nullptr && !messages->is_array()) {
    return wire::ApiError{
        400, "invalid_type", fmt::format("{}messages", where),
        fmt::format("`messages` has to be a list, and is {}", with_article(messages->kind()))};
  }
  return std::nullopt;
}

wire::ApiResult<std::string> classify(std::string_view task, const router::Classifiers& classifiers,
                                      const Clock& clock, std::string_view body) {
  const bool batch = task == "batch";
  const std::optional<Classifier> classifier = task_of(task);
  if (!batch && !classifier) {
    return std::unexpected(wire::ApiError{
        404, "unknown_task", "",
        fmt::format("there is no classifier {}; there are {}, and batch", task, kTasks)});
  }
  const auto input = object_of(body, batch ? "{\"task\": \"intent\", \"texts\": […]}"
                                           : "{\"text\": …} or {\"messages\": […]}");
  if (!input) return std::unexpected(input.error());
  if (batch) return classify_batch(classifiers, clock, *input);
  const auto subject = subject_of(*input, "");
  if (!subject) return std::unexpected(subject.error());
  json::JsonWriter w;
  w.begin_object();
  write_task(*classifier, classifiers, w);
  // Spans are of this text.
  if (!(*input)["text"].is_string()) w.field("prompt", (*subject)->prompt());
  const Status done = Answers(*classifier, classifiers, clock).write(**subject, w);
  if (!done) return unavailable(done.error());
  w.end_object();
  return w.take();
}

wire::ApiResult<std::vector<std::string>> embedding_texts(std::string_view body) {
  const auto input = object_of(body, "{\"input\": …}");
  if (!input) return std::unexpected(input.error());
  if (auto problem = unfit(*input, "", {"input", "texts", "model"})) {
    return std::unexpected(std::move(*problem));
  }
  const std::string_view param = input->find("texts") != nullptr ? "texts" : "input";
  if (param == "texts" && input->find("input") != nullptr) {
    return bad("invalid_value", "texts", "send either `input` or `texts`, not both");
  }
  const json::Value& given = (*input)[param];
  if (!given.is_null() && !given.is_string() && !given.is_array()) {
    return bad("invalid_type", param,
               fmt::format("`{}` has to be a string or a list of strings, and is {}", param,
                           with_article(given.kind())));
  }
  if (given.is_string()) return std::vector{std::string(given.as_string())};
  if (!given.is_array() || given.size() == 0) {
    return bad("missing_required_parameter", param,
               fmt::format("send `{}`: a string or a list of strings", param));
  }
  if (given.size() > kEmbeddingTextsMax) {
    return bad("too_many_texts", param,
               fmt::format("{} texts are more than {}; send several requests", given.size(),
                           kEmbeddingTextsMax));
  }
  std::vector<std::string> out;
  for (size_t i = 0; i < given.size(); ++i) {
    if (!given[i].is_string()) {
      const std::string place = fmt::format("{}[{}]", param, i);
      return bad("invalid_type", place, place + " is no string");
    }
    out.emplace_back(given[i].as_string());
  }
  return out;
}

std::string embeddings_answer(std::string_view version,
                              std::span<const std::vector<float>> vectors) {
  json::JsonWriter w;
  w.begin_object().field("object", "list").field("model", version);
  w.field("dimensions", vectors.empty() ? 0 : vectors.front().size());
  w.key("data").begin_array();
  for (size_t i = 0; i < vectors.size(); ++i) {
    w.begin_object().field("object", "embedding").field("index", i);
    w.key("embedding").begin_array();
    for (const float x : vectors[i]) w.value(static_cast<double>(x));
    w.end_array().end_object();
  }
  w.end_array().end_object();
  return w.take();
}

wire::ApiResult<Pair> similarity_pair(std::string_view body) {
  const auto input = object_of(body, "{\"a\": …, \"b\": …}");
  if (!input) return std::unexpected(input.error());
  if (auto problem = unfit(*input, "", {"a", "b", "text1", "text2"})) {
    return std::unexpected(std::move(*problem));
  }
  const bool long_names = input->find("text1") != nullptr;
  Pair out;
  for (const auto& [param, text] : {std::pair{long_names ? "text1" : "a", &out.a},
                                    std::pair{long_names ? "text2" : "b", &out.b}}) {
    const json::Value& given = (*input)[param];
    if (!given.is_string()) {
      return bad("missing_required_parameter", param,
                 fmt::format("`{}` is no string; send the two texts as `a` and `b`", param));
    }
    *text = given.as_string();
  }
  return out;
}

std::string similarity_answer(std::string_view version, nn::SimilarityCurve curve, double cosine) {
  const double score = signals::calibrated(curve, cosine);
  json::JsonWriter w;
  w.begin_object().short_field("score", score).short_field("cosine", cosine);
  w.field("label", score >= signals::kSameThreshold ? "same" : "different");
  w.field("model", version).end_object();
  return w.take();
}

}  // namespace vsr::operator_api
