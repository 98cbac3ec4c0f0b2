// What learning remembers, written as bytes and read again: decisions, times to live and locks go
// on as if nothing had been in between, whatever became of the recipe, and damaged bytes are
// refused.
#include "router/learning_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <tuple>

#include "router/router_fixture.h"
#include "wire/hash.h"

namespace vsr::router {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""h;
using testing::HasSubstr;
using testing::Not;

constexpr size_t kBodyAt = 17;  // behind magic, version and checksum

double now_of(const World& world) { return static_cast<double>(world.clock_.unix_ms()) * 1e-3; }

Result<std::shared_ptr<LearningState>> read(const World& world, std::string_view image) {
  return learning_of_image(image, world.config_->learning.state_ttl_seconds, now_of(world));
}

// The router of `world` begins anew with what its image holds.
void restart(World& world) {
  auto state = read(world, learning_image(*world.learning_));
  ASSERT_TRUE(state) << state.error().message;
  world.learning_ = *state;
  world.router_ = world.router_->fork(world.config_->learning, world.learning_);
}

// Everything that a decision says, and what a good answer would write.
auto everything(const World& world, const Decision& decision) {
  const learning::Verdict& v = decision.verdict;
  std::vector<double> numbers = {v.idle_seconds, v.next.rounds, v.next.req,     v.next.grow,
                                 v.next.out,     v.choice.gain, v.choice.margin};
  for (size_t i = 0; i < v.choice.cost_count; ++i) {
    numbers.insert(numbers.end(),
                   {v.choice.costs[i].first, v.choice.costs[i].round, v.choice.costs[i].fail});
  }
  for (const learning::LedgerEntry& entry : v.next.ledger) {
    if (entry.messages == 0) continue;
    numbers.insert(numbers.end(), {static_cast<double>(entry.hash), entry.t,
                                   static_cast<double>(entry.messages + entry.tokens)});
  }
  numbers.insert(numbers.end(), v.next.belief.begin(), v.next.belief.end());
  numbers.insert(numbers.end(), v.next.prior.begin(), v.next.prior.end());
  return std::make_tuple(
      world.model_of(decision), world.model_name(decision.previous), v.action,
      std::string(v.reason), v.locked, v.lock_origin_known, v.main, v.commits,
      std::make_tuple(v.next.cur, v.next.utier, v.next.turns, v.next.switches, v.next.rc,
                      v.next.last_messages, v.next.last_hash, v.next.last_length, v.next.version),
      decision.handle.session_version, decision.dropped_state.size(), decision.error.has_value(),
      numbers);
}

// A random agent: sessions with conversations, tool loops, sub-agents, private turns and pauses.
class Agents {
 public:
  explicit Agents(uint32_t seed) : random_(seed) {}

