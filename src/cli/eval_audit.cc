#include "cli/eval_audit.h"

#include <fmt/format.h>

#include <cstdio>
#include <thread>

#include "app/local_gateway.h"
#include "eval/audit.h"
#include "json/value.h"
#include "json/writer.h"
#include "sim/sim.h"

namespace vsr::cli {
namespace {

// Models at two backends, one of them at both; a rule that sends the turns of a tool loop to a
// cheap model, which is what learning has to prevent; and a private decision.
constexpr std::string_view kRecipe = R"(version: v0.3
providers:
  defaults: {default_model: small}
  models:
    - name: local
      reliability: {outlier: {consecutive_errors: 1000000}}
      backend_refs: [{endpoint: "a:1"}]
    - name: small
      pricing: {prompt_per_1m: 0.1, cached_input_per_1m: 0.01, completion_per_1m: 0.4}
      reliability: {outlier: {consecutive_errors: 1000000}}
      backend_refs: [{endpoint: "a:1"}, {endpoint: "b:1"}]
    - name: middle
      pricing: {prompt_per_1m: 0.5, cached_input_per_1m: 0.05, completion_per_1m: 2}
      reliability: {outlier: {consecutive_errors: 1000000}}
      backend_refs: [{endpoint: "b:1"}]
    - name: large
      pricing: {prompt_per_1m: 2, cached_input_per_1m: 0.2, completion_per_1m: 8}
      reliability: {outlier: {consecutive_errors: 1000000}}
      backend_refs: [{endpoint: "a:1"}, {endpoint: "b:1"}]
routing:
  modelCards:
    - {name: local, quality_score: 0.6}
    - {name: small, quality_score: 0.75}
    - {name: middle, quality_score: 0.85}
    - {name: large, quality_score: 0.95}
  signals:
    pii: [{name: personal, threshold: 0.5}]
    keywords:
      - {name: hard, keywords: [prove]}
      - {name: medium, keywords: [refactor, changed]}
    conversation:
      - {name: looping, feature: {type: exists, source: {type: active_tool_loop}}}
  decisions:
    - name: private
      tier: 1
      rules: {type: pii, name: personal}
      modelRefs: [{model: local}]
      adaptations: {session_aware: {mode: bypass}}
    - name: tool_turn
      tier: 2
      priority: 9
      rules: {operator: AND, conditions: [{type: conversation, name: looping}]}
      modelRefs: [{model: small}]
    - name: hard
      tier: 3
      priority: 8
      rules: {type: keyword, name: hard}
      modelRefs: [{model: large}, {model: middle}]
    - name: medium
      tier: 3
      priority: 7
      rules: {type: keyword, name: medium}
      modelRefs: [{model: middle}]
    - name: rest
      tier: 9
      rules: {operator: AND, conditions: []}
      modelRefs: [{model: small}]
global:
  router:
    learning:
      enabled: true
      adaptations: {session_aware: {enabled: true}}
)";

struct Run {
  eval::AuditReport report;
  json::Value records;  // the aggregate over all of the run's records
};

Result<std::vector<std::unique_ptr<sim::SimBackend>>> start_backends(
    const config::Config& config, const std::shared_ptr<sim::Auditor>& auditor) {
  constexpr size_t kBackends = 2;
  sim::SimOptions options;
  options.models.clear();
  for (const config::Model& model : config.models) {
    options.models.push_back(model.provider_model_id);
  }
  options.auditor = auditor;
  std::vector<std::unique_ptr<sim::SimBackend>> out;
  for (size_t i = 0; i < kBackends; ++i) {
    auto backend = sim::SimBackend::start(options);
    if (!backend) return std::unexpected(backend.error());
    out.push_back(std::move(*backend));
  }
  return out;
}

Result<Run> run_once(const AuditArguments& arguments,
                     const std::shared_ptr<const config::Config>& config, signals::Parts parts,
                     bool learning) {
  const auto auditor = std::make_shared<sim::Auditor>();
  const auto backends = start_backends(*config, auditor);
  if (!backends) return std::unexpected(backends.error());
  app::LocalGatewayOptions options{.config = config, .parts = std::move(parts)};
  options.learning = learning;
  const auto gateway = app::LocalGateway::start(std::move(options));
  if (!gateway) return std::unexpected(gateway.error());
  size_t next = 0;
  for (const auto& endpoint : (*gateway)->endpoints()) {
    endpoint->redirect({"127.0.0.1", (*backends)[next++ % backends->size()]->port()});
  }
  eval::AuditOptions audit;
  audit.url = (*gateway)->url();
  audit.auditor = auditor;
  audit.sessions = arguments.sessions;
  audit.seed = arguments.seed;
  audit.threads = arguments.threads;
  audit.wait = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); };
  for (const config::Model& model : config->models) audit.models.push_back(model.name);
  for (const config::Decision& decision : config->decisions) {
    if (decision.adaptation.mode == config::AdaptationMode::kBypass) {
      audit.bypass_decisions.insert(decision.name);
    }
  }
  const auto report = eval::run_audit(audit);
  if (!report) return std::unexpected(report.error());
  const auto records = (*gateway)->aggregate();
  if (!records) return std::unexpected(records.error());
  return Run{*report, json::Value::parse(*records).value_or(json::Value())};
}

