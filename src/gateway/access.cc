#include "gateway/access.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/strings.h"
#include "wire/hash.h"

namespace vsr::gateway {

bool equal_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

bool Caller::may_use(std::string_view model) const {
  if (key == nullptr || key->models.empty()) return true;
  return std::find(key->models.begin(), key->models.end(), model) != key->models.end();
}

// How many requests may come at once: without a `burst`, those of a minute.
static double burst_of(const config::RateLimit& limit) {
  return std::max(1.0, limit.burst > 0 ? limit.burst : limit.requests_per_minute);
}

AccessTable::AccessTable(const config::Listener& listener) : listener_(&listener) {
  for (const config::ApiKey& key : listener.api_keys) {
    auto bucket = std::make_unique<Bucket>();
    if (key.rate_limit) bucket->tokens = burst_of(*key.rate_limit);
    buckets_.push_back(std::move(bucket));
  }
}

double AccessTable::wait_s(size_t key, MonoTime now) const {
  const std::optional<config::RateLimit>& limit = listener_->api_keys[key].rate_limit;
  if (!limit || limit->requests_per_minute <= 0) return 0;
  Bucket& bucket = *buckets_[key];
  const std::lock_guard lock(bucket.mutex);
  const double seconds = std::chrono::duration<double>(now - bucket.at).count();
  const double per_second = limit->requests_per_minute / 60;
  bucket.tokens = std::min(burst_of(*limit), bucket.tokens + seconds * per_second);
  bucket.at = now;
  if (bucket.tokens < 1) return (1 - bucket.tokens) / per_second;
  bucket.tokens -= 1;
  return 0;
}

wire::ApiResult<Caller> AccessTable::check(std::string_view authorization,
                                           std::string_view x_api_key, MonoTime now) const {
  if (!has_keys()) return Caller{};
  constexpr std::string_view kBearer = "bearer ";
  std::string_view given = x_api_key;
  if (given.empty() && authorization.size() > kBearer.size() &&
      iequals(authorization.substr(0, kBearer.size()), kBearer)) {
    given = trim(authorization.substr(kBearer.size()));
  }
  size_t found = listener_->api_keys.size();
  for (size_t i = 0; i < listener_->api_keys.size(); ++i) {
    if (equal_constant_time(given, listener_->api_keys[i].key)) found = i;
  }
  if (found == listener_->api_keys.size()) {
    return std::unexpected(wire::ApiError{
        401, "invalid_api_key", "",
        given.empty() ? "this address needs an API key: send `authorization: Bearer KEY` or "
                        "`x-api-key: KEY`"
                      : "the API key is not known here; check it against the recipe's listeners"});
  }
  if (const double wait = wait_s(found, now); wait > 0) {
    const auto seconds = static_cast<uint32_t>(std::ceil(wait));
    return std::unexpected(wire::ApiError{
        429, "rate_limit_exceeded", "",
        fmt::format("this key may send {:g} requests a minute; try again in {} s",
                    listener_->api_keys[found].rate_limit->requests_per_minute, seconds),
        seconds});
  }
  const config::ApiKey& key = listener_->api_keys[found];
  return Caller{key.name, wire::hash_bytes(key.key), &key};
}

std::string_view AccessTable::allowed_origin(std::string_view origin) const {
  for (const std::string& allowed : listener_->cors_origins) {
    if (allowed == "*" || iequals(allowed, origin)) return allowed == "*" ? "*" : origin;
  }
  return "";
}

}  // namespace vsr::gateway
