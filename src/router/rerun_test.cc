#include "router/rerun.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/base64.h"
#include "router/router_fixture.h"

namespace vsr::router {
namespace {

using testing::HasSubstr;
using testing::Not;

const KeyedHash kKey(1, 2);

// The recorded results by SignalId of a world's recipe.
std::vector<config::SignalValue> values_of(const World& world, const Recorded& recorded) {
  std::vector<config::SignalValue> out(world.config_->signals.size());
  const auto fingerprints = world.router_->fingerprints();
  for (const KnownSignal& known : recorded.signals) {
    for (size_t id = 0; id < out.size(); ++id) {
      if (fingerprints[id] == known.fingerprint) out[id] = known.value;
    }
  }
  return out;
}

TEST(Rerun, FactsComeBackAsTheyWere) {
  World world;
  world.headers_["x-session-id"] = "s";
  world.headers_["x-conversation-id"] = "c";
  world.set_healthy("local", false);
  world.origin_.models[1] = {.in_flight = 3, .ttft = {12.5, 0.1}, .tpot = {3.5, 7}};
  const Decision decision =
      world.serve(body("auto", {user("prove it"), call("c1"), result("c1", "done")}));
  const auto recorded = decode_rerun(encode_rerun(*world.router_, decision, kKey));
  ASSERT_TRUE(recorded);
  const RequestFacts& was = decision.facts;
  const RequestFacts& is = recorded->facts;
  EXPECT_EQ(recorded->epoch, kKey.epoch());
  EXPECT_EQ(recorded->order, 1);
  EXPECT_EQ(recorded->session_version, 0);
  EXPECT_EQ(is.unix_ms, was.unix_ms);
  EXPECT_EQ(is.requested_model, "auto");
  EXPECT_EQ(is.needs.context_tokens, was.needs.context_tokens);
  EXPECT_EQ(is.user_tokens, was.user_tokens);
  EXPECT_EQ(is.shape.messages_by_role, was.shape.messages_by_role);
  EXPECT_TRUE(is.tool_loop);
  EXPECT_EQ(is.answered_messages, 1);
  EXPECT_EQ(is.session_key, kKey(was.session_key));
  EXPECT_EQ(is.conversation_key, kKey(was.conversation_key));
  ASSERT_EQ(is.prefix_hashes.size(), 3);
  EXPECT_EQ(is.prefix_hashes[2], kKey(was.prefix_hashes[2]));
  EXPECT_EQ(is.pending_calls, std::vector<uint64_t>{kKey(learning::id_hash("c1"))});
  ASSERT_EQ(recorded->models.size(), 2);
  EXPECT_EQ(recorded->models[0].first, "local");
  EXPECT_FALSE(recorded->models[0].second.healthy);
  EXPECT_EQ(recorded->models[1].second.in_flight, 3);
  EXPECT_EQ(recorded->models[1].second.ttft.p95_ms, 0.1);
  ASSERT_TRUE(recorded->checkpoint) << "the first decision of a process has one";
  EXPECT_EQ(recorded->checkpoint->tables_id, world.router_->tables().id);
}

TEST(Rerun, OnlyWhatIsNewOfAHistoryIsKept) {
  World world;
  world.headers_["x-session-id"] = "s";
  world.headers_["x-conversation-id"] = "c";
  std::vector<std::string> messages = {user("hello")};
  world.serve(body("auto", messages));
  messages.push_back(assistant("hi"));
  messages.push_back(user("hello again"));
  const Decision decision = world.serve(body("auto", messages));
  const auto recorded = decode_rerun(encode_rerun(*world.router_, decision, kKey));
  ASSERT_TRUE(recorded);
  EXPECT_TRUE(recorded->goes_on);
  EXPECT_EQ(recorded->first_hash, 1);
  EXPECT_EQ(recorded->session_version, 2) << "a commit and its end";
  EXPECT_EQ(recorded->facts.prefix_hashes[0], 0);
  EXPECT_EQ(recorded->facts.prefix_hashes[2], kKey(decision.facts.prefix_hashes[2]));
}

TEST(Rerun, LongHistoriesAreCutAndSaySo) {
  World world;
  std::vector<std::string> messages;
  for (size_t i = 0; i <= kPrefixHashesKept; ++i) messages.push_back(user("prove it"));
  const Decision decision = world.decide(body("auto", messages));
  const auto recorded = decode_rerun(encode_rerun(*world.router_, decision, kKey));
  ASSERT_TRUE(recorded);
  EXPECT_TRUE(recorded->cut);
  EXPECT_EQ(recorded->facts.prefix_hashes.size(), kPrefixHashesKept + 1);
}

TEST(Rerun, HoldsNoTextOfTheRequestAndNoPlainHash) {
  World world;
  world.headers_["x-session-id"] = "session-of-anna";
  const std::string secret = "write to anna.schmidt@example.org";
  const Decision decision = world.serve(body(
      "auto", {user(secret), call("call_77", "{\"to\":1}"), result("call_77", "sent to anna")}));
  const std::string bytes = *from_base64(encode_rerun(*world.router_, decision, kKey));
  for (const std::string_view part : {"anna", "write", "call_77", "session-of", "sent"}) {
    EXPECT_THAT(bytes, Not(HasSubstr(part)));
  }
  std::vector<uint64_t> hashes = decision.facts.prefix_hashes;
  hashes.insert(hashes.end(), decision.facts.pending_calls.begin(),
                decision.facts.pending_calls.end());
  hashes.insert(hashes.end(), {decision.facts.lineage_hash, decision.facts.session_key,
                               decision.facts.conversation_key});
  for (const uint64_t hash : hashes) {
    const std::string_view plain(reinterpret_cast<const char*>(&hash), sizeof(hash));
    EXPECT_EQ(bytes.find(plain), std::string::npos);
  }
}

TEST(Rerun, BytesThatWereNotWrittenAreRefused) {
  World world;
  const Decision decision = world.decide(body("auto", {user("prove it")}));
  const std::string good = *from_base64(encode_rerun(*world.router_, decision, kKey));
  EXPECT_FALSE(decode_rerun("not base64"));
  EXPECT_FALSE(decode_rerun(""));
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(decode_rerun(to_base64(good.substr(0, size)))) << size;
  }
  EXPECT_FALSE(decode_rerun(to_base64(good + "x")));
}

TEST(Rerun, StateLogsComeBack) {
  const StateLog log{.commit_order = 7,
                     .commit_ms = 1000,
                     .done_order = 300,
                     .done_ms = 70'000,
                     .noted = {{8, 1001, 5, std::nullopt}, {9, 1002, 6, wire::OpaqueKind::kFile}}};
  const auto back = decode_state_log(encode_state_log(log, kKey));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->commit_order, 7);
  EXPECT_EQ(back->commit_ms, 1000);
  EXPECT_EQ(back->done_order, 300);
  EXPECT_EQ(back->done_ms, 70'000);
  ASSERT_EQ(back->noted.size(), 2);
  EXPECT_EQ(back->noted[0].hash, kKey(5));
  EXPECT_FALSE(back->noted[0].kind);
  EXPECT_EQ(back->noted[1].kind, wire::OpaqueKind::kFile);
  EXPECT_FALSE(decode_state_log("AQ=="));
}

TEST(DecideAgain, TakesRecordedResultsAndAsksForTheRest) {
  World world;
  const Decision was = world.decide(body("auto", {user("prove it")}));
  const auto recorded = decode_rerun(encode_rerun(*world.router_, was, kKey));
  ASSERT_TRUE(recorded);
  const auto values = values_of(world, *recorded);
  const auto state = std::make_shared<LearningState>(3600);
  const auto fork = world.router_->fork(world.config_->learning, state);
  RequestFacts facts = recorded->facts;
  facts.models.resize(world.config_->models.size());
  const Again same = fork->decide_again({.facts = facts, .values = values});
  EXPECT_EQ(same.missing, "");
  EXPECT_EQ(same.decision.decision, was.decision);
  EXPECT_EQ(same.decision.model, was.model);
  EXPECT_EQ(same.decision.verdict.reason, was.verdict.reason);

  // Under another rule its result is not known; the stored prompt tells it again.
  World other(edited("keywords: [prove, refactor]", "keywords: [refactor]"));
  const auto others = values_of(other, *recorded);
  facts.models.resize(other.config_->models.size());
  const Again unknown = other.router_->decide_again({.facts = facts, .values = others});
  EXPECT_EQ(unknown.missing, "keyword:hard");
  EXPECT_EQ(unknown.missing_reads, signals::Reads::kPrompt);
  signals::Input input;
  input.prompt = "prove it";
  const Again changed = other.router_->decide_again(
      {.facts = facts, .values = others, .input = &input, .reach = signals::Reads::kPrompt});
  EXPECT_EQ(changed.missing, "");
  EXPECT_EQ(changed.decision.rule(), nullptr);
  EXPECT_EQ(other.model_of(changed.decision), "small");
}

TEST(Fingerprints, ChangeWithTheRuleAndWithNothingElse) {
  const auto of = [](std::string_view recipe) {
    World world(recipe);
    std::map<std::string, uint64_t> out;
    for (size_t id = 0; id < world.config_->signals.size(); ++id) {
      out[world.config_->signals[id].name] = world.router_->fingerprints()[id];
    }
    return out;
  };
  const auto base = of(kRecipe);
  EXPECT_NE(base.at("hard"), base.at("easy"));
  const auto keyword = of(edited("keywords: [prove, refactor]", "keywords: [prove]"));
  EXPECT_NE(keyword.at("hard"), base.at("hard"));
  EXPECT_EQ(keyword.at("easy"), base.at("easy"));
  EXPECT_EQ(keyword.at("personal"), base.at("personal"));
  EXPECT_EQ(of(edited("weight: 0.75", "weight: 0.7")), base);
  EXPECT_EQ(of(edited("prompt_per_1m: 2,", "prompt_per_1m: 3,")), base);
  EXPECT_EQ(of(edited("threshold: 0.5, include_history", "threshold: .50, include_history")), base);
}

}  // namespace
}  // namespace vsr::router
