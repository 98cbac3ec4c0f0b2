#pragma once

// Which model made a tool call or an opaque item, and which one got it back: told from the ids that
// records keep, not from what learning said of itself. A record lists, as text, the ids that its
// answer made (`emitted`) and those that its request delivered (`delivered`); a delivery is joined
// with the newest answer of the same conversation, or else session, that made the id. Values.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "store/row.h"

namespace vsr::store {

// Ids kept of one record; of more the last ones.
constexpr size_t kIdsPerRecordMax = 64;

// Who chose the model, if it was not the route: then a delivery to another model is on their word.
enum class Chooser : uint8_t { kRoute, kCaller, kBypass };

// "c<16 hex digits>" for a tool call and "o<…>" for an opaque item, with spaces between; before
// those of a request whose model was not the route's choice, "caller" or "bypass".
std::string id_list(std::span<const uint64_t> calls, std::span<const uint64_t> items,
                    Chooser chooser = Chooser::kRoute);
struct Ids {
  Chooser chooser = Chooser::kRoute;
  std::vector<uint64_t> calls;
  std::vector<uint64_t> items;
};
Ids parse_id_list(std::string_view text);

// Finds the records that delivered something to a model that had not made it.
class Deliveries {
 public:
  // Ids beyond this many, made and delivered each, are left out, and the result is not complete.
  static constexpr size_t kIdsMax = 1'000'000;

  explicit Deliveries(size_t ids_max = kIdsMax) : ids_max_(ids_max) {}

  // In any order.
  void add(const Row& row);

  struct Result {
    std::vector<int64_t> unsafe;        // sequences of such records, ascending
    uint64_t delivered = 0;             // ids whose maker is known
    uint64_t unknown = 0;               // ids that no record made
    uint64_t to_another = 0;            // of the delivered: to another model, chosen by the route
    uint64_t to_another_by_choice = 0;  // the same, under bypass or for a named model
    bool complete = true;
    bool is_unsafe(int64_t sequence) const;
  };
  Result join();

 private:
  struct Made {
    uint64_t key = 0;  // of the id within its conversation or session
    int64_t sequence = 0;
    uint32_t model = 0;
    bool operator<(const Made& other) const {
      return key != other.key ? key < other.key : sequence < other.sequence;
    }
  };
  struct Delivered {
    uint64_t conversation_key = 0;
    uint64_t session_key = 0;
    int64_t sequence = 0;
    uint32_t model = 0;
    Chooser chooser = Chooser::kRoute;
  };

  uint32_t number_of(const std::string& model);
  // The newest maker before `sequence`, or nullptr.
  const Made* maker(uint64_t key, int64_t sequence) const;

  const size_t ids_max_;
  StringMap<uint32_t> models_;
  std::vector<Made> made_;
  std::vector<Delivered> delivered_;
  bool complete_ = true;
};

}  // namespace vsr::store
