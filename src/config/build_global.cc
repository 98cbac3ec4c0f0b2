#include <fmt/format.h>

#include <algorithm>

#include "config/build.h"

namespace vsr::config {
namespace {

void build_replay(const View& view, Replay& replay) {
  read(view["enabled"], replay.enabled);
  read_choice(view["store_backend"], replay.backend);
  read(view["ttl_seconds"], replay.ttl_seconds);
  read(view["async_writes"], replay.async_writes);
  read(view["public"], replay.is_public);
  read(view["store_raw_identity"], replay.store_raw_identity);
  read_count(view["max_records"], replay.max_records);
  read_count(view["sync_interval_ms"], replay.sync_interval_ms);
  read(view["capture_request_body"], replay.capture_request_body);
  read(view["capture_response_body"], replay.capture_response_body);
  read_bytes(view["max_body_bytes"], replay.max_body_bytes);
}

void build_tracing(Build& build, const View& view) {
  Config& config = build.config;
  read(view["exporter"]["endpoint"], config.otlp_endpoint);
  read(view["endpoint"], config.otlp_endpoint);
  read(view["otlp_endpoint"], config.otlp_endpoint);
  if (!view["enabled"].boolean().value_or(true)) config.otlp_endpoint.clear();
  const View sampling = view["sampling"];
  if (!sampling) return;
  const bool is_map = sampling.node()->kind == NodeKind::kMapping;
  const View at = is_map ? sampling["rate"] : sampling;
  const std::string type = is_map ? sampling["type"].text().value_or("") : "";
  config.trace_sampling = type == "always_on" ? 1 : at.number().value_or(0);
  if ((at && !at.number()) || config.trace_sampling < 0 || config.trace_sampling > 1) {
    build.error(at, "expected a number from 0 to 1", at.text().value_or(""),
                "a number from 0 to 1");
  }
}

}  // namespace

void build_thresholds(Build& build, const View& catalog) {
  EmbeddingConfig& embedding = build.config.embedding;
  const View semantic = catalog["embeddings"]["semantic"]["embedding_config"];
  read(semantic["top_k"], embedding.top_k);
  read(semantic["min_score_threshold"], embedding.min_score_threshold);
  read(semantic["enable_soft_matching"], embedding.enable_soft_matching);
  embedding.calibrated = semantic["calibration"].choice().value_or(1) == 1;
  ClassifierConfig& classifier = build.config.classifier;
  const View modules = catalog["modules"];
  read(modules["classifier"]["domain"]["threshold"], classifier.domain_threshold);
  read(modules["classifier"]["pii"]["threshold"], classifier.pii_threshold);
  read(modules["prompt_guard"]["threshold"], classifier.jailbreak_threshold);
}

void build_global(Build& build, const View& global) {
  read_choice(global["router"]["header_profile"], build.config.header_profile);
  const View services = global["services"];
  const View identity = services["authz"]["identity"];
  read(identity["user_id_header"], build.config.authz.user_id_header);
  read(identity["user_groups_header"], build.config.authz.user_groups_header);
  build_replay(services["router_replay"], build.config.replay);
  build_tracing(build, services["observability"]["tracing"]);
}

void build_auto_names(Build& build, const View& router, const View& entrypoints) {
  std::vector<std::string>& names = build.config.auto_names;
  const auto add = [&](const std::string& name, const View& at) {
    if (name.empty() || build.config.is_auto(name)) return;
    if (build.config.find_model(name) != kNoModel) {
      build.error(at, fmt::format("{} is a model; a name cannot be both", quote(name)), name,
                  "a name that no model has");
      return;
    }
    names.push_back(name);
  };
  for (const char* name : {"auto", "vllm-sr/auto", "MoM"}) {
    // A model of that name is the caller's own choice; `auto` itself must stay free.
    if (build.config.find_model(name) == kNoModel) names.emplace_back(name);
  }
  const View one = router["auto_model_name"];
  add(one.text().value_or(""), one);
  const View more = router["auto_model_names"];
  for (const std::string& name : more.texts()) add(name, more);
  for (const View& entry : entrypoints.items()) {
    const auto recipe = entry["recipe"].text();
    if (recipe && !build.config.name.empty() && *recipe != build.config.name) continue;
    for (const std::string& name : entry["model_names"].texts()) add(name, entry["model_names"]);
  }
}

}  // namespace vsr::config