void write_run(const Run& run, json::JsonWriter& w) {
  const eval::AuditReport& r = run.report;
  w.begin_object();
  w.field("sessions", r.sessions).field("given_up", r.given_up).field("requests", r.requests);
  w.field("streamed", r.streamed).field("failures_injected", r.failures_injected);
  w.field("overlapping", r.overlapping).field("named", r.named).field("bypassed", r.bypassed);
  w.field("titles", r.titles).field("sub_agents", r.sub_agents).field("cut_loops", r.cut_loops);
  w.field("tool_results_delivered", r.deliveries.tool_results);
  w.field("opaque_items_delivered", r.deliveries.opaque_items);
  w.field("tool_results_astray", r.deliveries.tool_results_astray);
  w.field("opaque_items_astray", r.deliveries.opaque_items_astray);
  w.field("violations", r.violations).field("requests_astray", r.requests_astray);
  w.field("by_choice", r.by_choice);
  w.field("by_choice_by_records",
          run.records["deliveries"]["to_another_model_by_choice"].as_int(-1));
  w.field("unsafe_switches", run.records["unsafe_switches"].as_int(-1));
  w.field("unsafe_deliveries", run.records["deliveries"]["to_another_model"].as_int(-1));
  w.key("examples").begin_array();
  for (const sim::Misdelivery& one : r.examples) {
    w.begin_object().field("request", one.request_id).field("id", one.id);
    w.field("made_by", one.made_by).field("given_to", one.given_to).end_object();
  }
  w.end_array().end_object();
}

void print_run(std::string_view title, const Run& run) {
  const eval::AuditReport& r = run.report;
  fmt::print(
      "{}\n"
      "  {} sessions ({} given up), {} requests ({} streamed), {} failures injected\n"
      "  {} overlapping, {} titles and summaries, {} sub-agents, {} loops after a cut stream\n"
      "  {} requests for a named model, {} under bypass\n"
      "  delivered: {} tool results, {} opaque items\n"
      "  to another model by the route: {} (violations), in {} requests\n"
      "  the same by the records: {}, in {} requests (unsafe switches)\n"
      "  on a caller's word or under bypass: {}\n",
      title, r.sessions, r.given_up, r.requests, r.streamed, r.failures_injected, r.overlapping,
      r.titles, r.sub_agents, r.cut_loops, r.named, r.bypassed, r.deliveries.tool_results,
      r.deliveries.opaque_items, r.violations, r.requests_astray,
      run.records["deliveries"]["to_another_model"].as_int(-1),
      run.records["unsafe_switches"].as_int(-1), r.by_choice);
  for (const sim::Misdelivery& one : r.examples) {
    fmt::print("  request {}: {} of {} went to {}\n", one.request_id, one.id, one.made_by,
               one.given_to);
  }
}

// Both books have the same, as far as they go.
bool books_agree(const Run& run) {
  const eval::AuditReport& r = run.report;
  const json::Value& deliveries = run.records["deliveries"];
  const auto is = [](const json::Value& value, uint64_t expected) {
    return value.as_int(-1) == static_cast<int64_t>(expected);
  };
  const bool is_whole =
      r.violations + r.by_choice < sim::kMisdeliveriesKeptMax && deliveries["complete"].as_bool();
  return !is_whole || (is(deliveries["to_another_model"], r.violations) &&
                       is(deliveries["to_another_model_by_choice"], r.by_choice) &&
                       is(run.records["unsafe_switches"], r.requests_astray));
}

// What is wrong with the pair of runs, "" if nothing is.
std::string problem_of(const Run& with, const Run& without, size_t sessions) {
  const uint64_t least = std::max<size_t>(1, kControlViolationsMin * sessions / 1'000);
  if (with.report.violations > 0) return "something went to a model that had not made it";
  if (!books_agree(with) || !books_agree(without)) {
    return "the records and the backends do not tell the same";
  }
  if (without.report.violations < least) {
    return fmt::format("the control shows fewer than {} violations, so the audit proves nothing",
                       least);
  }
  if (with.report.given_up * 100 > with.report.sessions) return "sessions had to be given up";
  return "";
}

}  // namespace

int eval_audit(const AuditArguments& arguments, const Context& context) {
  const config::LoadResult loaded = arguments.config.empty() ? config::load_text(kRecipe, "audit")
                                                             : config::load_file(arguments.config);
  if (!loaded.config) {
    fmt::print(stderr, "{}", config::format_all(loaded.diagnostics));
    return kBadUsage;
  }
  const auto run = [&](bool learning) -> Result<Run> {
    signals::Parts parts;
    if (!arguments.config.empty()) {
      const auto models = app::Models::load(model_files(context), "");
      if (!models) return std::unexpected(models.error());
      auto made = (*models)->parts_for(*loaded.config);
      if (!made) return std::unexpected(made.error());
      parts = std::move(*made);
    }
    parts.cache = std::make_shared<signals::MessageCache>();
    return run_once(arguments, loaded.config, std::move(parts), learning);
  };
  const Result<Run> with = run(true);
  const Result<Run> without = with ? run(false) : with;
  if (!with || !without) {
    fmt::print(stderr, "{}\n", (with ? without : with).error().message);
    return kFailed;
  }
  const std::string problem = problem_of(*with, *without, arguments.sessions);
  if (context.json) {
    json::JsonWriter w;
    w.begin_object().field("seed", arguments.seed).key("learning");
    write_run(*with, w);
    w.key("control");
    write_run(*without, w);
    w.field("problem", problem).end_object();
    fmt::print("{}\n", w.str());
  } else {
    print_run("with learning", *with);
    print_run("control: learning off", *without);
    if (!problem.empty()) fmt::print(stderr, "{}\n", problem);
  }
  return problem.empty() ? kOk : kFailed;
}

}  // namespace vsr::cli
