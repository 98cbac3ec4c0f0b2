#include "learning/session_map.h"

#include <algorithm>

#include "base/id.h"
#include "learning/session_state.h"
#include "wire/hash.h"

namespace vsr::learning {

uint64_t id_hash(std::string_view id) { return wire::hash_bytes(id) | 1; }

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
  handle.restored = session->restored != 0;
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
