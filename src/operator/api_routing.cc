// Dry runs, classifiers and the encoder: the part of Api that asks the router.
#include "json/value.h"
#include "operator/api.h"
#include "operator/meaning.h"

namespace vsr::operator_api {

net::Task<void> Api::eval(http::Exchange& exchange, std::string_view) {
  const Result<http::Bytes> body = co_await exchange.read_body(kBodyBytesMax);
  if (!body) {
    co_await refuse(exchange, wire::to_api_error(body.error()));
    co_return;
  }
  const std::shared_ptr<const gateway::Runtime> runtime = hooks_.runtime();
  std::shared_ptr<const router::Router> router = runtime ? runtime->router : nullptr;
  if (exchange.request().query == "config=candidate") {
    const Result<json::Value> input = json::Value::parse(body->view());
    const std::string yaml(input ? (*input)["config"].as_string() : "");
    Result<std::shared_ptr<const router::Router>> candidate = hooks_.candidate(yaml);
    if (!candidate) {
      co_await refuse(exchange, {400, "invalid_recipe", "config", candidate.error().message});
      co_return;
    }
    router = std::move(*candidate);
  }
  if (!router) {
    co_await refuse(exchange, {503, "not_configured", "", "no recipe is active yet"});
    co_return;
  }
  // Every signal is evaluated, the encoder's too: not on the loop.
  wire::ApiResult<std::string> document;
  std::function<Result<bool>()> work = [&]() -> Result<bool> {
    document = evaluate(*router, runtime.get(), *services_.clock, body->view());
    return true;
  };
  const Result<bool> done = co_await net::offload<bool>(offload_, exchange.loop(), std::move(work));
  if (!done) {
    co_await refuse(exchange, {503, "overloaded", "", done.error().message});
    co_return;
  }
  if (!document) {
    co_await refuse(exchange, document.error());
    co_return;
  }
  co_await json(exchange, std::move(*document));
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
