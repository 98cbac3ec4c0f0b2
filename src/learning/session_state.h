#pragma once

// How SessionMap keeps a session: packed lineages, rings of origins, and a stripe with its sessions
// in order of use. For the sources of SessionMap only; guarded by the stripe's lock.

#include <algorithm>
#include <forward_list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/packed.h"
#include "learning/session_map.h"

namespace vsr::learning {

// The newest `max` origins, oldest overwritten.
class OriginRing {
 public:
  void put(const Origin& origin, size_t max) {
    for (Origin& known : items_) {
      if (known.id_hash == origin.id_hash) {
        known = origin;
        return;
      }
    }
    if (items_.size() < max) {
      items_.push_back(origin);
    } else {
      items_[next_] = origin;
      next_ = (next_ + 1) % max;
    }
  }
  const Origin* find(uint64_t hash) const {
    for (const Origin& known : items_) {
      if (known.id_hash == hash) return &known;
    }
    return nullptr;
  }
  bool is_empty() const { return items_.empty(); }
  // From the oldest to the newest; read() fills an empty ring.
  void write(PackedWriter& out) const;
  bool read(PackedReader& in, size_t max);

 private:
  std::vector<Origin> items_;
  size_t next_ = 0;
};

// What a lineage keeps of one tier, in 28 bytes. A chance needs no more than a float.
struct PackedTier {
  uint32_t hash_low, hash_high;  // of the ledger's entry
  uint32_t messages, tokens;
  float age;  // of the ledger's entry at last_t, in seconds; negative if it is newer
  float belief, prior;
};

// A Lineage as it is kept: as many tiers as the recipe has, whole numbers as such.
struct SessionMap::StoredLineage {
  uint64_t conversation_key = 0;
  uint64_t lineage_hash = 0;
  uint64_t system_hash = 0;
  uint64_t model_hash = 0;
  uint64_t last_hash = 0;
  double last_t = 0;  // of the last good answer
  std::unique_ptr<PackedTier[]> tiers;
  uint32_t tables_id = 0;  // the lower half
  uint32_t first_seen = 0;
  uint32_t version = 0;
  uint32_t turns = 0;
  uint32_t switches = 0;
  uint32_t rc = 0;
  uint32_t last_messages = 0;
  uint32_t last_length = 0;
  uint32_t tool_count = 0;
  uint32_t rounds = 0, req = 0, grow = 0, out = 0;
  uint8_t tier_count = 0;
  Tier cur = kNoTier;
  Tier utier = kNoTier;
  bool auxiliary = false;
  bool side = false;

  bool is_of(const Tables& tables) const {
    return tables_id == static_cast<uint32_t>(tables.id) && tier_count == tables.k;
  }

  // Every tier's index is below tier_count after a read() that gave true.
  void write(PackedWriter& out) const;
  bool read(PackedReader& in);

  Lineage unpack() const {
    Lineage to;
    to.cur = cur;
    to.utier = utier;
    to.auxiliary = auxiliary;
    to.side = side;
    to.version = version;
    to.turns = turns;
    to.switches = switches;
    to.rc = rc;
    to.last_messages = last_messages;
    to.last_length = last_length;
    to.tool_count = tool_count;
    to.last_hash = last_hash;
    to.rounds = rounds;
    to.req = req;
    to.grow = grow;
    to.out = out;
    for (size_t i = 0; i < tier_count; ++i) {
      const PackedTier& tier = tiers[i];
      to.belief[i] = static_cast<double>(tier.belief);
      to.prior[i] = static_cast<double>(tier.prior);
      to.ledger[i] = {uint64_t{tier.hash_high} << 32 | tier.hash_low, tier.messages, tier.tokens,
                      last_t - static_cast<double>(tier.age)};
    }
    return to;
  }

  // Allocates only when the number of tiers changes.
  void pack(const Lineage& from, size_t k, double answered_s) {
    const auto whole = [](double number) {
      return static_cast<uint32_t>(std::clamp(number, 0.0, 4e9));
    };
    cur = from.cur;
    utier = from.utier;
    auxiliary = from.auxiliary;
    side = from.side;
    version = from.version;
    turns = from.turns;
    switches = from.switches;
    rc = from.rc;
    last_messages = from.last_messages;
    last_length = from.last_length;
    tool_count = from.tool_count;
    last_hash = from.last_hash;
    rounds = whole(from.rounds);
    req = whole(from.req);
    grow = whole(from.grow);
    out = whole(from.out);
    last_t = answered_s;
    if (tier_count != k) {
      tiers = std::make_unique<PackedTier[]>(k);
      tier_count = static_cast<uint8_t>(k);
    }
    for (size_t i = 0; i < k; ++i) {
      const LedgerEntry& entry = from.ledger[i];
      tiers[i] = {static_cast<uint32_t>(entry.hash),
                  static_cast<uint32_t>(entry.hash >> 32),
                  entry.messages,
                  entry.tokens,
                  static_cast<float>(answered_s - entry.t),
                  static_cast<float>(from.belief[i]),
                  static_cast<float>(from.prior[i])};
    }
  }
};

struct SessionMap::Session {
  using Node = std::pair<const uint64_t, Session>;  // of the stripe's map: with its key

