#include "cli/program.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "cli/mistake.h"

namespace vsr::cli {

namespace fs = std::filesystem;

namespace {

std::string default_state_folder() {
  if (const std::string state = environment("VLLM_SR_STATE_DIR"); !state.empty()) return state;
  if (const std::string state = environment("XDG_STATE_HOME"); !state.empty()) {
    return state + "/vllm-sr";
  }
  const std::string home = environment("HOME");
  return home.empty() ? "/tmp/vllm-sr" : home + "/.local/state/vllm-sr";
}

std::string own_path(const char* argv0) {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/exe", error);
  return error ? argv0 : path.string();
}

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string find_shared(const Context& context, const std::string& relative) {
  const fs::path folder = fs::path(context.program).parent_path();
  const fs::path places[] = {
      folder.parent_path() / "share/vllm-sr" / relative,
      // build/release/vllm-sr: two folders above is the source tree.
      folder.parent_path().parent_path() / relative,
      folder.parent_path().parent_path() / "deploy" / relative,
#ifdef VSR_SOURCE_DIR
      fs::path(VSR_SOURCE_DIR) / relative,
      fs::path(VSR_SOURCE_DIR) / "deploy" / relative,
#endif
  };
  for (const fs::path& place : places) {
    std::error_code error;
    if (fs::exists(place, error)) return place.string();
  }
  return "";
}

app::ModelFiles model_files(const Context& context) {
  return {.heads = find_shared(context, "models/heads.bin"),
          .encoder = find_shared(context, "models/encoder.bin"),
          .tuned = find_shared(context, "models/tuned.bin")};
}

int run(int argc, char** argv, const char* version) {
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2")) {
    fmt::print(stderr, "vllm-sr needs a processor with AVX2 (x86-64-v3)\n");
    return kFailed;
  }
#endif
  Context context;
  context.version = version;
  context.program = own_path(argv[0]);
  context.state_folder = default_state_folder();

  CLI::App app("An agent-aware model router: one OpenAI-compatible address, `model: auto`.",
               "vllm-sr");
  app.set_version_flag("--version", fmt::format("vllm-sr {}", version));
  app.require_subcommand(1);
  add_serve(app, context);
  add_config(app, context);
  add_eval(app, context);
  add_client(app, context);
  add_backend(app, context);
  add_sim(app, context);
  // Commands take over the footer that is there when they are added.
  app.footer(
      "Start here:\n"
      "  vllm-sr serve --config recipe.yaml     route requests on 0.0.0.0:8899\n"
      "  vllm-sr validate --config recipe.yaml  check a recipe\n"
      "  vllm-sr eval --text \"What is 17 * 23?\"  see what it would decide, and why\n"
      "  vllm-sr chat                           talk through the running router");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {
    return app.exit(done);
  } catch (const CLI::ParseError& problem) {
    const std::string mistake = describe_mistake(app, {argv + 1, argv + argc});
    if (mistake.empty()) {
      app.exit(problem);
    } else {
      fmt::print(stderr, "{}", mistake);
    }
    return kBadUsage;
  }
  return context.status;
}

}  // namespace vsr::cli