  // The body of the next request; the headers of `world` say whose it is.
  std::string next(World& world) {
    world.headers_["x-session-id"] = "s" + std::to_string(pick(12));
    world.headers_["x-conversation-id"] = "c" + std::to_string(pick(3));
    std::vector<std::string> messages;
    messages.push_back(message("system", pick(4) == 0 ? "You name things." : "You are an agent."));
    messages.push_back(user(pick(2) == 0 ? "prove it" : "hello there"));
    for (uint32_t i = 0, steps = pick(4); i < steps; ++i) {
      const std::string id = "call" + std::to_string(pick(40));
      messages.push_back(call(id));
      messages.push_back(result(id, "done"));
    }
    constexpr std::string_view kLast[] = {"go on", "hello again", "refactor all of it, and prove",
                                          "my SSN is 078-05-1120"};
    if (pick(2) == 0) messages.push_back(user(kLast[pick(std::size(kLast))]));
    std::string more = pick(5) == 0 ? "" : R"(,"tools":[{"function":{"name":"run"}}])";
    if (pick(6) == 0) more += fmt::format(R"(,"previous_response_id":"resp_{}")", pick(40));
    return body(pick(20) == 0 ? "large" : "auto", messages, more);
  }
  // What comes of the answer.
  void answer(World& world, const Decision& decision) {
    if (pick(5) == 0) return;  // failed
    const UnixMillis now = world.clock_.unix_ms();
    world.router_->commit(decision, now, 7);
    world.router_->add_tool_call(decision, "call" + std::to_string(pick(40)), now);
    if (pick(3) == 0) {
      const std::string id = fmt::format("resp_{}", pick(40));
      const wire::OpaqueItem item{wire::OpaqueKind::kPreviousResponseId, wire::hash_bytes(id)};
      world.router_->add_opaque(decision, item, now, 7);
    }
    if (pick(8) != 0) world.router_->done(decision, 900 + pick(900), pick(500), now);
    world.clock_.advance(std::chrono::milliseconds(pick(90'000)));
  }
  uint32_t pick(uint32_t below) { return random_() % below; }

 private:
  std::mt19937 random_;
};

TEST(LearningImage, ARestartChangesNoDecision) {
  std::map<std::string, int, std::less<>> seen;
  for (uint32_t seed = 1; seed <= 8; ++seed) {
    const std::string recipe = seed % 2 == 0
                                   ? std::string(kRecipe)
                                   : edited("session_aware: {enabled: true}",
                                            "session_aware: {enabled: true, scope: session}");
    World kept(recipe);
    World restarted(recipe);
    Agents agents(seed);
    Agents same(seed);
    for (int i = 0; i < 400; ++i) {
      const std::string body = agents.next(kept);
      ASSERT_EQ(same.next(restarted), body);
      const Decision expected = kept.decide(body);
      const Decision decision = restarted.decide(body);
      ASSERT_EQ(everything(restarted, decision), everything(kept, expected))
          << "seed " << seed << ", request " << i;
      ++seen[std::string(to_string(expected.verdict.action))];
      ++seen[std::string(expected.verdict.reason)];
      agents.answer(kept, expected);
      same.answer(restarted, decision);
      if (i % 25 == 24) restart(restarted);
    }
    EXPECT_EQ(restarted.learning_->sessions.sessions(), kept.learning_->sessions.sessions());
    EXPECT_EQ(restarted.learning_->shared.req, kept.learning_->shared.req);
    EXPECT_GT(kept.learning_->shared.req, 100);
  }
  for (const std::string_view what :
       {"select", "stay", "switch", "hard_lock", "bypass", "noop", "hard_lock=tool_loop",
        "session_scope_protect", "hard_lock=context_portability:previous_response_id",
        "demand_protected"}) {
    EXPECT_GT(seen[std::string(what)], 5) << what;
  }
}

// Enough for the rings to have come round.
TEST(LearningImage, TheNewestOwnersStayTheNewest) {
  World world;
  world.headers_["x-session-id"] = "s";
  const Decision decision = world.serve(body("auto", {user("prove it")}));
  const auto add = [&](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) {
      world.router_->add_tool_call(decision, "c" + std::to_string(i), world.clock_.unix_ms());
    }
  };
  const auto locked = [&](size_t id) {
    const std::string name = "c" + std::to_string(id);
    const Decision delivers = world.decide(body("auto", {user("x"), call(name), result(name, "")}));
    return delivers.verdict.locked && world.model_of(delivers) == "large";
  };
  add(0, learning::kOwnersPerSessionMax + 10);
  restart(world);
  EXPECT_FALSE(locked(9));
  EXPECT_TRUE(locked(10));
  add(1000, 1005);  // take the places of 10 to 14
  EXPECT_FALSE(locked(14));
  EXPECT_TRUE(locked(15));
  EXPECT_TRUE(locked(1004));
}

TEST(LearningImage, TimesToLiveAndLocksGoOnCounting) {
  World world(edited("session_aware: {enabled: true}",
                     "session_aware: {enabled: true, lock_max_seconds: 7200}"));
  world.headers_["x-session-id"] = "s";
  const Decision first = world.serve(body("auto", {user("prove it")}));
  world.router_->add_tool_call(first, "c1", world.clock_.unix_ms());
  const std::string loop = body("auto", {user("hello"), call("c1"), result("c1", "done")});
  world.clock_.advance(1h);
  restart(world);
  EXPECT_EQ(world.decide(loop).verdict.reason, "hard_lock=tool_loop");
  world.clock_.advance(1h + 1s);
  restart(world);
  EXPECT_EQ(world.decide(loop).verdict.reason, "lock_expired");
  const std::string image = learning_image(*world.learning_);
  world.clock_.advance(22h);  // a day after the first answer
  const auto late = read(world, image);
  ASSERT_TRUE(late);
  EXPECT_EQ((*late)->sessions.sessions(), 0);
}

// A recipe with other models: what is left keeps its name, what is gone is known to be gone.
TEST(LearningImage, ModelsAreKnownByName) {
  World before;
  before.headers_["x-session-id"] = "s";
  const Decision first = before.serve(body("auto", {user("prove it")}));
  ASSERT_EQ(before.model_of(first), "large");
  before.router_->add_tool_call(first, "c1", before.clock_.unix_ms());
  const std::string image = learning_image(*before.learning_);
  // Routed to small, by another first message than that of the call.
  const std::string loop = body("auto", {user("hello"), call("c1"), result("c1", "done")});
  const auto decide = [&](const std::string& recipe) {
    World after(recipe);
    after.headers_["x-session-id"] = "s";
    auto state = read(after, image);
    EXPECT_TRUE(state);
    after.learning_ = std::move(state).value();
    after.router_ = after.router_->fork(after.config_->learning, after.learning_);
    const Decision decision = after.decide(loop);
    return std::make_pair(after.model_of(decision), std::string(decision.verdict.reason));
  };
  const auto held = std::make_pair(std::string("large"), std::string("hard_lock=tool_loop"));
  EXPECT_EQ(decide(std::string(kRecipe)), held);
  EXPECT_EQ(decide(edited("large, quality_score: 0.95", "large, quality_score: 0.5")), held);
  std::string one_more =
      edited("modelCards:", "modelCards:\n    - {name: tiny, quality_score: 0.3}");
  one_more.insert(one_more.find("    - {name: local"),
                  "    - {name: tiny, backend_refs: [{endpoint: \"h:4\"}]}\n");
  EXPECT_EQ(decide(one_more), held);
  std::string renamed(kRecipe);
  for (size_t at = 0; (at = renamed.find("large", at)) != std::string::npos; at += 5) {
    renamed.replace(at, 5, "giant");
  }
  const auto gone =
      std::make_pair(std::string("small"), std::string("switch_allowed:owner_unavailable"));
  EXPECT_EQ(decide(renamed), gone);
}

TEST(LearningImage, HoldsNoText) {
  World world;
  world.headers_["x-session-id"] = "session-of-somebody";
  const Decision first = world.serve(body("auto", {user("prove it")}));
  world.router_->add_tool_call(first, "call_of_somebody", world.clock_.unix_ms());
  const std::string image = learning_image(*world.learning_);
  for (const char* const text : {"prove", "somebody", "large", "small"}) {
    EXPECT_THAT(image, Not(HasSubstr(text)));
  }
}

TEST(LearningImage, DamageIsRefused) {
  World world;
  Agents agents(1);
  for (int i = 0; i < 40; ++i) agents.answer(world, world.decide(agents.next(world)));
  const std::string image = learning_image(*world.learning_);
  ASSERT_TRUE(read(world, image));
  const auto problem = [&](const std::string& bytes) {
    const auto state = read(world, bytes);
    return state ? "" : state.error().message;
  };
  EXPECT_EQ(problem(""), "it is no file of this kind");
  EXPECT_EQ(problem("version: v0.3\n"), "it is no file of this kind");
  std::string other = image;
  other[8] = 9;
  EXPECT_EQ(problem(other), "it is of version 9, this program reads 1");
  std::string flipped = image;
  flipped[image.size() / 2] ^= 4;
  EXPECT_EQ(problem(flipped), "its checksum is wrong");
  EXPECT_EQ(problem(image.substr(0, image.size() - 1)), "its checksum is wrong");
  EXPECT_EQ(problem(image.substr(0, 12)), "it is cut off");
  // With a checksum that is right: cut anywhere but between two sessions, or one session twice.
  const auto sealed = [&](std::string bytes) {
    const uint64_t checksum = wire::hash_bytes(std::string_view(bytes).substr(kBodyAt));
    std::memcpy(bytes.data() + kBodyAt - sizeof(checksum), &checksum, sizeof(checksum));
    return bytes;
  };
  size_t whole = 0;
  for (size_t size = kBodyAt; size < image.size(); ++size) {
    whole += problem(sealed(image.substr(0, size))).empty() ? 1 : 0;
  }
  EXPECT_EQ(whole, world.learning_->sessions.sessions());
  const std::string none = learning_image(*std::make_shared<LearningState>(1));
  EXPECT_THAT(problem(sealed(image + image.substr(none.size()))), HasSubstr("a session"));
}

TEST(LearningImage, TheNewestSessionsAreKept) {
  World world;
  for (int i = 0; i < 200; ++i) {
    world.headers_["x-session-id"] = "s" + std::to_string(i);
    world.serve(body("auto", {user("prove it")}));
    world.clock_.advance(1s);
  }
  const std::string all = learning_image(*world.learning_);
  const std::string image = learning_image(*world.learning_, all.size() / 2);
  EXPECT_LE(image.size(), all.size() / 2);
  const auto state = read(world, image);
  ASSERT_TRUE(state);
  const std::vector<uint64_t> before = world.learning_->sessions.keys();
  const std::vector<uint64_t> after = (*state)->sessions.keys();
  EXPECT_GT(after.size(), 80);
  EXPECT_LT(after.size(), 100);
  EXPECT_TRUE(std::equal(after.begin(), after.end(), before.begin()));
}

}  // namespace
}  // namespace vsr::router
