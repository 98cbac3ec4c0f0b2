#pragma once

// Choosing a model inside the winning decision: drop the refs that cannot serve the request, score
// the rest, name one base choice. Pure; the state of the backends comes in as values.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace vsr::policy {

// What a request asks of a model.
struct Needs {
  uint64_t context_tokens = 0;  // estimated prompt plus the answer's upper bound, if it names one
  bool tools = false;
  bool images = false;
  bool audio = false;
};

// The two percentiles that are measured; 0 until something was.
struct Latency {
  double p50_ms = 0;
  double p95_ms = 0;
  bool operator==(const Latency&) const = default;
  // The nearer of the two to `percentile` (0..100).
  double at(double percentile) const;
};

// What the gateway knows of a model's backends now.
struct ModelState {
  bool healthy = true;  // at least one endpoint may be tried
  uint32_t in_flight = 0;
  Latency ttft;  // time to the first token
  Latency tpot;  // time per output token after the first
};

enum class DropReason : uint8_t { kNone, kContextTooSmall, kModality, kTools, kUnhealthy };
std::string_view to_string(DropReason reason);

struct Candidate {
  uint16_t ref = 0;  // index into Decision::refs
  config::ModelId model = config::kNoModel;
  double score = 0;
};
struct Dropped {
  config::ModelId model = config::kNoModel;
  DropReason reason = DropReason::kNone;
};

enum class SelectionStatus : uint8_t {
  kSelected,
  kFallback,     // no ref can serve; the default model can
  kUnavailable,  // nothing can: 503 naming why
  kTooLong,      // nothing can because of the context: 400 context_length_exceeded
};
std::string_view to_string(SelectionStatus status);

struct Selection {
  SelectionStatus status = SelectionStatus::kUnavailable;
  config::ModelId model = config::kNoModel;  // the base choice
  std::vector<Candidate> candidates;         // in the order of the refs
  std::vector<Dropped> dropped;
  std::string note;  // why the algorithm could not choose and the first candidate serves
};

// Why `model` cannot serve, kNone if it can. A model without a context window or capabilities
// listed is assumed to fit.
DropReason cannot_serve(const config::Model& model, const Needs& needs, const ModelState& state);

// `states` is indexed by ModelId. A decision with mode bypass has no fallback: if none of its refs
// can serve, the answer is kUnavailable or kTooLong, never another model.
Selection select_model(const config::Config& config, const config::Decision& decision,
                       const Needs& needs, std::span<const ModelState> states);

// Whether the algorithm asks how the prompt compares with texts, and there is something to choose.
bool compares_meanings(const config::Decision& decision, const Selection& selection);
// Chooses again by `fit`, one value per ref of the decision; the earlier ref among equals. Without
// one that is above 0 and at least `least` the first candidate stays, and the note says so.
void choose_by_fit(std::span<const double> fit, double least, Selection& selection);

// For requests that no decision matched: the default model, under the same checks.
Selection select_default(const config::Config& config, const Needs& needs,
                         std::span<const ModelState> states);

}  // namespace vsr::policy
