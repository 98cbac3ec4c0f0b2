#include "app/discovery.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

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
  if (thread_.joinable()) thread_.join();
  {
    const std::lock_guard lock(mutex_);
    state_.done = false;
    state_.tried.clear();
  }
  thread_ = std::thread([this, runtime = std::move(runtime)] { look(runtime); });
}

void Discovery::look(std::shared_ptr<const gateway::Runtime> runtime) {
  std::set<std::shared_ptr<gateway::Endpoint>> endpoints;
  std::set<std::string> wanted;
  for (size_t m = 0; m < runtime->config->models.size(); ++m) {
    wanted.insert(runtime->config->models[m].provider_model_id);
    for (const gateway::Backend& backend : runtime->backends.of(static_cast<config::ModelId>(m))) {
      endpoints.insert(backend.endpoint);
    }
  }
  bool any = false;
  std::vector<std::shared_ptr<gateway::Endpoint>> unresolved;
  for (const auto& endpoint : endpoints) {
    if (const auto mapped = options_.resolve.find(endpoint->named().text());
        mapped != options_.resolve.end()) {
      const Result<HostPort> to = parse_host_port(mapped->second);
      if (to) endpoint->redirect({to->host, to->port});
    }
    const gateway::Address& address = endpoint->dial();
    if (address == endpoint->named() && !net::resolve_blocking(address.host)) {
      unresolved.push_back(endpoint);
      continue;
    }
    const Result<std::set<std::string>> models = served_models(address, endpoint->tls);
    note(models ? fmt::format("{} answers", address.text())
                : fmt::format("{} does not answer: {}", address.text(), models.error().message));
    any |= models.has_value();
    if (!models && address == endpoint->named() && !endpoint->tls) unresolved.push_back(endpoint);
  }
  if (!unresolved.empty() && !any) {
    const HostPort to = parse_host_port(fallback_).value_or(HostPort{"127.0.0.1", 8090});
    const Result<std::set<std::string>> models = served_models({to.host, to.port}, false);
    const bool serves = models && std::any_of(wanted.begin(), wanted.end(), [&](const auto& name) {
                          return models->contains(name);
                        });
    for (const auto& endpoint : unresolved) {
      if (serves) {
        endpoint->redirect({to.host, to.port});
        note(fmt::format("{} is not there; {} serves its models and is used",
                         endpoint->named().text(), fallback_));
        any = true;
      } else {
        note(fmt::format("{} is not there, and {} {}", endpoint->named().text(), fallback_,
                         models ? "serves none of the recipe's models" : "does not answer"));
      }
    }
    if (!any && options_.backend == BackendMode::kEmbedded) any = start_embedded(unresolved);
  }
  if (!any) {
    spdlog::warn("no backend answers; tried: {}", fmt::join(state().tried, "; "));
  }
  const std::lock_guard lock(mutex_);
  state_.done = true;
  state_.any_backend = any;
}

bool Discovery::start_embedded(const std::vector<std::shared_ptr<gateway::Endpoint>>& endpoints) {
  EmbeddedOptions embedded;
  embedded.folder = options_.backend_folder;
  embedded.model_path = options_.embedded_model;
  embedded.port = options_.embedded_port;
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
  for (const auto& endpoint : endpoints) endpoint->redirect({embedded.address, embedded.port});
  note(fmt::format("no backend of the recipe answers; the embedded one is started on {}:{}",
                   embedded.address, embedded.port));
  const std::lock_guard lock(mutex_);
  embedded_ = std::move(*started);
  state_.embedded = fmt::format("{}:{}", embedded.address, embedded.port);
  return true;
}

}  // namespace vsr::app
