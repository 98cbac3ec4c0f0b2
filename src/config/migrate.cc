#include "config/migrate.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/emit.h"
#include "config/scalar.h"
#include "config/yaml.h"

namespace vsr::config {
namespace {

// Where a key of the old top level lives now.
struct Move {
  std::string_view from;
  std::string_view to;
};

constexpr Move kMoves[] = {
    {"listeners", "listeners"},
    {"providers", "providers"},
    {"routing", "routing"},
    {"global", "global"},
    {"entrypoints", "entrypoints"},
    {"recipes", "recipes"},
    {"name", "name"},
    {"description", "description"},
    {"default_model", "providers.defaults.default_model"},
    {"default_reasoning_effort", "providers.defaults.default_reasoning_effort"},
    {"reasoning_families", "providers.defaults.reasoning_families"},
    {"model_cards", "routing.modelCards"},
    {"modelCards", "routing.modelCards"},
    {"signals", "routing.signals"},
    {"projections", "routing.projections"},
    {"decisions", "routing.decisions"},
    {"strategy", "routing.strategy"},
    {"keyword_rules", "routing.signals.keywords"},
    {"embedding_rules", "routing.signals.embeddings"},
    {"complexity_rules", "routing.signals.complexity"},
    {"context_rules", "routing.signals.context"},
    {"conversation_rules", "routing.signals.conversation"},
    {"structure_rules", "routing.signals.structure"},
    {"language_rules", "routing.signals.language"},
    {"pii_rules", "routing.signals.pii"},
    {"jailbreak_rules", "routing.signals.jailbreak"},
    {"fact_check_rules", "routing.signals.fact_check"},
    {"user_feedback_rules", "routing.signals.user_feedbacks"},
    {"preference_rules", "routing.signals.preference"},
    {"modality_rules", "routing.signals.modality"},
    {"role_bindings", "routing.signals.role_bindings"},
    {"auto_model_name", "global.router.auto_model_name"},
    {"auto_model_names", "global.router.auto_model_names"},
    {"include_config_models_in_list", "global.router.include_config_models_in_list"},
    {"clear_route_cache", "global.router.clear_route_cache"},
    {"config_source", "global.router.config_source"},
    {"model_selection", "global.router.model_selection"},
    {"learning", "global.router.learning"},
    {"response_api", "global.services.response_api"},
    {"router_replay", "global.services.router_replay"},
    {"observability", "global.services.observability"},
    {"authz", "global.services.authz"},
    {"ratelimit", "global.services.ratelimit"},
    {"api", "global.services.api"},
    {"semantic_cache", "global.stores.semantic_cache"},
    {"response_cache", "global.stores.response_cache"},
    {"memory", "global.stores.memory"},
    {"vector_store", "global.stores.vector_store"},
    {"tools", "global.integrations.tools"},
    {"looper", "global.integrations.looper"},
    {"embedding_models", "global.model_catalog.embeddings.semantic"},
    {"prompt_guard", "global.model_catalog.modules.prompt_guard"},
};

// Keys of an old model_config entry that describe the model; the rest says how it is reached.
constexpr std::string_view kCardKeys[] = {
    "param_size", "context_window_size", "description", "capabilities",
    "loras",      "quality_score",       "modality",    "tags"};
constexpr std::string_view kProviderKeys[] = {
    "reasoning_family", "provider_model_id", "external_model_ids", "api_format", "pricing", "cache",
    "reliability",      "backend_refs"};

class Migrator {
 public:
  Migrator(Document& document, Diagnostics& out) : document_(document), out_(out) {
    root_ = mapping();
  }

  Node* run(Node& old) {
    put(*root_, "version", text("v0.3"));
    const bool has_decisions = old.find("decisions") != nullptr || old.find("routing") != nullptr;
    for (const Entry& entry : old.entries) {
      if (entry.key == "version") continue;
      if (!move(entry) && !convert(entry, old, has_decisions)) {
        lost(entry.key, entry.position, "has no place in v0.3 and was left out");
      }
    }
    if (Node* routing = root_->find("routing")) respell_decisions(*routing);
    return root_;
  }

  const std::vector<std::string>& losses() const { return losses_; }

 private:
  Node* mapping() { return document_.make(NodeKind::kMapping, {}); }
  Node* sequence() { return document_.make(NodeKind::kSequence, {}); }
  Node* text(std::string value, bool plain = true) {
    Node* node = document_.make(NodeKind::kScalar, {});
    node->text = std::move(value);
    node->plain = plain;
    return node;
  }

