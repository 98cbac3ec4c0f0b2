#include "eval/probes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/yaml.h"
#include "json/writer.h"
#include "router/facts_cache.h"

namespace vsr::eval {

namespace {

using config::Node;
using config::NodeKind;

constexpr uint64_t kRepeatMax = 100'000;
constexpr size_t kQueryBytesMax = 16UL << 20;

std::string text_of(const Node* node) {
  return node == nullptr || node->kind != NodeKind::kScalar || node->is_null() ? "" : node->text;
}

std::vector<std::string> texts_of(const Node* node) {
  std::vector<std::string> out;
  if (node == nullptr) return out;
  for (const Node* item : node->items) out.push_back(item->text);
  return out;
}

void write_json(const Node& node, json::JsonWriter& w) {
  switch (node.kind) {
    case NodeKind::kScalar:
      if (node.is_null()) {
        w.null();
      } else if (node.plain && (node.text == "true" || node.text == "false")) {
        w.value(node.text == "true");
      } else if (const auto number = json::Value::parse(node.text);
                 node.plain && number && number->is_number()) {
        w.raw(node.text);
      } else {
        w.value(node.text);
      }
      return;
    case NodeKind::kSequence:
      w.begin_array();
      for (const Node* item : node.items) write_json(*item, w);
      w.end_array();
      return;
    case NodeKind::kMapping:
      w.begin_object();
      for (const config::Entry& entry : node.entries) {
        w.key(entry.key);
        write_json(*entry.value, w);
      }
      w.end_object();
      return;
  }
}

std::map<std::string, std::vector<std::string>> families_of(const Node* node) {
  std::map<std::string, std::vector<std::string>> out;
  if (node == nullptr) return out;
  for (const config::Entry& entry : node->entries) out[entry.key] = texts_of(entry.value);
  return out;
}

std::string repeated(const std::string& text, uint64_t times) {
  std::string out;
  for (uint64_t i = 0; i < times && out.size() < kQueryBytesMax; ++i) {
    if (i > 0) out += '\n';
    out += text;
  }
  return out;
}

uint64_t count_of(const Node* node) {
  const std::string text = text_of(node);
  if (text.empty()) return 1;
  return std::clamp<uint64_t>(std::strtoull(text.c_str(), nullptr, 10), 1, kRepeatMax);
}

// The query with its repetition and padding.
std::string query_of(const Node& variant) {
  std::string query = repeated(text_of(variant.find("query")), count_of(variant.find("repeat")));
  const Node* padding = variant.find("padding");
  if (padding == nullptr) return query;
  const std::string unit = text_of(padding->find("text"));
  const uint64_t times = count_of(padding->find("repeat"));
  const std::string placement = text_of(padding->find("placement"));
  if (placement == "after") return query + "\n" + repeated(unit, times);
  if (placement == "around") {
    const uint64_t half = times / 2;
    return repeated(unit, half) + "\n" + query + "\n" + repeated(unit, times - half);
  }
  return repeated(unit, times) + "\n" + query;
}

std::string body_of(const Node& decision, const Node& variant) {
  const std::string model = text_of(decision.find("model"));
  json::JsonWriter w;
  w.begin_object();
  w.field("model", model.empty() ? "auto" : model);
  w.key("messages");
  if (const Node* messages = variant.find("messages")) {
    write_json(*messages, w);
  } else {
    w.begin_array().begin_object();
    w.field("role", "user").field("content", query_of(variant));
    w.end_object().end_array();
  }
  if (const Node* tools = variant.find("tools")) {
    w.key("tools");
    write_json(*tools, w);
  }
  w.end_object();
  return w.take();
}

bool has_signal(const router::Decision& decision, const std::vector<config::SignalValue>& values,
                std::string_view family, std::string_view name) {
  for (size_t id = 0; id < values.size(); ++id) {
    const config::SignalInfo& info = decision.config->signals[id];
    if (values[id].matched && info.name == name && config::family_name(info.type) == family) {
      return true;
    }
  }
  return false;
}

std::string first_failing(const policy::Explanation& explanation, const config::Config& config,
                          std::string_view decision) {
  for (const policy::DecisionTrace& trace : explanation.decisions) {
    if (config.decisions[trace.decision].name != decision) continue;
    return trace.first_failing.empty() ? "it matched, but another one ranks before it"
                                       : "not matched: " + trace.first_failing;
  }
  return "the recipe has no such decision";
}

}  // namespace

Result<std::vector<Probe>> load_probes(std::string_view yaml, const std::string& filename) {
  config::Diagnostics diagnostics(filename);
  const config::Document document = config::parse_yaml(yaml, diagnostics);
  const Node* decisions = document.root() == nullptr ? nullptr : document.root()->find("decisions");
  if (diagnostics.has_errors() || decisions == nullptr || decisions->kind != NodeKind::kSequence) {
    const std::string problems = config::format_all(diagnostics.take());
    return fail(ErrorCode::kInvalidArgument,
                problems.empty() ? filename + ": a probe file has a list `decisions`" : problems);
  }
  std::vector<Probe> out;
  for (const Node* decision : decisions->items) {
    const Node* variants = decision->find("variants");
    if (variants == nullptr) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}:{}:{}: needs a list `variants`", filename,
                              decision->position.line, decision->position.column));
    }
    for (const Node* variant : variants->items) {
      if (variant->find("query") == nullptr && variant->find("messages") == nullptr) {
        return fail(ErrorCode::kInvalidArgument,
                    fmt::format("{}:{}:{}: needs `query` or `messages`", filename,
                                variant->position.line, variant->position.column));
      }
      Probe probe;
      probe.decision = text_of(decision->find("expected_decision"));
      probe.alias = text_of(decision->find("expected_alias"));
      probe.algorithm = text_of(decision->find("expected_algorithm"));
      probe.plugins = texts_of(decision->find("expected_plugins"));
      probe.expected_signals = families_of(decision->find("expected_signals"));
      for (auto& [family, names] : families_of(variant->find("expected_signals"))) {
        auto& all = probe.expected_signals[family];
        all.insert(all.end(), names.begin(), names.end());
      }
      probe.forbidden_signals = families_of(decision->find("forbidden_signals"));
      probe.tags = texts_of(variant->find("tags"));
      const std::string id = text_of(decision->find("id"));
      probe.id =
          fmt::format("{}/{}", id.empty() ? probe.decision : id, text_of(variant->find("id")));
      probe.body = body_of(*decision, *variant);
      out.push_back(std::move(probe));
    }
  }
  return out;
}

