#include "router/rerun.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/base64.h"
#include "base/packed.h"
#include "wire/hash.h"

namespace vsr::router {
namespace {

constexpr uint8_t kVersion = 3;
constexpr uint8_t kInOpenToolLoop = 0x80;  // beside the kind of an opaque item

enum Flag : uint32_t {
  kToolLoop = 1 << 0,
  kAuxiliary = 1 << 1,
  kTools = 1 << 2,
  kImages = 1 << 3,
  kAudio = 1 << 4,
  kActiveLoop = 1 << 5,
  kGoesOn = 1 << 6,
  kCut = 1 << 7,
  kFitted = 1 << 8,
  kCheckpoint = 1 << 9,
};
enum SignalFlag : uint8_t { kMatched = 1, kConfidence = 2, kRaw = 4 };

// The first prefix hash that the record has to have itself.
struct FirstHash {
  size_t at = 0;
  bool goes_on = false;
  bool cut = false;
};
FirstHash first_hash(const Decision& decision) {
  const std::vector<uint64_t>& hashes = decision.facts.prefix_hashes;
  const learning::Lineage& lineage = decision.verdict.next;
  FirstHash out;
  if (decision.handle.order == 0) {
    out.at = hashes.size() - std::min(hashes.size(), kPrefixHashesUnlearned);
    return out;
  }
  const size_t last = lineage.last_messages;
  out.goes_on = last > 0 && last <= hashes.size() && hashes[last - 1] == lineage.last_hash;
  if (out.goes_on) out.at = last;
  out.cut = hashes.size() - out.at > kPrefixHashesKept;
  if (out.cut) out.at = hashes.size() - kPrefixHashesKept;
  return out;
}

template <typename T>
bool is_too_many(const std::vector<T>& ids) {
  return ids.size() > kIdsKept;
}

void write_request(const Decision& decision, const FirstHash& first, const KeyedHash& key,
                   PackedWriter& out) {
  const RequestFacts& facts = decision.facts;
  out.time(facts.unix_ms);
  out.text(facts.requested_model);
  out.number(facts.needs.context_tokens);
  out.number(facts.user_tokens);
  for (const uint32_t count : facts.shape.messages_by_role) out.number(count);
  out.number(facts.shape.tool_definitions);
  out.number(facts.shape.assistant_tool_calls);
  out.number(facts.shape.assistant_tool_cycles);
  out.number(facts.tool_count);
  out.number(facts.system_messages);
  out.number(facts.answered_messages);
  for (const uint64_t hash :
       {facts.session_key, facts.conversation_key, facts.lineage_hash, facts.system_hash}) {
    out.hash(key(hash));
  }
  out.number(facts.prefix_hashes.size());
  out.number(first.at);
  for (size_t i = first.at; i < facts.prefix_hashes.size(); ++i) {
    out.hash(key(facts.prefix_hashes[i]));
  }
  out.number(std::min(facts.pending_calls.size(), kIdsKept));
  for (size_t i = 0; i < std::min(facts.pending_calls.size(), kIdsKept); ++i) {
    out.hash(key(facts.pending_calls[i]));
  }
  out.number(std::min(facts.provider_state.size(), kIdsKept));
  for (size_t i = 0; i < std::min(facts.provider_state.size(), kIdsKept); ++i) {
    const wire::ProviderState& state = facts.provider_state[i];
    out.byte(static_cast<uint8_t>(static_cast<uint8_t>(state.item.kind) |
                                  (state.in_open_tool_loop ? kInOpenToolLoop : 0)));
    out.hash(key(state.item.hash));
  }
}

void read_request(PackedReader& in, Recorded& out) {
  RequestFacts& facts = out.facts;
  facts.unix_ms = in.time();
  facts.requested_model = in.text();
  facts.needs.context_tokens = in.number();
  facts.user_tokens = in.small();
  for (uint32_t& count : facts.shape.messages_by_role) count = in.small();
  facts.shape.tool_definitions = in.small();
  facts.shape.assistant_tool_calls = in.small();
  facts.shape.assistant_tool_cycles = in.small();
  facts.tool_count = in.small();
  facts.system_messages = in.small();
  facts.answered_messages = in.small();
  for (uint64_t* hash :
       {&facts.session_key, &facts.conversation_key, &facts.lineage_hash, &facts.system_hash}) {
    *hash = in.hash();
  }
  const uint32_t hashes = in.small();
  out.first_hash = in.small();
  // Those before the first are not in the bytes, so nothing else bounds them.
  constexpr uint32_t kMessagesMax = 1 << 20;
  if (in.failed() || out.first_hash > hashes || hashes > kMessagesMax) return;
  facts.prefix_hashes.assign(hashes, 0);
  for (uint32_t i = out.first_hash; i < hashes && !in.failed(); ++i) {
    facts.prefix_hashes[i] = in.hash();
  }
  facts.pending_calls.resize(in.count(sizeof(uint64_t)));
  for (uint64_t& hash : facts.pending_calls) hash = in.hash();
  facts.provider_state.resize(in.count(1 + sizeof(uint64_t)));
  for (wire::ProviderState& state : facts.provider_state) {
    const uint8_t kind = in.byte();
    state.in_open_tool_loop = (kind & kInOpenToolLoop) != 0;
    state.item.kind =
        static_cast<wire::OpaqueKind>((kind & ~kInOpenToolLoop) % wire::kOpaqueKindCount);
    state.item.hash = in.hash();
  }
}

void write_signals(const Router& router, const Decision& decision, PackedWriter& out) {
  const std::vector<config::SignalValue>& values = decision.values.signals;
  const std::vector<config::SignalInfo>& signals = decision.config->signals;
  const auto counts = [&](size_t id) {
    return values[id].evaluated && signals[id].type != config::SignalType::kProjection;
  };
  size_t count = 0;
  for (size_t id = 0; id < values.size(); ++id) count += counts(id) ? 1 : 0;
  out.number(count);
  for (size_t id = 0; id < values.size(); ++id) {
    if (!counts(id)) continue;
    const config::SignalValue& value = values[id];
    const bool has_confidence = value.confidence != 0;
    const bool has_raw = value.raw != 0;
    out.hash(router.fingerprints()[id]);
    out.byte(static_cast<uint8_t>((value.matched ? kMatched : 0) |
                                  (has_confidence ? kConfidence : 0) | (has_raw ? kRaw : 0)));
    if (has_confidence) out.real(value.confidence);
    if (has_raw) out.real(value.raw);
  }
}

void read_signals(PackedReader& in, Recorded& out) {
  out.signals.resize(in.count(1 + sizeof(uint64_t)));
  for (KnownSignal& known : out.signals) {
    known.fingerprint = in.hash();
    const uint8_t flags = in.byte();
    known.value.evaluated = true;
    known.value.matched = (flags & kMatched) != 0;
    if ((flags & kConfidence) != 0) known.value.confidence = in.real();
    if ((flags & kRaw) != 0) known.value.raw = in.real();
  }
}

bool is_default(const policy::ModelState& state) {
  return state.healthy && state.in_flight == 0 && state.ttft == policy::Latency{} &&
         state.tpot == policy::Latency{};
}

void write_models(const Decision& decision, PackedWriter& out) {
  const std::vector<policy::ModelState>& states = decision.facts.models;
  out.number(static_cast<uint64_t>(std::ranges::count_if(states, std::not_fn(is_default))));
  for (size_t m = 0; m < states.size(); ++m) {
    if (is_default(states[m])) continue;
    out.text(decision.config->models[m].name);
    out.byte(states[m].healthy ? 1 : 0);
    out.number(states[m].in_flight);
    for (const policy::Latency& latency : {states[m].ttft, states[m].tpot}) {
      out.real(latency.p50_ms);
      out.real(latency.p95_ms);
    }
  }
}

void read_models(PackedReader& in, Recorded& out) {
  out.models.resize(in.count(3 + 4 * sizeof(double)));
  for (auto& [name, state] : out.models) {
    name = in.text();
    state.healthy = in.byte() != 0;
    state.in_flight = in.small();
    for (policy::Latency* latency : {&state.ttft, &state.tpot}) {
      latency->p50_ms = in.real();
      latency->p95_ms = in.real();
    }
  }
}

// Every count of a recipe with `k` tiers, in one order for writing and reading.
template <typename Counts, typename Use>
void for_each_count(Counts& shared, size_t k, const Use& use) {
  for (auto* value : {&shared.rounds, &shared.req, &shared.c2, &shared.grow, &shared.out}) {
    use(*value);
  }
  for (size_t i = 0; i < k; ++i) {
    use(shared.prior[i]);
    for (size_t j = 0; j < k; ++j) use(shared.up[i][j]);
  }
}

}  // namespace

uint64_t identity_fingerprint(const config::Learning& settings) {
  return wire::hash_bytes(fmt::format("{}:{};{}:{};{}", settings.session_header.size(),
                                      settings.session_header, settings.conversation_header.size(),
                                      settings.conversation_header, settings.derive_identity));
}

std::string encode_rerun(const Router& router, const Decision& decision, const KeyedHash& key) {
  const RequestFacts& facts = decision.facts;
  const FirstHash first = first_hash(decision);
  const config::Decision* const rule = decision.rule();
  const uint64_t fit = rule == nullptr ? 0 : router.fit_fingerprint(*rule, decision.selection);
  const bool has_fit = fit != 0 && decision.proposal != config::kNoModel;
  const bool cut =
      first.cut || is_too_many(facts.pending_calls) || is_too_many(facts.provider_state);
  const auto flag = [](bool set, Flag value) { return set ? uint32_t{value} : 0U; };
  PackedWriter out;
  out.byte(kVersion);
  out.hash(key.epoch());
  out.number(decision.handle.order);
  out.number(decision.handle.session_version);
  out.number(flag(facts.tool_loop, kToolLoop) | flag(facts.auxiliary_class, kAuxiliary) |
             flag(facts.needs.tools, kTools) | flag(facts.needs.images, kImages) |
             flag(facts.needs.audio, kAudio) | flag(facts.shape.active_tool_loop, kActiveLoop) |
             flag(first.goes_on, kGoesOn) | flag(cut, kCut) | flag(has_fit, kFitted) |
             flag(decision.shared_before != nullptr, kCheckpoint));
  write_request(decision, first, key, out);
  out.hash(identity_fingerprint(decision.config->learning));
  write_signals(router, decision, out);
  write_models(decision, out);
  if (has_fit) {
    out.hash(fit);
    out.text(decision.config->models[decision.proposal].name);
    out.number(decision.selection.candidates.size());
    for (const policy::Candidate& candidate : decision.selection.candidates) {
      out.real(candidate.score);
    }
  }
  if (decision.shared_before != nullptr) {
    out.hash(router.tables().id);
    out.number(router.tables().k);
    for_each_count(*decision.shared_before, router.tables().k,
                   [&](double value) { out.real(value); });
  }
  return to_base64(out.bytes());
}

std::optional<Recorded> decode_rerun(std::string_view text) {
  const std::optional<std::string> bytes = from_base64(text);
  if (!bytes) return std::nullopt;
  PackedReader in(*bytes);
  if (in.byte() != kVersion) return std::nullopt;
  Recorded out;
  out.epoch = in.hash();
  out.order = in.number();
  out.session_version = in.small();
  const uint64_t flags = in.number();
  out.facts.tool_loop = (flags & kToolLoop) != 0;
  out.facts.auxiliary_class = (flags & kAuxiliary) != 0;
  out.facts.needs.tools = (flags & kTools) != 0;
  out.facts.needs.images = (flags & kImages) != 0;
  out.facts.needs.audio = (flags & kAudio) != 0;
  out.facts.shape.active_tool_loop = (flags & kActiveLoop) != 0;
  out.goes_on = (flags & kGoesOn) != 0;
  out.cut = (flags & kCut) != 0;
  read_request(in, out);
  out.identity_settings = in.hash();
  read_signals(in, out);
  read_models(in, out);
  if ((flags & kFitted) != 0) {
    out.fit_fingerprint = in.hash();
    out.fitted = in.text();
    out.fit_scores.resize(in.count(sizeof(double)));
    for (double& score : out.fit_scores) score = in.real();
  }
  if ((flags & kCheckpoint) != 0) {
    Checkpoint& checkpoint = out.checkpoint.emplace();
    checkpoint.tables_id = in.hash();
    const uint64_t k = in.number();
    if (k > learning::kTiersMax) return std::nullopt;
    for_each_count(checkpoint.shared, k, [&](double& value) { value = in.real(); });
  }
  if (!in.at_end()) return std::nullopt;
  return out;
}

std::string encode_state_log(const StateLog& log, const KeyedHash& key) {
  PackedWriter out;
  out.byte(kVersion);
  out.number(log.commit_order);
  out.time(log.commit_ms);
  out.number(log.done_order);
  out.time(log.done_ms);
  out.number(log.noted.size());
  for (const StateLog::Noted& noted : log.noted) {
    out.byte(noted.kind ? static_cast<uint8_t>(1 + static_cast<uint8_t>(*noted.kind)) : 0);
    out.number(noted.order);
    out.time(noted.unix_ms);
    out.hash(key(noted.hash));
  }
  return to_base64(out.bytes());
}

std::optional<StateLog> decode_state_log(std::string_view text) {
  const std::optional<std::string> bytes = from_base64(text);
  if (!bytes) return std::nullopt;
  PackedReader in(*bytes);
  if (in.byte() != kVersion) return std::nullopt;
  StateLog out;
  out.commit_order = in.number();
  out.commit_ms = in.time();
  out.done_order = in.number();
  out.done_ms = in.time();
  out.noted.resize(in.count(3 + sizeof(uint64_t)));
  for (StateLog::Noted& noted : out.noted) {
    const uint8_t kind = in.byte();
    if (kind > wire::kOpaqueKindCount) return std::nullopt;
    if (kind > 0) noted.kind = static_cast<wire::OpaqueKind>(kind - 1);
    noted.order = in.number();
    noted.unix_ms = in.time();
    noted.hash = in.hash();
  }
  if (!in.at_end()) return std::nullopt;
  return out;
}

}  // namespace vsr::router
