#include <arpa/inet.h>
#include <fmt/format.h>

#include "config/build.h"

namespace vsr::config {
namespace {

void api_key(Build& build, const View& view, Listener& listener) {
  ApiKey key;
  if (const auto text = view.text()) {
    key.key = *text;
  } else {
    read(view["name"], key.name);
    read(view["key"], key.key);
    read(view["models"], key.models);
    const View rate = view["rate_limit"];
    if (rate) {
      RateLimit& limit = key.rate_limit.emplace();
      read(rate["requests_per_minute"], limit.requests_per_minute);
      read(rate["burst"], limit.burst);
    }
    const View env = view["key_env"];
    if (const auto variable = env.text(); variable && key.key.empty()) {
      key.key = build.environment(*variable).value_or("");
      if (key.key.empty()) {
        // Without its only key the listener would be open to everybody.
        build.error(env, fmt::format("environment variable {} is not set", quote(*variable)),
                    *variable, "a variable that is set");
        return;
      }
    }
  }
  if (key.key.empty()) {
    build.error(view, "an API key needs key or key_env", "", "key or key_env");
    return;
  }
  listener.api_keys.push_back(std::move(key));
}

bool is_ip_address(const std::string& text) {
  in6_addr out{};
  return inet_pton(AF_INET, text.c_str(), &out) == 1 ||
         inet_pton(AF_INET6, text.c_str(), &out) == 1;
}

}  // namespace

void build_listeners(Build& build, const View& list) {
  std::vector<Listener>& listeners = build.config.listeners;
  std::map<std::pair<std::string, uint16_t>, int> places;
  for (const View& view : list.items()) {
    Listener listener;
    listener.name = listeners.empty() ? "default" : fmt::format("listener-{}", listeners.size());
    read(view["name"], listener.name);
    read(view["address"], listener.address);
    if (!is_ip_address(listener.address)) {
      build.error(view["address"],
                  fmt::format("{} is not an IP address to listen on; 127.0.0.1 is this machine "
                              "alone, 0.0.0.0 every interface",
                              quote(listener.address)),
                  listener.address, "an IP address such as 127.0.0.1, 0.0.0.0 or ::");
    }
    if (const auto port = view["port"].integer()) listener.port = static_cast<uint16_t>(*port);
    read_duration(view["timeout"], listener.timeout_ms);
    read_bytes(view["max_body_bytes"], listener.max_body_bytes);
    read(view["cors_origins"], listener.cors_origins);
    for (const View& key : view["api_keys"].items()) api_key(build, key, listener);
    const View tls = view["tls"];
    if (tls) listener.tls = TlsFiles{build.required(tls["cert"]), build.required(tls["key"])};

    const auto [earlier, is_new] =
        places.emplace(std::pair(listener.address, listener.port), view.position().line);
    if (!is_new) {
      build.error(view["port"],
                  fmt::format("{}:{} is already the listener on line {}", listener.address,
                              listener.port, earlier->second),
                  std::to_string(listener.port), "an address and port that are not taken");
    }
    listeners.push_back(std::move(listener));
  }
  if (listeners.empty()) listeners.emplace_back();
}

}  // namespace vsr::config
