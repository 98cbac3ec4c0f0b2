// `vllm-sr replay`: the records of a running router.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/strings.h"
#include "cli/program.h"
#include "cli/replay_text.h"
#include "cli/running.h"

namespace vsr::cli {

namespace {

constexpr size_t kPageRecords = 100;     // what the router gives at once
constexpr int64_t kListedMax = 100'000;  // by one command

struct ReplayArguments {
  std::string id;
  std::string session, conversation, decision, model, action, status, search;
  int64_t limit = 20;
  bool unsafe = false;
  bool lines = false;                                 // JSON Lines
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

// "&name=value" for each that is given, with `first` before the first.
std::string filters_of(const ReplayArguments& arguments, std::string_view first) {
  const std::string unsafe = arguments.unsafe ? "true" : "";
  const std::pair<const char*, const std::string*> filters[] = {
      {"session_id", &arguments.session}, {"conversation_id", &arguments.conversation},
      {"decision", &arguments.decision},  {"model", &arguments.model},
      {"action", &arguments.action},      {"status", &arguments.status},
      {"search", &arguments.search},      {"unsafe", &unsafe}};
  std::string out;
  for (const auto& [name, value] : filters) {
    if (value->empty()) continue;
    out += fmt::format("{}{}={}", out.empty() ? first : "&", name, encoded(*value));
  }
  return out;
}

// Pages until there is nothing more or enough was shown; what came is printed at once, so that a
// long list takes no more memory than a page.
int replay_list(const ReplayArguments& arguments, const Context& context) {
  const auto running = find_running(context.state_folder);
  if (!running) return not_running(context);
  size_t shown = 0;
  std::string cursor;
  const auto limit = static_cast<size_t>(arguments.limit);
  for (;;) {
    const size_t page = std::min(limit - shown, kPageRecords);
    std::string path =
        fmt::format("/v1/router_replay?limit={}{}", page, filters_of(arguments, "&"));
    if (!cursor.empty()) path += "&cursor=" + cursor;
    const auto body = get_json(*running, context, path);
    if (!body) return kFailed;
    if (context.json && shown == 0 && cursor.empty()) {
      fmt::print("{{\"object\":\"router_replay.list\",\"total\":{},\"data\":[",
                 (*body)["total"].as_int());
    }
    for (const json::Value& record : (*body)["data"].items()) {
      if (arguments.lines) {
        fmt::print("{}\n", record.dump());
      } else if (context.json) {
        fmt::print("{}{}", shown == 0 ? "" : ",", record.dump());
      } else {
        fmt::print("{}", record_line(record));
      }
      ++shown;
    }
    cursor = (*body)["next_cursor"].as_string();
    if (!(*body)["has_more"].as_bool() || shown >= limit || (*body)["data"].size() == 0) break;
  }
  if (arguments.lines) return kOk;
  if (context.json) {
    json::JsonWriter end;
    end.begin_object().field("count", shown).field("has_more", !cursor.empty());
    if (cursor.empty()) {
      end.null_field("next_cursor");
    } else {
      end.field("next_cursor", cursor);
    }
    fmt::print("],{}\n", end.end_object().str().substr(1));
  } else {
    fmt::print("{} shown{}\n", shown, cursor.empty() ? "" : "; there are more, see --limit");
  }
  return kOk;
}

// A document of the router: as it came, or as text.
int show(const Context& context, const std::string& path,
         std::string (*text)(const json::Value& body)) {
  const auto running = find_running(context.state_folder);
  if (!running) return not_running(context);
  const auto body = get_json(*running, context, path);
  if (!body) return kFailed;
  fmt::print("{}", context.json ? body->dump() + "\n" : text(*body));
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

int replay_simulate(const ReplayArguments& arguments, const Context& context) {
  std::string recipe;
  if (!arguments.recipe.empty()) {
    Result<std::string> text = config::read_recipe(arguments.recipe);
    if (!text) {
      fmt::print(stderr, "{}\n", text.error().message);
      return kBadUsage;
    }
    if (trim(*text).empty()) {
      fmt::print(stderr, "{} is empty; leave --recipe out for the running recipe\n",
                 arguments.recipe);
      return kBadUsage;
    }
    recipe = std::move(*text);
  }
  const auto running = find_running(context.state_folder);
  if (!running) return not_running(context);
  const auto body = post_json(*running, context, "/api/v1/replay/simulate",
                              simulation_body(arguments, recipe), arguments.recipe);
  if (!body) return kFailed;
  fmt::print("{}", context.json ? body->dump() + "\n" : simulation_text(*body));
  return kOk;
}

// As in a recipe. CLI11's own checks let "nan" pass.
CLI::Validator amount() {
  return {[](std::string& text) {
            double value = 0;
            const bool is_number = CLI::detail::lexical_cast(text, value);
            if (is_number && value >= 0 && std::isfinite(value)) return std::string();
            return fmt::format("{} is not a number from 0", text);
          },
          "from 0"};
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
  const auto mark = [arguments](CLI::App* command) {
    command->add_flag("--unsafe", arguments->unsafe, "Unsafe switches only");
  };
  CLI::App* list = replay->add_subcommand("list", "The latest records");
  choose(list);
  mark(list);
  list->add_option("--limit", arguments->limit, "At most so many")
      ->check(CLI::Range(int64_t{1}, kListedMax))
      ->capture_default_str();
  list->add_flag("--lines", arguments->lines, "A record a line, as eval --from-replay reads them")
      ->excludes("--json");
  list->callback([arguments, &context] { context.status = replay_list(*arguments, context); });
  CLI::App* path = replay->add_subcommand("trajectory", "The turns of one session in order");
  choose(path);
  mark(path);
  path->callback([arguments, &context] {
    context.status = show(context, "/v1/router_replay/trajectory" + filters_of(*arguments, "?"),
                          trajectory_text);
  });
  CLI::App* one = replay->add_subcommand("show", "One record: why, what it cost, how it ended");
  one->add_option("id", arguments->id, "As in x-vsr-replay-id")->required();
  one->add_flag("--json", context.json, "The whole record as JSON");
  one->add_option("--state-dir", context.state_folder, "Of the running router");
  one->callback([arguments, &context] {
    context.status = show(context, "/v1/router_replay/" + encoded(arguments->id), record_text);
  });
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
  simulate
      ->add_option("--quality-weight-usd", arguments->quality_weight_usd,
                   "What a failed round costs, in USD")
      ->check(amount());
  simulate->callback(
      [arguments, &context] { context.status = replay_simulate(*arguments, context); });
}

}  // namespace vsr::cli
