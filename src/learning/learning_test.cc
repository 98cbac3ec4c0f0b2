// The order of verdicts, locks and scopes, and what the session map remembers when requests
// overlap, fail or are repeated. The policy's numbers are checked by the vectors in eval/.
#include "learning/learning.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "learning/session_map.h"

namespace {
std::atomic<size_t> allocations{0};
}  // namespace
// Counted in ordinary builds; under a sanitizer the allocator is not ours to replace.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
void* operator new(size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
#endif

namespace vsr::learning {
namespace {

config::Config portfolio() {
  config::Config config;
  const double quality[] = {.7, .8, .9};
  const double price[] = {.1, 1, 5};
  for (int i = 0; i < 3; ++i) {
    config::Model model;
    model.name = "m" + std::to_string(i);
    model.quality_score = quality[i];
    model.pricing = config::Pricing{.prompt_per_1m = price[i],
                                    .cached_input_per_1m = price[i] / 10,
                                    .completion_per_1m = price[i] * 4};
    config.models.push_back(std::move(model));
    config.learning.ladder.push_back(static_cast<config::ModelId>(i));
  }
  return config;
}

class Learning : public testing::Test {
 protected:
  struct Turn {
    config::ModelId proposal = 0;
    double t = 0;
    bool tool_loop = false;
    std::vector<uint64_t> calls;
    std::vector<wire::ProviderState> items;
    config::AdaptationMode mode = config::AdaptationMode::kApply;
    config::Scope scope = config::Scope::kConversation;
    bool explicit_model = false;
    bool has_identity = true;
    uint64_t conversation = 1;
    uint64_t lineage = 10;
    uint64_t system = 20;
    uint32_t tools = 4;
    bool answered = true;
    double score = 1;  // of the proposal, by its selection
  };

  // One request through snapshot, decide, commit and done, as the router does it.
  Verdict serve(const Turn& turn) {
    Facts facts;
    facts.has_identity = turn.has_identity;
    facts.tool_loop = turn.tool_loop;
    facts.pending_call_hashes = turn.calls;
    facts.provider_state = turn.items;
    facts.lineage_hash = turn.lineage;
    facts.system_hash = turn.system;
    facts.tool_count = turn.tools;
    facts.step.t = turn.t;
    facts.step.length = 5000;
    facts.step.user_tokens = 60;
    const std::array<uint64_t, 1> prefix = {turn.lineage};
    facts.step.prefix_hashes = prefix;
    Proposal proposal;
    proposal.model = turn.proposal;
    const std::array<config::ModelId, 1> refs = {turn.proposal};
    proposal.candidates = refs;
    const std::array<double, 1> scores = {turn.score};
    proposal.scores = scores;
    proposal.mode = turn.mode;
    proposal.scope = turn.scope;
    proposal.explicit_model = turn.explicit_model;
    handle = {.session_key = session,
              .conversation_key = turn.conversation,
              .lineage_hash = turn.lineage,
              .system_hash = turn.system,
              .tables_id = tables->id};
    const Snapshot snapshot = map.snapshot(*tables, handle, facts, turn.t);
    const Verdict verdict = decide(*tables, config.learning, shared, snapshot, facts, proposal);
    if (turn.answered) {
      map.commit(*tables, handle, verdict, turn.t);
      Step step = facts.step;
      step.tool = turn.tool_loop;
      map.done(*tables, shared, handle, verdict, step, 5000, 100);
    }
    return verdict;
  }

  // As if nothing had been served.
  void reset() {
    shared = {};
    session += 1;
  }

  config::Config config = portfolio();
  std::shared_ptr<const Tables> tables = make_tables(config);
  SharedCounts shared;
  SessionMap map{86'400};
  SessionMap::Handle handle;
  uint64_t session = 7;
};

void expect(const Verdict& verdict, Action action, std::string_view reason, config::ModelId model) {
  EXPECT_EQ(to_string(verdict.action), to_string(action));
  EXPECT_EQ(verdict.reason, reason);
  EXPECT_EQ(verdict.model, model);
}

TEST_F(Learning, FirstTurnSelectsAndANewConversationSelectsAgain) {
  expect(serve({.proposal = 2}), Action::kSelect, "missing_previous_model", 2);
  expect(serve({.proposal = 0, .t = 10, .conversation = 2}), Action::kSelect,
         "missing_previous_model", 0);
}

TEST_F(Learning, SessionScopeStaysUntilIdle) {
  const auto session = config::Scope::kSession;
  expect(serve({.proposal = 2, .scope = session}), Action::kSelect, "missing_previous_model", 2);
  expect(serve({.proposal = 0, .t = 10, .scope = session, .conversation = 2}), Action::kStay,
         "session_scope_protect", 2);
  expect(serve({.proposal = 0, .t = 1000, .scope = session, .conversation = 3}), Action::kSelect,
         "missing_previous_model", 0);
}

TEST_F(Learning, BypassLeavesTheConversationAlone) {
  serve({.proposal = 2});
  expect(serve({.proposal = 0, .t = 5, .mode = config::AdaptationMode::kBypass}), Action::kBypass,
         "decision_bypass", 0);
  map.add_owner(handle, id_hash("call"), tables->name_hash[2], 6);
  expect(serve({.proposal = 0, .t = 7, .tool_loop = true, .calls = {id_hash("call")}}),
         Action::kHardLock, "hard_lock=tool_loop", 2);
}

TEST_F(Learning, MissingIdentityIsNoop) {
  expect(serve({.proposal = 1, .has_identity = false}), Action::kNoop, "identity_missing", 1);
}

TEST_F(Learning, AToolResultGoesToTheModelThatCalled) {
  serve({.proposal = 2});
  map.add_owner(handle, id_hash("call_1"), tables->name_hash[1], 1);
  expect(serve({.proposal = 2, .t = 2, .tool_loop = true, .calls = {id_hash("call_1")}}),
         Action::kHardLock, "hard_lock=tool_loop", 1);
  // An id that nobody knows falls back to the lineage's model.
  expect(serve({.proposal = 0, .t = 3, .tool_loop = true, .calls = {id_hash("unknown")}}),
         Action::kHardLock, "hard_lock=tool_loop", 1);
  // Without a model of the lineage the decision is free.
  expect(serve({.proposal = 0,
                .t = 4,
                .tool_loop = true,
                .calls = {id_hash("unknown")},
                .conversation = 9}),
         Action::kSelect, "missing_previous_model", 0);
}

TEST_F(Learning, AnOwnerOutsideTheRecipeOrTooOldFreesTheLoop) {
  serve({.proposal = 2});
  map.add_owner(handle, id_hash("gone"), model_name_hash("removed"), 1);
  EXPECT_EQ(serve({.proposal = 2, .t = 2, .tool_loop = true, .calls = {id_hash("gone")}}).reason,
            "switch_allowed:owner_unavailable");
  map.add_owner(handle, id_hash("old"), tables->name_hash[0], 3);
  config.learning.lock_max_seconds = 100;
  EXPECT_EQ(serve({.proposal = 2, .t = 200, .tool_loop = true, .calls = {id_hash("old")}}).reason,
            "lock_expired");
}

TEST_F(Learning, ProviderStateLocksWithItsKind) {
  using enum wire::OpaqueKind;
  const std::pair<wire::OpaqueKind, const char*> kinds[] = {
      {kPreviousResponseId, "previous_response_id"},
      {kConversation, "conversation"},
      {kItemReference, "item_reference"},
      {kThinking, "thinking"},
      {kThoughtSignature, "thought_signature"},
      {kEncryptedContent, "encrypted_content"},
      {kServerTool, "server_tool"},
      {kFile, "file"}};
  serve({.proposal = 1});
  for (const auto& [kind, word] : kinds) {
    const Verdict verdict =
        serve({.proposal = 0, .t = 1, .items = {{{kind, 5}, 1, kind == kThinking}}});
    expect(verdict, Action::kHardLock, std::string("hard_lock=context_portability:") + word, 1);
    EXPECT_FALSE(verdict.lock_origin_known);
  }
}

TEST_F(Learning, AnItemGoesToTheModelThatMadeItWhateverTheLineageHolds) {
  serve({.proposal = 2});
  map.add_origin(handle, {.id_hash = 77, .model_hash = tables->name_hash[1], .t = 1});
  const Turn turn = {.proposal = 2, .t = 2, .items = {{{wire::OpaqueKind::kFile, 77}, 1}}};
  const Verdict verdict = serve(turn);
  expect(verdict, Action::kHardLock, "hard_lock=context_portability:file", 1);
  EXPECT_TRUE(verdict.lock_origin_known);
  // In a tool loop the model that called comes first, and the item's maker before the lineage's.
  map.add_owner(handle, id_hash("call"), tables->name_hash[2], 3);
  Turn loop = turn;
  loop.tool_loop = true;
  loop.calls = {id_hash("call")};
  expect(serve(loop), Action::kHardLock, "hard_lock=tool_loop", 2);
  loop.calls = {id_hash("unknown")};
  expect(serve(loop), Action::kHardLock, "hard_lock=context_portability:file", 1);
}

TEST_F(Learning, ThinkingOfATurnThatIsOverHoldsNobody) {
  serve({.proposal = 1});
  map.add_origin(handle, {.id_hash = 77, .model_hash = tables->name_hash[1], .t = 1});
  const Verdict verdict =
      serve({.proposal = 2, .t = 2, .items = {{{wire::OpaqueKind::kThinking, 77}, 1, false}}});
  EXPECT_NE(verdict.action, Action::kHardLock);
}

TEST_F(Learning, WhatABypassTurnMadePinsNothing) {
  serve({.proposal = 2});
  map.add_origin(handle,
                 {.id_hash = 77, .model_hash = tables->name_hash[0], .t = 1, .binds = false});
  const std::vector<wire::ProviderState> items = {{{wire::OpaqueKind::kThoughtSignature, 77}, 1}};
  EXPECT_EQ(serve({.proposal = 2, .t = 2, .items = items}).action, Action::kStay);
}

TEST_F(Learning, ALockOfTheLineageExpiresToo) {
  config.learning.lock_max_seconds = 100;
  serve({.proposal = 1});
  const std::vector<wire::ProviderState> items = {{{wire::OpaqueKind::kConversation, 5}}};
  expect(serve({.proposal = 0, .t = 90, .items = items}), Action::kHardLock,
         "hard_lock=context_portability:conversation", 1);
  EXPECT_EQ(serve({.proposal = 0, .t = 191, .items = items}).reason, "lock_expired");
}

TEST_F(Learning, StateOfARemovedModelCannotBeServed) {
  serve({.proposal = 1});
  map.add_origin(handle, {.id_hash = 99, .model_hash = model_name_hash("removed"), .t = 1});
  EXPECT_TRUE(serve({.proposal = 0, .t = 2, .items = {{{wire::OpaqueKind::kFile, 99}, 1}}})
                  .provider_state_unavailable);
}

TEST_F(Learning, ATitleRequestNeitherReadsNorMovesTheMainLineage) {
  serve({.proposal = 2});
  expect(serve({.proposal = 0, .t = 1, .lineage = 11, .system = 21, .tools = 0}), Action::kNoop,
         "auxiliary_request", 0);
  EXPECT_EQ(serve({.proposal = 2, .t = 2}).previous, 2);
}

TEST_F(Learning, ATitleRequestThatCameFirstYieldsToTheMainOne) {
  expect(serve({.proposal = 0, .lineage = 11, .system = 21, .tools = 0}), Action::kSelect,
         "missing_previous_model", 0);
  expect(serve({.proposal = 2, .t = 1}), Action::kSelect, "missing_previous_model", 2);
  expect(serve({.proposal = 0, .t = 2, .lineage = 11, .system = 21, .tools = 0}), Action::kNoop,
         "auxiliary_request", 0);
}

TEST_F(Learning, AnExplicitModelIsTheCallersWord) {
  serve({.proposal = 2});
  map.add_owner(handle, id_hash("call"), tables->name_hash[2], 1);
  const Verdict verdict = serve({.proposal = 0,
                                 .t = 2,
                                 .tool_loop = true,
                                 .calls = {id_hash("call")},
                                 .explicit_model = true});
  expect(verdict, Action::kSwitch, "explicit_model", 0);
  EXPECT_EQ(verdict.lock_ignored, "hard_lock=tool_loop");
}

TEST_F(Learning, ObserveSaysWhatApplyWouldDoAndServesTheProposal) {
  struct Case {
    const char* what;
    Turn turn;  // after a first one that tier 2 answered and that made the call `call`
  };
  const Case cases[] = {
      {"a stay", {.proposal = 2, .t = 10}},
      {"a proposal that the policy refuses", {.proposal = 0, .t = 10, .score = .5}},
      {"a switch", {.proposal = 0, .t = 5000}},
      {"a tool loop", {.proposal = 0, .t = 2, .tool_loop = true, .calls = {id_hash("call")}}},
      {"provider state", {.proposal = 1, .t = 2, .items = {{{wire::OpaqueKind::kFile, 5}}}}},
      {"state of a removed model",
       {.proposal = 1, .t = 2, .items = {{{wire::OpaqueKind::kFile, 99}}}}},
      {"a new conversation", {.proposal = 1, .t = 2, .conversation = 2}},
      {"no identity", {.proposal = 1, .t = 2, .has_identity = false}},
  };
  for (const auto policy :
       {config::PolicyKind::kExpectedCost, config::PolicyKind::kWeightedScore}) {
    for (const Case& c : cases) {
      SCOPED_TRACE(fmt::format(
          "{}, {}", c.what,
          policy == config::PolicyKind::kExpectedCost ? "expected_cost" : "weighted_score"));
      const auto second = [&](config::AdaptationMode mode) {
        reset();
        config.learning.policy = policy;
        serve({.proposal = 2});
        map.add_owner(handle, id_hash("call"), tables->name_hash[2], 1);
        map.add_origin(handle, {.id_hash = 99, .model_hash = model_name_hash("removed"), .t = 1});
        Turn turn = c.turn;
        turn.mode = mode;
        return serve(turn);
      };
      const Verdict applied = second(config::AdaptationMode::kApply);
      const Verdict observed = second(config::AdaptationMode::kObserve);
      expect(observed, applied.action, applied.reason, c.turn.proposal);
      EXPECT_FALSE(observed.provider_state_unavailable);
      EXPECT_EQ(observed.observed,
                applied.provider_state_unavailable ? config::kNoModel : applied.model);
      EXPECT_EQ(applied.observed, config::kNoModel);
      if (!observed.commits) continue;
      const Verdict third = serve(
          {.proposal = c.turn.proposal, .t = c.turn.t + 1, .conversation = c.turn.conversation});
      EXPECT_EQ(third.previous, c.turn.proposal);
      const bool moved = c.turn.conversation == 1 && c.turn.proposal != 2;
      EXPECT_EQ(third.next.switches, moved ? 1U : 0U);
    }
  }
}

TEST_F(Learning, TheAdditiveScoreDecidesFreeTurnsOnly) {
  struct Case {
    const char* what;
    Turn turn;  // after a first one that tier 2 answered and that made the call `call`
    Action action;
    const char* reason;
    config::ModelId model;
  };
  const Case cases[] = {
      {"the same model",
       {.proposal = 2, .t = 10},
       Action::kStay,
       "stay_has_best_adjusted_score",
       2},
      {"a base score above bonus and penalties",
       {.proposal = 0, .t = 10, .score = 1},
       Action::kSwitch,
       "switch_allowed",
       0},
      {"one that the margin alone holds back",
       {.proposal = 0, .t = 10, .score = .85},
       Action::kStay,
       "switch_margin_not_met",
       2},
      {"one that the warm cache holds back",
       {.proposal = 0, .t = 10, .score = .8},
       Action::kStay,
       "cache_protected",
       2},
      {"anything better after the idle timeout",
       {.proposal = 0, .t = 1000, .score = .01},
       Action::kSwitch,
       "switch_allowed",
       0},
      {"a tool loop is locked as ever",
       {.proposal = 0, .t = 10, .tool_loop = true, .calls = {id_hash("call")}},
       Action::kHardLock,
       "hard_lock=tool_loop",
       2},
      {"a new conversation takes what is proposed",
       {.proposal = 1, .t = 10, .conversation = 2, .score = 0},
       Action::kSelect,
       "missing_previous_model",
       1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    reset();
    config.learning.policy = config::PolicyKind::kWeightedScore;
    serve({.proposal = 2});
    map.add_owner(handle, id_hash("call"), tables->name_hash[2], 1);
    expect(serve(c.turn), c.action, c.reason, c.model);
  }
}

TEST_F(Learning, AFailedAnswerLeavesNoTrace) {
  serve({.proposal = 2, .answered = false});
  expect(serve({.proposal = 1, .t = 1}), Action::kSelect, "missing_previous_model", 1);
}

TEST_F(Learning, OfTwoOverlappingAnswersTheLaterRequestKeepsTheSay) {
  serve({.proposal = 1});
  Facts facts;
  facts.lineage_hash = 10;
  SessionMap::Handle early = {
      .session_key = 7, .conversation_key = 1, .lineage_hash = 10, .tables_id = tables->id};
  Snapshot before = map.snapshot(*tables, early, facts, 5);
  Verdict verdict;
  verdict.commits = true;
  verdict.next = before.lineage;
  verdict.next.cur = 0;
  verdict.model = 0;
  serve({.proposal = 2, .t = 6, .explicit_model = true});  // committed in between
  map.commit(*tables, early, verdict, 7);
  EXPECT_EQ(serve({.proposal = 2, .t = 8}).previous, 2);
}

// By the numbers a replay makes the same operations in the same order, and knows when some miss.
TEST(Numbers, TellTheOrderOfOperationsAndHowOftenASessionChanged) {
  const config::Config config = portfolio();
  const auto tables = make_tables(config);
  SessionMap map(1000);
  SharedCounts shared;
  Verdict verdict;
  verdict.commits = true;
  verdict.next.cur = 1;
  verdict.model = 1;
  const auto read = [&](uint64_t key, SessionMap::Reading reading, double t) {
    SessionMap::Handle handle = {
        .session_key = key, .conversation_key = 1, .lineage_hash = 1, .tables_id = tables->id};
    (void)map.snapshot(*tables, handle, {}, t, reading);
    return handle;
  };
  using enum SessionMap::Reading;
  const SessionMap::Handle first = read(7, kNumbered, 0);
  EXPECT_EQ(first.order, 1);
  EXPECT_EQ(first.session_version, 0);
  EXPECT_EQ(map.commit(*tables, first, verdict, 1), 2);
  EXPECT_EQ(map.add_owner(first, 5, 6, 1), 3);
  EXPECT_EQ(map.add_origin(first, {.id_hash = 5, .model_hash = 6, .t = 1}), 4);
  EXPECT_EQ(map.done(*tables, shared, first, verdict, {}, 10, 10), 5);
  EXPECT_EQ(read(7, kDryRun, 2).order, 0) << "a dry run is not counted";
  EXPECT_EQ(read(7, kNumbered, 2).session_version, 4);
  const SessionMap::Handle other = read(8, kNumbered, 2);
  EXPECT_EQ(other.order, 7);
  EXPECT_EQ(other.session_version, 0);
  EXPECT_EQ(map.done(*tables, shared, other, verdict, {}, 10, 10), 0) << "nothing to change";
  verdict.commits = false;
  EXPECT_EQ(map.commit(*tables, first, verdict, 3), 0);
  map.forget(7);
  EXPECT_EQ(read(7, kNumbered, 3).session_version, 0);
}

TEST_F(Learning, ATurnOfAKnownLineageAllocatesNothing) {
  serve({.proposal = 1});
  Facts facts;
  facts.lineage_hash = 10;
  facts.system_hash = 20;
  facts.tool_count = 4;
  facts.step.t = 3;
  facts.step.length = 9000;
  facts.step.user_tokens = 40;
  Proposal proposal;
  proposal.model = 2;
  const std::array<config::ModelId, 2> refs = {2, 1};
  proposal.candidates = refs;
  const size_t before = allocations;
  const Snapshot snapshot = map.snapshot(*tables, handle, facts, 3);
  const Verdict verdict = decide(*tables, config.learning, shared, snapshot, facts, proposal);
  map.commit(*tables, handle, verdict, 3);
  map.done(*tables, shared, handle, verdict, facts.step, 9000, 100);
  EXPECT_EQ(allocations - before, 0u);
  EXPECT_GT(verdict.choice.cost_count, 0u);
}

TEST_F(Learning, WhatIsKeptOfALineageIsWhatWasCommitted) {
  serve({.proposal = 1});
  serve({.proposal = 2, .t = 5, .tool_loop = true});
  Facts facts;
  facts.lineage_hash = 10;
  const Lineage kept = map.snapshot(*tables, handle, facts, 6).lineage;
  EXPECT_EQ(kept.req, 2);
  EXPECT_EQ(kept.out, 200);
  EXPECT_EQ(kept.rounds, 1);
  EXPECT_EQ(kept.turns, 1u);
  EXPECT_EQ(kept.last_length, 5000u);
  EXPECT_EQ(kept.last_hash, 10u);
  EXPECT_EQ(kept.ledger[1].hash, 10u);
  EXPECT_EQ(kept.ledger[1].tokens, 5100u);
  EXPECT_NEAR(kept.ledger[1].t, 5, 1e-3);
  EXPECT_EQ(kept.ledger[0].messages, 0u);
  double belief = 0;
  for (const double share : kept.belief) belief += share;
  EXPECT_NEAR(belief, 1, 1e-6);
}

TEST_F(Learning, AReloadKeepsTheModelByItsName) {
  serve({.proposal = 2});
  config::Config fewer = portfolio();
  fewer.models.erase(fewer.models.begin());
  fewer.learning.ladder = {0, 1};
  tables = make_tables(fewer);
  config = fewer;
  EXPECT_EQ(serve({.proposal = 0, .t = 1}).previous, 1);  // the same model, with its new index
}

TEST(Bounds, SessionsAndLineagesAreBounded) {
  const config::Config config = portfolio();
  const auto tables = make_tables(config);
  constexpr size_t kMax = 640;
  SessionMap map(1000, kMax);
  Verdict verdict;
  verdict.commits = true;
  verdict.next.cur = 1;
  verdict.model = 1;
  for (uint64_t i = 1; i <= 10'000; ++i) {
    map.commit(*tables, {.session_key = i << 32, .conversation_key = i, .lineage_hash = i}, verdict,
               static_cast<double>(i) * 0.01);
  }
  EXPECT_LE(map.sessions(), kMax);
  EXPECT_GT(map.sessions(), kMax / 2);
  // After their time they go, without a sweep.
  SessionMap::Handle handle = {.session_key = 10'000ULL << 32};
  (void)map.snapshot(*tables, handle, {}, 10'000);
  EXPECT_LT(map.sessions(), kMax);
  static_assert(sizeof(Lineage) <= 512, "a lineage is meant to be small");
}

TEST(IdentityTest, KeysAreScopedAndNeverMeet) {
  config::Learning settings;
  const auto identity = [&](std::map<std::string, std::string> headers, uint64_t api_key = 1,
                            int64_t last_user = 0, std::string_view user = "") {
    IdentityInput input;
    input.user = user;
    input.header = [headers](std::string_view name) -> std::string_view {
      const auto found = headers.find(std::string(name));
      if (found == headers.end()) return "";
      static thread_local std::string kept;
      kept = found->second;
      return kept;
    };
    input.api_key_hash = api_key;
    input.system_hash = 3;
    input.first_user_hash = 4;
    input.last_real_user_index = last_user;
    return find_identity(settings, input);
  };
  const auto one = identity({{"x-session-id", "session-1"}, {"x-conversation-id", "run"}});
  const auto twelve = identity({{"x-session-id", "session-12"}, {"x-conversation-id", "run"}});
  EXPECT_NE(one.session_key, twelve.session_key);
  EXPECT_NE(one.conversation_key, twelve.conversation_key);
  EXPECT_EQ(one.session_source, "header:x-session-id");
  EXPECT_EQ(one.session_hash.size(), 16u);
  EXPECT_NE(identity({{"x-session-id", "session-1"}}, 2).session_key, one.session_key);
  // A derived conversation lasts through a tool loop and changes with the next user prompt.
  EXPECT_EQ(identity({}, 1, 4).conversation_key, identity({}, 1, 4).conversation_key);
  EXPECT_NE(identity({}, 1, 4).conversation_key, identity({}, 1, 6).conversation_key);
  EXPECT_EQ(identity({}).conversation_source, "derived");
  // Users that begin with the same words are told apart where the client names them.
  EXPECT_NE(identity({}, 1, 4, "ann").session_key, identity({}, 1, 4, "bob").session_key);
  EXPECT_NE(identity({}, 1, 4, "ann").conversation_key, identity({}, 1, 4).conversation_key);
  EXPECT_EQ(identity({}, 1, 4, "ann").session_key, identity({}, 1, 4, "ann").session_key);
  EXPECT_EQ(identity({{"x-session-id", "s"}}, 1, 4, "ann").session_key,
            identity({{"x-session-id", "s"}}, 1, 4, "bob").session_key);
  // An empty value is no value.
  EXPECT_EQ(identity({{"x-session-id", ""}}).session_source, "derived");
  settings.derive_identity = false;
  EXPECT_EQ(identity({}).conversation_key, 0u);
}

}  // namespace
}  // namespace vsr::learning
