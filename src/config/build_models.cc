#include <fmt/format.h>

#include "base/strings.h"
#include "config/build.h"
#include "config/load.h"

namespace vsr::config {
namespace {

void read_card(const View& view, Model& model) {
  read(view["param_size"], model.param_size);
  read_tokens(view["context_window_size"], model.context_window_size);
  read(view["description"], model.description);
  read(view["capabilities"], model.capabilities);
  read(view["quality_score"], model.quality_score);
  read(view["modality"], model.modality);
  read(view["tags"], model.tags);
  for (const View& lora : view["loras"].items()) {
    Lora& into = model.loras.emplace_back();
    read(lora["name"], into.name);
    read(lora["description"], into.description);
  }
}

void reasoning_families(Build& build, const View& named) {
  for (const auto& [name, view] : named.named()) {
    ReasoningFamily family;
    family.name = name;
    read_choice(view["type"], family.type);
    read(view["parameter"], family.parameter);
    if (family.parameter.empty() && family.type == ReasoningType::kChatTemplateKwargs) {
      family.parameter = build.required(view["parameter"]);
    }
    build.config.reasoning_families.push_back(std::move(family));
  }
}

void reasoning_family(Build& build, const View& at, Model& model) {
  const auto name = at.text();
  if (!name || name->empty()) return;
  const auto& families = build.config.reasoning_families;
  std::vector<std::string_view> known;
  for (size_t i = 0; i < families.size(); ++i) {
    known.push_back(families[i].name);
    if (families[i].name == *name) model.reasoning_family = static_cast<uint16_t>(i);
  }
  if (!model.reasoning_family) build.unknown(at, "reasoning family", *name, known);
}

void pricing(const View& view, Model& model) {
  if (!view) return;
  Pricing& pricing = model.pricing.emplace();
  read(view["currency"], pricing.currency);
  read(view["prompt_per_1m"], pricing.prompt_per_1m);
  read(view["completion_per_1m"], pricing.completion_per_1m);
  read(view["cache_write_per_1m"], pricing.cache_write_per_1m);
  // A provider without a price for cached input charges it like any other.
  pricing.cached_input_per_1m = pricing.prompt_per_1m;
  read(view["cached_input_per_1m"], pricing.cached_input_per_1m);
}

void reliability(const View& view, Reliability& into) {
  read_duration(view["connect_timeout"], into.connect_timeout_ms);
  read_duration(view["first_byte_timeout"], into.first_byte_timeout_ms);
  read_duration(view["idle_timeout"], into.idle_timeout_ms);
  read(view["retries"], into.retries);
  const View outlier = view["outlier"];
  read(outlier["consecutive_errors"], into.outlier_consecutive_errors);
  if (const auto seconds = outlier["ejection_seconds"].number()) {
    into.outlier_ejection_ms = static_cast<uint64_t>(std::min(*seconds, 1e9) * 1e3);
  }
}

void provider_model(Build& build, const View& view, Model& model) {
  model.position = view["name"].position();
  reasoning_family(build, view["reasoning_family"], model);
  model.provider_model_id = model.name;
  read(view["provider_model_id"], model.provider_model_id);
  for (const auto& [name, id] : view["external_model_ids"].named()) {
    read(id, model.external_model_ids[name]);
  }
  read_choice(view["api_format"], model.api_format);
  pricing(view["pricing"], model);
  const View cache = view["cache"];
  read(cache["ttl_seconds"], model.cache.ttl_seconds);
  read_tokens(cache["min_tokens"], model.cache.min_tokens);
  read(cache["scope"], model.cache.scope);
  reliability(view["reliability"], model.reliability);
  build_backends(build, view["backend_refs"], model);
  if (view["backend_refs"].items().empty()) {
    build.warn(view["backend_refs"], "no backend: requests for this model will be refused with 503",
               "", "a backend with endpoint or base_url");
  }
}

void defaults(Build& build, const View& view) {
  read_choice(view["default_reasoning_effort"], build.config.default_effort);
  const View at = view["default_model"];
  if (at) {
    build.config.default_model = build.model(at);
    return;
  }
  build.error(at, "missing: requests that no decision matches need a model", "",
              "the name of a model");
}

}  // namespace

void build_models(Build& build, const View& providers, const View& cards) {
  reasoning_families(build, providers["defaults"]["reasoning_families"]);

  std::map<std::string, View> card_of;
  std::vector<std::string> card_names;
  Names card_names_seen("model card");
  for (const View& card : cards.items()) {
    const std::string name = card_names_seen.take(build, card);
    if (name.empty()) continue;
    card_of.emplace(name, card);
    card_names.push_back(name);
  }

  std::vector<Model>& models = build.config.models;
  const std::vector<std::string_view> known(card_names.begin(), card_names.end());
  Names model_names("model");
  for (const View& view : providers["models"].items()) {
    Model model;
    model.name = model_names.take(build, view);
    if (model.name.empty()) continue;
    const auto card = card_of.find(model.name);
    if (card == card_of.end()) {
      build.unknown(view["name"], "card under routing.modelCards", model.name, known);
    } else {
      read_card(card->second, model);
      card_of.erase(card);
    }
    provider_model(build, view, model);
    models.push_back(std::move(model));
  }
  for (const std::string& name : card_names) {
    const auto card = card_of.find(name);
    if (card == card_of.end()) continue;
    build.warn(card->second["name"],
               fmt::format("{} has no entry under providers.models: requests for it will be "
                           "refused with 503",
                           quote(name)),
               name);
    Model model;
    model.name = name;
    model.provider_model_id = name;
    model.position = card->second["name"].position();
    read_card(card->second, model);
    models.push_back(std::move(model));
  }
  if (models.empty()) {
    build.error(providers["models"], "a recipe needs at least one model", "", "a list of models");
  } else if (models.size() > kModelsMax) {
    build.error(providers["models"],
                fmt::format("{} models; at most {}", models.size(), kModelsMax));
    models.resize(kModelsMax);
  }
  defaults(build, providers["defaults"]);
}

}  // namespace vsr::config
