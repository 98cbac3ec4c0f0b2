#pragma once

// Host names to numeric addresses: literals at once, names by the system on an offload thread, kept
// for kKeep (failures for kKeepFailure). One per loop.

#include <chrono>
#include <string>
#include <unordered_map>
#include <vector>

#include "net/offload.h"

namespace vsr::net {

class Resolver {
 public:
  static constexpr std::chrono::seconds kKeep{30};
  static constexpr std::chrono::seconds kKeepFailure{2};
  static constexpr size_t kNamesMax = 1024;

  Resolver(Loop& loop, OffloadPool& pool) : loop_(loop), pool_(pool) {}

  // At least one address, IPv4 first; kUnavailable with the name in the message.
  Task<Result<std::vector<std::string>>> resolve(std::string host);

 private:
  struct Entry {
    Result<std::vector<std::string>> addresses;
    MonoTime until;
  };
  Loop& loop_;
  OffloadPool& pool_;
  std::unordered_map<std::string, Entry> known_;
};

// Blocking; for the offload thread and the command line.
Result<std::vector<std::string>> resolve_blocking(const std::string& host);

}  // namespace vsr::net
