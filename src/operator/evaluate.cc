#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "base/strings.h"
#include "json/value.h"
#include "operator/api.h"
#include "operator/meaning.h"
#include "router/eval_document.h"
#include "router/facts_cache.h"

namespace vsr::operator_api {

namespace {

using json::with_article;

// What is no part of the chat request, or is put there by its own rule.
constexpr std::string_view kOwn[] = {"text", "messages", "model", "headers", "config"};

std::unexpected<wire::ApiError> bad(std::string_view code, std::string_view param,
                                    std::string message) {
  return std::unexpected(
      wire::ApiError{400, std::string(code), std::string(param), std::move(message)});
}

constexpr std::string_view kSendOne =
    "send `text` (a string) or `messages` (a list of chat messages)";

// A chat request may hold any field, so beside text or messages only a name that is nearly one of
// ours is a mistake. `models` is a field of some providers.
std::optional<wire::ApiError> misspelt(const json::Value& input) {
  const bool has_subject = input.find("text") != nullptr || input.find("messages") != nullptr;
  for (const auto& [name, value] : input.fields()) {
    if (std::ranges::find(kOwn, name) != std::end(kOwn)) continue;
    const std::string_view close = nearest(name, {"text", "messages", "headers", "config"});
    if (!close.empty()) {
      return wire::ApiError{400, "unknown_parameter", name,
                            fmt::format("there is no field {}; did you mean {}?", name, close)};
    }
    if (has_subject) continue;
    return wire::ApiError{400, "unknown_parameter", name,
                          fmt::format("{} is not read as what to evaluate; {}", name, kSendOne)};
  }
  return std::nullopt;
}

std::optional<wire::ApiError> misfit_headers(const json::Value* headers) {
  if (headers == nullptr) return std::nullopt;
  if (!headers->is_object()) {
    return wire::ApiError{
        400, "invalid_type", "headers",
        fmt::format("`headers` has to be an object of names and values, and is {}",
                    with_article(headers->kind()))};
  }
  for (const auto& [name, value] : headers->fields()) {
    if (value.is_string()) continue;
    return wire::ApiError{400, "invalid_type", "headers." + name,
                          fmt::format("the header {} has to be a string, and is {}", name,
                                      with_article(value.kind()))};
  }
  return std::nullopt;
}

// The chat body that the input stands for.
std::string chat_body(const json::Value& input) {
  json::JsonWriter w;
  w.begin_object();
  w.field("model", input["model"].as_string("auto"));
  w.key("messages");
  if (input["messages"].is_array()) {
    input["messages"].write(w);
  } else {
    w.begin_array().begin_object();
    w.field("role", "user").field("content", input["text"].as_string());
    w.end_object().end_array();
  }
  // What else a chat request may hold: private text can stand anywhere.
  for (const auto& [name, value] : input.fields()) {
    if (std::ranges::find(kOwn, name) != std::end(kOwn)) continue;
    w.key(name);
    value.write(w);
  }
  w.end_object();
  return w.take();
}

}  // namespace

wire::ApiResult<json::Value> eval_input(std::string_view body) {
  auto input = object_of(body, "{\"text\": …} or {\"messages\": […]}");
  if (!input) return input;
  if (auto problem = misfit_subject(*input, "")) return std::unexpected(std::move(*problem));
  if (auto problem = misspelt(*input)) return std::unexpected(std::move(*problem));
  const json::Value* const text = input->find("text");
  if (text == nullptr && input->find("messages") == nullptr) {
    return bad("missing_required_parameter", "text", std::string(kSendOne));
  }
  if (text != nullptr && text->as_string().empty()) {
    return bad("invalid_value", "text", "`text` is empty; give it a prompt");
  }
  const json::Value* const model = input->find("model");
  if (model != nullptr && !model->is_string()) {
    return bad("invalid_type", "model",
               fmt::format("`model` has to be a string, and is {}", with_article(model->kind())));
  }
  if (auto problem = misfit_headers(input->find("headers"))) {
    return std::unexpected(std::move(*problem));
  }
  return input;
}

wire::ApiResult<std::string> evaluate(const router::Router& router, const gateway::Runtime* runtime,
                                      const Clock& clock, const json::Value& input) {
  const std::string chat = chat_body(input);
  router::Request request;
  router::FactsCache cache;
  if (const wire::ApiResult<void> read = request.read_chat(chat, cache); !read) {
    return std::unexpected(read.error());
  }
  router::Origin origin;
  const json::Value& headers = input["headers"];
  origin.header = [&headers](std::string_view name) -> std::string_view {
    for (const auto& [key, value] : headers.fields()) {
      if (iequals(key, name)) return value.as_string();
    }
    return "";
  };
  origin.unix_ms = clock.unix_ms();
  origin.evaluate_all = true;
  origin.dry_run = true;
  origin.models.resize(router.config().models.size());
  if (runtime != nullptr && runtime->router.get() == &router) {
    for (config::ModelId m = 0; m < origin.models.size(); ++m) {
      origin.models[m] = runtime->backends.state(m, clock.mono());
    }
  }
  const router::Decision decision = router.decide(request, origin);
  return router::eval_document(router, decision, request.prompt());
}

}  // namespace vsr::operator_api
