#include "app/discovery.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "http/client.h"
#include "json/value.h"
#include "net/resolver.h"

namespace vsr::app {

namespace {

// Names in GET /v1/models of an address; an error if it does not answer as a backend does.
Result<std::set<std::string>> served_models(const gateway::Address& address, bool tls) {
  const std::string url = fmt::format("{}://{}/v1/models", tls ? "https" : "http", address.text());
  Result<http::SimpleResponse> response = http::fetch("GET", url, {}, "", Discovery::kAnswerMax);
  if (!response) return std::unexpected(response.error());
  const Result<json::Value> body = json::Value::parse(response->body);
  // A provider may ask for a key here; that it answers is enough.
  if (response->status == 401 || response->status == 403) return std::set<std::string>{};
  if (response->status != 200 || !body || !(*body)["data"].is_array()) {
    return fail(ErrorCode::kProtocol,
                fmt::format("{} answers {} but lists no models", address.text(), response->status));
  }
  std::set<std::string> names;
  for (const json::Value& entry : (*body)["data"].items()) {
    names.emplace(entry["id"].as_string());
    for (const json::Value& alias : entry["aliases"].items()) names.emplace(alias.as_string());
  }
  return names;
}

}  // namespace

Discovery::Discovery(const ServeOptions& options, std::string fallback_port)
    : options_(options), fallback_("127.0.0.1:" + fallback_port) {}

Discovery::~Discovery() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  wait();
}

void Discovery::wait() {
  if (thread_.joinable()) thread_.join();
}

DiscoveryState Discovery::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

EmbeddedStatus Discovery::embedded_status() const {
  const std::lock_guard lock(mutex_);
  return embedded_ ? embedded_->status() : EmbeddedStatus{};
}

void Discovery::note(std::string line) {
  spdlog::info("backend {}", line);
  const std::lock_guard lock(mutex_);
  state_.tried.push_back(std::move(line));
}

void Discovery::begin(std::shared_ptr<const gateway::Runtime> runtime) {
  wait();
  {
    const std::lock_guard lock(mutex_);
    state_.done = false;
    state_.tried.clear();
  }
  thread_ = std::thread([this, runtime = std::move(runtime)] { look(*runtime); });
}

void Discovery::look(const gateway::Runtime& runtime) {
  std::vector<Place> places;
  for (size_t m = 0; m < runtime.config->models.size(); ++m) {
    for (const gateway::Backend& backend : runtime.backends.of(static_cast<config::ModelId>(m))) {
      auto place = std::ranges::find(places, backend.endpoint, &Place::endpoint);
      if (place == places.end()) place = places.insert(places.end(), {backend.endpoint, {}, true});
      place->wanted.insert(runtime.config->models[m].provider_model_id);
    }
  }
  bool any = false;
  std::vector<Place> absent;  // their names do not resolve
  std::vector<Place> silent;
  for (Place& place : places) {
    if (ask(place)) {
      any = true;
    } else if (place.endpoint->dial() == place.endpoint->named() && !place.endpoint->tls) {
      (place.resolves ? silent : absent).push_back(place);
    }
  }
  // One that resolves and is silent may come back: it is replaced only if nothing else is there.
  if (!any) absent.insert(absent.end(), silent.begin(), silent.end());
  if (!absent.empty()) any |= try_fallback(absent);
  if (!any && !absent.empty() && options_.backend == BackendMode::kEmbedded) {
    any = start_embedded(absent);
  }
  if (!any) spdlog::warn("no backend answers; tried: {}", fmt::join(state().tried, "; "));
  const std::lock_guard lock(mutex_);
  state_.done = true;
  state_.any_backend = any;
}

bool Discovery::ask(Place& place) {
  const gateway::Address& address = place.endpoint->dial();
  place.resolves = net::resolve_blocking(address.host).has_value();
  if (!place.resolves) {
    note(fmt::format("{} is not there: its name does not resolve", address.text()));
    return false;
  }
  const Result<std::set<std::string>> models = served_models(address, place.endpoint->tls);
  note(models ? fmt::format("{} answers", address.text())
              : fmt::format("{} does not answer: {}", address.text(), models.error().message));
  return models.has_value();
}

bool Discovery::try_fallback(const std::vector<Place>& places) {
  const HostPort to = parse_host_port(fallback_).value_or(HostPort{"127.0.0.1", 8090});
  const Result<std::set<std::string>> models = served_models({to.host, to.port}, false);
  bool any = false;
  for (const Place& place : places) {
    const std::string named = place.endpoint->named().text();
    const bool serves = models && std::ranges::any_of(place.wanted, [&](const std::string& name) {
                          return models->contains(name);
                        });
    any |= serves;
    if (serves) {
      place.endpoint->redirect({to.host, to.port});
      note(fmt::format("{} serves the models of {} and is used in its place", fallback_, named));
    } else {
      note(fmt::format("{} {}", fallback_,
                       models ? fmt::format("serves no model of {}", named) : "does not answer"));
    }
  }
  return any;
}

// The port that was asked for, or a free one if another program has it.
static uint16_t free_port(const std::string& address, uint16_t wanted) {
  for (const uint16_t port : {wanted, uint16_t{0}}) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return wanted;
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &at.sin_addr);
    socklen_t size = sizeof at;
    const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&at), size) == 0 &&
                       getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0;
    close(fd);
    if (bound) return ntohs(at.sin_port);
  }
  return wanted;
}

void Discovery::wait_for_embedded(const gateway::Address& address) {
  const auto latest = std::chrono::steady_clock::now() + kEmbeddedLoadMax;
  while (std::chrono::steady_clock::now() < latest) {
    const bool answers = served_models(address, false).has_value();
    std::unique_lock lock(mutex_);
    state_.embedded_answers = answers;
    if (answers || stop_.wait_for(lock, kEmbeddedAskEvery, [this] { return stopping_; })) return;
  }
}

bool Discovery::start_embedded(const std::vector<Place>& places) {
  EmbeddedOptions embedded;
  embedded.folder = options_.backend_folder;
  embedded.model_path = options_.embedded_model;
  embedded.port = free_port(embedded.address, options_.embedded_port);
  embedded.log_file = options_.state_folder + "/backend.log";
  {
    const std::lock_guard lock(mutex_);
    if (embedded_) return true;
  }
  Result<std::unique_ptr<EmbeddedBackend>> started = EmbeddedBackend::start(embedded);
  if (!started) {
    spdlog::error("{}", started.error().message);
    note(started.error().message);
    return false;
  }
  if (embedded.port != options_.embedded_port) {
    note(
        fmt::format("port {} is taken by another program, so the embedded one listens on {} "
                    "(--embedded-port chooses one)",
                    options_.embedded_port, embedded.port));
  }
  for (const Place& place : places) place.endpoint->redirect({embedded.address, embedded.port});
  note(fmt::format("no backend of the recipe answers; the embedded one is started on {}:{}",
                   embedded.address, embedded.port));
  {
    const std::lock_guard lock(mutex_);
    embedded_ = std::move(*started);
    state_.embedded = fmt::format("{}:{}", embedded.address, embedded.port);
  }
  wait_for_embedded({embedded.address, embedded.port});
  return true;
}

}  // namespace vsr::app
