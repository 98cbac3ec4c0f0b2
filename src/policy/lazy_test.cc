// Lazy evaluation gives the winner and the confidence of full evaluation: on random recipes and
// random signal values, evaluating any subset of what is needed, in any order.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "policy/plan.h"

namespace vsr::policy {
namespace {

using config::Config;
using config::RuleNode;
using config::RuleOp;
using config::SignalId;
using config::SignalType;
using config::SignalValue;

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  int below(int n) { return static_cast<int>(random_() % static_cast<uint32_t>(n)); }
  // A coarse grid, so that ties and values on a bound happen.
  double grid() { return below(9) / 8.0; }

  Config recipe() {
    Config config;
    const int base = 2 + below(8);
    for (int i = 0; i < base; ++i) {
      config.signals.push_back(
          {SignalType::kKeyword, static_cast<uint16_t>(i), 0, fmt::format("s{}", i)});
    }
    if (below(2)) add_partition(config, base);
    for (int i = below(4); i > 0; --i) add_score(config, base);
    if (!config.scores.empty()) {
      for (int i = below(3); i >= 0; --i) add_mapping(config);
    }
    for (int i = 1 + below(6); i > 0; --i) {
      config::Decision decision;
      decision.name = fmt::format("d{}", below(1000) * 10 + i);
      decision.priority = below(3);
      decision.tier = below(3);
      decision.rules = rule(static_cast<int>(config.signals.size()), 3);
      config.decisions.push_back(decision);
    }
    config.strategy = static_cast<config::Strategy>(below(3));
    return config;
  }

  std::vector<SignalValue> values(const Config& config) {
    std::vector<SignalValue> out;
    for (const config::SignalInfo& info : config.signals) {
      SignalValue value;
      if (info.type != SignalType::kProjection) {
        value = {true, below(2) == 0, grid(), grid() * 4 - 1};
      }
      out.push_back(value);
    }
    return out;
  }

 private:
  void add_partition(Config& config, int base) {
    config::Partition partition;
    partition.softmax = below(2);
    for (int i = 0; i < base; ++i) {
      if (below(2)) partition.members.push_back(static_cast<SignalId>(i));
    }
    if (partition.members.empty()) return;
    if (below(2))
      partition.fallback = partition.members[below(static_cast<int>(partition.members.size()))];
    config.partitions.push_back(partition);
  }

  void add_score(Config& config, int base) {
    config::Score score;
    score.name = fmt::format("score{}", config.scores.size());
    for (int i = 1 + below(4); i > 0; --i) {
      config::ScoreInput input;
      if (!config.scores.empty() && below(4) == 0) {
        input.score = static_cast<uint16_t>(below(static_cast<int>(config.scores.size())));
      } else {
        input.signal = static_cast<SignalId>(below(base));
      }
      input.weight = grid() * 2 - 1;
      input.source = static_cast<config::ValueSource>(below(3));
      if (below(4) == 0) input.miss = grid();
      score.inputs.push_back(input);
    }
    config.scores.push_back(score);
  }

  void add_mapping(Config& config) {
    config::Mapping mapping;
    mapping.score = static_cast<uint16_t>(below(static_cast<int>(config.scores.size())));
    mapping.multi_emit = below(2);
    for (int i = 1 + below(3); i > 0; --i) {
      config::MappingOutput output;
      output.signal = static_cast<SignalId>(config.signals.size());
      if (below(3)) output.bounds.gte = grid() - 0.25;
      if (below(3)) output.bounds.lt = grid() + 0.25;
      config.signals.push_back({SignalType::kProjection,
                                static_cast<uint16_t>(config.mappings.size()),
                                static_cast<uint16_t>(mapping.outputs.size()),
                                fmt::format("p{}", config.signals.size())});
      mapping.outputs.push_back(output);
    }
    config.mappings.push_back(mapping);
  }

  RuleNode rule(int signals, int depth) {
    RuleNode node;
    const int kind = depth == 0 ? 0 : below(5);
    if (kind <= 1) {
      node.op = RuleOp::kLeaf;
      node.signal = static_cast<SignalId>(below(signals));
      return node;
    }
    node.op = kind == 2 ? RuleOp::kAnd : kind == 3 ? RuleOp::kOr : RuleOp::kNot;
    const int children = node.op == RuleOp::kNot ? 1 : below(4);
    for (int i = 0; i < children; ++i) node.children.push_back(rule(signals, depth - 1));
    return node;
  }

  std::mt19937 random_;
};

TEST(Lazy, GivesTheWinnerOfFullEvaluation) {
  constexpr int kRecipes = 20'000;
  size_t evaluated = 0;
  size_t possible = 0;
  for (uint32_t seed = 1; seed <= kRecipes; ++seed) {
    Generator generator(seed);
    const auto config = std::make_shared<const Config>(generator.recipe());
    const Plan plan(config);
    const std::vector<SignalValue> full = generator.values(*config);
    Scratch scratch;
    const Winner expected = plan.winner(full, scratch);

    std::vector<SignalValue> lazy(full.size());
    std::vector<SignalId> needed;
    size_t rounds = 0;
    for (;;) {
      plan.needed(lazy, scratch, needed);
      if (needed.empty()) break;
      ASSERT_LE(++rounds, full.size()) << "seed " << seed << ": no progress";
      // A random non-empty part of what is needed, as a caller that goes cheapest first does.
      const SignalId first = needed[generator.below(static_cast<int>(needed.size()))];
      for (const SignalId id : needed) {
        ASSERT_FALSE(lazy[id].evaluated);
        if (id == first || generator.below(2)) lazy[id] = full[id];
      }
    }
    const Winner got = plan.winner(lazy, scratch);
    ASSERT_EQ(got.decision, expected.decision) << "seed " << seed;
    ASSERT_EQ(got.confidence, expected.confidence) << "seed " << seed;
    for (size_t id = 0; id < full.size(); ++id) {
      possible += full[id].evaluated;
      evaluated += lazy[id].evaluated;
    }
  }
  // A lazy evaluation that evaluates everything would pass the above and be worth nothing.
  EXPECT_LT(evaluated, possible * 8 / 10);
}

}  // namespace
}  // namespace vsr::policy
