#include "operator/recipes.h"

#include <fmt/format.h>

#include "config/load.h"
#include "json/value.h"
#include "json/writer.h"

namespace vsr::operator_api {

Answer answer_of(const wire::ApiError& error) { return {error.status, wire::error_body(error)}; }

Answer answer_of(const std::expected<Activation, Refusal>& result) {
  json::JsonWriter w;
  w.begin_object();
  if (!result) {
    const Refusal& refusal = result.error();
    // The usual error, and beside it what is wrong where.
    const auto error = json::Value::parse(wire::error_body(refusal.error));
    w.key("error");
    (*error)["error"].write(w);
    w.raw_field("diagnostics", config::to_json(refusal.diagnostics));
    w.end_object();
    return {refusal.error.status, w.take()};
  }
  w.field("version", result->version).field("policy", result->policy);
  w.raw_field("diagnostics", config::to_json(result->diagnostics));
  w.key("notes").begin_array();
  for (const std::string& note : result->notes) w.value(note);
  w.end_array().end_object();
  return {200, w.take()};
}

std::string versions_document(const std::vector<KeptVersion>& versions) {
  json::JsonWriter w;
  w.begin_object().key("versions").begin_array();
  for (const KeptVersion& version : versions) {
    w.begin_object();
    w.field("id", version.id).field("activated_at", format_rfc3339(version.activated_at));
    w.field("policy", version.policy).field("source", version.source);
    w.field("bytes", version.bytes).field("running", version.running);
    w.end_object();
  }
  w.end_array().end_object();
  return w.take();
}

Answer import_preview(std::string_view body) {
  const Result<json::Value> input = json::Value::parse(body);
  const std::string_view url = input ? (*input)["url"].as_string() : "";
  std::string yaml(input ? (*input)["yaml"].as_string() : "");
  if (yaml.empty() == url.empty()) {
    return answer_of(wire::ApiError{400, "missing_required_parameter", "url",
                                    "send {\"url\": \"https://…\"} or {\"yaml\": \"…\"}"});
  }
  if (!url.empty()) {
    wire::ApiResult<std::string> fetched = fetch_recipe(std::string(url));
    if (!fetched) return answer_of(fetched.error());
    yaml = std::move(*fetched);
  }
  const config::LoadResult loaded = config::load_text(yaml, "recipe");
  json::JsonWriter w;
  w.begin_object();
  w.field("valid", loaded.config != nullptr);
  w.raw_field("diagnostics", config::to_json(loaded.diagnostics));
  w.field("yaml", yaml);
  w.field("name", loaded.config ? loaded.config->name : "");
  w.key("decisions").begin_array();
  for (size_t d = 0; loaded.config && d < loaded.config->decisions.size(); ++d) {
    w.value(loaded.config->decisions[d].name);
  }
  w.end_array().key("models").begin_array();
  for (size_t m = 0; loaded.config && m < loaded.config->models.size(); ++m) {
    w.value(loaded.config->models[m].name);
  }
  w.end_array().end_object();
  return {200, w.take()};
}

}  // namespace vsr::operator_api
