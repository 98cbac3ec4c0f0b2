// What learning costs of a conversation among 100,000: the decision alone, the whole turn
// (snapshot, decide, commit, done), memory, and what it is to copy all of it for the file that
// outlives a restart. Counters: ns at p50 and p99, allocations per turn, bytes per lineage, all
// that the map holds divided by its lineages; of the copy, ms of all keys, ns that one session is
// held for, and its bytes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/packed.h"
#include "learning/session_map.h"

namespace {
std::atomic<uint64_t> allocations{0};
std::atomic<int64_t> bytes_held{0};

// The size stands before what is handed out, so that freeing knows it.
constexpr size_t kHeader = alignof(std::max_align_t);
}  // namespace

void* operator new(size_t bytes) {
  auto* const memory = static_cast<char*>(std::malloc(bytes + kHeader));
  if (memory == nullptr) std::abort();
  *reinterpret_cast<size_t*>(memory) = bytes;
  ++allocations;
  bytes_held += static_cast<int64_t>(bytes);
  return memory + kHeader;
}
void operator delete(void* memory) noexcept {
  if (memory == nullptr) return;
  char* const begin = static_cast<char*>(memory) - kHeader;
  bytes_held -= static_cast<int64_t>(*reinterpret_cast<size_t*>(begin));
  std::free(begin);
}
void operator delete(void* memory, size_t) noexcept { operator delete(memory); }

namespace vsr::learning {
namespace {

constexpr size_t kLineages = 100'000;
constexpr size_t kTurns = 200'000;

class Traffic {
 public:
  explicit Traffic(size_t tiers) {
    for (size_t i = 0; i < tiers; ++i) {
      config::Model model;
      model.name = "m" + std::to_string(i);
      model.quality_score = 0.6 + 0.04 * static_cast<double>(i);
      const double price = 0.05 * static_cast<double>(1 << i);
      model.pricing = config::Pricing{.prompt_per_1m = price,
                                      .cached_input_per_1m = price / 10,
                                      .completion_per_1m = price * 4};
      config_.models.push_back(std::move(model));
      config_.learning.ladder.push_back(static_cast<config::ModelId>(i));
    }
    config_.learning.candidate_set = config::CandidateSet::kLadderAfterFirst;
    tables_ = make_tables(config_);
    VSR_CHECK(tables_->k == tiers, "the bench has other tiers than it says");
  }

  // How long deciding took, in ns.
  float turn(size_t number) {
    const size_t lineage = number * 7919 % kLineages;
    Facts facts;
    facts.lineage_hash = lineage + 1;
    facts.system_hash = 20;
    facts.tool_count = 4;
    facts.tool_loop = number % 3 == 2;
    facts.step.t = static_cast<double>(number) * 1e-3;
    facts.step.length = 9'000;
    facts.step.user_tokens = 40;
    facts.step.proposed = static_cast<Tier>(number % tables_->k);
    const std::array<uint64_t, 2> prefix = {lineage, lineage + number};
    facts.step.prefix_hashes = prefix;
    Proposal proposal;
    proposal.model = tables_->model[number % tables_->k];
    const std::array<config::ModelId, 1> refs = {proposal.model};
    proposal.candidates = refs;
    SessionMap::Handle handle = {.session_key = (lineage + 1) * 0x9E3779B97F4A7C15u,
                                 .conversation_key = lineage + 1,
                                 .lineage_hash = facts.lineage_hash,
                                 .system_hash = facts.system_hash,
                                 .tables_id = tables_->id};
    const Snapshot snapshot = map_.snapshot(*tables_, handle, facts, facts.step.t);
    const auto begun = std::chrono::steady_clock::now();
    const Verdict verdict = decide(*tables_, config_.learning, shared_, snapshot, facts, proposal);
    const auto decided = std::chrono::steady_clock::now();
    map_.commit(*tables_, handle, verdict, facts.step.t);
    map_.done(*tables_, shared_, handle, verdict, facts.step, 9'000, 300);
    return std::chrono::duration<float, std::nano>(decided - begun).count();
  }

  const SessionMap& map() const { return map_; }

 private:
  config::Config config_;
  std::shared_ptr<const Tables> tables_;
  SharedCounts shared_;
  // Stripes fill unevenly; none of the conversations is to be pushed out.
  SessionMap map_{86'400, 2 * kLineages};
};

void copy_everything(const SessionMap& map, benchmark::State& state) {
  const auto begun = std::chrono::steady_clock::now();
  const std::vector<uint64_t> keys = map.keys();
  state.counters["copy_keys_ms"] =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
  std::vector<float> ns;
  size_t bytes = 0;
  PackedWriter session;
  for (const uint64_t key : keys) {
    session.clear();
    const auto before = std::chrono::steady_clock::now();
    map.write(key, session);
    ns.push_back(
        std::chrono::duration<float, std::nano>(std::chrono::steady_clock::now() - before).count());
    bytes += session.bytes().size();
  }
  std::ranges::sort(ns);
  state.counters["copy_p50_ns"] = ns[ns.size() / 2];
  state.counters["copy_p99_ns"] = ns[ns.size() * 99 / 100];
  state.counters["copy_bytes"] = static_cast<double>(bytes) / static_cast<double>(keys.size());
}

void turns_of_known_lineages(benchmark::State& state) {
  const auto tiers = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    const int64_t before = bytes_held;
    Traffic traffic(tiers);
    for (size_t i = 0; i < kLineages; ++i) traffic.turn(i);
    VSR_CHECK(traffic.map().sessions() == kLineages, "some lineages were pushed out");
    const int64_t held = bytes_held - before;
    std::vector<float> ns(kTurns);
    std::vector<float> decide_ns(kTurns);
    const uint64_t allocated = allocations;
    for (size_t i = 0; i < kTurns; ++i) {
      const auto begun = std::chrono::steady_clock::now();
      decide_ns[i] = traffic.turn(kLineages + i);
      ns[i] =
          std::chrono::duration<float, std::nano>(std::chrono::steady_clock::now() - begun).count();
    }
    state.counters["allocations"] = static_cast<double>(allocations - allocated) / kTurns;
    std::ranges::sort(ns);
    std::ranges::sort(decide_ns);
    state.counters["decide_p50_ns"] = decide_ns[kTurns / 2];
    state.counters["decide_p99_ns"] = decide_ns[kTurns * 99 / 100];
    state.counters["turn_p50_ns"] = ns[kTurns / 2];
    state.counters["turn_p99_ns"] = ns[kTurns * 99 / 100];
    state.counters["bytes_per_lineage"] =
        static_cast<double>(held) / static_cast<double>(kLineages);
    copy_everything(traffic.map(), state);
  }
}
BENCHMARK(turns_of_known_lineages)
    ->Arg(3)
    ->Arg(5)
    ->Arg(static_cast<int64_t>(kTiersMax))
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace vsr::learning
