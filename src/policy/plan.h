#pragma once

// A recipe's policy, compiled: signal values → partitions → projections → decisions → winner.
// Pure and thread-safe; made once per Config, which it keeps alive. The caller owns a Scratch per
// thread, so that a decision allocates nothing after warm-up. Limits: those of the Config.
//
// Evaluation is lazy. The caller asks needed(): the signals that can still change the winner or
// its confidence; evaluates some of them, cheapest first; and asks again until none is left. The
// winner is then the one that full evaluation gives (lazy_test.cc proves it on random recipes).

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "policy/bound.h"

namespace vsr::policy {

constexpr uint16_t kNoDecision = 0xffff;

struct Scratch {
  std::vector<Bound> signals;    // by SignalId, after partitions, projections included
  std::vector<Interval> scores;  // by score index
  std::vector<Bound> decisions;  // by decision index
  std::vector<char> wanted;      // by SignalId
};

struct Winner {
  uint16_t decision = kNoDecision;
  double confidence = 0;
};

// One input of a score as it was added up.
struct InputTrace {
  std::string type;
  std::string name;
  double value = 0;
  double weight = 0;
  double contribution = 0;
};
struct OutputTrace {
  std::string name;
  bool matched = false;
  double confidence = 0;
};
struct ScoreTrace {
  std::string score;
  double value = 0;
  std::vector<InputTrace> inputs;
  std::vector<OutputTrace> outputs;
};

struct RuleTrace {
  config::RuleOp op = config::RuleOp::kLeaf;
  config::SignalId signal = config::kNoSignal;
  Tri matched = Tri::kUnknown;
  double confidence = 0;
  std::vector<RuleTrace> children;
};
struct DecisionTrace {
  uint16_t decision = kNoDecision;
  Tri matched = Tri::kUnknown;
  double confidence = 0;
  RuleTrace rule;
  std::string first_failing;  // "keyword:code", "NOT domain:law"; "" when it matched
};

struct Explanation {
  std::vector<config::SignalValue> values;  // by SignalId, after partitions, with projections
  std::vector<ScoreTrace> scores;           // in evaluation order
  std::vector<DecisionTrace> decisions;     // in the order of the recipe
};

class Plan {
 public:
  explicit Plan(std::shared_ptr<const config::Config> config);

  // `values` has one entry per SignalId; projection entries are ignored (they are computed here).
  // Fills `out` with the unevaluated base signals that can still change the winner or its
  // confidence, in ascending id order. Empty: settled, call winner().
  void needed(std::span<const config::SignalValue> values, Scratch& scratch,
              std::vector<config::SignalId>& out) const;

  // The winner; what is still unevaluated counts as not matched.
  Winner winner(std::span<const config::SignalValue> values, Scratch& scratch) const;

  // The whole evaluation, written down. Unevaluated signals count as not matched for projections
  // and show as kUnknown in decisions.
  Explanation explain(std::span<const config::SignalValue> values, Scratch& scratch) const;

  // True if decision `a` at confidence `ca` ranks before `b` at `cb` under the strategy.
  bool ranks_before(uint16_t a, double ca, uint16_t b, double cb) const;

  const config::Config& config() const { return *config_; }

 private:
  // What an unevaluated signal counts as.
  enum class Missing : uint8_t { kUnknown, kFalse };

  void bound_all(std::span<const config::SignalValue> values, Missing missing,
                 Scratch& scratch) const;
  void bound_partitions(std::span<const config::SignalValue> values, Scratch& scratch) const;
  void bound_projections(std::span<const config::SignalValue> values, Missing missing,
                         Scratch& scratch) const;
  ScoreTrace trace_score(size_t score, std::span<const config::SignalValue> values,
                         const Scratch& scratch) const;
  void want_signal(std::span<const config::SignalValue> values, config::SignalId id,
                   Scratch& scratch) const;
  void want_score(std::span<const config::SignalValue> values, uint16_t score,
                  Scratch& scratch) const;
  void want_rule(std::span<const config::SignalValue> values, const config::RuleNode& rule,
                 bool match_only, Scratch& scratch) const;

  std::shared_ptr<const config::Config> config_;
  std::vector<int> partition_of_;    // by SignalId, -1 = none
  std::vector<uint16_t> name_rank_;  // by decision index: position in name order
};

// Bound of a rule over the bounds of signals. Empty AND matches with confidence 0.
Bound bound_rule(const config::RuleNode& rule, std::span<const Bound> signals);

// Confidence of an emitted mapping output: logistic of slope times the distance from `score` to
// the nearest bound of the output; 1 when it has no bound.
double band_confidence(const config::Predicate& bounds, double score, double slope);

}  // namespace vsr::policy
