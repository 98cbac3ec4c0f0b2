#pragma once

// What was recorded beside what would have been decided: counts, changed decisions, switches, and
// money under one cache model for both sides, by conversation, with intervals by resampling of
// conversations. Turns go in one by one in the order of time. One thread.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "counterfactual/walk.h"
#include "json/writer.h"
#include "learning/prefix_cache.h"
#include "store/delivery.h"

namespace vsr::counterfactual {

constexpr size_t kExamplesMax = 100;
constexpr size_t kChangesMax = 1000;  // pairs from → to in one matrix
constexpr size_t kResamples = 1000;
constexpr uint64_t kResampleSeed = 20'240'601;

struct Interval {
  double low = 0;
  double high = 0;
};
// 95 % of the sums over as many conversations as there are, drawn with replacement; by the same
// draws for every list, which all have one length. Deterministic.
std::vector<Interval> bootstrap(const std::vector<std::vector<double>>& lists);

class Comparison {
 public:
  // Prices and times to live of caches are those of `config` for both sides.
  explicit Comparison(std::shared_ptr<const config::Config> config);

  void add(const Turn& turn, const Outcome& outcome);
  void write(json::JsonWriter& out);

 private:
  using Matrix = std::map<std::pair<std::string, std::string>, uint64_t>;
  struct Side {
    std::string decision, model, action, reason;
    bool is_switch = false;
  };
  struct Example {
    std::string id;
    Side before, after;
  };
  // Sums of one conversation.
  struct Sums {
    double switches_before = 0, switches_after = 0;
    double cost_before = 0, cost_after = 0;
    std::vector<double> always;  // by priced model
  };

  static Side side_of(const store::Summary& summary);
  void compare(const Turn& turn, const Side& before, const Side& after);
  void add_cost(const store::Summary& summary, config::ModelId before, config::ModelId after,
                Sums& sums);
  bool is_priced(config::ModelId model) const;
  void note_unpriced(const store::Summary& summary, config::ModelId before, config::ModelId after);
  void write_unpriced(json::JsonWriter& out) const;
  void write_counts(json::JsonWriter& out) const;
  void write_changes(json::JsonWriter& out) const;
  void write_unsafe(json::JsonWriter& out);
  void write_money(json::JsonWriter& out) const;
  void write_draws(json::JsonWriter& out) const;

  const std::shared_ptr<const config::Config> config_;
  std::string currency_;                 // that of most models; others count as unpriced
  std::vector<config::ModelId> priced_;  // models of it
  std::map<std::string, uint64_t> causes_;
  std::map<std::string, uint64_t> policy_versions_;
  uint64_t read_ = 0, matched_ = 0, replayable_ = 0, refused_ = 0;
  uint64_t decisions_changed_ = 0, models_changed_ = 0, outcomes_changed_ = 0;
  uint64_t costed_ = 0, unpriced_ = 0;
  Matrix unpriced_models_;  // (model, why) → records
  Matrix decisions_, models_;
  std::vector<Example> examples_;
  std::map<std::string, Sums> conversations_;
  store::Deliveries before_deliveries_, after_deliveries_;
  learning::PrefixCache before_cache_, after_cache_;
};

}  // namespace vsr::counterfactual
