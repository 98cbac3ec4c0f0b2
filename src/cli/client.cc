// Commands that talk to a running router, and the recipes that came along.
#include "http/client.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "cli/program.h"
#include "cli/running.h"
#include "config/load.h"
#include "http/sse.h"
#include "json/value.h"
#include "json/writer.h"

namespace vsr::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kChatMax{600'000};

// ---- status, stop, logs, models -----------------------------------------------------------------

int status(const Context& context) {
  const auto running = find_running(context.state_folder);
  if (!running) return not_running(context);
  const auto system = get_json(*running, context, "/api/v1/system");
  if (!system) return kFailed;
  if (context.json) {
    fmt::print("{}\n", system->dump());
    return (*system)["ready"].as_bool() ? kOk : kFailed;
  }
  fmt::print("vllm-sr {} runs since {:.0f} s (pid {})\n", (*system)["version"].as_string(),
             (*system)["uptime_seconds"].as_double(), running->pid);
  fmt::print("API        {}/v1\nDashboard  {}\n", running->api, running->operator_url);
  fmt::print("ready      {}\n", (*system)["ready"].as_bool()
                                    ? "yes"
                                    : "no: " + std::string((*system)["problem"].as_string()));
  for (const json::Value& line : (*system)["backends"]["tried"].items()) {
    fmt::print("backend    {}\n", line.as_string());
  }
  if (const auto problem = (*system)["backends"]["embedded_problem"].as_string();
      !problem.empty()) {
    fmt::print("backend    {}\n", problem);
  }
  fmt::print("replay     {} ({} waiting)\n", (*system)["replay"]["store"].as_string("off"),
             (*system)["replay"]["queued"].as_int());
  return (*system)["ready"].as_bool() ? kOk : kFailed;
}

int stop(const Context& context) {
  const auto running = find_running(context.state_folder);
  if (!running) return not_running(context);
  kill(running->pid, SIGTERM);
  constexpr int kTries = 400;
  for (int i = 0; i < kTries; ++i) {
    // The run file goes last; a process that nobody has waited for yet still has its id.
    std::error_code error;
    const bool gone =
        kill(running->pid, 0) != 0 || !fs::exists(context.state_folder + "/run.json", error);
    if (gone) {
      fmt::print("vllm-sr (pid {}) is stopped\n", running->pid);
      return kOk;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  fmt::print(stderr, "vllm-sr (pid {}) still finishes requests\n", running->pid);
  return kFailed;
}

int logs(const Context& context, int lines, bool follow) {
  const std::string path = context.state_folder + "/vllm-sr.log";
  std::ifstream in(path);
  if (!in) {
    fmt::print(stderr, "{} is not there; it is written by `vllm-sr serve --detach`\n", path);
    return kFailed;
  }
  std::vector<std::string> kept;
  std::string line;
  while (std::getline(in, line)) {
    kept.push_back(line);
    if (kept.size() > static_cast<size_t>(lines)) kept.erase(kept.begin());
  }
  for (const std::string& text : kept) fmt::print("{}\n", text);
  while (follow) {
    in.clear();
    while (std::getline(in, line)) fmt::print("{}\n", line);
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  return kOk;
}

int models(const Context& context) {
  const auto running = find_running(context.state_folder);
  if (!running) return not_running(context);
  const auto body = get_json(*running, context, "/api/v1/models");
  if (!body) return kFailed;
  if (context.json) {
    fmt::print("{}\n", body->dump());
    return kOk;
  }
  fmt::print("{:<32} {:<9} {:>8} {:>7}  {}\n", "model", "healthy", "requests", "cached", "backend");
  for (const json::Value& model : (*body)["models"].items()) {
    const json::Value& endpoint = model["endpoints"][0];
    fmt::print("{:<32} {:<9} {:>8} {:>6.1f}%  {}\n", model["name"].as_string(),
               model["healthy"].as_bool() ? "yes" : "no", model["requests"].as_int(),
               100 * model["cached_token_ratio"].as_double(), endpoint["connects_to"].as_string());
  }
  return kOk;
}

// ---- chat ---------------------------------------------------------------------------------------

struct ChatArguments {
  std::string model = "auto";
  std::string prompt;
  std::string session, conversation;
};

std::string header_value(const http::SimpleResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

std::string after_equals(const std::string& text) {
  const size_t equals = text.find('=');
  return equals == std::string::npos ? text : text.substr(equals + 1);
}

void print_route(const http::SimpleResponse& response) {
  const std::string decision = header_value(response, "x-vsr-selected-decision");
  const std::string action = after_equals(header_value(response, "x-vsr-learning-actions"));
  const std::string reason = after_equals(header_value(response, "x-vsr-learning-reasons"));
  const std::string replay = header_value(response, "x-vsr-replay-id");
  std::string line = fmt::format("{} → {}", decision.empty() ? "-" : decision,
                                 header_value(response, "x-vsr-selected-model"));
  if (!action.empty()) line += fmt::format("  {} ({})", action, reason);
  if (!replay.empty()) line += fmt::format("  replay {}", replay);
  fmt::print(stderr, "\n[{}  routing {} µs]\n", line,
             header_value(response, "x-vsr-routing-latency-us"));
}

// Sends the conversation so far and appends the answer to it.
bool chat_turn(const Running& running, const ChatArguments& arguments,
               std::vector<std::pair<std::string, std::string>>& messages) {
  json::JsonWriter w;
  w.begin_object().field("model", arguments.model).field("stream", true);
  w.key("messages").begin_array();
  for (const auto& [role, content] : messages) {
    w.begin_object().field("role", role).field("content", content).end_object();
  }
  w.end_array().end_object();
  Headers headers = {{"content-type", "application/json"}};
  if (!arguments.session.empty()) headers.emplace_back("x-session-id", arguments.session);
  if (!arguments.conversation.empty()) {
    headers.emplace_back("x-conversation-id", arguments.conversation);
  }
  if (const std::string key = environment("VLLM_SR_API_KEY"); !key.empty()) {
    headers.emplace_back("authorization", "Bearer " + key);
  }
  std::string answer;
  std::string raw;
  http::SseParser events;
  const auto response = http::fetch(
      "POST", running.api + "/v1/chat/completions", headers, w.str(), kChatMax,
      [&](std::string_view bytes) {
        raw += bytes;
        events.feed(bytes, [&](std::string_view data) {
          const Result<json::Value> chunk = json::Value::parse(data);
          if (!chunk) return;
          if (chunk->find("error") != nullptr) {
            fmt::print(stderr, "\n{}\n", (*chunk)["error"]["message"].as_string());
          }
          const std::string_view text = (*chunk)["choices"][0]["delta"]["content"].as_string();
          fmt::print("{}", text);
          std::fflush(stdout);
          answer += text;
        });
      });
  if (!response) {
    fmt::print(stderr, "{}\n", response.error().message);
    return false;
  }
  if (response->status != 200) {
    const Result<json::Value> body = json::Value::parse(raw);
    fmt::print(stderr, "{}: {}\n", response->status,
               body ? std::string((*body)["error"]["message"].as_string()) : raw);
    return false;
  }
  fmt::print("\n");
  print_route(*response);
  messages.emplace_back("assistant", answer);
  return true;
}

int chat(const ChatArguments& arguments, const Context& context) {
  const auto running = find_running(context.state_folder);
  if (!running) return not_running(context);
  std::vector<std::pair<std::string, std::string>> messages;
  if (!arguments.prompt.empty()) {
    messages.emplace_back("user", arguments.prompt);
    return chat_turn(*running, arguments, messages) ? kOk : kFailed;
  }
  const bool terminal = isatty(STDIN_FILENO) != 0;
  if (terminal)
    fmt::print("Talking to {} as {}; end with Ctrl-D.\n", running->api, arguments.model);
  std::string line;
  for (;;) {
    if (terminal) fmt::print("> ");
    std::fflush(stdout);
    if (!std::getline(std::cin, line)) return kOk;
    if (line.empty()) continue;
    messages.emplace_back("user", line);
    if (!chat_turn(*running, arguments, messages)) messages.pop_back();
  }
}

// ---- recipes, completion ------------------------------------------------------------------------

int recipe_list(const Context& context) {
  std::error_code error;
  std::vector<std::string> paths;
  for (const auto& entry : fs::directory_iterator(find_shared(context, "recipes"), error)) {
    const std::string path = entry.path().string();
    if (path.ends_with(".yaml") && !path.ends_with(".probes.yaml")) paths.push_back(path);
  }
  if (error) {
    fmt::print(stderr,
               "the recipes (share/vllm-sr/recipes) are missing; run `make install` again\n");
    return kFailed;
  }
  std::ranges::sort(paths);
  if (!context.json) {
    for (const std::string& path : paths) fmt::print("{}\n", path);
    return kOk;
  }
  json::JsonWriter w;
  w.begin_object().key("recipes").begin_array();
  for (const std::string& path : paths) w.value(path);
  fmt::print("{}\n", w.end_array().end_object().str());
  return kOk;
}

int recipe_show(const Context& context, const std::string& name) {
  std::string path = find_shared(context, "recipes/" + name);
  if (path.empty()) path = find_shared(context, "recipes/" + name + ".yaml");
  const Result<std::string> text = config::read_recipe(path.empty() ? name : path);
  if (!text) {
    fmt::print(stderr, "{}; `vllm-sr recipe list` names what there is\n", text.error().message);
    return kBadUsage;
  }
  fmt::print("{}", *text);
  return kOk;
}

int recipe_import(const Context& context, const std::string& source) {
  std::string text;
  if (source.starts_with("http://") || source.starts_with("https://")) {
    const auto response = http::fetch("GET", source, {}, "", kAnswerMax);
    if (!response || response->status != 200) {
      fmt::print(stderr, "{}\n",
                 response ? fmt::format("{} answers {}", source, response->status)
                          : response.error().message);
      return kFailed;
    }
    text = response->body;
  } else {
    const Result<std::string> file = config::read_recipe(source);
    if (!file) {
      fmt::print(stderr, "{}\n", file.error().message);
      return kBadUsage;
    }
    text = *file;
  }
  const std::vector<config::Diagnostic> problems =
      all_problems(config::load_text(text, source), source);
  fmt::print(stderr, "{}", config::format_all(problems));
  if (config::has_errors(problems)) return kBadUsage;
  std::error_code error;
  fs::create_directories(context.state_folder, error);
  const std::string path = context.state_folder + "/config.yaml";
  std::ofstream out(path + ".new");
  out << text;
  out.close();
  if (out) fs::rename(path + ".new", path, error);
  if (!out || error) {
    fmt::print(stderr, "cannot write {}\n", path);
    return kFailed;
  }
  fmt::print("{} is valid and kept as {}; `vllm-sr serve` uses it\n", source, path);
  return kOk;
}

int completion(CLI::App& app, const std::string& shell) {
  std::string words;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_name().empty() && !command->get_group().empty()) {
      words += command->get_name() + " ";
    }
  }
  if (shell == "bash") {
    fmt::print(
        "_vllm_sr() {{ COMPREPLY=($(compgen -W \"{}\" -- \"${{COMP_WORDS[COMP_CWORD]}}\")); }}\n"
        "complete -o default -F _vllm_sr vllm-sr\n",
        words);
  } else if (shell == "zsh") {
    fmt::print("#compdef vllm-sr\n_arguments '1: :({})' '*: :_files'\n", words);
  } else {
    fmt::print("complete -c vllm-sr -n __fish_use_subcommand -f -a \"{}\"\n", words);
  }
  return kOk;
}

}  // namespace

void add_client(CLI::App& app, Context& context) {
  const auto simple = [&](const char* name, const char* help, int (*run)(const Context&)) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_flag("--json", context.json, "As JSON");
    command->add_option("--state-dir", context.state_folder, "Of the running router");
    command->callback([run, &context] { context.status = run(context); });
  };
  auto talk = std::make_shared<ChatArguments>();
  CLI::App* chat_command = app.add_subcommand("chat", "Talk through the running router");
  chat_command->add_option("prompt", talk->prompt, "One prompt; without it, a conversation");
  chat_command->add_option("--model", talk->model, "auto, or a model's name")
      ->capture_default_str();
  chat_command->add_option("--session", talk->session, "x-session-id");
  chat_command->add_option("--conversation", talk->conversation, "x-conversation-id");
  chat_command->add_option("--state-dir", context.state_folder, "Of the running router");
  chat_command->callback([talk, &context] { context.status = chat(*talk, context); });

  add_replay(app, context);
  simple("models", "Models, their backends and health", models);
  simple("status", "Is it running, and is it well?", status);
  simple("stop", "Stop it; running requests are finished", stop);

  auto lines = std::make_shared<int>(50);
  auto follow = std::make_shared<bool>(false);
  CLI::App* log = app.add_subcommand("logs", "The log of a router in the background");
  log->add_option("-n,--lines", *lines, "The last so many")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  log->add_flag("-f,--follow", *follow, "Go on as it grows");
  log->add_option("--state-dir", context.state_folder, "Of the running router");
  log->callback([lines, follow, &context] { context.status = logs(context, *lines, *follow); });

  auto name = std::make_shared<std::string>();
  CLI::App* recipe = app.add_subcommand("recipe", "Recipes that came along, and your own");
  recipe->require_subcommand(1);
  CLI::App* list = recipe->add_subcommand("list", "Recipes that came along");
  list->add_flag("--json", context.json, "As JSON");
  list->callback([&context] { context.status = recipe_list(context); });
  CLI::App* show = recipe->add_subcommand("show", "Print one");
  show->add_option("name", *name, "Name or file")->required();
  show->callback([name, &context] { context.status = recipe_show(context, *name); });
  CLI::App* import = recipe->add_subcommand("import", "Check one and keep it as the default");
  import->add_option("source", *name, "File or URL")->required();
  import->add_option("--state-dir", context.state_folder, "Where it is kept");
  import->callback([name, &context] { context.status = recipe_import(context, *name); });

  auto shell = std::make_shared<std::string>();
  CLI::App* complete = app.add_subcommand("completion", "Completion for a shell");
  complete->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  complete->callback([&app, shell, &context] { context.status = completion(app, *shell); });
}

}  // namespace vsr::cli
