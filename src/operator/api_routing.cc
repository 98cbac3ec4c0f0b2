// Dry runs, classifiers and the encoder: the part of Api that asks the router.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "json/value.h"
#include "operator/api.h"
#include "operator/meaning.h"

namespace vsr::operator_api {

namespace {

// Whether the query asks for the recipe in the body.
wire::ApiResult<bool> asks_for_candidate(std::string_view query) {
  bool out = false;
  for (const std::string_view part : split(query, '&')) {
    if (part.empty()) continue;
    const size_t equals = std::min(part.find('='), part.size());
    const std::string_view name = part.substr(0, equals);
    if (name != "config") {
      return std::unexpected(wire::ApiError{
          400, "unknown_parameter", std::string(name),
          fmt::format("there is no query parameter {}; there is config=candidate", name)});
    }
    if (part.substr(equals) != "=candidate") {
      return std::unexpected(wire::ApiError{
          400, "invalid_value", "config",
          fmt::format("?{} is not known; send ?config=candidate and the recipe as `config` in the "
                      "body, or leave it out to ask the running recipe",
                      part)});
    }
    out = true;
  }
  return out;
}

// The input of a dry run, with a recipe of its own if and only if the query says so.
wire::ApiResult<json::Value> eval_input_of(std::string_view query, std::string_view body) {
  const wire::ApiResult<bool> candidate = asks_for_candidate(query);
  if (!candidate) return std::unexpected(candidate.error());
  auto input = eval_input(body);
  if (!input) return input;
  const json::Value* const recipe = input->find("config");
  if (*candidate && recipe == nullptr) {
    return std::unexpected(wire::ApiError{400, "missing_required_parameter", "config",
                                          "send the recipe, a string of YAML, as `config`"});
  }
  if (!*candidate && recipe != nullptr) {
    return std::unexpected(wire::ApiError{
        400, "invalid_value", "config",
        "`config` is read with ?config=candidate alone; add that to the address, or leave `config` "
        "out to ask the running recipe"});
  }
  if (recipe != nullptr && !recipe->is_string()) {
    return std::unexpected(
        wire::ApiError{400, "invalid_type", "config",
                       fmt::format("`config` has to be a string, the recipe as YAML, and is {}",
                                   json::with_article(recipe->kind()))});
  }
  return input;
}

}  // namespace

net::Task<void> Api::eval(http::Exchange& exchange, std::string_view) {
  // Every signal is evaluated, the encoder's too: not on the loop.
  co_await work(exchange,
                [this, query = std::string(exchange.request().query)](std::string_view body) {
                  wire::ApiResult<std::string> document = evaluated(query, body);
                  return document ? Answer{200, std::move(*document)} : answer_of(document.error());
                });
}

wire::ApiResult<std::string> Api::evaluated(std::string_view query, std::string_view body) const {
  const auto input = eval_input_of(query, body);
  if (!input) return std::unexpected(input.error());
  const std::shared_ptr<const gateway::Runtime> runtime = hooks_.runtime();
  std::shared_ptr<const router::Router> router = runtime ? runtime->router : nullptr;
  if (const json::Value* const recipe = input->find("config")) {
    auto candidate = hooks_.candidate(recipe->as_string());
    if (!candidate) {
      return std::unexpected(
          wire::ApiError{400, "invalid_recipe", "config", candidate.error().message});
    }
    router = std::move(*candidate);
  }
  if (!router) {
    return std::unexpected(wire::ApiError{503, "not_configured", "", "no recipe is active yet"});
  }
  return evaluate(*router, runtime.get(), *services_.clock, *input);
}

net::Task<void> Api::classify(http::Exchange& exchange, std::string_view task) {
  co_await work(exchange, [this, task](std::string_view body) {
    const auto classifiers = hooks_.classifiers();
    if (!classifiers) return answer_of(wire::to_api_error(classifiers.error()));
    wire::ApiResult<std::string> answer =
        operator_api::classify(task, **classifiers, *services_.clock, body);
    return answer ? Answer{200, std::move(*answer)} : answer_of(answer.error());
  });
}

// One text at a time, so that the prompts of requests take their turn between them.
net::Task<Result<Api::Encoded>> Api::encode(net::Loop& loop, std::string text) {
  std::function<Result<Encoded>()> work = [this, &text]() -> Result<Encoded> {
    Result<std::shared_ptr<nn::Vectors>> vectors = hooks_.vectors();
    if (!vectors) return std::unexpected(vectors.error());
    std::vector<float> vector((*vectors)->dims());
    if (!(*vectors)->find(text, vector)) {
      if (const Status done = (*vectors)->encode(text, vector); !done) {
        return std::unexpected(done.error());
      }
    }
    return Encoded{std::move(*vectors), std::move(vector)};
  };
  net::OffloadPool& pool = services_.compute != nullptr ? *services_.compute : offload_;
  co_return co_await net::offload<Encoded>(pool, loop, std::move(work));
}

net::Task<void> Api::embeddings(http::Exchange& exchange, std::string_view) {
  const Result<http::Bytes> body = co_await exchange.read_body(kBodyBytesMax);
  if (!body) {
    co_await refuse(exchange, wire::to_api_error(body.error()));
    co_return;
  }
  const wire::ApiResult<std::vector<std::string>> texts = embedding_texts(body->view());
  if (!texts) {
    co_await refuse(exchange, texts.error());
    co_return;
  }
  std::vector<std::vector<float>> vectors;
  std::string version;
  for (const std::string& text : *texts) {
    Result<Encoded> encoded = co_await encode(exchange.loop(), text);
    if (!encoded) {
      co_await refuse(exchange, wire::to_api_error(encoded.error()));
      co_return;
    }
    version = encoded->vectors->version();
    vectors.push_back(std::move(encoded->vector));
  }
  co_await json(exchange, embeddings_answer(version, vectors));
}

net::Task<void> Api::similarity(http::Exchange& exchange, std::string_view) {
  const Result<http::Bytes> body = co_await exchange.read_body(kBodyBytesMax);
  if (!body) {
    co_await refuse(exchange, wire::to_api_error(body.error()));
    co_return;
  }
  const wire::ApiResult<Pair> pair = similarity_pair(body->view());
  if (!pair) {
    co_await refuse(exchange, pair.error());
    co_return;
  }
  const Result<Encoded> a = co_await encode(exchange.loop(), pair->a);
  const Result<Encoded> b = a ? co_await encode(exchange.loop(), pair->b) : a;
  if (!b) {
    co_await refuse(exchange, wire::to_api_error(b.error()));
    co_return;
  }
  const nn::Vectors& vectors = *a->vectors;
  co_await json(exchange, similarity_answer(vectors.version(), vectors.similarity_curve(),
                                            nn::dot(a->vector, b->vector)));
}

}  // namespace vsr::operator_api
