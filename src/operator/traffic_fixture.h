#pragma once

// For tests of simulations: generated sessions through a Router, recorded as the gateway records
// them, without sockets. Tool loops, switches, private turns, explicit models, provider state,
// failures, cut streams, sub-agents and overlapping requests of one conversation. The same seed
// gives the same traffic. One thread.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "config/load.h"
#include "gateway/record.h"
#include "router/facts_cache.h"
#include "router/learning_image.h"
#include "store/delivery.h"
#include "store/replay.h"
#include "wire/hash.h"

namespace vsr::operator_api {

constexpr std::string_view kTrafficRecipe = R"(version: v0.3
providers:
  defaults: {default_model: small}
  models:
    - {name: local, backend_refs: [{endpoint: "h:1"}]}
    - name: small
      pricing: {prompt_per_1m: 0.1, cached_input_per_1m: 0.01, completion_per_1m: 0.4}
      backend_refs: [{endpoint: "h:2"}]
    - name: middle
      pricing: {prompt_per_1m: 0.5, cached_input_per_1m: 0.05, completion_per_1m: 2}
      backend_refs: [{endpoint: "h:3"}]
    - name: large
      pricing: {prompt_per_1m: 2, cached_input_per_1m: 0.2, completion_per_1m: 8}
      backend_refs: [{endpoint: "h:4"}]
routing:
  modelCards:
    - {name: local, quality_score: 0.6}
    - {name: small, quality_score: 0.8}
    - {name: middle, quality_score: 0.88}
    - {name: large, quality_score: 0.95}
  signals:
    pii: [{name: personal, threshold: 0.5, include_history: true}]
    keywords:
      - {name: hard, keywords: [prove, refactor]}
      - {name: easy, keywords: [hello]}
      - {name: watched, keywords: [observe]}
      - {name: busy, keywords: [quickly]}
      - {name: sticky, keywords: [together]}
    context: [{name: long, min_tokens: 400}]
    conversation:
      - {name: many, feature: {type: count, source: {type: message, role: user}}, predicate: {gte: 4}}
  projections:
    scores:
      - name: effort
        inputs: [{type: keyword, name: hard, weight: 0.75}, {type: context, name: long, weight: 0.3}, {type: conversation, name: many, weight: 0.2}]
    mappings:
      - {name: effort_band, source: effort, outputs: [{name: some, gte: 0.3, lt: 0.7}, {name: much, gte: 0.7}]}
  decisions:
    - name: private
      priority: 100
      rules: {type: pii, name: personal}
      modelRefs: [{model: local}]
      adaptations: {session_aware: {mode: bypass}}
    - name: watched
      priority: 90
      rules: {type: keyword, name: watched}
      modelRefs: [{model: middle}]
      adaptations: {session_aware: {mode: observe}}
    - name: sticky
      priority: 80
      rules: {type: keyword, name: sticky}
      modelRefs: [{model: middle}]
      adaptations: {session_aware: {scope: session}}
    - name: busy
      priority: 70
      rules: {type: keyword, name: busy}
      modelRefs: [{model: small}, {model: middle}]
      algorithm: {type: multi_factor, multi_factor: {weights: {quality: 0.2, latency: 0.5, cost: 0.1, load: 0.2}}}
    - name: hard_work
      priority: 60
      rules: {operator: AND, conditions: [{type: projection, name: much}]}
      modelRefs: [{model: large}, {model: small}]
    - name: some_work
      priority: 50
      rules: {operator: AND, conditions: [{type: projection, name: some}]}
      modelRefs: [{model: middle}, {model: small}]
    - name: greeting
      priority: 40
      rules: {type: keyword, name: easy}
      modelRefs: [{model: small}]
global:
  router:
    learning: {enabled: true, adaptations: {session_aware: {enabled: true}}}
)";

// A recipe with one piece of text replaced, which must be there.
inline std::string with(std::string_view from, std::string_view to) {
  std::string recipe(kTrafficRecipe);
  const size_t at = recipe.find(from);
  EXPECT_NE(at, std::string::npos) << "the recipe has no " << from;
  return at == std::string::npos ? recipe : recipe.replace(at, from.size(), to);
}

class Traffic {
 public:
  explicit Traffic(std::string_view recipe = kTrafficRecipe, uint64_t seed = 1) : random_(seed) {
    services_.clock = &clock_;
    router_ = make_router(recipe, learning_);
    runtime_ = std::make_shared<const gateway::Runtime>(config_, router_, services_);
    store::ReplayOptions options;
    options.config.backend = config::StoreBackend::kMemory;
    options.clock = &clock_;
    services_.replay = store::open_replay(options, nullptr).value();
    origin_.header = [this](std::string_view name) -> std::string_view {
      if (name == "x-session-id") return session_header_;
      if (name == "x-conversation-id") return conversation_header_;
      return {};
    };
  }
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  std::shared_ptr<const router::Router> make_router(
      std::string_view recipe, std::shared_ptr<router::LearningState> learning = nullptr) {
    const config::LoadResult loaded = config::load_text(recipe, "recipe.yaml");
    EXPECT_TRUE(loaded.config) << config::format_all(loaded.diagnostics);
    if (!config_) config_ = loaded.config;
    return router::Router::make(loaded.config, {}, std::move(learning), clock_).value();
  }

