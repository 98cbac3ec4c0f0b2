#include "app/server.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/sinks/ringbuffer_sink.h>
#include <spdlog/spdlog.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "app/discovery.h"
#include "app/health.h"
#include "app/learning_file.h"
#include "app/recipes.h"
#include "app/state_folder.h"
#include "app/status.h"
#include "config/load.h"
#include "gateway/gateway.h"
#include "json/writer.h"
#include "nn/vectors.h"
#include "operator/api.h"

namespace vsr::app {

namespace fs = std::filesystem;

Result<HostPort> parse_host_port(std::string_view text) {
  const size_t colon = text.rfind(':');
  HostPort out;
  const auto problem = [&] {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} is not ADDRESS:PORT, for example 127.0.0.1:8899", text));
  };
  if (colon == std::string_view::npos) return problem();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc() || end != port.data() + port.size() || host.empty()) return problem();
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  out.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  return out;
}

namespace {

constexpr std::chrono::milliseconds kWatchInterval{1'000};

std::string environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

sigset_t handled_signals() {
  sigset_t handled;
  sigemptyset(&handled);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&handled, signal);
  return handled;
}

bool is_loopback(std::string_view address) {
  return address.starts_with("127.") || address == "::1";
}

// One loop with everything that lives on it.
struct Worker {
  net::Loop loop;
  std::unique_ptr<gateway::LoopState> state;
  std::vector<std::unique_ptr<gateway::Gateway>> gateways;
  std::vector<std::unique_ptr<http::Server>> servers;
  std::unique_ptr<operator_api::Api> api;  // on the first loop only
  std::thread thread;
};

class Server {
 public:
  explicit Server(ServeOptions options) : options_(std::move(options)) {}
  int run();

 private:
  // Each step says what is wrong on standard error and gives the exit status to end with.
  std::optional<int> open_state();
  std::optional<int> load();
  std::optional<int> open_listeners();
  void open_replay(const config::Replay& config);
  Result<std::shared_ptr<const gateway::Runtime>> make_runtime(
      std::shared_ptr<const config::Config> config);
  Result<std::shared_ptr<const router::Router>> make_router(
      std::shared_ptr<const config::Config> config);
  void publish(std::shared_ptr<const gateway::Runtime> runtime);
  Result<std::function<void()>> prepare(std::shared_ptr<const config::Config> config);
  void write_run_file();
  int wait_for_end(int signals);
  void drain(int signals);
  operator_api::Hooks hooks();
  operator_api::Readiness readiness() const;
  std::string system_document() const;

  const ServeOptions options_;
  SystemClock clock_;
  // The newest lines, for the operator.
  static constexpr size_t kLogLinesKept = 500;
  const std::shared_ptr<spdlog::sinks::ringbuffer_sink_mt> log_ =
      std::make_shared<spdlog::sinks::ringbuffer_sink_mt>(kLogLinesKept);
  gateway::Services services_;
  std::shared_ptr<const net::TlsContext> client_tls_;
  std::shared_ptr<Models> models_;
  std::shared_ptr<signals::MessageCache> cache_ = std::make_shared<signals::MessageCache>();
  std::shared_ptr<router::LearningState> learning_;
  std::optional<LearningFile> learning_file_;
  std::vector<std::unique_ptr<Worker>> workers_;
  // Behind the workers: it is joined before the loops go that its work posts to.
  net::OffloadPool offload_{2};
  // Encoding takes at most half of the cores; the loops need the rest.
  net::OffloadPool compute_{std::max(1U, std::thread::hardware_concurrency() / 2), 64};
  std::unique_ptr<Discovery> discovery_;
  HealthChecks health_{clock_};
  HostPort dashboard_;
  std::string token_;
  std::optional<StateFolder> folder_;  // held to the end
  std::string api_address_;            // of the first listener

