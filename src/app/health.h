#pragma once

// Active health checks of the backends that ask for them: GET of the configured path at the
// configured interval; any 2xx is healthy. One thread for all; a check takes at most kAnswerMax.

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "gateway/runtime.h"

namespace vsr::app {

class HealthChecks {
 public:
  static constexpr std::chrono::milliseconds kAnswerMax{2'000};

  explicit HealthChecks(const Clock& clock) : clock_(clock) {}
  ~HealthChecks();

  // Checks the backends of this recipe from now on, and no others.
  void watch(const gateway::Runtime& runtime);

 private:
  struct Check {
    std::shared_ptr<gateway::Endpoint> endpoint;
    std::string path;
    std::chrono::milliseconds interval;
    MonoTime due{0};
  };
  void run();
  static bool is_healthy(const Check& check);

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Check> checks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vsr::app
