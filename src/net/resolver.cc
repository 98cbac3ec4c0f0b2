#include "net/resolver.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

namespace vsr::net {

Result<std::vector<std::string>> resolve_blocking(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("the name {} does not resolve: {}", host, gai_strerror(error)),
                ErrorSource::kUpstream, Retry::kYes);
  }
  std::vector<std::string> v4;
  std::vector<std::string> v6;
  for (addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    char text[INET6_ADDRSTRLEN];
    if (entry->ai_family == AF_INET) {
      inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(entry->ai_addr)->sin_addr, text,
                sizeof(text));
      v4.emplace_back(text);
    } else if (entry->ai_family == AF_INET6) {
      inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(entry->ai_addr)->sin6_addr, text,
                sizeof(text));
      v6.emplace_back(text);
    }
  }
  freeaddrinfo(found);
  v4.insert(v4.end(), v6.begin(), v6.end());
  if (v4.empty()) {
    return fail(ErrorCode::kUnavailable, fmt::format("the name {} has no address", host),
                ErrorSource::kUpstream, Retry::kYes);
  }
  return v4;
}

Task<void> Resolver::look_up(std::string host) {
  std::function<Result<std::vector<std::string>>()> work = [host] {
    return resolve_blocking(host);
  };
  Result<std::vector<std::string>> addresses =
      co_await offload<std::vector<std::string>>(pool_, loop_, std::move(work));
  Entry& entry = names_[host];
  const std::chrono::seconds keep = addresses ? kKeep : kKeepFailure;
  entry.addresses = std::move(addresses);
  entry.until = loop_.now() + keep;
  entry.pending = false;
  entry.known.notify_all();
}

Task<Result<std::vector<std::string>>> Resolver::resolve(std::string host, MonoTime deadline,
                                                         CancelSource* cancel) {
  in6_addr literal;
  if (inet_pton(AF_INET, host.c_str(), &literal) == 1 ||
      inet_pton(AF_INET6, host.c_str(), &literal) == 1) {
    co_return std::vector<std::string>{host};
  }
  if (!names_.contains(host) && names_.size() >= kNamesMax) {
    std::erase_if(names_, [&](const auto& name) {
      return !name.second.pending && name.second.until <= loop_.now();
    });
    if (names_.size() >= kNamesMax) {
      co_return fail(ErrorCode::kUnavailable, "too many host names at once", ErrorSource::kUpstream,
                     Retry::kYes);
    }
  }
  Entry& entry = names_[host];
  if (!entry.pending && entry.until <= loop_.now()) {
    entry.pending = true;
    loop_.spawn(look_up(host));
  }
  if (entry.pending) {
    const Status known = co_await entry.known.wait(loop_, deadline, cancel);
    if (!known) {
      co_return fail(known.error().code, fmt::format("the name {} did not resolve in time", host),
                     ErrorSource::kUpstream, Retry::kYes);
    }
  }
  co_return entry.addresses;
}

}  // namespace vsr::net
