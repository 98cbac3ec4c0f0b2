#include "sim/sim.h"

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

#include "sim/handler.h"

namespace vsr::sim {

using namespace std::chrono_literals;

namespace {

// How long a loop may take to say how many connections it has, in ticks of the asking loop.
constexpr int kCountTicksMax = 100;

struct Count {
  std::atomic<size_t> connections{0};
  std::atomic<size_t> loops{0};
};

}  // namespace

std::vector<std::string> default_models() {
  return {"qwen/qwen3.6-rocm", "google/gemini-2.5-flash-lite", "google/gemini-3.1-pro",
          "openai/gpt5.4", "anthropic/claude-opus-4.6"};
}

// One loop with its listener and thread.
class SimBackend::Worker {
 public:
  Worker(BackendState& state, const http::ServerLimits& limits,
         SimHandler::CountConnections count_connections)
      : handler_(state, std::move(count_connections)), server_(loop_, handler_, limits, nullptr) {}
  ~Worker() { stop(); }

  Status listen(const std::string& address, uint16_t port) { return server_.listen(address, port); }
  uint16_t port() const { return server_.port(); }
  Status run() {
    if (Status started = server_.start(); !started) return started;
    thread_ = std::thread([this] { loop_.run(); });
    return {};
  }
  void count(std::shared_ptr<Count> count) {
    loop_.post([this, count = std::move(count)] {
      count->connections += server_.connections();
      ++count->loops;
    });
  }
  void stop() {
    if (!thread_.joinable()) return;
    loop_.post([this] {
      server_.drain();
      server_.close_all();
      stop_when_quiet();
    });
    thread_.join();
  }

 private:
  // The connections that were cut end within a few turns of the loop.
  void stop_when_quiet() {
    if (loop_.running_tasks() == 0) {
      loop_.stop();
    } else {
      loop_.post([this] { stop_when_quiet(); });
    }
  }

  net::Loop loop_;
  SimHandler handler_;
  http::Server server_;
  std::thread thread_;
};

SimBackend::SimBackend(const SimOptions& options)
    : address_(options.address),
      state_(options.models, options.cache_blocks_max,
             options.auditor ? options.auditor : std::make_shared<Auditor>()) {}

SimBackend::~SimBackend() { stop(); }

Result<std::unique_ptr<SimBackend>> SimBackend::start(const SimOptions& options) {
  if (options.models.empty() || options.threads == 0 || options.threads > kThreadsMax) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("a simulated backend needs a model and 1 to {} threads", kThreadsMax));
  }
  std::unique_ptr<SimBackend> backend(new SimBackend(options));
  http::ServerLimits limits;
  limits.idle = options.idle_close;
  limits.body_bytes_max = 256UL << 20;
  backend->port_ = options.port;
  for (size_t i = 0; i < options.threads; ++i) {
    auto worker = std::make_unique<Worker>(
        backend->state_, limits,
        [self = backend.get()](net::Loop& loop) { return self->count_connections(loop); });
    const Status listening = worker->listen(options.address, backend->port_);
    if (!listening) return std::unexpected(listening.error());
    backend->port_ = worker->port();
    backend->workers_.push_back(std::move(worker));
  }
  for (const auto& worker : backend->workers_) {
    if (const Status running = worker->run(); !running) return std::unexpected(running.error());
  }
  return backend;
}

std::string SimBackend::url() const { return fmt::format("http://{}:{}", address_, port_); }

void SimBackend::stop() {
  for (const auto& worker : workers_) worker->stop();
}

net::Task<size_t> SimBackend::count_connections(net::Loop& loop) {
  const auto count = std::make_shared<Count>();
  for (const auto& worker : workers_) worker->count(count);
  for (int i = 0; i < kCountTicksMax && count->loops < workers_.size(); ++i) {
    (void)co_await loop.sleep(1ms);
  }
  co_return count->connections.load();
}

Status run_sim(const SimOptions& options) {
  sigset_t ends;
  sigset_t before;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, &before);
  const auto backend = SimBackend::start(options);
  if (backend) {
    fmt::print("simulated backend on {}\n", (*backend)->url());
    std::fflush(stdout);
    int number = 0;
    sigwait(&ends, &number);
    (*backend)->stop();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!backend) return std::unexpected(backend.error());
  return {};
}

}  // namespace vsr::sim
