#pragma once

// The command line. Exit status: 0 ok, 1 failed, 2 bad usage or configuration.

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "app/models.h"
#include "config/load.h"

namespace vsr::cli {

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kBadUsage = 2;

int run(int argc, char** argv, const char* version);

// What every command knows: options that come before it, and where things are.
struct Context {
  std::string version;
  std::string program;       // path of this executable
  std::string state_folder;  // $XDG_STATE_HOME/vllm-sr or ~/.local/state/vllm-sr unless told
  bool json = false;
  int status = kOk;  // what the chosen command ended with
};

// A file that is installed with the program: beside it in share/vllm-sr, or in the source tree that
// it was built in. "" if it is in neither.
std::string find_shared(const Context& context, const std::string& relative);
// The weights that came with the program.
app::ModelFiles model_files(const Context& context);
// A recipe's problems, those that only compiling its rules shows included. `name` is its file's.
std::vector<config::Diagnostic> all_problems(config::LoadResult loaded, const std::string& name);
// The variable's value, "" if it is not set.
std::string environment(const char* name);

// Each adds its commands to the application; the chosen one runs and sets context.status.
void add_serve(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);
void add_eval(CLI::App& app, Context& context);
void add_sim(CLI::App& app, Context& context);
void add_client(CLI::App& app, Context& context);
void add_replay(CLI::App& app, Context& context);
void add_backend(CLI::App& app, Context& context);

}  // namespace vsr::cli
