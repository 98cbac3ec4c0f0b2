// `vllm-sr replay`: the records of a running router.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <optional>

#include "cli/program.h"
#include "cli/running.h"

namespace vsr::cli {

namespace {

struct ReplayArguments {
  std::string id;
  std::string session, conversation, decision, model, action, status, search;
  int limit = 20;
  std::string from, to, recipe, kind, candidate_set;  // of simulate
  std::optional<double> quality_weight_usd;
};

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string query_of(const ReplayArguments& arguments) {
  std::string out = fmt::format("?limit={}", arguments.limit);
  const std::pair<const char*, const std::string*> filters[] = {
      {"session_id", &arguments.session}, {"conversation_id", &arguments.conversation},
      {"decision", &arguments.decision},  {"model", &arguments.model},
      {"action", &arguments.action},      {"status", &arguments.status},
      {"search", &arguments.search}};
  for (const auto& [name, value] : filters) {
    if (!value->empty()) out += fmt::format("&{}={}", name, encoded(*value));
  }
  return out;
}

void print_record_line(const json::Value& record) {
  const json::Value& route = record["route_diagnostics"];
  fmt::print("{}  {}  {:<24} {:<30} {} ({})  {} tokens, {} cached  {}\n",
             record["timestamp"].as_string(), record["id"].as_string(),
             record["decision"].as_string().empty() ? "-" : record["decision"].as_string(),
             record["selected_model"].as_string(), route["session_action"].as_string(),
             route["session_reason"].as_string(), record["prompt_tokens"].as_int(),
             record["cached_prompt_tokens"].as_int(), record["lifecycle_state"].as_string());
}

// JSON for a person: a member a line.
void print_indented(const json::Value& value, int depth) {
  const bool is_list = value.is_array();
  const size_t count = is_list ? value.items().size() : value.fields().size();
  if (count == 0) {
    fmt::print("{}", value.dump());
    return;
  }
  const auto begin_line = [](size_t at, int spaces) {
    fmt::print("{}\n{:{}}", at == 0 ? "" : ",", "", spaces);
  };
  fmt::print("{}", is_list ? "[" : "{");
  for (size_t i = 0; i < count; ++i) {
    begin_line(i, 2 * depth + 2);
    if (is_list) {
      print_indented(value.items()[i], depth + 1);
    } else {
      fmt::print("{}: ", json::Value(value.fields()[i].first).dump());
      print_indented(value.fields()[i].second, depth + 1);
    }
  }
  begin_line(0, 2 * depth);
  fmt::print("{}", is_list ? "]" : "}");
}

int replay_list(const ReplayArguments& arguments, const Context& context, bool trajectory) {
  const auto running = find_running(context.state_folder);
  if (!running) return not_running(context);
  const auto body = get_json(
      *running, context,
      (trajectory ? "/v1/router_replay/trajectory" : "/v1/router_replay") + query_of(arguments));
  if (!body) return kFailed;
  if (context.json) {
    fmt::print("{}\n", body->dump());
    return kOk;
  }
  const json::Value& rows = (*body)["data"].is_array() ? (*body)["data"] : (*body)["turns"];
  for (const json::Value& record : rows.items()) {
    if (trajectory) {
      fmt::print("{}\n", record.dump());
    } else {
      print_record_line(record);
    }
  }
  fmt::print("{} shown\n", rows.size());
  return kOk;
}

int replay_show(const ReplayArguments& arguments, const Context& context) {
  const auto running = find_running(context.state_folder);
  if (!running) return not_running(context);
  const auto body = get_json(*running, context, "/v1/router_replay/" + encoded(arguments.id));
  if (!body) return kFailed;
  if (!context.json && isatty(STDOUT_FILENO) != 0) {
    print_indented(*body, 0);
    fmt::print("\n");
  } else {
    fmt::print("{}\n", body->dump());
  }
  return kOk;
}

// ---- simulate -----------------------------------------------------------------------------------

std::string simulation_body(const ReplayArguments& arguments, std::string_view recipe) {
  const auto fields = [](json::JsonWriter& out,
                         std::initializer_list<std::pair<const char*, const std::string*>> list) {
    for (const auto& [name, value] : list) {
      if (!value->empty()) out.field(name, *value);
    }
  };
  json::JsonWriter out;
  out.begin_object();
  if (!recipe.empty()) out.field("recipe", recipe);
  out.key("filter").begin_object();
  fields(out, {{"session_id", &arguments.session},
               {"conversation_id", &arguments.conversation},
               {"decision", &arguments.decision},
               {"model", &arguments.model},
               {"action", &arguments.action},
               {"status", &arguments.status},
               {"search", &arguments.search},
               {"from", &arguments.from},
               {"to", &arguments.to}});
  out.end_object().key("policy").begin_object();
  fields(out, {{"kind", &arguments.kind}, {"candidate_set", &arguments.candidate_set}});
  if (arguments.quality_weight_usd) out.field("quality_weight_usd", *arguments.quality_weight_usd);
  out.end_object().end_object();
  return out.take();
}

void print_simulation(const json::Value& body) {
  const json::Value& records = body["records"];
  fmt::print("{} records read, {} asked about, {} replayable\n", records["read"].as_int(),
             records["matched"].as_int(), records["replayable"].as_int());
  for (const auto& [cause, count] : records["not_replayable_causes"].fields()) {
    fmt::print("  {:<28} {}\n", cause, count.as_int());
  }
  const json::Value& changed = body["changed"];
  fmt::print("changed: {} decisions, {} models\n", changed["decision"].as_int(),
             changed["model"].as_int());
  for (const std::string_view matrix : {"decisions", "models"}) {
    for (const json::Value& cell : changed[matrix].items()) {
      const std::string_view from = cell["from"].as_string();
      const std::string_view to = cell["to"].as_string();
      fmt::print("  {:>6}  {} -> {}\n", cell["count"].as_int(), from.empty() ? "(none)" : from,
                 to.empty() ? "(none)" : to);
    }
  }
  for (const std::string_view name : {"switches", "unsafe_switches"}) {
    fmt::print("{}: {} before, {} after\n", name, body[name]["before"].as_int(),
               body[name]["after"].as_int());
  }
  const json::Value& cost = body["cost"];
  const auto line = [&](std::string_view name, const json::Value& value,
                        const json::Value& interval) {
    fmt::print("  {:<32} {:>12.6f}  ({:.6f} to {:.6f})\n", name, value.as_double(),
               interval[0].as_double(), interval[1].as_double());
  };
  fmt::print("cost of {} records in {}, with {} % intervals over {} conversations\n",
             cost["records"].as_int(), cost["currency"].as_string(),
             body["intervals"]["percent"].as_int(), body["intervals"]["conversations"].as_int());
  line("as recorded", cost["before"], cost["before_interval"]);
  line("under this recipe", cost["after"], cost["after_interval"]);
  line("difference", cost["difference"], cost["difference_interval"]);
  for (const json::Value& one : cost["always_one_model"].items()) {
    line(fmt::format("always {}", one["model"].as_string()), one["cost"], one["cost_interval"]);
  }
  if (!body["cut"].is_null()) fmt::print("cut: {}\n", body["cut"].as_string());
  fmt::print("{}\n", body["note"].as_string());
}

int replay_simulate(const ReplayArguments& arguments, const Context& context) {
  std::string recipe;
  if (!arguments.recipe.empty()) {
    Result<std::string> text = config::read_recipe(arguments.recipe);
    if (!text) {
      fmt::print(stderr, "{}\n", text.error().message);
      return kBadUsage;
    }
    recipe = std::move(*text);
  }
  const auto running = find_running(context.state_folder);
  if (!running) return not_running(context);
  const auto body =
      post_json(*running, context, "/api/v1/replay/simulate", simulation_body(arguments, recipe));
  if (!body) return kFailed;
  if (context.json) {
    fmt::print("{}\n", body->dump());
  } else {
    print_simulation(*body);
  }
  return kOk;
}

}  // namespace

void add_replay(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<ReplayArguments>();
  CLI::App* replay = app.add_subcommand("replay", "Why requests went where they went");
  replay->require_subcommand(1);
  const auto choose = [arguments, &context](CLI::App* command) {
    command->add_option("--session", arguments->session, "Id or hash");
    command->add_option("--conversation", arguments->conversation, "Id or hash");
    command->add_option("--decision", arguments->decision, "Name");
    command->add_option("--model", arguments->model, "Name");
    command->add_option("--action", arguments->action, "select, stay, switch, hard_lock, …");
    command->add_option("--status", arguments->status, "completed, failed, aborted, running");
    command->add_option("--search", arguments->search, "Words in the prompt");
    command->add_flag("--json", context.json, "As JSON");
    command->add_option("--state-dir", context.state_folder, "Of the running router");
  };
  const auto filters = [arguments, choose](CLI::App* command) {
    choose(command);
    command->add_option("--limit", arguments->limit, "At most so many")->capture_default_str();
  };
  CLI::App* list = replay->add_subcommand("list", "The latest records");
  filters(list);
  list->callback(
      [arguments, &context] { context.status = replay_list(*arguments, context, false); });
  CLI::App* path = replay->add_subcommand("trajectory", "The turns of one session in order");
  filters(path);
  path->callback(
      [arguments, &context] { context.status = replay_list(*arguments, context, true); });
  CLI::App* show = replay->add_subcommand("show", "One record, whole");
  show->add_option("id", arguments->id, "As in x-vsr-replay-id")->required();
  show->add_flag("--json", context.json, "On one line, as without a terminal");
  show->add_option("--state-dir", context.state_folder, "Of the running router");
  show->callback([arguments, &context] { context.status = replay_show(*arguments, context); });
  CLI::App* simulate = replay->add_subcommand(
      "simulate", "What another recipe or policy would have decided, and what that costs");
  choose(simulate);
  simulate->add_option("--recipe", arguments->recipe, "File (default: the running recipe)")
      ->check(CLI::ExistingFile);
  simulate->add_option("--from", arguments->from, "Records from this time on (RFC 3339)");
  simulate->add_option("--to", arguments->to, "Records before this time");
  simulate->add_option("--policy", arguments->kind, "Of learning")
      ->check(CLI::IsMember({"expected_cost", "weighted_score"}));
  simulate->add_option("--candidate-set", arguments->candidate_set, "Of learning")
      ->check(CLI::IsMember({"decision", "ladder_after_first", "at_least", "ladder"}));
  simulate->add_option("--quality-weight-usd", arguments->quality_weight_usd,
                       "What a failed round costs, in USD");
  simulate->callback(
      [arguments, &context] { context.status = replay_simulate(*arguments, context); });
}

}  // namespace vsr::cli
