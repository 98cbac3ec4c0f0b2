// Any bytes as a file of what learning remembers: an error, or a state that decisions can be made
// on and that is written and read again as it is. The checksum would keep nearly every input from
// getting far, so it is set right first.
#include <cstdint>
#include <cstring>
#include <string>

#include "base/check.h"
#include "router/learning_image.h"
#include "wire/hash.h"

namespace {

constexpr double kTtl = 86'400;
constexpr double kNow = 1'700'000'000;
constexpr size_t kBodyAt = 17;

vsr::learning::Tables tables_of(uint64_t id, size_t k) {
  vsr::learning::Tables out;
  out.id = id;
  out.k = k;
  for (size_t i = 0; i < k; ++i) {
    out.model[i] = static_cast<vsr::config::ModelId>(i);
    out.tier_of.push_back(static_cast<vsr::learning::Tier>(i));
    out.ladder.push_back(static_cast<vsr::learning::Tier>(i));
    out.name_hash[i] = i + 1;
    out.ttl_s[i] = kTtl;
  }
  return out;
}

// A request of every session that is listed, under tables that may be those of its lineage.
void decide_all(vsr::router::LearningState& state, const vsr::learning::Tables& tables,
                uint64_t session_key) {
  using namespace vsr::learning;
  const uint64_t pending[] = {1, 3};
  Facts facts;
  facts.tool_loop = true;
  facts.pending_call_hashes = pending;
  facts.step.t = kNow;
  facts.step.length = 1000;
  Proposal proposal;
  proposal.model = 0;
  SessionMap::Handle handle{.session_key = session_key, .conversation_key = session_key};
  for (const bool loop : {true, false}) {
    facts.tool_loop = loop;
    const Snapshot snapshot = state.sessions.snapshot(tables, handle, facts, kNow);
    const Verdict verdict =
        decide(tables, {}, state.counts_of(tables.id), snapshot, facts, proposal);
    VSR_CHECK(verdict.model < tables.k, "model {}", verdict.model);
    state.sessions.commit(tables, handle, verdict, kNow);
    state.sessions.done(tables, state.shared, handle, verdict, facts.step, 1000, 100);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vsr;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  if (size >= kBodyAt) {
    const uint64_t checksum = wire::hash_bytes(std::string_view(bytes).substr(kBodyAt));
    std::memcpy(bytes.data() + kBodyAt - sizeof checksum, &checksum, sizeof checksum);
  }
  const auto state = router::learning_of_image(bytes, kTtl, kNow);
  if (!state) {
    VSR_CHECK(!state.error().message.empty());
    return 0;
  }
  const std::string image = router::learning_image(**state);
  const auto again = router::learning_of_image(image, kTtl, kNow);
  VSR_CHECK(again.has_value() && router::learning_image(**again) == image, "not what was written");
  for (const uint64_t key : (*state)->sessions.keys()) {
    for (size_t k = 1; k <= learning::kTiersMax; k += 3) decide_all(**state, tables_of(k, k), key);
  }
  return 0;
}
