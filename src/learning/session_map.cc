#include "learning/session_map.h"

#include <algorithm>
#include <forward_list>

#include "base/id.h"
#include "wire/hash.h"

namespace vsr::learning {

namespace {

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

 private:
  std::vector<Origin> items_;
  size_t next_ = 0;
};

}  // namespace

uint64_t id_hash(std::string_view id) { return wire::hash_bytes(id) | 1; }

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

  bool is_of(const Tables& tables) const { return tables_id == static_cast<uint32_t>(tables.id); }

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
  uint32_t lineages_seen = 0;
  uint32_t version = 0;  // operations that changed it
  std::forward_list<StoredLineage> lineages;
  std::unique_ptr<OriginRing> owners;
  std::unique_ptr<OriginRing> origins;
  // In order of use.
  Node* newer = nullptr;
  Node* older = nullptr;

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
  void unlink(Session::Node& node) {
    const Session& session = node.second;
    (session.newer == nullptr ? newest : session.newer->second.older) = session.older;
    (session.older == nullptr ? oldest : session.older->second.newer) = session.newer;
  }
};

SessionMap::SessionMap(double ttl_seconds, size_t sessions_max)
    : ttl_s_(ttl_seconds),
      stripe_sessions_max_(std::max<size_t>(1, sessions_max / kStripes)),
      stripes_(std::make_unique<Stripe[]>(kStripes)) {}

SessionMap::~SessionMap() = default;

SessionMap::Stripe& SessionMap::stripe_of(uint64_t session_key) const {
  return stripes_[(session_key >> 32) % kStripes];
}

Snapshot SessionMap::snapshot(const Tables& tables, Handle& handle, const Facts& facts,
                              double now_s, Reading reading, std::span<Origin> origins) {
  Snapshot out;
  Stripe& stripe = stripe_of(handle.session_key);
  const std::lock_guard lock(stripe.mutex);
  if (reading == Reading::kNumbered) handle.order = ++operations_;
  stripe.expire(now_s, ttl_s_);
  Session* session = stripe.find(handle.session_key);
  if (session == nullptr) return out;
  handle.session_version = session->version;
  out.session_model = session->model_hash;
  out.session_t = session->model_t;
  const StoredLineage* main = nullptr;
  for (const StoredLineage& lineage : session->lineages) {
    if (lineage.conversation_key != handle.conversation_key) continue;
    if (main == nullptr || lineage.tool_count > main->tool_count ||
        (lineage.tool_count == main->tool_count && lineage.first_seen < main->first_seen)) {
      main = &lineage;
    }
  }
  if (main != nullptr) {
    out.has_main = true;
    out.main_lineage_hash = main->lineage_hash;
    out.main_system_hash = main->system_hash;
    out.main_tool_count = main->tool_count;
  }
  if (const StoredLineage* known = session->find(handle)) {
    out.known = true;
    out.lineage_t = known->last_t;
    handle.version = known->version;
    if (known->is_of(tables)) {
      out.lineage = known->unpack();
    } else {
      out.lineage.version = known->version;
      out.lineage.turns = known->turns;
      out.lineage.switches = known->switches;
      out.lineage.cur = tables.tier_of_name(known->model_hash);
      out.lineage.belief.fill(1.0 / static_cast<double>(std::max<size_t>(tables.k, 1)));
      out.lineage.prior = out.lineage.belief;
    }
  }
  if (session->owners) {
    for (const uint64_t id : facts.pending_call_hashes) {
      const Origin* origin = session->owners->find(id);
      if (origin != nullptr && (out.owner.id_hash == 0 || origin->t > out.owner.t)) {
        out.owner = *origin;
      }
    }
  }
  if (session->origins) {
    for (size_t i = 0; i < facts.provider_state.size(); ++i) {
      const wire::ProviderState& state = facts.provider_state[i];
      const Origin* origin = session->origins->find(state.item.hash | 1);
      if (origin == nullptr) continue;
      if (!origins.empty()) origins[i] = *origin;
      if (!state.binds()) continue;
      if (!origin->binds) {
        ++out.bypass_items;
      } else if (out.origin.id_hash == 0 || origin->t > out.origin.t) {
        out.origin = *origin;
        out.origin_kind = state.item.kind;
      }
    }
  }
  return out;
}

