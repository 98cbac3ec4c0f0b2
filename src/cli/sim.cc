#include "sim/sim.h"

#include <fmt/format.h>

#include "app/server.h"
#include "base/strings.h"
#include "cli/program.h"

namespace vsr::cli {

void add_sim(CLI::App& app, Context& context) {
  struct Arguments {
    sim::SimOptions options;
    std::string listen = "127.0.0.1:0";
    std::string models;
    int64_t idle_close_ms = 5'000;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("sim", "A simulated backend, for tests");
  command->group("");  // not in the main help
  command->add_option("--listen", arguments->listen, "ADDRESS:PORT")->capture_default_str();
  command->add_option("--models", arguments->models, "Served names, separated by commas");
  command->add_option("--idle-close-ms", arguments->idle_close_ms, "Of idle connections");
  command->add_option("--threads", arguments->options.threads, "Event loops");
  command->callback([arguments, &context] {
    const Result<app::HostPort> at = app::parse_host_port(arguments->listen);
    if (!at) {
      fmt::print(stderr, "--listen: {}\n", at.error().message);
      context.status = kBadUsage;
      return;
    }
    arguments->options.address = at->host;
    arguments->options.port = at->port;
    arguments->options.idle_close = std::chrono::milliseconds(arguments->idle_close_ms);
    if (!arguments->models.empty()) {
      arguments->options.models.clear();
      for (const std::string_view name : split(arguments->models, ',')) {
        arguments->options.models.emplace_back(trim(name));
      }
    }
    const Status ended = sim::run_sim(arguments->options);
    if (!ended) fmt::print(stderr, "{}\n", ended.error().message);
    context.status = ended ? kOk : kFailed;
  });
}

}  // namespace vsr::cli
