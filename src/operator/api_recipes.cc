// The recipe: shown, checked, changed. The part of Api that asks the RecipeKeeper.
#include <fmt/format.h>

#include "base/strings.h"
#include "json/value.h"
#include "json/writer.h"
#include "operator/api.h"

namespace vsr::operator_api {

namespace {

constexpr std::string_view kYaml = "application/yaml";
const wire::ApiError kNoKeeper{503, "not_configured", "", "nobody keeps a recipe here"};

Answer yaml_answer(const Result<std::string>& text) {
  return text ? Answer{200, *text, kYaml} : answer_of(wire::to_api_error(text.error()));
}

}  // namespace

net::Task<void> Api::config(http::Exchange& exchange, std::string_view) {
  co_await work(exchange, [this](std::string_view) {
    if (recipes_ == nullptr) return answer_of(kNoKeeper);
    const Result<RunningRecipe> running = recipes_->running();
    if (!running) return answer_of(wire::to_api_error(running.error()));
    return Answer{200, running->yaml, kYaml,
                  http::HeaderText().add("etag", fmt::format("\"{}\"", running->tag)).text()};
  });
}

net::Task<void> Api::put_config(http::Exchange& exchange, std::string_view) {
  std::string match(exchange.request().headers.get("if-match"));
  if (match.size() >= 2 && match.starts_with('"')) match = match.substr(1, match.size() - 2);
  if (match == "*") match.clear();
  co_await work(exchange, [this, match](std::string_view body) {
    return recipes_ == nullptr ? answer_of(kNoKeeper) : answer_of(recipes_->activate(body, match));
  });
}

net::Task<void> Api::validate(http::Exchange& exchange, std::string_view) {
  co_await work(exchange,
                [this](std::string_view body) { return Answer{200, hooks_.validate(body)}; });
}

net::Task<void> Api::probes(http::Exchange& exchange, std::string_view) {
  co_await work(exchange, [this](std::string_view body) {
    if (recipes_ == nullptr) return answer_of(kNoKeeper);
    const Result<json::Value> input = json::Value::parse(body.empty() ? "{}" : body);
    if (!input || !input->is_object()) {
      return answer_of(wire::ApiError{400, "invalid_json", "",
                                      "the body is no JSON object; send {\"config\": …, "
                                      "\"probes\": …}, both YAML texts"});
    }
    wire::ApiResult<std::string> run =
        recipes_->run_probes((*input)["config"].as_string(), (*input)["probes"].as_string());
    return run ? Answer{200, std::move(*run)} : answer_of(run.error());
  });
}

net::Task<void> Api::versions(http::Exchange& exchange, std::string_view) {
  co_await work(exchange, [this](std::string_view) {
    return recipes_ == nullptr ? answer_of(kNoKeeper)
                               : Answer{200, versions_document(recipes_->versions())};
  });
}

net::Task<void> Api::version(http::Exchange& exchange, std::string_view id) {
  co_await work(exchange, [this, id](std::string_view) {
    if (recipes_ == nullptr) return answer_of(kNoKeeper);
    uint64_t number = 0;
    if (!parse_number(id, number)) {
      return answer_of(wire::ApiError{404, "unknown_version", "",
                                      fmt::format("{} is no number of a version", id)});
    }
    return yaml_answer(recipes_->version_text(number));
  });
}

net::Task<void> Api::rollback(http::Exchange& exchange, std::string_view) {
  co_await work(exchange, [this](std::string_view body) {
    if (recipes_ == nullptr) return answer_of(kNoKeeper);
    const Result<json::Value> input = json::Value::parse(body);
    const int64_t version = input ? (*input)["version"].as_int(-1) : -1;
    if (version < 0) {
      return answer_of(wire::ApiError{400, "missing_required_parameter", "version",
                                      "send {\"version\": N}; /api/v1/config/versions lists them"});
    }
    return answer_of(recipes_->roll_back(static_cast<uint64_t>(version)));
  });
}

net::Task<void> Api::shipped_recipes(http::Exchange& exchange, std::string_view) {
  co_await work(exchange, [this](std::string_view) {
    if (recipes_ == nullptr) return answer_of(kNoKeeper);
    json::JsonWriter w;
    w.begin_object().key("recipes").begin_array();
    for (const auto& [name, title] : recipes_->shipped()) {
      w.begin_object().field("name", name).field("title", title).end_object();
    }
    w.end_array().end_object();
    return Answer{200, w.take()};
  });
}

net::Task<void> Api::shipped_recipe(http::Exchange& exchange, std::string_view name) {
  co_await work(exchange, [this, name](std::string_view) {
    return recipes_ == nullptr ? answer_of(kNoKeeper) : yaml_answer(recipes_->shipped_text(name));
  });
}

net::Task<void> Api::import_recipe(http::Exchange& exchange, std::string_view) {
  co_await work(exchange, [](std::string_view body) { return import_preview(body); });
}

net::Task<void> Api::topology(http::Exchange& exchange, std::string_view) {
  const std::shared_ptr<const gateway::Runtime> runtime = hooks_.runtime();
  if (!runtime) {
    co_await refuse(exchange, {503, "not_configured", "", "no recipe is active yet"});
    co_return;
  }
  co_await json(exchange, topology_document(*runtime->config));
}

}  // namespace vsr::operator_api
