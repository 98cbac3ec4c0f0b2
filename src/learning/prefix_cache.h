#pragma once

// Which part of a prompt a model's backend had cached, told from records alone: the cache model
// under which recorded routing, another policy and one model for everything are compared. A model
// has the prompt and answer of the last request of a lineage that it served, for its time to live,
// as long as every later request went on from the one before; in whole blocks. The same rules as
// the ledger of the expected-cost policy, without the shared system prefix.
//
// One thread. Bounded: of more than kLineagesMax lineages those not seen for longest are forgotten.

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "config/config.h"

namespace vsr::learning {

// One request. Hashes may be keyed, all under one key; lineage 0: not known, so nothing is cached.
struct CacheStep {
  uint64_t lineage = 0;
  uint64_t prefix = 0;  // of all messages
  uint64_t parent = 0;  // of the messages before the last answer; 0: there is none
  double start_s = 0;
  double end_s = 0;  // of the answer
  uint64_t prompt_tokens = 0;
  uint64_t completion_tokens = 0;
};

class PrefixCache {
 public:
  static constexpr size_t kLineagesMax = 65'536;

  // Prompt tokens that are cached if `model` serves the step.
  uint64_t hit(const CacheStep& step, config::ModelId model, double ttl_s) const;
  // The same if one model had served every request before.
  uint64_t hit_of_one(const CacheStep& step, double ttl_s) const;
  void served(const CacheStep& step, config::ModelId model);

 private:
  struct Entry {
    config::ModelId model = config::kNoModel;
    uint64_t tokens = 0;
    double t = 0;
  };
  struct Lineage {
    uint64_t prefix = 0;  // of the last request
    Entry last;
    std::vector<Entry> by_model;
  };
  using Lineages = std::unordered_map<uint64_t, Lineage>;

  // Null unless `step` goes on from the last request of its lineage, or repeats it.
  const Lineage* before(const CacheStep& step) const;
  static uint64_t tokens_of(const Entry& entry, const CacheStep& step, double ttl_s);

  Lineages newer_;
  Lineages older_;  // what was in newer_ when it was half of kLineagesMax
};

// USD, or the model's currency, of a step of which `cached` prompt tokens were cached. What was
// not is written to the cache, at the price for that where the model has one.
double cost_under_cache(const config::Model& model, const CacheStep& step, uint64_t cached);

}  // namespace vsr::learning
