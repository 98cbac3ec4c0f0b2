#pragma once

// For tests of this room: bodies of chat requests, and a Router over a recipe given as text, with
// its caches, its sessions and a clock that stands still. One thread.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/load.h"
#include "json/value.h"
#include "nn/vectors.h"
#include "router/eval_document.h"
#include "router/router.h"

namespace vsr::router {

inline std::string json_text(std::string_view text) {
  json::JsonWriter w;
  w.value(text);
  return w.take();
}

inline std::string message(std::string_view role, std::string_view text) {
  return fmt::format(R"({{"role":{},"content":{}}})", json_text(role), json_text(text));
}
inline std::string user(std::string_view text) { return message("user", text); }
inline std::string assistant(std::string_view text) { return message("assistant", text); }
inline std::string call(std::string_view id, std::string_view arguments = "{}") {
  return fmt::format(
      R"({{"role":"assistant","content":null,"tool_calls":[{{"id":{},"type":"function",)"
      R"("function":{{"name":"run","arguments":{}}}}}]}})",
      json_text(id), json_text(arguments));
}
inline std::string result(std::string_view id, std::string_view text) {
  return fmt::format(R"({{"role":"tool","tool_call_id":{},"content":{}}})", json_text(id),
                     json_text(text));
}

// `more` is further top-level fields, each with a comma before it.
inline std::string body(std::string_view model, const std::vector<std::string>& messages,
                        std::string_view more = "") {
  std::string list;
  for (const std::string& text : messages) list += (list.empty() ? "" : ",") + text;
  return fmt::format(R"({{"model":{},"messages":[{}]{}}})", json_text(model), list, more);
}

// Three models from cheap to dear: `local` (for private text), `small`, `large`.
constexpr std::string_view kRecipe = R"(version: v0.3
providers:
  defaults: {default_model: small}
  models:
    - {name: local, backend_refs: [{endpoint: "h:1"}]}
    - name: small
      pricing: {prompt_per_1m: 0.1, cached_input_per_1m: 0.01, completion_per_1m: 0.4}
      backend_refs: [{endpoint: "h:2"}]
    - name: large
      pricing: {prompt_per_1m: 2, cached_input_per_1m: 0.2, completion_per_1m: 8}
      backend_refs: [{endpoint: "h:3"}]
routing:
  modelCards:
    - {name: local, quality_score: 0.6}
    - {name: small, quality_score: 0.8, context_window_size: 4000, modality: text, capabilities: [tools]}
    - {name: large, quality_score: 0.95, capabilities: [tools, vision]}
  signals:
    pii: [{name: personal, threshold: 0.5, include_history: true}]
    keywords:
      - {name: hard, keywords: [prove, refactor]}
      - {name: easy, keywords: [hello]}
    domains: [{name: law, mmlu_categories: [law]}]
  projections:
    scores:
      - name: effort
        inputs: [{type: keyword, name: hard, weight: 0.75}, {type: keyword, name: easy, weight: -0.25}]
    mappings:
      - {name: effort_band, source: effort, outputs: [{name: much, gte: 0.5}]}
  decisions:
    - name: private
      tier: 1
      rules: {type: pii, name: personal}
      modelRefs: [{model: local}]
      adaptations: {session_aware: {mode: bypass}}
    - name: hard_work
      tier: 2
      priority: 7
      rules: {operator: AND, conditions: [{type: projection, name: much}]}
      modelRefs: [{model: large}, {model: small}]
    - name: greeting
      tier: 3
      rules: {type: keyword, name: easy}
      modelRefs: [{model: small}]
global:
  router:
    learning: {enabled: true, adaptations: {session_aware: {enabled: true}}}
)";

// kRecipe with one piece of text replaced, which must be there.
inline std::string edited(std::string_view from, std::string_view to) {
  std::string recipe(kRecipe);
  const size_t at = recipe.find(from);
  if (at == std::string::npos) {
    ADD_FAILURE() << "the recipe has no " << from;
    return recipe;
  }
  return recipe.replace(at, from.size(), to);
}

class World {
 public:
  explicit World(std::string_view recipe = kRecipe,
                 std::shared_ptr<const nn::HeadBank> heads = nullptr,
                 std::shared_ptr<nn::Vectors> vectors = nullptr) {
    const config::LoadResult loaded = config::load_text(recipe, "recipe.yaml");
    if (!loaded.config) {
      ADD_FAILURE() << config::format_all(loaded.diagnostics);
      return;
    }
    config_ = loaded.config;
    origin_.models.resize(config_->models.size());
    origin_.header = [this](std::string_view name) -> std::string_view {
      const auto found = headers_.find(name);
      return found == headers_.end() ? std::string_view() : found->second;
    };
    learning_ = std::make_shared<LearningState>(config_->learning.state_ttl_seconds);
    signals::Parts parts;
    parts.heads = std::move(heads);
    if (signals::needs_vectors(config_->rules) || needs_vectors(*config_))
      parts.vectors = std::move(vectors);
    parts.cache = std::make_shared<signals::MessageCache>();
    auto router = Router::make(config_, std::move(parts), learning_, clock_);
    if (!router) {
      ADD_FAILURE() << router.error().message;
      return;
    }
    router_ = *router;
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Reads and decides; nothing is committed. The bytes are kept for the life of this object.
  Decision decide(std::string text) {
    bodies_.push_back(std::make_unique<std::string>(std::move(text)));
    if (auto read = request_.read_chat(*bodies_.back(), facts_); !read) {
      ADD_FAILURE() << read.error().message;
      return {};
    }
    origin_.unix_ms = clock_.unix_ms();
    return router_->decide(request_, origin_);
  }
  // The same, and a good answer of 100 tokens follows.
  Decision serve(std::string text) {
    Decision decision = decide(std::move(text));
    answer(decision);
    return decision;
  }
  void answer(const Decision& decision) {
    router_->commit(decision, clock_.unix_ms());
    router_->done(decision, decision.facts.needs.context_tokens, 100, clock_.unix_ms());
  }

  std::string model_name(config::ModelId id) const {
    return id == config::kNoModel ? "" : config_->models[id].name;
  }
  std::string model_of(const Decision& decision) const { return model_name(decision.model); }
  std::string rule_of(const Decision& decision) const {
    return decision.rule() == nullptr ? "" : decision.rule()->name;
  }
  void set_healthy(std::string_view model, bool healthy) {
    origin_.models[config_->find_model(model)].healthy = healthy;
  }
  json::Value document(const Decision& decision, std::string_view prompt = {}) const {
    auto parsed = json::Value::parse(eval_document(*router_, decision, prompt));
    if (parsed) return std::move(*parsed);
    ADD_FAILURE() << parsed.error().message;
    return {};
  }

  std::map<std::string, std::string, std::less<>> headers_;
  FakeClock clock_;
  Origin origin_;
  FactsCache facts_;
  Request request_;
  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<LearningState> learning_;
  std::shared_ptr<const Router> router_;

 private:
  std::vector<std::unique_ptr<std::string>> bodies_;
};

}  // namespace vsr::router
