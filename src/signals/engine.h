#pragma once

// The signals of a recipe, compiled. Made once per Config, shared by all loops; evaluation is const
// and works in a Scratch that each thread (or request) owns. A request is evaluated in stages:
//
//   engine.start(input, scratch, values);
//   while (plan.needed(values.signals, …, wanted), !wanted.empty())
//     engine.evaluate(input, cheapest of wanted, scratch, values);
//
// Work that rules share (one pass of all patterns, one tokenisation, one pass of the linear models,
// the reading of a message) is done at most once per request whatever the stages. No I/O; reads the
// clock only for Values::microseconds. Limit: kPatternMemoryMax (patterns.h).

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "config/diagnostics.h"
#include "nn/head_bank.h"
#include "signals/input.h"
#include "signals/values.h"

namespace vsr::nn {
class TextClassifier;
class Vectors;
}  // namespace vsr::nn

namespace vsr::signals {

class MessageCache;

// What signals read beside the recipe. All may be null: rules that need a missing part carry an
// error; without a clock no time is taken.
struct Parts {
  std::shared_ptr<const nn::HeadBank> heads;
  std::shared_ptr<nn::Vectors> vectors;
  std::shared_ptr<MessageCache> cache;
  const Clock* clock = nullptr;  // outlives the engine
};

// Whether any rule reads what the encoder says, so that Parts::vectors is worth loading.
bool needs_vectors(const config::SignalRules& rules);

// A problem without the name of its file.
struct RuleProblem {
  config::Position position;
  std::string message;
  config::Severity severity = config::Severity::kError;
  std::string_view path = "routing.signals";
};
// Everything wrong with the rules that the key table cannot tell: bad regular expressions, empty
// keyword lists, unknown types of personal data, and texts that the encoder cannot compare. For
// `validate`; compile() refuses a recipe with an error among them.
std::vector<RuleProblem> check_rules(const config::Config& config);

struct HeadReading {
  nn::HeadScores heads;
  double attack = 0;
};

// 0 is cheapest: patterns, structure, context, conversation; 1 language, BM25, n-grams, fuzzy
// words; 2 recognisers of personal data and secrets; 3 linear models; 4 sentence encoder,
// the trained heads too where it has some.
using CostClass = uint8_t;
constexpr CostClass kCostClasses = 5;

// Memory of one evaluation. Opaque; reusable after start(), by one thread at a time.
class Scratch {
 public:
  struct State;  // evaluation.h, internal to the room

  Scratch();
  ~Scratch();
  Scratch(Scratch&&) noexcept;
  Scratch& operator=(Scratch&&) noexcept;

 private:
  friend class Engine;
  std::unique_ptr<State> state_;
};

// How much of a request a rule reads; each includes those before.
enum class Reads : uint8_t {
  kShape,     // lengths and counts
  kPrompt,    // the last real user message
  kMessages,  // the whole body
  kRequest,   // headers or the API key too
};

class Engine {
 public:
  // The first problem of check_rules as the error, with file:line:column.
  static Result<std::shared_ptr<const Engine>> compile(std::shared_ptr<const config::Config> config,
                                                       Parts parts);
  ~Engine();

  // Forgets the request before and prepares for this one.
  void start(const Input& input, Scratch& scratch, Values& values) const;
  // Evaluates those of `wanted` that are not evaluated yet. Same input as start().
  void evaluate(const Input& input, std::span<const config::SignalId> wanted, Scratch& scratch,
                Values& values) const;
  // start() and every signal but projections.
  void evaluate_all(const Input& input, Scratch& scratch, Values& values) const;

  // The trained heads of a request and P(attack) over all that a rule with include_history reads,
  // on the spot. Errors: kUnavailable without weights, and what the encoder says.
  Result<HeadReading> read_heads(const Input& input, Scratch& scratch) const;
  // Null without weights.
  const nn::TextClassifier* classifier() const;

  CostClass cost_class(config::SignalId signal) const;
  Reads reads(config::SignalId signal) const;
  // By SignalId: of the rule and of the weights that it reads. Equal: the same result for the same
  // request.
  std::span<const uint64_t> fingerprints() const;
  // Of what history rules look for; part of the cache key.
  uint64_t rules_version() const;

  struct Compiled;  // compiled.h, internal to the room

 private:
  explicit Engine(std::unique_ptr<const Compiled> compiled);
  std::unique_ptr<const Compiled> compiled_;
};

}  // namespace vsr::signals
