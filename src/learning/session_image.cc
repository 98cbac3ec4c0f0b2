// Sessions as bytes, and back from bytes that may be anything. A change of what is written needs
// another version in router/learning_image.cc.
#include <bit>
#include <cmath>
#include <functional>

#include "learning/session_state.h"

namespace vsr::learning {

namespace {

enum LineageFlag : uint8_t { kAuxiliary = 1, kSide = 2, kFlagsAll = kAuxiliary | kSide };
constexpr size_t kOriginBytesMin = 3 * sizeof(uint64_t) + 2;
constexpr size_t kLineageBytesMin = 6 * sizeof(uint64_t);

// What every sum and comparison of times can take.
bool is_time(double seconds) { return std::isfinite(seconds); }

uint64_t joined(uint32_t upper, uint32_t lower) { return uint64_t{upper} << 32 | lower; }
uint32_t high(uint64_t both) { return static_cast<uint32_t>(both >> 32); }
uint32_t low(uint64_t both) { return static_cast<uint32_t>(both); }

// kNoTier is 0.
void write_tier(Tier tier, PackedWriter& out) { out.byte(static_cast<uint8_t>(tier + 1)); }
bool read_tier(PackedReader& in, size_t count, Tier& out) {
  const uint8_t above = in.byte();
  out = static_cast<Tier>(above - 1);
  return above <= count;
}

}  // namespace

void OriginRing::write(PackedWriter& out) const {
  out.number(items_.size());
  for (size_t i = 0; i < items_.size(); ++i) {
    const Origin& origin = items_[(next_ + i) % items_.size()];
    out.hash(origin.id_hash);
    out.hash(origin.model_hash);
    out.byte(origin.binds ? 1 : 0);
    out.byte(origin.endpoint_hash != 0 ? 1 : 0);
    if (origin.endpoint_hash != 0) out.hash(origin.endpoint_hash);
    out.real(origin.t);
  }
}

bool OriginRing::read(PackedReader& in, size_t max) {
  const size_t count = in.count(kOriginBytesMin);
  if (count > max) return false;
  items_.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    Origin& origin = items_.emplace_back();
    origin.id_hash = in.hash();
    origin.model_hash = in.hash();
    origin.binds = in.byte() != 0;
    if (in.byte() != 0) origin.endpoint_hash = in.hash();
    origin.t = in.real();
    if (in.failed() || origin.id_hash == 0 || !is_time(origin.t)) return false;
  }
  return !in.failed();
}

void SessionMap::StoredLineage::write(PackedWriter& to) const {
  for (const uint64_t hash : {conversation_key, lineage_hash, system_hash, model_hash, last_hash}) {
    to.hash(hash);
  }
  to.real(last_t);
  for (const uint32_t number : {tables_id, first_seen, version, turns, switches, rc, last_messages,
                                last_length, tool_count, rounds, req, grow, out}) {
    to.number(number);
  }
  to.byte(static_cast<uint8_t>((auxiliary ? kAuxiliary : 0) | (side ? kSide : 0)));
  to.byte(tier_count);
  write_tier(cur, to);
  write_tier(utier, to);
  for (size_t i = 0; i < tier_count; ++i) {
    const PackedTier& tier = tiers[i];
    to.hash(joined(std::bit_cast<uint32_t>(tier.belief), std::bit_cast<uint32_t>(tier.prior)));
    to.number(tier.messages);
    if (tier.messages == 0) continue;
    to.hash(joined(tier.hash_high, tier.hash_low));
    to.hash(joined(std::bit_cast<uint32_t>(tier.age), tier.tokens));
  }
}