  static void put(Node& map, std::string_view key, Node* value) {
    map.entries.push_back({std::string(key), {}, value, false});
  }

  static void set(Node& map, std::string_view key, Node* value) {
    const auto present = std::ranges::find(map.entries, key, &Entry::key);
    if (present == map.entries.end()) return put(map, key, value);
    present->value = value;
  }

  // The mapping at a dotted path of the new file, made where it is missing.
  Node* at(std::string_view path) {
    Node* node = root_;
    while (!path.empty()) {
      const size_t dot = std::min(path.find('.'), path.size());
      const std::string_view key = path.substr(0, dot);
      Node* next = node->find(key);
      if (next == nullptr || next->kind != NodeKind::kMapping) {
        next = mapping();
        set(*node, key, next);
      }
      node = next;
      path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return node;
  }

  void lost(const std::string& path, Position position, std::string_view why) {
    losses_.push_back(fmt::format("{} (line {}): {}", quote(path), position.line, why));
    out_.add(Severity::kWarning, position, path, std::string(why));
  }

  bool move(const Entry& entry) {
    const auto found = std::ranges::find(kMoves, entry.key, &Move::from);
    if (found == std::end(kMoves)) return false;
    const size_t dot = found->to.rfind('.');
    const bool top = dot == std::string_view::npos;
    Node* parent = at(top ? std::string_view() : found->to.substr(0, dot));
    const std::string_view key = top ? found->to : found->to.substr(dot + 1);
    Node* present = parent->find(key);
    if (present == nullptr) {
      put(*parent, key, entry.value);
    } else if (present->kind == NodeKind::kMapping && entry.value->kind == NodeKind::kMapping) {
      for (const Entry& child : entry.value->entries) {
        if (present->find(child.key) == nullptr) put(*present, child.key, child.value);
      }
    } else {
      lost(entry.key, entry.position, "is given twice; the other place was kept");
    }
    return true;
  }

  bool convert(const Entry& entry, const Node& old, bool has_decisions) {
    if (entry.key == "vllm_endpoints") {
      if (old.find("model_config") == nullptr) models(old);
      return true;
    }
    if (entry.key == "model_config") {
      models(old);
      return true;
    }
    if (entry.key == "categories") {
      categories(*entry.value, has_decisions);
      return true;
    }
    if (entry.key == "classifier") {
      classifier(*entry.value);
      return true;
    }
    return false;
  }

  // ---- models -----------------------------------------------------------------------------------

  void models(const Node& old) {
    const Node* configs = old.find("model_config");
    const Node* endpoints = old.find("vllm_endpoints");
    std::vector<std::string> names;
    const auto add_name = [&](const std::string& name) {
      if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
    };
    if (configs != nullptr) {
      for (const Entry& entry : configs->entries) add_name(entry.key);
    }
    if (endpoints != nullptr) {
      for (const Node* endpoint : endpoints->items) {
        const Node* served = endpoint->find("models");
        if (served == nullptr) continue;
        for (const Node* name : served->items) add_name(name->text);
      }
    }
    Node* models = sequence();
    Node* cards = sequence();
    for (const std::string& name : names) {
      const Entry* config = nullptr;
      if (configs != nullptr) {
        const auto found = std::ranges::find(configs->entries, name, &Entry::key);
        if (found != configs->entries.end()) config = &*found;
      }
      model(name, config, endpoints, *models, *cards);
    }
    put_once("providers", "models", models);
    put_once("routing", "modelCards", cards);
  }

  void put_once(std::string_view parent, std::string_view key, Node* value) {
    Node* map = at(parent);
    if (map->find(key) == nullptr) put(*map, key, value);
  }

  void model(const std::string& name, const Entry* config, const Node* endpoints, Node& models,
             Node& cards) {
    Node* provider = mapping();
    Node* card = mapping();
    put(*provider, "name", text(name, false));
    put(*card, "name", text(name, false));
    const Node* preferred = nullptr;
    Node* access_key = nullptr;
    if (config != nullptr) {
      for (const Entry& entry : config->value->entries) {
        if (std::ranges::find(kCardKeys, entry.key) != std::end(kCardKeys)) {
          put(*card, entry.key, entry.value);
        } else if (std::ranges::find(kProviderKeys, entry.key) != std::end(kProviderKeys)) {
          put(*provider, entry.key, entry.value);
        } else if (entry.key == "preferred_endpoints") {
          preferred = entry.value;
        } else if (entry.key == "access_key") {
          access_key = entry.value;
        } else {
          lost(fmt::format("model_config.{}.{}", name, entry.key), entry.position,
               "has no place in v0.3 and was left out");
        }
      }
    }
    if (endpoints != nullptr && provider->find("backend_refs") == nullptr) {
      Node* refs = sequence();
      for (const Node* endpoint : endpoints->items) {
        if (serves(*endpoint, name, preferred)) {
          refs->items.push_back(backend_ref(*endpoint, access_key));
        }
      }
      if (!refs->items.empty()) put(*provider, "backend_refs", refs);
    }
    models.items.push_back(provider);
    cards.items.push_back(card);
  }

  static bool contains(const Node& list, std::string_view value) {
    return std::ranges::any_of(list.items, [&](const Node* n) { return n->text == value; });
  }

  static bool serves(const Node& endpoint, std::string_view model, const Node* preferred) {
    if (preferred != nullptr) {
      const Node* name = endpoint.find("name");
      return name != nullptr && contains(*preferred, name->text);
    }
    const Node* served = endpoint.find("models");
    return served == nullptr || contains(*served, model);
  }

  Node* backend_ref(const Node& endpoint, Node* access_key) {
    Node* ref = mapping();
    std::string address;
    std::string port;
    for (const Entry& entry : endpoint.entries) {
      if (entry.key == "address") {
        address = entry.value->text;
      } else if (entry.key == "port") {
        port = entry.value->text;
      } else if (entry.key == "health_check_path") {
        Node* health = mapping();
        put(*health, "path", entry.value);
        put(*ref, "health", health);
      } else if (entry.key != "models") {
        put(*ref, entry.key, entry.value);
      }
    }
    if (!address.empty() && ref->find("endpoint") == nullptr) {
      if (address.find(':') != std::string::npos) address = fmt::format("[{}]", address);
      put(*ref, "endpoint", text(port.empty() ? address : fmt::format("{}:{}", address, port)));
    }
    if (access_key != nullptr && ref->find("api_key") == nullptr) put(*ref, "api_key", access_key);
    return ref;
  }

  // ---- categories -------------------------------------------------------------------------------

  // A category is a domain signal; where no decisions were written, also the decision for it.
  void categories(const Node& list, bool has_decisions) {
    Node* domains = sequence();
    Node* decisions = sequence();
    for (const Node* category : list.items) {
      Node* name = category->find("name");
      if (name == nullptr || name->kind != NodeKind::kScalar) continue;
      Node* domain = mapping();
      for (const Entry& entry : category->entries) {
        if (entry.key == "name" || entry.key == "description" || entry.key == "mmlu_categories") {
          put(*domain, entry.key, entry.value);
        } else if (entry.key != "model_scores" || has_decisions) {
          lost(fmt::format("categories.{}.{}", name->text, entry.key), entry.position,
               "has no place in v0.3 and was left out");
        }
      }
      domains->items.push_back(domain);
      const Node* scores = category->find("model_scores");
      if (!has_decisions && scores != nullptr) {
        decisions->items.push_back(category_decision(name, *scores));
      }
    }
    put_once("routing.signals", "domains", domains);
    if (!decisions->items.empty()) put_once("routing", "decisions", decisions);
  }

  Node* category_decision(Node* name, const Node& scores) {
    Node* leaf = mapping();
    put(*leaf, "type", text("domain"));
    put(*leaf, "name", name);
    Node* refs = sequence();
    for (const Node* score : scores.items) {
      Node* ref = mapping();
      for (const Entry& entry : score->entries) {
        put(*ref, entry.key == "score" ? "weight" : entry.key, entry.value);
      }
      refs->items.push_back(ref);
    }
    // The old rule was: the best score wins, of equals the first.
    std::vector<std::pair<double, size_t>> order;
    for (size_t i = 0; i < refs->items.size(); ++i) {
      const Node* weight = refs->items[i]->find("weight");
      order.emplace_back(-(weight == nullptr ? 0 : parse_number(weight->text).value_or(0)), i);
    }
    std::ranges::sort(order);
    std::vector<Node*> sorted;
    for (const auto& [score, index] : order) sorted.push_back(refs->items[index]);
    refs->items = std::move(sorted);
    Node* decision = mapping();
    put(*decision, "name", text(name->text + "_decision", false));
    put(*decision, "rules", leaf);
    put(*decision, "modelRefs", refs);
    return decision;
  }

  void classifier(const Node& old) {
    for (const Entry& entry : old.entries) {
      const std::string_view part = entry.key == "category_model" ? "domain"
                                    : entry.key == "pii_model"    ? "pii"
                                                                  : "";
      if (part.empty()) {
        lost("classifier." + entry.key, entry.position, "has no place in v0.3 and was left out");
        continue;
      }
      put_once("global.model_catalog.modules.classifier", part, entry.value);
    }
  }

  // ---- decisions --------------------------------------------------------------------------------

  void respell_decisions(Node& routing) {
    Node* decisions = routing.find("decisions");
    if (decisions == nullptr) return;
    for (Node* decision : decisions->items) {
      if (Node* adaptations = decision->find("adaptations")) respell(*adaptations);
    }
  }

  // adaptations {mode, protection {mode, scope, switch_margin}} as session_aware {…}.
  void respell(Node& adaptations) {
    Node* protection = adaptations.find("protection");
    Node* mode = adaptations.find("mode");
    if ((protection == nullptr && mode == nullptr) ||
        adaptations.find("session_aware") != nullptr) {
      return;
    }
    Node* session_aware = mapping();
    Node* inner_mode = protection == nullptr ? nullptr : protection->find("mode");
    if (inner_mode != nullptr) mode = inner_mode;
    if (mode != nullptr) put(*session_aware, "mode", mode);
    if (Node* scope = protection == nullptr ? nullptr : protection->find("scope")) {
      put(*session_aware, "scope", scope);
    }
    if (Node* margin = protection == nullptr ? nullptr : protection->find("switch_margin")) {
      Node* tuning = mapping();
      put(*tuning, "switch_margin", margin);
      put(*session_aware, "tuning", tuning);
    }
    const Node* weight = protection == nullptr ? nullptr : protection->find("stability_weight");
    if (weight != nullptr) {
      lost("adaptations.protection.stability_weight", weight->position,
           "nothing acts on it and it was left out");
    }
    std::erase_if(adaptations.entries, [](const Entry& entry) {
      return entry.key == "mode" || entry.key == "protection";
    });
    put(adaptations, "session_aware", session_aware);
  }

  Document& document_;
  Diagnostics& out_;
  Node* root_;
  std::vector<std::string> losses_;
};

// Whether a file has anything that another spelling would say better.
bool is_current(const Node& root) {
  const Node* version = root.find("version");
  if (version == nullptr || version->text != "v0.3") return false;
  const bool flat = std::ranges::any_of(root.entries, [](const Entry& entry) {
    const auto found = std::ranges::find(kMoves, entry.key, &Move::from);
    const bool moved = found != std::end(kMoves) && found->to != entry.key;
    return moved || entry.key == "vllm_endpoints" || entry.key == "model_config" ||
           entry.key == "categories" || entry.key == "classifier";
  });
  if (flat) return false;
  const Node* routing = root.find("routing");
  const Node* decisions = routing == nullptr ? nullptr : routing->find("decisions");
  if (decisions == nullptr) return true;
  return std::ranges::none_of(decisions->items, [](const Node* decision) {
    const Node* adaptations = decision->find("adaptations");
    return adaptations != nullptr &&
           (adaptations->find("mode") != nullptr || adaptations->find("protection") != nullptr);
  });
}

}  // namespace

MigrateResult migrate(std::string_view yaml, const std::string& filename) {
  Diagnostics out(filename);
  MigrateResult result;
  Document document = parse_yaml(yaml, out);
  if (document.root() != nullptr && document.root()->kind != NodeKind::kMapping) {
    out.add(Severity::kError, document.root()->position, "", "a recipe is a mapping");
  }
  if (document.root() == nullptr || out.has_errors()) {
    result.diagnostics = out.take();
    return result;
  }
  if (is_current(*document.root())) {
    result.yaml = yaml;
    return result;
  }
  Migrator migrator(document, out);
  const Node* root = migrator.run(*document.root());
  result.changed = true;
  for (const std::string& loss : migrator.losses()) {
    result.yaml += fmt::format("# not migrated: {}\n", loss);
  }
  result.yaml += emit_yaml(*root);
  result.diagnostics = out.take();
  return result;
}

}  // namespace vsr::config
