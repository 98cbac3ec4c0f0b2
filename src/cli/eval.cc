#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>

#include "base/check.h"
#include "cli/eval_audit.h"
#include "cli/eval_learning.h"
#include "cli/eval_matrix.h"
#include "cli/eval_modes.h"
#include "cli/input_file.h"
#include "cli/program.h"
#include "config/load.h"
#include "eval/classify.h"
#include "eval/probes.h"
#include "eval/rows.h"
#include "eval/similarity.h"
#include "eval/vectors.h"
#include "json/value.h"
#include "nn/sentence_encoder.h"
#include "nn/vectors.h"
#include "operator/api.h"
#include "router/router.h"

namespace vsr::cli {

namespace {

struct EvalArguments {
  std::string config;
  bool has_text = false;  // even an empty one
  std::string text, messages, probes, classify, input = "-", vectors;
  bool learning = false, similarity = false, live_audit = false;
  size_t threads = 0;  // 0: not given
  std::vector<std::string> policies;
  LearningArguments suite;
  MatrixArguments matrix;
  AuditArguments audit;
};

// The recipe's router on its own, as the server would make it.
Result<std::shared_ptr<const router::Router>> make_router(const Context& context,
                                                          std::string config_path,
                                                          const Clock& clock) {
  if (config_path.empty()) config_path = find_shared(context, "recipes/agentic-saars.yaml");
  const config::LoadResult loaded = config::load_file(config_path);
  fmt::print(stderr, "{}", config::format_all(loaded.diagnostics));
  if (!loaded.config) {
    return fail(ErrorCode::kInvalidArgument, config_path + " has errors");
  }
  const auto models = app::Models::load(model_files(context), "");
  if (!models) return std::unexpected(models.error());
  Result<signals::Parts> parts = (*models)->parts_for(*loaded.config);
  if (!parts) return std::unexpected(parts.error());
  return router::Router::make(
      loaded.config, std::move(*parts),
      std::make_shared<router::LearningState>(loaded.config->learning.state_ttl_seconds), clock);
}

// A few lines for a person out of the eval document.
void print_decision(const json::Value& document) {
  const json::Value& result = document["decision_result"];
  fmt::print(
      "decision   {} (confidence {:.3f}, tier {})\n",
      result["decision_name"].as_string().empty() ? "none" : result["decision_name"].as_string(),
      result["confidence"].as_double(), result["tier"].as_int());
  fmt::print("model      {} ({})\n", document["selected_model"].as_string(),
             document["selection_status"].as_string());
  if (const auto problem = document["error"]["message"].as_string(); !problem.empty()) {
    fmt::print("problem    {}\n", problem);
  }
  const json::Value& learning = document["learning"];
  if (learning.find("action") != nullptr) {
    fmt::print("learning   {} ({})\n", learning["action"].as_string(),
               learning["reason"].as_string());
  }
  fmt::print("signals\n");
  for (const auto& [family, names] : result["matched_signals"].fields()) {
    for (const json::Value& name : names.items())
      fmt::print("  {}: {}\n", family, name.as_string());
  }
  for (const auto& [name, message] : document["signal_errors"].fields()) {
    fmt::print("  {}: error: {}\n", name, message.as_string());
  }
  for (const json::Value& score : document["projection_trace"].items()) {
    fmt::print("score      {} = {:.3f}\n", score["score"].as_string(), score["value"].as_double());
    for (const json::Value& input : score["inputs"].items()) {
      if (input["contribution"].as_double() == 0) continue;
      fmt::print("  {:+.3f}  {}:{}\n", input["contribution"].as_double(), input["type"].as_string(),
                 input["name"].as_string());
    }
  }
  fmt::print("others\n");
  for (const json::Value& decision : document["decisions"].items()) {
    if (decision["name"].as_string() == result["decision_name"].as_string()) continue;
    fmt::print("  {:<28} {}\n", decision["name"].as_string(),
               decision["matched"].as_bool()
                   ? "matched, ranks behind"
                   : "needs " + std::string(decision["first_failing"].as_string()));
  }
  fmt::print("time       signals {} µs, decision {} µs\n",
             document["timings_us"]["signals"].as_int(),
             document["timings_us"]["decision"].as_int());
}

int eval_one(const EvalArguments& arguments, const Context& context) {
  const SystemClock clock;
  const auto router = make_router(context, arguments.config, clock);
  if (!router) {
    fmt::print(stderr, "{}\n", router.error().message);
    return kBadUsage;
  }
  std::string body;
  if (!arguments.messages.empty()) {
    const Result<std::string> text = read_input(arguments.messages);
    if (!text) {
      fmt::print(stderr, "{}\n", text.error().message);
      return kBadUsage;
    }
    const Result<json::Value> parsed = json::Value::parse(*text);
    if (!parsed) {
      fmt::print(stderr, "{}: {}\n", arguments.messages, parsed.error().message);
      return kBadUsage;
    }
    // Either a whole request or the list of messages alone.
    body = parsed->is_array() ? "{\"messages\":" + *text + "}" : *text;
  } else {
    body = json::JsonWriter().begin_object().field("text", arguments.text).end_object().str();
  }
  const auto input = operator_api::eval_input(body);
  const auto document = input ? operator_api::evaluate(**router, nullptr, clock, *input)
                              : std::unexpected(input.error());
  if (!document) {
    fmt::print(stderr, "{}\n", document.error().message);
    return kBadUsage;
  }
  if (context.json) {
    fmt::print("{}\n", *document);
  } else {
    print_decision(*json::Value::parse(*document));
  }
  return kOk;
}

struct Rate {
  size_t passed = 0;
  size_t total = 0;
};

void print_rates(std::string_view title, const std::map<std::string, Rate>& rates) {
  fmt::print("{}\n", title);
  for (const auto& [name, rate] : rates) {
    fmt::print("  {:<28} {:>4} / {:<4} {:5.1f} %\n", name, rate.passed, rate.total,
               100.0 * static_cast<double>(rate.passed) / static_cast<double>(rate.total));
  }
}

int eval_probes(const EvalArguments& arguments, const Context& context) {
  const SystemClock clock;
  const auto router = make_router(context, arguments.config, clock);
  if (!router) {
    fmt::print(stderr, "{}\n", router.error().message);
    return kBadUsage;
  }
  const Result<std::string> text = read_input(arguments.probes);
  const auto probes = text ? eval::load_probes(*text, arguments.probes)
                           : Result<std::vector<eval::Probe>>(std::unexpected(text.error()));
  if (!probes) {
    fmt::print(stderr, "{}\n", probes.error().message);
    return kBadUsage;
  }
  std::map<std::string, Rate> by_decision;
  std::map<std::string, Rate> by_tag;
  size_t failed = 0;
  json::JsonWriter w;
  w.begin_object().key("failed").begin_array();
  for (const eval::Probe& probe : *probes) {
    const eval::ProbeResult result = eval::run_probe(**router, probe, clock);
    failed += !result.passed;
    const auto count = [&](Rate& rate) {
      rate.total += 1;
      rate.passed += result.passed;
    };
    count(by_decision[probe.decision]);
    for (const std::string& tag : probe.tags) count(by_tag[tag]);
    if (result.passed) continue;
    if (context.json) {
      w.begin_object().field("id", probe.id).field("why", result.why).end_object();
    } else {
      fmt::print("{}: {}\n", probe.id, result.why);
    }
  }
  w.end_array();
  w.field("passed", probes->size() - failed).field("failed_count", failed).end_object();
  if (context.json) {
    fmt::print("{}\n", w.str());
  } else {
    print_rates("by decision", by_decision);
    print_rates("by tag", by_tag);
    fmt::print("{} passed, {} failed\n", probes->size() - failed, failed);
  }
  return failed == 0 ? kOk : kFailed;
}

int eval_vectors(const EvalArguments& arguments) {
  Result<std::ifstream> in = open_input(arguments.vectors);
  if (!in) {
    fmt::print(stderr, "{}\n", in.error().message);
    return kBadUsage;
  }
  std::ostringstream out;
  const Status done = eval::run_vectors(*in, out);
  fmt::print("{}", out.str());
  if (!done) fmt::print(stderr, "{}: {}\n", arguments.vectors, done.error().message);
  return done ? kOk : kBadUsage;
}

using Rows = std::function<Result<eval::Summary>(
    const Clock& clock, std::istream& in, const std::function<void(const std::string&)>& out)>;

// Answers the rows of --input, or the one of --text, and sums up on standard error.
int eval_rows(const EvalArguments& arguments, const Context& context, const Rows& rows) {
  std::ifstream file;
  std::istringstream one;
  if (arguments.has_text) {
    one.str(json::JsonWriter().begin_object().field("text", arguments.text).end_object().str());
  } else if (arguments.input != "-") {
    Result<std::ifstream> opened = open_input(arguments.input);
    if (!opened) {
      fmt::print(stderr, "{}\n", opened.error().message);
      return kBadUsage;
    }
    file = std::move(*opened);
  }
  std::istream& from_input = arguments.input == "-" ? std::cin : static_cast<std::istream&>(file);
  std::istream& in = arguments.has_text ? static_cast<std::istream&>(one) : from_input;
  const SystemClock clock;
  const Result<eval::Summary> summary = rows(clock, in, [](const std::string& line) {
    fmt::print("{}\n", line);
    std::fflush(stdout);
  });
  if (!summary) {
    fmt::print(stderr, "{}: {}\n", arguments.input, summary.error().message);
    return kBadUsage;
  }
  if (context.json && !summary->json.empty()) {
    fmt::print(stderr, "{}\n", summary->json);
  } else {
    fmt::print(stderr, "{}", summary->text);
  }
  return kOk;
}

int eval_classify(const EvalArguments& arguments, const Context& context) {
  const auto models = app::Models::load(model_files(context), "");
  if (!models) {
    fmt::print(stderr, "{}\n", models.error().message);
    return kFailed;
  }
  const auto classifiers = (*models)->classifiers();
  if (!classifiers) {
    fmt::print(stderr, "{}\n", classifiers.error().message);
    return kFailed;
  }
  eval::ClassifyOptions options{.threads = std::max<size_t>(1, arguments.threads)};
  VSR_CHECK(router::parse_classifier(arguments.classify, options.classifier));
  return eval_rows(arguments, context, [&](const Clock& clock, std::istream& in, const auto& out) {
    return eval::classify(options, **classifiers, clock, in, out);
  });
}

int eval_similarity(const EvalArguments& arguments, const Context& context) {
  const app::ModelFiles files = model_files(context);
  const auto encoder = nn::SentenceEncoder::load(files.encoder, files.tuned);
  if (!encoder) {
    fmt::print(stderr, "{}\n", encoder.error().message);
    return kFailed;
  }
  const eval::SimilarityOptions options{.threads = std::max<size_t>(1, arguments.threads)};
  return eval_rows(arguments, context, [&](const Clock& clock, std::istream& in, const auto& out) {
    return eval::similarity(options, **encoder, clock, in, out);
  });
}

int run_eval(const EvalArguments& arguments, const Context& context) {
  if (arguments.live_audit) {
    AuditArguments audit = arguments.audit;
    audit.config = arguments.config;
    if (arguments.suite.sessions > 0) audit.sessions = arguments.suite.sessions;
    return eval_audit(audit, context);
  }
  if (arguments.learning) {
    if (!arguments.vectors.empty()) return eval_vectors(arguments);
    if (arguments.matrix.wanted()) {
      return eval_matrix(arguments.matrix, arguments.policies, context.json);
    }
    return eval_learning(arguments.suite, arguments.policies, arguments.threads, context.json);
  }
  if (arguments.has_text && arguments.text.empty()) {
    fmt::print(stderr,
               "--text is empty; give it a prompt, for example --text \"What is 17 * 23?\"\n");
    return kBadUsage;
  }
  if (!arguments.classify.empty()) return eval_classify(arguments, context);
  if (arguments.similarity) return eval_similarity(arguments, context);
  if (!arguments.probes.empty()) return eval_probes(arguments, context);
  return eval_one(arguments, context);
}

// Names of the options on the command line.
std::vector<std::string> given_options(const CLI::App& command) {
  std::vector<std::string> out;
  for (const CLI::Option* const option : command.get_options()) {
    if (option->count() > 0) out.push_back(option->get_name());
  }
  return out;
}

}  // namespace

void add_eval(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<EvalArguments>();
  CLI::App* eval = app.add_subcommand("eval", "What would be decided, and why; nothing is sent");
  eval->add_option("--config", arguments->config, "The recipe (default: the shipped one)")
      ->check(CLI::ExistingFile);
  const CLI::Option* text =
      eval->add_option("--text", arguments->text, "One prompt, also for --classify");
  eval->add_option("--messages", arguments->messages,
                   "File with a chat request or a list of messages, - for standard input");
  eval->add_option("--probes", arguments->probes, "File of example requests to run")
      ->check(CLI::ExistingFile);
  eval->add_option("--classify", arguments->classify, "Run one classifier over JSON Lines")
      ->check(CLI::IsMember({"domain", "jailbreak", "harmful", "pii", "difficulty", "language"}));
  eval->add_flag("--similarity", arguments->similarity,
                 "Compare the pairs of texts `a` and `b` of JSON Lines");
  eval->add_option("--input", arguments->input,
                   "For --classify and --similarity: file, - for standard input")
      ->capture_default_str();
  eval->add_option("--threads", arguments->threads,
                   "Rows at a time (default 1); with --learning, runs (default: all cores)")
      ->check(CLI::Range(size_t{1}, eval::kThreadsMax));
  eval->add_flag("--learning", arguments->learning, "Evaluate learning");
  eval->add_option("--vectors", arguments->vectors, "With --learning: file of test vectors");
  eval->add_option("--policy", arguments->policies,
                   "With --learning: policies, by commas (default: all)")
      ->delimiter(',');
  add_learning_options(*eval, arguments->suite);
  add_eval_matrix(*eval, arguments->matrix);
  eval->add_flag("--live-audit", arguments->live_audit,
                 "Agent sessions on loopback; counts what reaches another model");
  eval->add_option("--seed", arguments->audit.seed, "With --live-audit: what the sessions do")
      ->capture_default_str();
  eval->add_flag("--json", context.json, "As JSON");
  eval->callback([arguments, eval, text, &context] {
    if (const auto problem = misfit(given_options(*eval), arguments->suite.suite)) {
      fmt::print(stderr, "{}\n", *problem);
      context.status = kBadUsage;
      return;
    }
    arguments->has_text = text->count() > 0;
    context.status = run_eval(*arguments, context);
  });
}

}  // namespace vsr::cli