bool SessionMap::StoredLineage::read(PackedReader& in) {
  for (uint64_t* hash : {&conversation_key, &lineage_hash, &system_hash, &model_hash, &last_hash}) {
    *hash = in.hash();
  }
  last_t = in.real();
  for (uint32_t* number : {&tables_id, &first_seen, &version, &turns, &switches, &rc,
                           &last_messages, &last_length, &tool_count, &rounds, &req, &grow, &out}) {
    *number = in.small();
  }
  const uint8_t flags = in.byte();
  auxiliary = (flags & kAuxiliary) != 0;
  side = (flags & kSide) != 0;
  tier_count = in.byte();
  if (in.failed() || !is_time(last_t) || flags > kFlagsAll || tier_count > kTiersMax) return false;
  if (!read_tier(in, tier_count, cur) || !read_tier(in, tier_count, utier)) return false;
  tiers = std::make_unique<PackedTier[]>(tier_count);
  for (size_t i = 0; i < tier_count; ++i) {
    PackedTier& tier = tiers[i];
    const uint64_t chances = in.hash();
    tier.belief = std::bit_cast<float>(high(chances));
    tier.prior = std::bit_cast<float>(low(chances));
    // Chances, not NaN.
    if (!(tier.belief >= 0 && tier.belief <= 1 && tier.prior >= 0 && tier.prior <= 1)) return false;
    tier.messages = in.small();
    if (tier.messages == 0) continue;
    const uint64_t hash = in.hash();
    tier.hash_low = low(hash);
    tier.hash_high = high(hash);
    const uint64_t entry = in.hash();
    tier.tokens = low(entry);
    tier.age = std::bit_cast<float>(high(entry));
    if (!is_time(static_cast<double>(tier.age))) return false;
  }
  return !in.failed();
}

void SessionMap::Session::write(PackedWriter& out) const {
  out.real(last_t);
  out.hash(model_hash);
  out.real(model_t);
  out.number(lineages_seen);
  out.number(version);
  out.number(lineage_count());
  for (const StoredLineage& lineage : lineages) lineage.write(out);
  for (const OriginRing* ring : {owners.get(), origins.get()}) {
    (ring == nullptr ? OriginRing() : *ring).write(out);
  }
}

bool SessionMap::Session::read(PackedReader& in) {
  last_t = in.real();
  model_hash = in.hash();
  model_t = in.real();
  lineages_seen = in.small() & INT32_MAX;
  restored = 1;
  version = in.small();
  const size_t count = in.count(kLineageBytesMin);
  // Version 0 is for a session that nobody knows.
  if (!is_time(last_t) || !is_time(model_t) || version == 0 || count > kLineagesPerSessionMax) {
    return false;
  }
  auto last = lineages.before_begin();
  for (size_t i = 0; i < count; ++i) {
    last = lineages.emplace_after(last);
    if (!last->read(in)) return false;
  }
  const auto read_ring = [&](std::unique_ptr<OriginRing>& ring, size_t max) {
    OriginRing read;
    if (!read.read(in, max)) return false;
    if (!read.is_empty()) ring = std::make_unique<OriginRing>(std::move(read));
    return true;
  };
  return read_ring(owners, kOwnersPerSessionMax) && read_ring(origins, kOriginsPerSessionMax);
}

std::vector<uint64_t> SessionMap::keys() const {
  std::vector<std::pair<double, uint64_t>> used;
  used.reserve(sessions());
  for (size_t i = 0; i < kStripes; ++i) {
    const std::lock_guard lock(stripes_[i].mutex);
    for (const auto& [key, session] : stripes_[i].by_key) used.emplace_back(session.last_t, key);
  }
  std::ranges::sort(used, std::greater());
  std::vector<uint64_t> out;
  out.reserve(used.size());
  for (const auto& [t, key] : used) out.push_back(key);
  return out;
}

bool SessionMap::write(uint64_t session_key, PackedWriter& out) const {
  Stripe& stripe = stripe_of(session_key);
  const std::lock_guard lock(stripe.mutex);
  const Session* const session = stripe.find(session_key);
  if (session == nullptr) return false;
  out.hash(session_key);
  session->write(out);
  return true;
}

bool SessionMap::read(PackedReader& in, double now_s) {
  const uint64_t key = in.hash();
  Session session;
  if (key == 0 || !session.read(in)) return false;
  if (now_s - session.last_t > ttl_s_) return true;
  Stripe& stripe = stripe_of(key);
  const std::lock_guard lock(stripe.mutex);
  return stripe.add_oldest(key, std::move(session), stripe_sessions_max_);
}

}  // namespace vsr::learning
