#pragma once

// Host names to numeric addresses: literals at once, names by the system on an offload thread, kept
// for kKeep (failures for kKeepFailure). Who asks for a name that is being looked up waits for that
// answer. One per loop, and outlives what it was asked.

#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/strings.h"
#include "net/offload.h"

namespace vsr::net {

class Resolver {
 public:
  static constexpr std::chrono::seconds kKeep{30};
  static constexpr std::chrono::seconds kKeepFailure{2};
  static constexpr size_t kNamesMax = 1024;

  Resolver(Loop& loop, OffloadPool& pool) : loop_(loop), pool_(pool) {}

  // At least one address, IPv4 first; kUnavailable with the name in the message. The lookup goes on
  // after a deadline and serves whoever asks next.
  Task<Result<std::vector<std::string>>> resolve(std::string host, MonoTime deadline = kNever,
                                                 CancelSource* cancel = nullptr);

 private:
  struct Entry {
    Result<std::vector<std::string>> addresses;
    MonoTime until{0};
    bool pending = false;
    Notice known;
  };
  Task<void> look_up(std::string host);

  Loop& loop_;
  OffloadPool& pool_;
  StringMap<Entry> names_;
};

// Blocking; for the offload thread and the command line.
Result<std::vector<std::string>> resolve_blocking(const std::string& host);

}  // namespace vsr::net
