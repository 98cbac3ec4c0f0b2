// fetch_recipe() of recipes.h.
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>

#include "base/strings.h"
#include "http/client.h"
#include "operator/recipes.h"

namespace vsr::operator_api {

namespace {

using namespace std::chrono_literals;

constexpr auto kFetchTime = 10s;
constexpr int kRedirectsMax = 3;

wire::ApiError problem(std::string message) {
  return {400, "recipe_not_fetched", "url", std::move(message)};
}

std::string_view host_of(std::string_view url) {
  const size_t scheme = url.find("://");
  std::string_view rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (rest.starts_with('[')) return rest.substr(1, rest.find(']') - 1);
  return rest.substr(0, rest.find(':'));
}

bool is_private(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    const uint32_t ip = ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr);
    const auto in = [ip](uint32_t network, int bits) { return ip >> (32 - bits) == network; };
    return in(0, 8) || in(10, 8) || in(127, 8) || in(0xA9FE, 16) || in(0xAC1, 12) ||
           in(0xC0A8, 16) || in(0x191, 10);
  }
  const auto& bytes = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr;
  const in6_addr& ip = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&ip) || IN6_IS_ADDR_LINKLOCAL(&ip) || IN6_IS_ADDR_UNSPECIFIED(&ip) ||
         IN6_IS_ADDR_V4MAPPED(&ip) || (bytes[0] & 0xFE) == 0xFC;
}

// A name that leads nowhere is not private: fetching it says what is wrong.
bool leads_to_private_address(std::string_view host) {
  addrinfo* found = nullptr;
  if (getaddrinfo(std::string(host).c_str(), nullptr, nullptr, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, &freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (is_private(*one->ai_addr)) return true;
  }
  return false;
}

std::string header_of(const http::SimpleResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (iequals(key, name)) return value;
  }
  return {};
}

}  // namespace

wire::ApiResult<std::string> fetch_recipe(std::string url) {
  const bool began_public =
      url.find("://") != std::string::npos && !leads_to_private_address(host_of(url));
  for (int hop = 0; hop <= kRedirectsMax; ++hop) {
    if (!url.starts_with("http://") && !url.starts_with("https://")) {
      return std::unexpected(
          problem(fmt::format("{} is no address of http:// or https://", url.substr(0, 200))));
    }
    if (hop > 0 && began_public && leads_to_private_address(host_of(url))) {
      return std::unexpected(problem(fmt::format(
          "the address redirects to the private address {}; ask for that one yourself", url)));
    }
    std::string body;
    const auto response = http::fetch("GET", url, {{"accept", "application/yaml, text/plain, */*"}},
                                      "", kFetchTime, [&body](std::string_view piece) {
                                        body += piece.substr(0, kImportBytesMax + 1 - body.size());
                                      });
    if (!response) return std::unexpected(problem(response.error().message));
    const std::string location = header_of(*response, "location");
    if (response->status / 100 == 3 && !location.empty()) {
      const size_t origin_end = url.find('/', url.find("://") + 3);
      url = location.starts_with('/') ? url.substr(0, origin_end) + location : location;
      continue;
    }
    if (response->status != 200) {
      return std::unexpected(problem(fmt::format("{} answered {}", url, response->status)));
    }
    if (body.size() > kImportBytesMax) {
      return std::unexpected(
          problem(fmt::format("{} is larger than {} bytes, too large for a "
                              "recipe",
                              url, kImportBytesMax)));
    }
    return body;
  }
  return std::unexpected(problem(fmt::format("more than {} redirects", kRedirectsMax)));
}

}  // namespace vsr::operator_api