  // That many further records, all of them ended.
  void run(size_t records) {
    for (const size_t end = begun_ + records; begun_ < end;) {
      advance();
      if (open_.size() < kOpenMax && !one_in(3)) begin();
      if (!open_.empty()) go_on(random_() % open_.size());
    }
    while (!open_.empty()) go_on(open_.size() - 1);
    EXPECT_TRUE(services_.replay->flush(std::chrono::seconds(60)));
  }
  // One request with this prompt in a session of its own, answered; gives its id.
  Id128 ask(std::string_view prompt) {
    Session& session = sessions_.emplace_back(new_session());
    add(session, "user", prompt);
    ask(session, "auto", false);
    open_.back().session = sessions_.size() - 1;
    const Id128 id = open_.back().id;
    while (!open_.empty()) go_on(open_.size() - 1);
    EXPECT_TRUE(services_.replay->flush(std::chrono::seconds(60)));
    return id;
  }

  // The process ends and another one begins with what was remembered.
  void restart() {
    const double now_s = static_cast<double>(clock_.unix_ms()) * 1e-3;
    learning_ = router::learning_of_image(router::learning_image(*learning_),
                                          config_->learning.state_ttl_seconds, now_s)
                    .value();
    router_ = router_->fork(config_->learning, learning_);
    record_hash_ = KeyedHash::random();
  }

  store::Replay& replay() { return *services_.replay; }
  const router::Router& router() const { return *router_; }

  FakeClock clock_;
  gateway::Services services_;

 private:
  static constexpr size_t kSessions = 60;
  static constexpr size_t kOpenMax = 12;

  struct Session {
    std::string session_id, conversation_id;
    std::vector<std::string> messages;
    std::string pending_call;  // of the last answer
    std::string response_id;   // likewise
    bool tools = false;
    bool busy = false;
    uint32_t turns = 0;
  };
  struct Open {
    Id128 id;
    size_t session = 0;
    std::shared_ptr<router::Decision> decision;
    router::StateLog log;
    int stage = 0;
    bool is_aside = false;  // its answer is not part of the conversation
  };

  bool one_in(uint64_t n) { return random_() % n == 0; }

