#pragma once

// Which model made each tool call and each opaque item, and which one got it back. It knows what
// backends were asked and what they answered, and nothing of what a router says about itself. May
// be shared by several backends. Thread-safe; one mutex, held for microseconds. Limits below.

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.h"

namespace vsr::sim {

constexpr size_t kMadeIdsMax = 1'000'000;  // then the oldest are forgotten
constexpr size_t kMisdeliveriesKeptMax = 100'000;

// Opaque items begin with this, wherever they stand in a body; letters, digits and '-' follow.
constexpr std::string_view kOpaqueMark = "sim-opaque-";
// All opaque items in a body, each once, in order.
std::vector<std::string> find_opaque(std::string_view body);

struct Misdelivery {
  std::string request_id;  // the x-request-id header
  std::string id;
  std::string made_by;
  std::string given_to;
};

struct DeliveryCounts {
  uint64_t tool_results = 0;  // whose call is known
  uint64_t tool_results_astray = 0;
  uint64_t opaque_items = 0;
  uint64_t opaque_items_astray = 0;
};

class Auditor {
 public:
  // Tool calls by their id, opaque items by their text.
  void made(const std::string& id, const std::string& model);
  void delivered(const std::string& id, const std::string& model, std::string_view request_id);
  void clear();

  DeliveryCounts counts() const;
  // The first kMisdeliveriesKeptMax.
  std::vector<Misdelivery> misdeliveries() const;

 private:
  mutable std::mutex mutex_;
  StringMap<std::string> model_of_;
  std::deque<std::string> order_;
  DeliveryCounts counts_;
  std::vector<Misdelivery> misdeliveries_;
};

}  // namespace vsr::sim
