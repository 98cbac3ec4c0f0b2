#include "app/health.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "http/client.h"

namespace vsr::app {

HealthChecks::~HealthChecks() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void HealthChecks::watch(const gateway::Runtime& runtime) {
  std::vector<Check> checks;
  for (size_t m = 0; m < runtime.config->models.size(); ++m) {
    for (const gateway::Backend& backend : runtime.backends.of(static_cast<config::ModelId>(m))) {
      const bool known = std::any_of(checks.begin(), checks.end(), [&](const Check& check) {
        return check.endpoint == backend.endpoint;
      });
      if (!backend.ref->health || known) continue;
      checks.push_back({backend.endpoint, backend.ref->health->path,
                        std::chrono::milliseconds(backend.ref->health->interval_ms),
                        clock_.mono()});
    }
  }
  const std::lock_guard lock(mutex_);
  for (const Check& before : checks_) {
    const bool kept = std::any_of(checks.begin(), checks.end(), [&](const Check& check) {
      return check.endpoint == before.endpoint;
    });
    if (!kept) before.endpoint->set_active_health(true);
  }
  checks_ = std::move(checks);
  if (!thread_.joinable() && !checks_.empty()) thread_ = std::thread([this] { run(); });
  wake_.notify_all();
}

void HealthChecks::run() {
  constexpr std::chrono::milliseconds kLongest{1'000};
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto next =
        std::min_element(checks_.begin(), checks_.end(),
                         [](const Check& a, const Check& b) { return a.due < b.due; });
    const MonoTime now = clock_.mono();
    if (next == checks_.end() || next->due > now) {
      const auto pause = next == checks_.end() ? MonoTime(kLongest) : next->due - now;
      wake_.wait_for(lock, pause);
      continue;
    }
    next->due = now + next->interval;
    const Check check = *next;
    lock.unlock();
    const bool healthy = is_healthy(check);
    lock.lock();
    // A recipe that came meanwhile may not ask for this check any more.
    const bool still = std::ranges::any_of(
        checks_, [&](const Check& other) { return other.endpoint == check.endpoint; });
    if (still) check.endpoint->set_active_health(healthy);
  }
}

bool HealthChecks::is_healthy(const Check& check) {
  const gateway::Address& address = check.endpoint->dial();
  const std::string url =
      fmt::format("{}://{}{}", check.endpoint->tls ? "https" : "http", address.text(), check.path);
  const Result<http::SimpleResponse> response = http::fetch("GET", url, {}, "", kAnswerMax);
  const bool healthy = response && response->status >= 200 && response->status < 300;
  if (!healthy) {
    spdlog::warn("{} is not healthy: {}", check.endpoint->key,
                 response ? fmt::format("{} answers {}", check.path, response->status)
                          : response.error().message);
  }
  return healthy;
}

}  // namespace vsr::app
