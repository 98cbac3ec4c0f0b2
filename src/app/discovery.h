#pragma once

// Finding the backends of a recipe: a recipe written for a container network names vllm:8000; where
// that name does not resolve, the host's port 8090 is tried, and used if it serves a model of that
// backend. If no backend answers in kAnswerMax and the embedded one is allowed, it is started.
// Runs on a thread of its own; what it finds goes into the endpoints.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "app/embedded_backend.h"
#include "app/server.h"
#include "gateway/runtime.h"

namespace vsr::app {

struct DiscoveryState {
  bool done = false;
  bool any_backend = false;
  std::vector<std::string> tried;  // "vllm:8000: the name does not resolve"
  std::string embedded;            // "" or "127.0.0.1:8090"
  bool embedded_answers = false;   // its model is loaded
};

class Discovery {
 public:
  static constexpr std::chrono::milliseconds kAnswerMax{2'000};
  // How long the embedded backend is waited for, and how often it is asked meanwhile.
  static constexpr std::chrono::seconds kEmbeddedLoadMax{60};
  static constexpr std::chrono::milliseconds kEmbeddedAskEvery{200};

  Discovery(const ServeOptions& options, std::string fallback_port);
  ~Discovery();

  // Looks for the backends of this recipe; call again after a reload.
  void begin(std::shared_ptr<const gateway::Runtime> runtime);
  // Blocks until the look that began last has ended.
  void wait();
  DiscoveryState state() const;
  EmbeddedStatus embedded_status() const;

 private:
  // An endpoint of the recipe, and the models that it is to serve.
  struct Place {
    std::shared_ptr<gateway::Endpoint> endpoint;
    std::set<std::string> wanted;
    bool resolves = true;
  };

  void look(const gateway::Runtime& runtime);
  // True if it answers; fills in whether its name resolves.
  bool ask(Place& place);
  // The host's port in place of those that are not there; true if it serves any of them.
  bool try_fallback(const std::vector<Place>& places);
  void note(std::string line);
  bool start_embedded(const std::vector<Place>& places);
  void wait_for_embedded(const gateway::Address& address);

  const ServeOptions& options_;
  const std::string fallback_;  // "127.0.0.1:8090"
  mutable std::mutex mutex_;
  DiscoveryState state_;
  std::unique_ptr<EmbeddedBackend> embedded_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vsr::app
