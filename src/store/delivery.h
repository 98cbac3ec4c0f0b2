#pragma once

// Unsafe switches: a tool result or an opaque item that the route sent to a model that had not made
// the call or the item. The one definition; lists, sums and simulations all ask here. It is told
// from the ids that records keep, not from what learning said of itself: a record lists, as text,
// those that its answer made (`emitted`) and those that its request delivered (`delivered`), and a
// delivery is joined with the newest answer before it of the same conversation, or else session,
// that made the id. Values.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
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

  // In any order. A record without a model was sent nowhere, so that it delivers nothing.
  void add(const Row& row) { add(row.sequence, *row.summary); }
  void add(int64_t sequence, const Summary& summary);
  // A record that is not asked about, but may have made what others delivered.
  void add_maker(const Row& row) { add_maker(row.sequence, *row.summary); }
  void add_maker(int64_t sequence, const Summary& summary);

  // Where the records are that may have made what was delivered: in these sessions or in these
  // conversations. Of more than kPlacesMax of either: anywhere.
  static constexpr size_t kPlacesMax = 1000;
  struct Places {
    std::unordered_set<std::string> sessions;
    std::unordered_set<std::string> conversations;
    bool anywhere = false;
  };
  const Places& places() const { return places_; }

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
  void note_place(const Summary& summary);
  // The newest maker before `sequence`, or nullptr.
  const Made* maker(uint64_t key, int64_t sequence) const;

  const size_t ids_max_;
  StringMap<uint32_t> models_;
  std::vector<Made> made_;
  std::vector<Delivered> delivered_;
  std::unordered_set<int64_t> makers_;  // sequences, so that each counts once
  Places places_;
  bool complete_ = true;
};

}  // namespace vsr::store
