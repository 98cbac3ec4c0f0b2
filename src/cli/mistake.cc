#include "cli/mistake.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace vsr::cli {

namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string guess(const std::string& word, const std::vector<std::string>& names) {
  const std::string_view near = nearest(word, {names.begin(), names.end()});
  return near.empty() ? "" : fmt::format(" (did you mean {}?)", near);
}

std::string unknown_command(const CLI::App& in, const std::string& path, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(in)) {
    if (!command->get_group().empty()) names.push_back(command->get_name());
  }
  return fmt::format("there is no command {}{}; `{} --help` lists them\n", word, guess(word, names),
                     path);
}

std::string unknown_option(const CLI::App& in, const std::string& path, const std::string& word) {
  std::vector<std::string> names;
  for (const CLI::Option* option : in.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return fmt::format("there is no option {}{}; `{} --help` lists them\n", word, guess(word, names),
                     path);
}

}  // namespace

std::string describe_mistake(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  std::string path = app.get_name();
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--") return "";
    if (word.size() > 1 && word[0] == '-') {
      const size_t equals = word.find('=');
      const std::string name = word.substr(0, equals);
      const CLI::Option* option = command->get_option_no_throw(name);
      if (option == nullptr) return unknown_option(*command, path, name);
      if (equals == std::string::npos && option->get_items_expected_max() > 0) ++i;
      continue;
    }
    const CLI::App* next = nullptr;
    for (const CLI::App* child : commands_of(*command)) {
      if (child->get_name() == word) next = child;
    }
    if (next != nullptr) {
      command = next;
      path += " " + word;
    } else if (command->get_require_subcommand_min() > 0) {
      return unknown_command(*command, path, word);
    }
  }
  return "";
}

}  // namespace vsr::cli