  double last_t = 0;
  uint64_t model_hash = 0;  // for scope session
  double model_t = 0;
  uint32_t lineages_seen : 31 = 0;
  uint32_t restored : 1 = 0;  // came of read()
  uint32_t version = 0;       // operations that changed it
  std::forward_list<StoredLineage> lineages;
  std::unique_ptr<OriginRing> owners;
  std::unique_ptr<OriginRing> origins;
  // In order of use.
  Node* newer = nullptr;
  Node* older = nullptr;

  // Everything but the place in the order of use.
  void write(PackedWriter& out) const;
  bool read(PackedReader& in);

  StoredLineage* find(const Handle& handle) {
    for (StoredLineage& lineage : lineages) {
      if (lineage.conversation_key == handle.conversation_key &&
          lineage.lineage_hash == handle.lineage_hash) {
        return &lineage;
      }
    }
    return nullptr;
  }
  StoredLineage& find_or_add(const Handle& handle) {
    if (StoredLineage* known = find(handle)) return *known;
    if (lineage_count() >= kLineagesPerSessionMax) drop_oldest();
    StoredLineage& added = lineages.emplace_front();
    added.conversation_key = handle.conversation_key;
    added.lineage_hash = handle.lineage_hash;
    added.system_hash = handle.system_hash;
    added.first_seen = lineages_seen++;
    return added;
  }
  size_t lineage_count() const {
    return static_cast<size_t>(std::distance(lineages.begin(), lineages.end()));
  }
  void put_origin(Origin origin) {
    origin.id_hash |= 1;  // 0 is for what nobody knows
    if (!origins) origins = std::make_unique<OriginRing>();
    origins->put(origin, kOriginsPerSessionMax);
  }
  void drop_oldest() {
    auto before_oldest = lineages.before_begin();
    for (auto before = before_oldest; std::next(before) != lineages.end(); ++before) {
      if (std::next(before)->last_t < std::next(before_oldest)->last_t) before_oldest = before;
    }
    lineages.erase_after(before_oldest);
  }
};

struct SessionMap::Stripe {
  mutable std::mutex mutex;
  std::unordered_map<uint64_t, Session> by_key;
  Session::Node* newest = nullptr;
  Session::Node* oldest = nullptr;

  // Ends what is too old; sessions are in order of use, so only the oldest is looked at.
  void expire(double now_s, double ttl_s) {
    while (oldest != nullptr && now_s - oldest->second.last_t > ttl_s) drop(*oldest);
  }
  void drop(Session::Node& node) {
    unlink(node);
    by_key.erase(by_key.find(node.first));
  }
  Session* find(uint64_t key) {
    const auto found = by_key.find(key);
    return found == by_key.end() ? nullptr : &found->second;
  }
  Session& touch(uint64_t key, double now_s, size_t max) {
    auto found = by_key.find(key);
    if (found != by_key.end()) {
      unlink(*found);
    } else {
      if (by_key.size() >= max) drop(*oldest);
      found = by_key.try_emplace(key).first;
    }
    Session::Node& node = *found;
    node.second.older = newest;
    node.second.newer = nullptr;
    (newest == nullptr ? oldest : newest->second.newer) = &node;
    newest = &node;
    node.second.last_t = now_s;
    return node.second;
  }
  // Puts a session behind all others. False if its key is there already; what has no room is left
  // out.
  bool add_oldest(uint64_t key, Session&& session, size_t max) {
    if (by_key.contains(key)) return false;
    if (by_key.size() >= max) return true;
    Session::Node& node = *by_key.try_emplace(key, std::move(session)).first;
    node.second.newer = oldest;
    node.second.older = nullptr;
    (oldest == nullptr ? newest : oldest->second.older) = &node;
    oldest = &node;
    return true;
  }
  void unlink(Session::Node& node) {
    const Session& session = node.second;
    (session.newer == nullptr ? newest : session.newer->second.older) = session.older;
    (session.older == nullptr ? oldest : session.older->second.newer) = session.newer;
  }
};

}  // namespace vsr::learning