ProbeResult run_probe(const router::Router& router, const Probe& probe, const Clock& clock) {
  ProbeResult result;
  router::Request request;
  router::FactsCache cache;
  if (const wire::ApiResult<void> read = request.read_chat(probe.body, cache); !read) {
    result.why = read.error().message;
    return result;
  }
  router::Origin origin;
  origin.header = [](std::string_view) { return std::string_view(); };
  origin.unix_ms = clock.unix_ms();
  origin.evaluate_all = origin.dry_run = true;
  origin.models.resize(router.config().models.size());
  const router::Decision decision = router.decide(request, origin);
  const policy::Explanation explanation = router.explain(decision);
  const config::Config& config = router.config();
  const std::string name = decision.rule() != nullptr ? decision.rule()->name : "";
  result.got = fmt::format("{} ({:.3f})", name.empty() ? "no decision" : name, decision.confidence);
  if (!probe.decision.empty() && name != probe.decision) {
    result.why = fmt::format("expected {}, got {}; {}", probe.decision, result.got,
                             first_failing(explanation, config, probe.decision));
    return result;
  }
  if (!probe.alias.empty()) {
    std::vector<std::string> models;
    for (const policy::Candidate& candidate : decision.selection.candidates) {
      models.push_back(config.models[candidate.model].name);
    }
    if (std::find(models.begin(), models.end(), probe.alias) == models.end()) {
      result.why =
          fmt::format("expected the model {} among {}", probe.alias, fmt::join(models, ", "));
      return result;
    }
  }
  if (!probe.algorithm.empty() &&
      (decision.rule() == nullptr || decision.rule()->algorithm.name != probe.algorithm)) {
    result.why = fmt::format("expected the algorithm {}", probe.algorithm);
    return result;
  }
  for (const std::string& plugin : probe.plugins) {
    const bool has = decision.rule() != nullptr &&
                     std::any_of(decision.rule()->plugins.begin(), decision.rule()->plugins.end(),
                                 [&](const config::Plugin& p) { return p.type == plugin; });
    if (has) continue;
    result.why = fmt::format("expected the plugin {}", plugin);
    return result;
  }
  for (const auto& [family, names] : probe.expected_signals) {
    for (const std::string& signal : names) {
      if (has_signal(decision, explanation.values, family, signal)) continue;
      result.why = fmt::format("expected the signal {}:{} to match", family, signal);
      return result;
    }
  }
  for (const auto& [family, names] : probe.forbidden_signals) {
    for (const std::string& signal : names) {
      if (!has_signal(decision, explanation.values, family, signal)) continue;
      result.why = fmt::format("the signal {}:{} must not match", family, signal);
      return result;
    }
  }
  result.passed = true;
  return result;
}

}  // namespace vsr::eval
