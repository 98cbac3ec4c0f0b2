#include <algorithm>

#include "base/strings.h"
#include "json/value.h"
#include "operator/api.h"
#include "router/eval_document.h"
#include "router/facts_cache.h"

namespace vsr::operator_api {

namespace {

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
  constexpr std::string_view kOwn[] = {"model", "messages", "text", "headers", "config"};
  for (const auto& [name, value] : input.fields()) {
    if (std::ranges::find(kOwn, name) != std::end(kOwn)) continue;
    w.key(name);
    value.write(w);
  }
  w.end_object();
  return w.take();
}

}  // namespace

wire::ApiResult<std::string> evaluate(const router::Router& router, const gateway::Runtime* runtime,
                                      const Clock& clock, std::string_view body) {
  const Result<json::Value> input = json::Value::parse(body);
  if (!input || !input->is_object()) {
    return std::unexpected(
        wire::ApiError{400, "invalid_json", "",
                       "the body is no JSON object; send {\"text\": …} or {\"messages\": […]}"});
  }
  if (!(*input)["text"].is_string() && !(*input)["messages"].is_array()) {
    return std::unexpected(wire::ApiError{400, "missing_required_parameter", "text",
                                          "send either `text` or `messages`"});
  }
  const std::string chat = chat_body(*input);
  router::Request request;
  router::FactsCache cache;
  if (const wire::ApiResult<void> read = request.read_chat(chat, cache); !read) {
    return std::unexpected(read.error());
  }
  router::Origin origin;
  const json::Value& headers = (*input)["headers"];
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
