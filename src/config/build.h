#pragma once

// From a checked document to a Config, one part of the recipe per function and source file, in the
// order in which the parts name each other. Used once per load, by load.cc; knows the rules between
// keys that the key table cannot express, and reports what breaks them.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/scalar.h"
#include "config/view.h"

namespace vsr::config {

// What is being built, and the words for what is wrong with it.
struct Build {
  Config& config;
  Diagnostics& out;
  const Environment& environment;

  void error(const View& at, std::string message, std::string found = {}, std::string allowed = {});
  void warn(const View& at, std::string message, std::string found = {}, std::string allowed = {});
  // A text that must be there; "" (and an error) if it is absent or empty.
  std::string required(const View& view);
  // "unknown WHAT "NAME"; did you mean …?", or with all that are known.
  void unknown(const View& at, std::string_view what, std::string_view name,
               const std::vector<std::string_view>& known);
  // The model whose name is at `at`; kNoModel and an error if there is none.
  ModelId model(const View& at);
};

// Names that may be given once; remembers where.
class Names {
 public:
  explicit Names(std::string what) : what_(std::move(what)) {}
  // The required name under `view["name"]`; "" (and an error) if absent or taken.
  std::string take(Build& build, const View& view);

 private:
  std::string what_;
  std::map<std::string, int, std::less<>> lines_;
};

void build_listeners(Build& build, const View& list);
// Joins providers.models with routing.modelCards.
void build_models(Build& build, const View& providers, const View& cards);
void build_backends(Build& build, const View& list, Model& model);
// Before the signals, whose thresholds default to these.
void build_thresholds(Build& build, const View& model_catalog);
void build_signals(Build& build, const View& signals);
void build_projections(Build& build, const View& projections);
void build_global(Build& build, const View& global);
// Learning but for the ladder, whose default needs the decisions.
void build_learning(Build& build, const View& learning);
void build_adaptation(Build& build, const View& adaptations, Adaptation& adaptation);
void build_decisions(Build& build, const View& routing, const View& router);
void build_plugins(Build& build, const View& list, Decision& decision);
// After the refs of the decision.
void build_algorithm(Build& build, const View& view, Decision& decision);
void build_ladder(Build& build, const View& list);
void build_auto_names(Build& build, const View& router, const View& entrypoints);

// Shared by the rule types and mapping outputs that have bounds.
Predicate read_predicate(Build& build, const View& view);
// The same of a rule, where a predicate without bounds would match whatever is there.
Predicate read_rule_predicate(Build& build, const View& view);
std::vector<std::string_view> signal_names(const Config& config, SignalType type);

}  // namespace vsr::config
