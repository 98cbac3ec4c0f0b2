#pragma once

// What learning remembers, by session: lineages, owners of tool calls, origins of opaque items.
// Striped by key with a lock each; bounded in sessions, lineages and ids; entries end after their
// time to live. Thread-safe.
//
// A request takes a snapshot, decides on the copy, and commits the lineage at the first byte of a
// good answer. If another answer of the same lineage was committed in between, the one that began
// later keeps the say over the current model; the other adds its counts only. done() adds usage and
// the ledger and never moves the current model.
//
// Operations are numbered in the order in which they happened to the state; with the numbers in
// records the state that a request read can be made again (Handle::order, session_version).

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "learning/learning.h"

namespace vsr {
class PackedReader;
class PackedWriter;
}  // namespace vsr

namespace vsr::learning {

constexpr size_t kSessionsMax = 100'000;
constexpr size_t kLineagesPerSessionMax = 32;
constexpr size_t kOwnersPerSessionMax = 256;
constexpr size_t kOriginsPerSessionMax = 256;

struct SessionView {
  std::string session;  // hash, hex
  std::string conversation;
  uint64_t model_hash = 0;
  double last_t = 0;
  uint32_t turns = 0;
  uint32_t switches = 0;
  uint32_t lineages = 0;
  bool auxiliary = false;
};

class SessionMap {
 public:
  explicit SessionMap(double ttl_seconds, size_t sessions_max = kSessionsMax);
  ~SessionMap();

  // Where a request's state lives; kept by the request until it is settled.
  struct Handle {
    uint64_t session_key = 0;
    uint64_t conversation_key = 0;
    uint64_t lineage_hash = 0;
    uint64_t system_hash = 0;
    uint64_t tables_id = 0;
    uint32_t version = 0;
    // Filled in by snapshot(): its number, and how many operations had changed the session before;
    // 0: the session was not known. `restored`: some of those were of an earlier process.
    uint64_t order = 0;
    uint32_t session_version = 0;
    bool restored = false;
  };
  enum class Reading : uint8_t { kNumbered, kDryRun };

  // The session's state for a request; owners and origins are looked up for the ids in `facts`.
  // `origins`, empty or one for each item of facts.provider_state, is filled with what is known of
  // it. A lineage of other tables keeps its model by name and nothing else.
  Snapshot snapshot(const Tables& tables, Handle& handle, const Facts& facts, double now_s,
                    Reading reading = Reading::kNumbered, std::span<Origin> origins = {});
  // Each gives its number, 0 if nothing changed. `claimed` are items that the answering model could
  // read and whose origin nobody remembered.
  uint64_t commit(const Tables& tables, const Handle& handle, const Verdict& verdict, double now_s,
                  std::span<const Origin> claimed = {});
  uint64_t done(const Tables& tables, SharedCounts& shared, const Handle& handle,
                const Verdict& verdict, const Step& step, uint32_t prompt_tokens,
                uint32_t completion_tokens);
  uint64_t add_owner(const Handle& handle, uint64_t call_hash, uint64_t model_hash, double now_s);
  uint64_t add_origin(const Handle& handle, const Origin& origin);
  // For a file (router/learning_image.h), one session at a time, so that no request waits for more
  // than the copy of its stripe's keys or of one session. Keys, the last used first:
  std::vector<uint64_t> keys() const;
  // False: the session has ended meanwhile.
  bool write(uint64_t session_key, PackedWriter& out) const;
  // Puts what write() gave behind the sessions that are there; what has outlived its time or finds
  // no room is left out. False: these bytes are no session, or one that is there already.
  bool read(PackedReader& in, double now_s);
  // How many there were, so that equal means that nothing changed.
  uint64_t operations() const { return operations_.load(std::memory_order_relaxed); }

  // As if the session had never been there.
  void forget(uint64_t session_key);

  size_t sessions() const;
  std::vector<SessionView> list(size_t limit) const;

 private:
  struct StoredLineage;
  struct Session;
  struct Stripe;
  static constexpr size_t kStripes = 64;
  Stripe& stripe_of(uint64_t session_key) const;

  const double ttl_s_;
  const size_t stripe_sessions_max_;
  std::unique_ptr<Stripe[]> stripes_;
  // Taken under the lock of the stripe.
  std::atomic<uint64_t> operations_{0};
};

// How a tool-call id or an opaque item is remembered.
uint64_t id_hash(std::string_view id);

}  // namespace vsr::learning
