#pragma once

// The stored text of recorded requests, for rules that have to be evaluated anew: fetched one at a
// time, and only what is there whole and not redacted. One thread; at most one request is held.

#include <string>
#include <vector>

#include "router/facts_cache.h"
#include "router/request.h"
#include "router/request_facts.h"
#include "signals/engine.h"
#include "store/replay.h"

namespace vsr::counterfactual {

class Texts {
 public:
  explicit Texts(store::Replay& replay) : replay_(replay) {}

  // Lengths and counts alone, from the facts of the record.
  const signals::Input& shape(const router::RequestFacts& facts);
  // All that is there, up to what reads `reads`; `reach` says how much that is, and `problem` why
  // it is not more. The views live until the next call.
  const signals::Input& text(const Id128& id, const router::RequestFacts& facts,
                             signals::Reads reads, signals::Reads& reach,
                             std::string_view& problem);

 private:
  store::Replay& replay_;
  std::string prompt_;
  std::string body_;
  std::string api_key_name_;
  router::Request request_;
  router::FactsCache facts_;
  std::vector<signals::Message> messages_;
  signals::Input input_;
};

}  // namespace vsr::counterfactual
