#include "learning/session_map.h"

#include <algorithm>

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

struct SessionMap::StoredLineage {
  uint64_t conversation_key = 0;
  uint64_t lineage_hash = 0;
  uint64_t system_hash = 0;
  uint64_t tables_id = 0;
  uint64_t model_hash = 0;
  uint32_t first_seen = 0;
  double last_t = 0;
  Lineage state;
};

struct SessionMap::Session {
  uint64_t key = 0;
  double last_t = 0;
  uint64_t model_hash = 0;  // for scope session
  double model_t = 0;
  uint32_t lineages_seen = 0;
  uint32_t version = 0;  // operations that changed it
  std::vector<std::unique_ptr<StoredLineage>> lineages;
  std::unique_ptr<OriginRing> owners;
  std::unique_ptr<OriginRing> origins;

  StoredLineage* find(const Handle& handle) {
    for (const auto& lineage : lineages) {
      if (lineage->conversation_key == handle.conversation_key &&
          lineage->lineage_hash == handle.lineage_hash) {
        return lineage.get();
      }
    }
    return nullptr;
  }
  StoredLineage& find_or_add(const Handle& handle) {
    if (StoredLineage* known = find(handle)) return *known;
    if (lineages.size() >= kLineagesPerSessionMax) {
      const auto oldest =
          std::min_element(lineages.begin(), lineages.end(),
                           [](const auto& a, const auto& b) { return a->last_t < b->last_t; });
      lineages.erase(oldest);
    }
    auto added = std::make_unique<StoredLineage>();
    added->conversation_key = handle.conversation_key;
    added->lineage_hash = handle.lineage_hash;
    added->system_hash = handle.system_hash;
    added->first_seen = lineages_seen++;
    lineages.push_back(std::move(added));
    return *lineages.back();
  }
};

struct SessionMap::Stripe {
  mutable std::mutex mutex;
  std::list<Session> newest_first;
  std::unordered_map<uint64_t, std::list<Session>::iterator> by_key;