uint64_t SessionMap::commit(const Tables& tables, const Handle& handle, const Verdict& verdict,
                            double now_s, std::span<const Origin> claimed) {
  if (!verdict.commits || handle.session_key == 0) return 0;
  Stripe& stripe = stripe_of(handle.session_key);
  const std::lock_guard lock(stripe.mutex);
  Session& session = stripe.touch(handle.session_key, now_s, stripe_sessions_max_);
  ++session.version;
  const uint64_t order = ++operations_;
  for (const Origin& origin : claimed) session.put_origin(origin);
  if (verdict.bypass) return order;
  StoredLineage& stored = session.find_or_add(handle);
  const bool same_tables = stored.is_of(tables);
  const bool raced = stored.version != handle.version && same_tables;
  const uint32_t version = std::max(stored.version, handle.version) + 1;
  if (!raced) {
    Lineage next = verdict.next;
    if (same_tables) {
      // What done() of earlier requests adds meanwhile is not in the snapshot.
      const Lineage before = stored.unpack();
      next.ledger = before.ledger;
      next.rounds = before.rounds;
      next.req = before.req;
      next.grow = before.grow;
      next.out = before.out;
      next.rc = before.rc;
      next.last_length = before.last_length;
      next.last_messages = before.last_messages;
      next.last_hash = before.last_hash;
    }
    stored.pack(next, tables.k, now_s);
    stored.tables_id = static_cast<uint32_t>(tables.id);
    stored.model_hash = next.cur == kNoTier ? 0 : tables.name_hash[next.cur];
  }
  if (raced) stored.pack(stored.unpack(), stored.tier_count, now_s);
  if (!verdict.locked || stored.turns == 0) stored.turns += 1;
  stored.version = version;
  session.model_hash = stored.model_hash;
  session.model_t = now_s;
  return order;
}

uint64_t SessionMap::done(const Tables& tables, SharedCounts& shared, const Handle& handle,
                          const Verdict& verdict, const Step& step, uint32_t prompt_tokens,
                          uint32_t completion_tokens) {
  if (!verdict.commits || handle.session_key == 0) return 0;
  Stripe& stripe = stripe_of(handle.session_key);
  const std::lock_guard lock(stripe.mutex);
  Session* session = stripe.find(handle.session_key);
  StoredLineage* stored = session == nullptr ? nullptr : session->find(handle);
  if (stored == nullptr || !stored->is_of(tables)) return 0;
  Step measured = step;
  if (prompt_tokens > 0) measured.length = prompt_tokens;
  const Tier tier = tables.tier_of[verdict.model];
  Lineage state = stored->unpack();
  answered(shared, state, measured, tier, completion_tokens, verdict.bypass, verdict.main);
  stored->pack(state, tables.k, stored->last_t);
  ++session->version;
  return ++operations_;
}

uint64_t SessionMap::add_owner(const Handle& handle, uint64_t call_hash, uint64_t model_hash,
                               double now_s) {
  if (handle.session_key == 0) return 0;
  Stripe& stripe = stripe_of(handle.session_key);
  const std::lock_guard lock(stripe.mutex);
  Session& session = stripe.touch(handle.session_key, now_s, stripe_sessions_max_);
  if (!session.owners) session.owners = std::make_unique<OriginRing>();
  session.owners->put({.id_hash = call_hash, .model_hash = model_hash, .t = now_s},
                      kOwnersPerSessionMax);
  ++session.version;
  return ++operations_;
}

uint64_t SessionMap::add_origin(const Handle& handle, const Origin& origin) {
  if (handle.session_key == 0) return 0;
  Stripe& stripe = stripe_of(handle.session_key);
  const std::lock_guard lock(stripe.mutex);
  Session& session = stripe.touch(handle.session_key, origin.t, stripe_sessions_max_);
  session.put_origin(origin);
  ++session.version;
  return ++operations_;
}

void SessionMap::forget(uint64_t session_key) {
  Stripe& stripe = stripe_of(session_key);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.by_key.find(session_key);
  if (found != stripe.by_key.end()) stripe.drop(*found);
}

size_t SessionMap::sessions() const {
  size_t total = 0;
  for (size_t i = 0; i < kStripes; ++i) {
    const std::lock_guard lock(stripes_[i].mutex);
    total += stripes_[i].by_key.size();
  }
  return total;
}

std::vector<SessionView> SessionMap::list(size_t limit) const {
  std::vector<SessionView> out;
  for (size_t i = 0; i < kStripes && out.size() < limit; ++i) {
    const std::lock_guard lock(stripes_[i].mutex);
    for (const Session::Node* node = stripes_[i].newest; node != nullptr;
         node = node->second.older) {
      const auto lineages = static_cast<uint32_t>(node->second.lineage_count());
      for (const StoredLineage& lineage : node->second.lineages) {
        if (out.size() == limit) break;
        out.push_back({to_hex(node->first), to_hex(lineage.conversation_key), lineage.model_hash,
                       lineage.last_t, lineage.turns, lineage.switches, lineages,
                       lineage.auxiliary});
      }
    }
  }
  std::sort(out.begin(), out.end(),
            [](const SessionView& a, const SessionView& b) { return a.last_t > b.last_t; });
  return out;
}

}  // namespace vsr::learning