  mutable std::mutex mutex_;
  std::shared_ptr<const gateway::Runtime> runtime_;
  std::string replay_notice_;
  std::unique_ptr<Recipes> recipes_;
  MonoTime started_{0};
};

std::optional<int> Server::open_state() {
  auto folder = StateFolder::open(options_.state_folder);
  if (!folder) {
    fmt::print(stderr, "{}\n", folder.error().message);
    return 1;
  }
  folder_.emplace(std::move(*folder));
  const Result<HostPort> dashboard = parse_host_port(options_.dashboard);
  if (!dashboard) {
    fmt::print(stderr, "--dashboard: {}\n", dashboard.error().message);
    return 2;
  }
  dashboard_ = *dashboard;
  if (is_loopback(dashboard_.host)) return std::nullopt;
  bool is_new = false;
  token_ = folder_->admin_token(is_new);
  if (is_new) {
    fmt::print("admin token for {}: {}\n(kept in {})\n", options_.dashboard, token_,
               folder_->admin_token_file());
  }
  return std::nullopt;
}

Result<std::shared_ptr<const router::Router>> Server::make_router(
    std::shared_ptr<const config::Config> config) {
  auto parts = models_->parts_for(*config);
  if (!parts) return std::unexpected(parts.error());
  parts->cache = cache_;
  return router::Router::make(std::move(config), std::move(*parts), learning_, clock_);
}

Result<std::shared_ptr<const gateway::Runtime>> Server::make_runtime(
    std::shared_ptr<const config::Config> config) {
  auto router = make_router(config);
  if (!router) return std::unexpected(router.error());
  return std::make_shared<const gateway::Runtime>(std::move(config), std::move(*router), services_);
}

void Server::open_replay(const config::Replay& config) {
  if (!config.enabled) return;
  store::ReplayOptions replay;
  replay.config = config;
  if (options_.replay_store) replay.config.backend = *options_.replay_store;
  replay.state_folder = options_.state_folder;
  replay.clock = &clock_;
  auto opened = store::open_replay(replay, &replay_notice_);
  if (!opened && config.backend != config::StoreBackend::kMemory) {
    spdlog::error("replay: {}; records are kept in memory only", opened.error().message);
    replay_notice_ = opened.error().message;
    replay.config.backend = config::StoreBackend::kMemory;
    opened = store::open_replay(replay, nullptr);
  }
  if (opened) services_.replay = std::move(*opened);
  if (!replay_notice_.empty()) spdlog::warn("replay: {}", replay_notice_);
}

std::optional<int> Server::load() {
  services_.clock = &clock_;
  services_.compute = &compute_;
  for (const auto& [named, to] : options_.resolve) {
    services_.endpoints.replace(named, {to.host, to.port});
  }
  auto models = Models::load(options_.models, options_.state_folder);
  if (!models) {
    fmt::print(stderr, "{}\n", models.error().message);
    return 1;
  }
  models_ = std::move(*models);
  if (auto tls = net::TlsContext::client()) client_tls_ = *tls;
  recipes_ = std::make_unique<Recipes>(
      Recipes::Parts{options_.config, options_.state_folder, options_.recipes_folder, &clock_,
                     [this](auto config) { return prepare(std::move(config)); },
                     [this](auto config) { return make_router(std::move(config)); }});
  const auto config = recipes_->load();
  if (!config) return config.error();
  const bool is_setup = *config == nullptr;
  learning_file_.emplace(options_.state_folder, clock_);
  learning_ = learning_file_->load(is_setup ? config::Learning{}.state_ttl_seconds
                                            : (*config)->learning.state_ttl_seconds);
  // In setup mode too: a recipe that is activated later finds the store open.
  open_replay(is_setup ? config::Replay{} : (*config)->replay);
  if (is_setup) return std::nullopt;
  auto runtime = make_runtime(*config);
  if (!runtime) {
    fmt::print(stderr, "{}\n", runtime.error().message);
    return 2;
  }
  runtime_ = std::move(*runtime);
  return std::nullopt;
}

std::optional<int> Server::open_listeners() {
  std::vector<config::Listener> listeners;
  if (runtime_) listeners = runtime_->config->listeners;
  if (listeners.empty()) listeners.emplace_back();
  if (!options_.listen.empty()) {
    const Result<HostPort> at = parse_host_port(options_.listen);
    if (!at) {
      fmt::print(stderr, "--listen: {}\n", at.error().message);
      return 2;
    }
    listeners.resize(1);
    listeners[0].address = at->host;
    listeners[0].port = at->port;
  }
  const size_t count =
      options_.threads > 0 ? options_.threads : std::max(1u, std::thread::hardware_concurrency());
  std::vector<uint16_t> ports(listeners.size());
  api_address_ = listeners[0].address;
  const std::string operator_url = fmt::format("http://{}", options_.dashboard);
  const auto cannot_listen = [](const Error& error) {
    fmt::print(stderr, "{}{}\n", error.message,
               error.code == ErrorCode::kAlreadyExists
                   ? "; another program has the port (is a vllm-sr running? try `vllm-sr status`); "
                     "stop it, or choose others with --listen and --dashboard"
                   : "");
    return 1;
  };
  for (size_t w = 0; w < count; ++w) {
    auto worker = std::make_unique<Worker>();
    worker->state = std::make_unique<gateway::LoopState>(worker->loop, offload_, client_tls_);
    worker->state->runtime = runtime_;
    for (size_t l = 0; l < listeners.size(); ++l) {
      std::shared_ptr<const net::TlsContext> tls;
      if (listeners[l].tls) {
        auto made = net::TlsContext::server(listeners[l].tls->cert, listeners[l].tls->key);
        if (!made) {
          fmt::print(stderr, "{}\n", made.error().message);
          return 2;
        }
        tls = *made;
      }
      worker->gateways.push_back(std::make_unique<gateway::Gateway>(
          services_, *worker->state, l, is_loopback(listeners[l].address), operator_url));
      worker->servers.push_back(std::make_unique<http::Server>(
          worker->loop, *worker->gateways.back(), http::ServerLimits{}, tls));
      const uint16_t port = w == 0 ? listeners[l].port : ports[l];
      // SO_REUSEPORT lets our loops share a port, and would let another router join them unseen.
      if (w == 0 && port != 0) {
        const Status free = net::port_is_free(listeners[l].address, port);
        if (!free) return cannot_listen(free.error());
      }
      if (const Status open = worker->servers.back()->listen(listeners[l].address, port); !open) {
        return cannot_listen(open.error());
      }
      ports[l] = worker->servers.back()->port();
    }
    if (w == 0) {
      worker->api = std::make_unique<operator_api::Api>(
          services_, offload_, hooks(), token_, recipes_.get(), worker->gateways.front().get());
      worker->servers.push_back(std::make_unique<http::Server>(worker->loop, *worker->api,
                                                               http::ServerLimits{}, nullptr));
      if (dashboard_.port != 0) {
        const Status free = net::port_is_free(dashboard_.host, dashboard_.port);
        if (!free) return cannot_listen(free.error());
      }
      if (const Status open = worker->servers.back()->listen(dashboard_.host, dashboard_.port);
          !open) {
        return cannot_listen(open.error());
      }
      dashboard_.port = worker->servers.back()->port();
    }
    workers_.push_back(std::move(worker));
  }
  return std::nullopt;
}

void Server::publish(std::shared_ptr<const gateway::Runtime> runtime) {
  {
    const std::lock_guard lock(mutex_);
    runtime_ = runtime;
  }
  for (const auto& worker : workers_) {
    worker->loop.post([raw = worker.get(), runtime] { raw->state->runtime = runtime; });
  }
}

Result<std::function<void()>> Server::prepare(std::shared_ptr<const config::Config> config) {
  auto runtime = make_runtime(std::move(config));
  if (!runtime) return std::unexpected(runtime.error());
  return [this, runtime = std::move(*runtime)] {
    publish(runtime);
    discovery_->begin(runtime);
    health_.watch(*runtime);
  };
}

void Server::write_run_file() {
  RunFile run;
  run.version = options_.version;
  run.config = options_.config.empty() ? "" : fs::absolute(options_.config).string();
  const auto& servers = workers_.front()->servers;
  for (size_t i = 0; i + 1 < servers.size(); ++i) run.listener_ports.push_back(servers[i]->port());
  run.operator_address = dashboard_.host;
  run.operator_port = dashboard_.port;
  folder_->write_run_file(run);
}

operator_api::Readiness Server::readiness() const {
  const std::lock_guard lock(mutex_);
  if (!runtime_) return {false, "no recipe is active"};
  if (discovery_) {
    const DiscoveryState found = discovery_->state();
    if (!found.embedded.empty() && !found.embedded_answers) {
      return {false, "the embedded backend is loading its model"};
    }
  }
  if (const std::string problem = recipes_->problem(); !problem.empty()) {
    return {true, "the changed recipe has errors, the old one keeps running: " + problem};
  }
  if (services_.replay) {
    const store::ReplayHealth health = services_.replay->health();
    if (!health.ok) return {false, "replay: " + health.problem};
  }
  return {true, ""};
}

std::string Server::system_document() const {
  SystemFacts facts;
  facts.version = options_.version;
  facts.config = recipes_->path();
  {
    const std::lock_guard lock(mutex_);
    if (runtime_) facts.recipe = runtime_->config;
  }
  if (!workers_.empty()) {
    facts.public_url =
        fmt::format("http://127.0.0.1:{}/v1", workers_.front()->servers.front()->port());
  }
  if (const auto vectors = models_->vectors_if_loaded()) facts.texts_encoded = vectors->encoded();
  facts.state_folder = options_.state_folder;
  facts.uptime = clock_.mono() - started_;
  facts.in_flight = services_.in_flight.load();
  facts.readiness = readiness();
  if (services_.replay) {
    facts.replay = services_.replay->health();
    facts.dropped = services_.replay->dropped();
  }
  facts.replay_notice = replay_notice_;
  if (discovery_) {
    facts.backends = discovery_->state();
    facts.embedded = discovery_->embedded_status();
  }
  return app::system_document(facts);
}

operator_api::Hooks Server::hooks() {
  operator_api::Hooks hooks;
  hooks.runtime = [this] {
    const std::lock_guard lock(mutex_);
    return runtime_;
  };
  hooks.readiness = [this] { return readiness(); };
  hooks.validate = [](std::string_view yaml) {
    const config::LoadResult loaded = config::load_text(yaml, "recipe");
    return json::JsonWriter()
        .begin_object()
        .field("valid", loaded.config != nullptr)
        .raw_field("diagnostics", config::to_json(loaded.diagnostics))
        .end_object()
        .str();
  };
  hooks.candidate = [this](std::string_view yaml) -> Result<std::shared_ptr<const router::Router>> {
    const config::LoadResult loaded = config::load_text(yaml, "candidate");
    if (!loaded.config) {
      return fail(ErrorCode::kInvalidArgument, config::format_all(loaded.diagnostics),
                  ErrorSource::kClient);
    }
    return make_router(loaded.config);
  };
  hooks.classifiers = [this] { return models_->classifiers(); };
  hooks.vectors = [this] { return models_->vectors(); };
  hooks.sessions = [this](size_t limit, std::string_view session) {
    const std::lock_guard lock(mutex_);
    return sessions_document(learning_->sessions, runtime_.get(), limit, session);
  };
  hooks.system = [this] { return system_document(); };
  hooks.logs = [this](size_t limit) { return logs_document(log_->last_raw(limit)); };
  return hooks;
}

// Finishes what runs, bounded by drain_seconds; a second signal ends at once.
void Server::drain(int signals) {
  spdlog::info("stopping: {} requests in flight, at most {} s", services_.in_flight.load(),
               options_.drain_seconds);
  for (const auto& worker : workers_) {
    worker->loop.post([raw = worker.get()] {
      for (const auto& server : raw->servers) server->drain();
    });
  }
  constexpr std::chrono::milliseconds kPoll{20};
  const MonoTime deadline = clock_.mono() + std::chrono::seconds(options_.drain_seconds);
  while (services_.in_flight.load() > 0 && clock_.mono() < deadline) {
    pollfd fd{signals, POLLIN, 0};
    if (poll(&fd, 1, static_cast<int>(kPoll.count())) > 0) {
      spdlog::warn("second signal: ending at once");
      break;
    }
  }
}

int Server::wait_for_end(int signals) {
  for (;;) {
    pollfd fd{signals, POLLIN, 0};
    const int ready = poll(&fd, 1, static_cast<int>(kWatchInterval.count()));
    signalfd_siginfo info{};
    if (ready > 0 && read(signals, &info, sizeof(info)) == sizeof(info)) {
      if (info.ssi_signo == SIGHUP) {
        recipes_->reload_if_changed(true, "SIGHUP");
        continue;
      }
      drain(signals);
      return 0;
    }
    recipes_->reload_if_changed(false, "the file changed");
    learning_file_->save_if_due();
  }
}

int Server::run() {
  started_ = clock_.mono();
  spdlog::default_logger()->sinks().push_back(log_);
  const sigset_t handled = handled_signals();
  const int signals = signalfd(-1, &handled, SFD_CLOEXEC);

  if (const auto status = open_state()) return *status;
  if (const auto status = load()) return *status;
  if (const auto status = open_listeners()) return *status;
  const std::string port = environment_variable("VLLM_PORT_QWEN36");
  discovery_ = std::make_unique<Discovery>(options_, port.empty() ? "8090" : port);
  for (const auto& worker : workers_) {
    for (const auto& server : worker->servers) (void)server->start();
    worker->thread = std::thread([raw = worker.get()] { raw->loop.run(); });
  }
  write_run_file();
  if (runtime_) {
    discovery_->begin(runtime_);
    health_.watch(*runtime_);
  }
  const auto& servers = workers_.front()->servers;
  spdlog::info(
      "serving http://{}:{}/v1, operator http://{}:{}, ready in {} ms", api_address_,
      servers.front()->port(), dashboard_.host, dashboard_.port,
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.mono() - started_).count());
  const int status = wait_for_end(signals);
  for (const auto& worker : workers_) {
    worker->loop.post([raw = worker.get()] {
      for (const auto& server : raw->servers) server->close_all();
      raw->loop.post([raw] { raw->loop.stop(); });
    });
  }
  for (const auto& worker : workers_) worker->thread.join();
  learning_file_->save();
  constexpr std::chrono::milliseconds kFlush{2'000};
  if (services_.replay) services_.replay->flush(kFlush);
  discovery_.reset();  // ends the embedded backend
  folder_->remove_run_file();
  spdlog::info("stopped");
  close(signals);
  return status;
}

}  // namespace

int serve(ServeOptions options) {
  // Before any thread is made, since threads inherit the mask and a signal takes any that lets it.
  const sigset_t handled = handled_signals();
  pthread_sigmask(SIG_BLOCK, &handled, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const auto server = std::make_unique<Server>(std::move(options));
  return server->run();
}

}  // namespace vsr::app