  void advance() {
    const uint64_t draw = random_() % 100;
    const int64_t ms = draw < 30   ? 0
                       : draw < 90 ? static_cast<int64_t>(random_() % 4000)
                       : draw < 99 ? static_cast<int64_t>(random_() % 30'000)
                                   : 400'000;
    clock_.advance(std::chrono::milliseconds(ms));
  }

  Session new_session() {
    Session out;
    const uint64_t number = random_();
    if (!one_in(5)) out.session_id = fmt::format("session-{}", number);
    if (!one_in(4)) out.conversation_id = fmt::format("conversation-{}", number);
    out.tools = one_in(2);
    add(out, "system", one_in(2) ? "You are an agent." : "You answer shortly.");
    return out;
  }

  static void add(Session& session, std::string_view role, std::string_view text) {
    session.messages.push_back(fmt::format(R"({{"role":"{}","content":"{}"}})", role, text));
  }

  std::string prompt() {
    const std::string_view kPrompts[] = {
        "hello there",      "prove it",     "refactor this module now",
        "continue",         "observe this", "do it quickly",
        "we stay together", "what is next", "fix it"};
    std::string out(kPrompts[random_() % std::size(kPrompts)]);
    if (one_in(12)) out += ", and write to anna.schmidt@example.org";
    if (one_in(8)) out += std::string(400 + random_() % 1200, 'x');
    return out + fmt::format(" {}", random_() % 1000);
  }

  void begin() {
    if (sessions_.size() < kSessions || one_in(25)) sessions_.push_back(new_session());
    const size_t index = sessions_.size() - 1 - random_() % std::min(sessions_.size(), kSessions);
    Session& session = sessions_[index];
    if (session.busy && !one_in(4)) return;  // overlapping requests are there, but rare
    const bool overlaps = session.busy;
    if (!overlaps && !session.pending_call.empty()) {
      session.messages.push_back(fmt::format(
          R"({{"role":"tool","tool_call_id":"{}","content":"done"}})", session.pending_call));
      session.pending_call.clear();
    } else if (!overlaps) {
      if (one_in(40)) session.messages.resize(1);  // compaction
      if (one_in(15) && !session.conversation_id.empty()) session.conversation_id += "b";
      add(session, "user", prompt());
      ++session.turns;
    }
    session.busy = true;
    const bool side = one_in(overlaps ? 2 : 30);
    ask(session, one_in(20) ? "large" : one_in(200) ? "unknown" : "auto", side);
    open_.back().session = index;
    open_.back().is_aside = overlaps || side;
  }

  // `side`: a sub-agent under the same ids.
  void ask(Session& session, std::string_view model, bool side) {
    std::string list;
    for (const std::string& text : session.messages) list += (list.empty() ? "" : ",") + text;
    if (side) {
      list = R"({"role":"system","content":"Make a title."},{"role":"user","content":"hello"})";
    }
    std::string more;
    if (session.tools && !side) {
      more = R"(,"tools":[{"type":"function","function":{"name":"run","parameters":{}}}])";
    }
    if (!session.response_id.empty() && !side) {
      more += fmt::format(R"(,"previous_response_id":"{}")", session.response_id);
      session.response_id.clear();
    }
    body_ = fmt::format(R"({{"model":"{}","messages":[{}]{}}})", model, list, more);
    ASSERT_TRUE(request_.read_chat(body_, facts_)) << body_;
    session_header_ = session.session_id;
    conversation_header_ = session.conversation_id;
    origin_.unix_ms = clock_.unix_ms();
    origin_.models.assign(config_->models.size(), {});
    for (policy::ModelState& state : origin_.models) {
      state.healthy = !one_in(150);
      state.in_flight = static_cast<uint32_t>(random_() % 8);
      state.ttft.p50_ms = static_cast<double>(random_() % 1000) / 3;
      state.ttft.p95_ms = state.ttft.p50_ms * 1.7;
      state.tpot = {.p50_ms = state.ttft.p50_ms / 9, .p95_ms = state.ttft.p50_ms / 7};
    }
    Open& open = open_.emplace_back();
    open.id = random_id();
    open.decision = std::make_shared<router::Decision>(router_->decide(request_, origin_));
    services_.replay->begin(
        open.id, gateway::routing_part(open.decision, request_, *runtime_, record_hash_,
                                       {.request_id = "r", .timestamp = clock_.unix_ms()}));
    ++begun_;
  }

  // The next step of an answer: its first byte, its tool call, its end.
  void go_on(size_t index) {
    Open& open = open_[index];
    const router::Decision& decision = *open.decision;
    const UnixMillis now = clock_.unix_ms();
    if (decision.error || (open.stage == 0 && one_in(40))) return end(index, "upstream_error");
    Session& session = sessions_[open.session];
    if (open.stage == 0) {
      open.log.commit_ms = now;
      open.log.commit_order = router_->commit(decision, now);
    } else if (open.stage == 1 && !open.is_aside && session.tools && !one_in(3)) {
      session.pending_call = fmt::format("call_{}", random_());
      const uint64_t hash = learning::id_hash(session.pending_call);
      open.log.noted.push_back({router_->add_tool_call(decision, hash, now), now, hash, {}});
      session.messages.push_back(fmt::format(
          R"({{"role":"assistant","content":null,"tool_calls":[{{"id":"{}","type":"function",)"
          R"("function":{{"name":"run","arguments":"{{}}"}}}}]}})",
          session.pending_call));
    } else if (open.stage == 1 && !open.is_aside) {
      if (one_in(10)) {
        session.response_id = fmt::format("resp_{}", random_());
        const wire::OpaqueItem item{wire::OpaqueKind::kPreviousResponseId,
                                    wire::hash_bytes(session.response_id)};
        open.log.noted.push_back(
            {router_->add_opaque(decision, item, now), now, item.hash, item.kind});
      }
      add(session, "assistant", fmt::format("answer {}", random_() % 1000));
    } else if (open.stage == 2) {
      return one_in(50) ? end(index, "client_disconnect") : end(index, "");
    }
    ++open.stage;
  }

  void end(size_t index, std::string_view reason) {
    Open open = std::move(open_[index]);
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(index));
    sessions_[open.session].busy = false;
    const router::Decision& decision = *open.decision;
    const UnixMillis now = clock_.unix_ms();
    store::TerminalPart part;
    part.response_path = store::kUpstreamPath;
    part.state = reason.empty() ? store::Lifecycle::kCompleted : store::Lifecycle::kFailed;
    part.reason = reason;
    part.ended_at = now;
    if (reason.empty()) {
      part.prompt_tokens = decision.facts.needs.context_tokens + random_() % 50;
      part.completion_tokens = 20 + random_() % 500;
      open.log.done_ms = now;
      open.log.done_order =
          router_->done(decision, part.prompt_tokens, part.completion_tokens, now);
    }
    std::vector<uint64_t> calls, items;
    for (const router::StateLog::Noted& noted : open.log.noted) {
      (noted.kind ? items : calls).push_back(noted.hash);
    }
    part.emitted = store::id_list(calls, items);
    part.details = [log = std::move(open.log), key = record_hash_](json::JsonWriter& out) {
      gateway::write_state_log(log, key, out);
    };
    services_.replay->end(open.id, std::move(part));
  }

  std::mt19937_64 random_;
  std::shared_ptr<const config::Config> config_;
  std::shared_ptr<router::LearningState> learning_ =
      std::make_shared<router::LearningState>(86'400);
  std::shared_ptr<const router::Router> router_;
  std::shared_ptr<const gateway::Runtime> runtime_;
  KeyedHash record_hash_ = KeyedHash::random();  // of the process
  router::Request request_;
  router::FactsCache facts_;
  router::Origin origin_;
  std::string body_, session_header_, conversation_header_;
  std::vector<Session> sessions_;
  std::vector<Open> open_;
  size_t begun_ = 0;
};

}  // namespace vsr::operator_api
