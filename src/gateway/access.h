#pragma once

// Who may call a public listener: API keys, their models and rate limits, and CORS origins. The
// table is immutable and shared; the token buckets inside are locked per key. Limits: one bucket
// per configured key.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "wire/api_error.h"

namespace vsr::gateway {

// A caller that passed the check. `name` is "" on a listener without keys.
struct Caller {
  std::string name;
  uint64_t key_hash = 0;                       // scopes identities; 0 without keys
  const config::ApiKey* key = nullptr;         // in the Config the table was made from
  bool may_use(std::string_view model) const;  // true without a model list
};

class AccessTable {
 public:
  // `listener` must outlive the table.
  explicit AccessTable(const config::Listener& listener);

  bool has_keys() const { return !listener_->api_keys.empty(); }
  // `authorization` and `x_api_key` are header values, "" if absent. 401 without a valid key; 429
  // with `retry_after_s` when the key's rate limit is used up.
  wire::ApiResult<Caller> check(std::string_view authorization, std::string_view x_api_key,
                                MonoTime now) const;
  // The allowed origin to answer, "" if `origin` is not allowed.
  std::string_view allowed_origin(std::string_view origin) const;

 private:
  struct Bucket {
    std::mutex mutex;
    double tokens = 0;
    MonoTime at{0};
  };
  // 0 when the request may pass, else how long the next place is away.
  double wait_s(size_t key, MonoTime now) const;

  const config::Listener* listener_;
  std::vector<std::unique_ptr<Bucket>> buckets_;
};

// Compares in time that depends on the lengths only.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace vsr::gateway
