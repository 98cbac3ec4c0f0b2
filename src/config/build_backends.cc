#include <fmt/format.h>

#include "base/strings.h"
#include "config/build.h"

namespace vsr::config {
namespace {

struct Address {
  std::string host;
  std::optional<uint16_t> port;
  std::string path;  // without a trailing slash
};

// host, host:port, [v6]:port, each with an optional /path.
std::optional<Address> parse_address(std::string_view text) {
  Address address;
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    address.path = text.substr(slash);
    while (address.path.ends_with('/')) address.path.pop_back();
    text = text.substr(0, slash);
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    address.host = text.substr(1, close - 1);
    std::string_view rest = text.substr(close + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    port = rest.empty() ? rest : rest.substr(1);
    if (!rest.empty() && port.empty()) return std::nullopt;
  } else {
    const size_t colon = text.find(':');
    address.host = text.substr(0, colon);
    if (colon != std::string_view::npos) {
      port = text.substr(colon + 1);
      if (port.empty()) return std::nullopt;
    }
  }
  if (address.host.empty() || address.host.find_first_of(" \t\r\n@?#\"\\") != std::string::npos) {
    return std::nullopt;
  }
  if (!port.empty()) {
    const auto number = parse_integer(port);
    if (!number || *number < 1 || *number > 65'535) return std::nullopt;
    address.port = static_cast<uint16_t>(*number);
  }
  return address;
}

bool read_address(Build& build, const View& view, BackendRef& ref) {
  const View base_url = view["base_url"];
  const View endpoint = view["endpoint"];
  ref.tls = view["protocol"].choice().value_or(0) == 1;
  const View& at = base_url ? base_url : endpoint;
  if (!at) {
    build.error(view, "a backend needs endpoint (host:port) or base_url", "",
                "endpoint or base_url");
    return false;
  }
  if (base_url && endpoint) {
    build.warn(endpoint, "ignored: base_url says where the backend is",
               endpoint.text().value_or(""));
  }
  const auto text = at.text();
  if (!text) return false;
  std::string_view rest = *text;
  const std::string lower = to_lower(rest);
  if (lower.starts_with("https://") || lower.starts_with("http://")) {
    ref.tls = lower.starts_with("https://");
    rest.remove_prefix(ref.tls ? 8 : 7);
  } else if (rest.find("://") != std::string_view::npos) {
    build.error(at, fmt::format("expected http:// or https://, found {}", quote(*text)), *text,
                "http:// or https://");
    return false;
  }
  if (rest.substr(0, rest.find('/')).find('@') != std::string_view::npos) {
    // Not echoed: what stands before the @ is a secret.
    build.error(at, "credentials do not belong in an address; use api_key or extra_headers", "",
                "an address without user and password");
    return false;
  }
  const std::optional<Address> address = parse_address(rest);
  if (!address) {
    const std::string_view allowed = base_url ? "https://host[:port][/path]" : "host:port";
    build.error(at, fmt::format("expected {}, found {}", allowed, quote(*text)), *text,
                std::string(allowed));
    return false;
  }
  ref.host = address->host;
  ref.port = address->port.value_or(ref.tls ? 443 : 80);
  if (!address->port && !base_url && !ref.tls) {
    build.warn(at, fmt::format("{} names no port, 80 is assumed; write host:port", quote(*text)),
               *text, "host:port");
  }
  ref.base_path = address->path;
  return true;
}

BackendType backend_type(std::string_view name) {
  constexpr std::pair<std::string_view, BackendType> kTypes[] = {
      {"vllm", BackendType::kVllm},           {"openai", BackendType::kOpenAi},
      {"anthropic", BackendType::kAnthropic}, {"llamacpp", BackendType::kLlamaCpp},
      {"llama.cpp", BackendType::kLlamaCpp},
  };
  for (const auto& [known, type] : kTypes) {
    if (iequals(known, name)) return type;
  }
  return BackendType::kOther;
}

// What is sent where depends on what the backend speaks.
void type_defaults(BackendRef& ref, bool anthropic) {
  // A base path such as /v1 takes the place of the version in the path.
  const bool versioned = !ref.base_path.empty();
  if (anthropic) {
    ref.auth_header = "x-api-key";
    ref.auth_prefix = "";
    ref.chat_path = versioned ? "/messages" : "/v1/messages";
  } else if (versioned) {
    ref.chat_path = "/chat/completions";
  }
}

void backend(Build& build, const View& view, Model& model) {
  BackendRef ref;
  if (!read_address(build, view, ref)) return;
  read(view["name"], ref.name);
  if (ref.name.empty()) ref.name = fmt::format("{}:{}", ref.host, ref.port);
  read(view["weight"], ref.weight);
  ref.weight = std::max(ref.weight, 1U);
  std::string type = "vllm";
  read(view["type"], type);
  ref.type = backend_type(type);
  type_defaults(ref,
                ref.type == BackendType::kAnthropic || model.api_format == ApiFormat::kAnthropic);
  read(view["api_key"], ref.api_key);
  const View env = view["api_key_env"];
  if (const auto variable = env.text(); variable && ref.api_key.empty()) {
    ref.api_key = build.environment(*variable).value_or("");
    if (ref.api_key.empty()) {
      build.warn(env,
                 fmt::format("environment variable {} is not set: this backend is asked "
                             "without a key",
                             quote(*variable)),
                 *variable, "a variable that is set");
    }
  }
  if (const auto header = view["auth_header"].text()) {
    ref.auth_header = to_lower(*header);
    // A header of its own carries the bare key unless a prefix is given.
    if (ref.auth_header != "authorization") ref.auth_prefix = "";
  }
  if (const auto prefix = view["auth_prefix"].text()) {
    ref.auth_prefix = *prefix;
    // "Bearer" and "Bearer " mean the same; "key=" is what it says.
    const char last = prefix->empty() ? ' ' : ascii_lower(prefix->back());
    if (last >= 'a' && last <= 'z') ref.auth_prefix += ' ';
  }
  for (const auto& [name, value] : view["extra_headers"].named()) {
    ref.extra_headers.emplace_back(to_lower(name), value.text().value_or(""));
  }
  read(view["chat_path"], ref.chat_path);
  if (!ref.chat_path.starts_with('/')) ref.chat_path.insert(0, "/");
  read(view["api_version"], ref.api_version);
  read(view["forward_client_authorization"], ref.forward_client_authorization);
  const View health = view["health"];
  if (health) {
    HealthCheck& check = ref.health.emplace();
    check.path = build.required(health["path"]);
    read_duration(health["interval"], check.interval_ms);
  }
  model.backends.push_back(std::move(ref));
}

}  // namespace

void build_backends(Build& build, const View& list, Model& model) {
  for (const View& view : list.items()) backend(build, view, model);
}

}  // namespace vsr::config
