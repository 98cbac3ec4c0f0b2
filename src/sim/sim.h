#pragma once

// A simulated backend that looks like vLLM's OpenAI server: for tests, offline evaluation and
// `vllm-sr sim`. It owns its loops and threads; start() returns when it listens, the destructor
// ends it. Every method may be called from any thread. Recorded is what asks for an answer and what
// asks for nothing that exists; not /sim/… nor the polls of /health, /metrics and /v1/models.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/loop.h"
#include "sim/state.h"

namespace vsr::sim {

// The models of the guide's recipe.
std::vector<std::string> default_models();

struct SimOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: a free one
  std::vector<std::string> models = default_models();
  std::chrono::milliseconds idle_close{5'000};  // of keep-alive connections, as vLLM's server
  size_t threads = 1;
  size_t cache_blocks_max = PrefixCache::kBlocksMax;
  std::shared_ptr<Auditor> auditor;  // null: one of its own
};

class SimBackend {
 public:
  static constexpr size_t kThreadsMax = 64;

  static Result<std::unique_ptr<SimBackend>> start(const SimOptions& options);
  ~SimBackend();
  SimBackend(const SimBackend&) = delete;
  SimBackend& operator=(const SimBackend&) = delete;

  uint16_t port() const { return port_; }
  std::string url() const;  // without a slash at its end
  BackendState& state() { return state_; }
  // Cuts every connection and ends the threads. Again: nothing.
  void stop();

 private:
  class Worker;
  explicit SimBackend(const SimOptions& options);
  net::Task<size_t> count_connections(net::Loop& loop);

  const std::string address_;
  uint16_t port_ = 0;
  BackendState state_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

// Runs one until SIGTERM or SIGINT, which it blocks for the threads it starts. Prints one line
// "simulated backend on http://ADDRESS:PORT" when it listens.
Status run_sim(const SimOptions& options);

}  // namespace vsr::sim
