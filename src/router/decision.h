#pragma once

// What the router decided about one request, and everything that headers, replay and the operator
// API say about it. Plain values that own what they hold, so that a replay writer may read them
// after the request is over.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "learning/learning.h"
#include "learning/session_map.h"
#include "policy/plan.h"
#include "policy/select.h"
#include "router/request_facts.h"
#include "signals/values.h"
#include "wire/api_error.h"

namespace vsr::router {

enum class SessionPhase : uint8_t { kNewSession, kUserTurn, kToolLoop, kProviderState };
std::string_view to_string(SessionPhase phase);

struct Timings {
  uint32_t parse_us = 0;
  uint32_t encode_us = 0;  // waiting for the encoder, its work included; 0: nothing was encoded
  uint32_t signals_us = 0;
  uint32_t decision_us = 0;
  uint32_t learning_us = 0;
};

struct Decision {
  std::shared_ptr<const config::Config> config;

  // Set when the request cannot be served; the rest then says how far it came.
  std::optional<wire::ApiError> error;

  bool explicit_model = false;
  RequestFacts facts;  // what the decision was made of, beside `values`
  uint16_t decision = policy::kNoDecision;
  double confidence = 0;
  policy::Selection selection;
  config::ModelId proposal = config::kNoModel;
  config::ModelId model = config::kNoModel;  // final
  config::ModelId previous = config::kNoModel;
  std::optional<bool> reasoning;  // absent: the model's default, nothing is spliced
  config::Effort effort = config::Effort::kMedium;

  signals::Values values;  // what was evaluated; `complete` when that is everything
  bool complete = false;
  std::string category;  // domain label of a matched domain rule, "" without one

  learning::Verdict verdict;  // action kNone when learning is off
  learning::SessionMap::Handle handle;
  learning::Step step;  // of the request, for the ledger; its hashes are those of `facts`
  // What was learned of all conversations when this one was decided; of some decisions only, see
  // LearningState.
  std::shared_ptr<const learning::SharedCounts> shared_before;
  learning::Identity identity;
  SessionPhase phase = SessionPhase::kNewSession;
  uint64_t affinity = 0;  // of the conversation, for the choice of an endpoint
  // Items that another model made than the one that serves; they are not sent.
  std::vector<wire::ProviderState> dropped_state;
  std::vector<uint64_t> unowned_state;  // hashes of items that are sent and that nobody remembers
  // The only endpoint that may serve, by BackendSet's hash; 0: any of the model. Provider state
  // lies there.
  uint64_t endpoint = 0;

  // A private decision or a private signal: text is stored with its spans replaced.
  bool is_private = false;
  // Values detected in the prompt, each once, with their types, for finding them in its text; only
  // when private. None where more may have been there than are reported: then nothing of the text
  // may be stored.
  std::vector<std::pair<std::string, std::string>> private_values;
  Timings timings;

  // Texts have to be encoded before the rest can be decided: see Origin::encoding.
  bool wants_encoding() const { return !values.texts_to_encode.empty(); }
  const config::Decision* rule() const {
    return decision == policy::kNoDecision ? nullptr : &config->decisions[decision];
  }
  // The model is a bypass decision's, whether learning is on or not.
  bool is_bypass() const {
    return rule() != nullptr && !explicit_model &&
           rule()->adaptation.mode == config::AdaptationMode::kBypass;
  }
};

}  // namespace vsr::router