  // Ends what is too old; the list is in order of use, so only its end is looked at.
  void expire(double now_s, double ttl_s) {
    while (!newest_first.empty() && now_s - newest_first.back().last_t > ttl_s) drop_last();
  }
  void drop_last() {
    by_key.erase(newest_first.back().key);
    newest_first.pop_back();
  }
  Session* find(uint64_t key) {
    const auto found = by_key.find(key);
    return found == by_key.end() ? nullptr : &*found->second;
  }
  Session& touch(uint64_t key, double now_s, size_t max) {
    const auto found = by_key.find(key);
    if (found != by_key.end()) {
      newest_first.splice(newest_first.begin(), newest_first, found->second);
    } else {
      if (newest_first.size() >= max) drop_last();
      newest_first.emplace_front();
      newest_first.front().key = key;
      by_key[key] = newest_first.begin();
    }
    newest_first.front().last_t = now_s;
    return newest_first.front();
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
                              double now_s, Reading reading) {
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
  for (const auto& lineage : session->lineages) {
    if (lineage->conversation_key != handle.conversation_key) continue;
    if (main == nullptr || lineage->state.tool_count > main->state.tool_count ||
        (lineage->state.tool_count == main->state.tool_count &&
         lineage->first_seen < main->first_seen)) {
      main = lineage.get();
    }
  }
  if (main != nullptr) {
    out.has_main = true;
    out.main_lineage_hash = main->lineage_hash;
    out.main_system_hash = main->system_hash;
    out.main_tool_count = main->state.tool_count;
  }
  if (const StoredLineage* known = session->find(handle)) {
    out.known = true;
    handle.version = known->state.version;
    if (known->tables_id == tables.id) {
      out.lineage = known->state;
    } else {
      out.lineage.version = known->state.version;
      out.lineage.turns = known->state.turns;
      out.lineage.switches = known->state.switches;
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
    for (const wire::OpaqueItem& item : facts.provider_state) {
      const Origin* origin = session->origins->find(item.hash | 1);
      if (origin != nullptr && (out.origin.id_hash == 0 || origin->t > out.origin.t)) {
        out.origin = *origin;
        out.origin_item = item;
      }
    }
  }
  return out;
}

uint64_t SessionMap::commit(const Tables& tables, const Handle& handle, const Verdict& verdict,
                            double now_s) {
  if (!verdict.commits || handle.session_key == 0) return 0;
  Stripe& stripe = stripe_of(handle.session_key);
  const std::lock_guard lock(stripe.mutex);
  Session& session = stripe.touch(handle.session_key, now_s, stripe_sessions_max_);
  ++session.version;
  const uint64_t order = ++operations_;
  if (verdict.bypass) return order;
  StoredLineage& stored = session.find_or_add(handle);
  stored.last_t = now_s;
  const bool raced = stored.state.version != handle.version && stored.tables_id == tables.id;
  if (!raced) {
    // What done() of earlier requests adds meanwhile is not in the snapshot.
    const Lineage before = stored.state;
    stored.state = verdict.next;
    if (stored.tables_id == tables.id) {
      stored.state.ledger = before.ledger;
      stored.state.rounds = before.rounds;
      stored.state.req = before.req;
      stored.state.grow = before.grow;
      stored.state.out = before.out;
      stored.state.rc = before.rc;
      stored.state.last_length = before.last_length;
      stored.state.last_messages = before.last_messages;
      stored.state.last_hash = before.last_hash;
    }
    stored.tables_id = tables.id;
    stored.model_hash = verdict.next.cur == kNoTier ? 0 : tables.name_hash[verdict.next.cur];
  }
  if (!verdict.locked || stored.state.turns == 0) stored.state.turns += 1;
  stored.state.version = std::max(stored.state.version, handle.version) + 1;
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
  if (stored == nullptr || stored->tables_id != tables.id) return 0;
  Step measured = step;
  if (prompt_tokens > 0) measured.length = prompt_tokens;
  const Tier tier = tables.tier_of[verdict.model];
  answered(shared, stored->state, measured, tier, completion_tokens, verdict.bypass, verdict.main);
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
  session.owners->put({call_hash, model_hash, now_s}, kOwnersPerSessionMax);
  ++session.version;
  return ++operations_;
}

uint64_t SessionMap::add_origin(const Handle& handle, uint64_t item_hash, uint64_t model_hash,
                                double now_s) {
  if (handle.session_key == 0) return 0;
  Stripe& stripe = stripe_of(handle.session_key);
  const std::lock_guard lock(stripe.mutex);
  Session& session = stripe.touch(handle.session_key, now_s, stripe_sessions_max_);
  if (!session.origins) session.origins = std::make_unique<OriginRing>();
  session.origins->put({item_hash | 1, model_hash, now_s}, kOriginsPerSessionMax);
  ++session.version;
  return ++operations_;
}

void SessionMap::forget(uint64_t session_key) {
  Stripe& stripe = stripe_of(session_key);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.by_key.find(session_key);
  if (found == stripe.by_key.end()) return;
  stripe.newest_first.erase(found->second);
  stripe.by_key.erase(found);
}

size_t SessionMap::sessions() const {
  size_t total = 0;
  for (size_t i = 0; i < kStripes; ++i) {
    const std::lock_guard lock(stripes_[i].mutex);
    total += stripes_[i].newest_first.size();
  }
  return total;
}

std::vector<SessionView> SessionMap::list(size_t limit) const {
  std::vector<SessionView> out;
  for (size_t i = 0; i < kStripes && out.size() < limit; ++i) {
    const std::lock_guard lock(stripes_[i].mutex);
    for (const Session& session : stripes_[i].newest_first) {
      for (const auto& lineage : session.lineages) {
        if (out.size() == limit) break;
        out.push_back({to_hex(session.key), to_hex(lineage->conversation_key), lineage->model_hash,
                       lineage->last_t, lineage->state.turns, lineage->state.switches,
                       static_cast<uint32_t>(session.lineages.size()), lineage->state.auxiliary});
      }
    }
  }
  std::sort(out.begin(), out.end(),
            [](const SessionView& a, const SessionView& b) { return a.last_t > b.last_t; });
  return out;
}

}  // namespace vsr::learning
