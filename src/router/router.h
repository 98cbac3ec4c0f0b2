#pragma once

// Joins signals, policy and learning: a request becomes a Decision. One Router per recipe, shared
// by all loops, thread-safe; what it remembers of conversations is in a LearningState that outlives
// it. Does no I/O; the clock is read for timings only, never for a decision.

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "learning/session_map.h"
#include "nn/head_bank.h"
#include "policy/plan.h"
#include "policy/select.h"
#include "router/decision.h"
#include "router/model_fit.h"
#include "router/request.h"
#include "router/request_facts.h"
#include "signals/engine.h"
#include "signals/message_cache.h"

namespace vsr::router {

// What learning knows, across recipes, reloads and restarts. Records of every kCheckpointEvery-th
// decision keep the shared counts, so that a replay may begin in the middle; so does the one behind
// an operation of a session that is older than the process, which no replay can repeat.
constexpr uint64_t kCheckpointEvery = 64;
struct LearningState {
  explicit LearningState(double ttl_seconds) : sessions(ttl_seconds) {}
  learning::SessionMap sessions;
  std::mutex shared_mutex;
  learning::SharedCounts shared;  // of the recipe with `shared_tables`
  uint64_t shared_tables = 0;
  bool checkpoint_is_due = false;  // under shared_mutex too

  // Those of a recipe, which begin anew when it has other models. Under shared_mutex.
  learning::SharedCounts& counts_of(uint64_t tables_id) {
    if (shared_tables != tables_id) shared = {};
    shared_tables = tables_id;
    return shared;
  }
};

// Whether that endpoint of the model may serve; null: it may.
using EndpointHealth = std::function<bool(config::ModelId, uint64_t endpoint)>;

// Where a request comes from and what the backends look like now.
struct Origin {
  std::function<std::string_view(std::string_view)> header;  // "" if absent
  uint64_t api_key_hash = 0;
  std::string_view api_key_name;
  UnixMillis unix_ms = 0;
  std::vector<policy::ModelState> models;  // by ModelId
  EndpointHealth endpoint_healthy;
  bool evaluate_all = false;  // every signal, not only those that matter
  bool dry_run = false;       // no state changes: for /api/v1/eval
  // kKnown gives a Decision that is not finished when it wants_encoding(): encode() takes
  // milliseconds, so do it on a compute pool, and then decide again.
  signals::Encoding encoding = signals::Encoding::kNow;
};

// What is known of a recorded request. Views live as long as the call.
struct Known {
  const RequestFacts& facts;
  // By SignalId of this recipe; entries that are not evaluated are asked for if they matter.
  std::span<const config::SignalValue> values;
  // What the algorithm of the decision had chosen by meaning, and under which fingerprint.
  uint64_t fit_fingerprint = 0;
  config::ModelId fitted = config::kNoModel;
  std::span<const double> fit_scores;  // of the candidates
  // The stored text, and how much of a request it is.
  const signals::Input* input = nullptr;
  signals::Reads reach = signals::Reads::kShape;
};

struct Again {
  Decision decision;
  // A rule or choice could not be told: which, and what it reads. `decision` is then unfinished.
  std::string missing;
  signals::Reads missing_reads = signals::Reads::kShape;
};

class Router {
 public:
  // The error names the rule that does not compile. Parts that are null leave their signals with an
  // error; without `learning` it is off.
  static Result<std::shared_ptr<const Router>> make(std::shared_ptr<const config::Config> config,
                                                    signals::Parts parts,
                                                    std::shared_ptr<LearningState> learning,
                                                    const Clock& clock);

  Decision decide(Request& request, const Origin& origin) const;
  // Puts the vectors of the texts where the next decide() finds them. Safe on any thread.
  Status encode(std::span<const signals::TextToEncode> texts) const;
  // Completions and embeddings: the model named, or the default model; no signals, no learning.
  Decision decide_passthrough(Request& request, const Origin& origin) const;

  // A recorded request decided once more, from its facts and the results that its rules had; what
  // else the decision asks for is evaluated on `known.input` as far as that reaches. Learning is
  // read and changed as by decide().
  Again decide_again(const Known& known) const;
  // The same recipe with other learning and a state of its own.
  std::shared_ptr<const Router> fork(const config::Learning& settings,
                                     std::shared_ptr<LearningState> learning) const;

  // Each gives the number of its operation on what learning remembers, 0 if nothing changed.
  // The first byte of a good answer arrived: the conversation moves. Provider state that nobody
  // claims belongs to the model, and lies at the endpoint, that could answer with it.
  uint64_t commit(const Decision& decision, UnixMillis now, uint64_t endpoint = 0) const;
  // The answer is complete; 0 prompt tokens: the backend did not say.
  uint64_t done(const Decision& decision, uint64_t prompt_tokens, uint64_t completion_tokens,
                UnixMillis now) const;
  // The answer made a tool call, known by its id or by learning::id_hash of that, or carries an
  // opaque item.
  uint64_t add_tool_call(const Decision& decision, std::string_view id, UnixMillis now) const;
  uint64_t add_tool_call(const Decision& decision, uint64_t id_hash, UnixMillis now) const;
  uint64_t add_opaque(const Decision& decision, const wire::OpaqueItem& item, UnixMillis now,
                      uint64_t endpoint = 0) const;

  // By SignalId: of a rule and of the weights that it reads. Equal: the same result.
  std::span<const uint64_t> fingerprints() const { return engine_->fingerprints(); }
  // Of how `decision` chooses by meaning among `selection`'s candidates; 0 if it does not.
  uint64_t fit_fingerprint(const config::Decision& decision,
                           const policy::Selection& selection) const;

  // Everything about a decision's signals and rules, computed again from its values.
  policy::Explanation explain(const Decision& decision) const;

  const config::Config& config() const { return *config_; }
  const learning::Tables& tables() const { return *tables_; }

 private:
  Router(std::shared_ptr<const config::Config> config,
         std::shared_ptr<const signals::Engine> engine, std::shared_ptr<nn::Vectors> vectors,
         ModelFit model_fit, std::shared_ptr<LearningState> learning, const Clock& clock);

  // From decision.facts, which are there already.
  bool resolve_model(Decision& decision) const;
  bool refuse_too_long(Decision& decision) const;
  void find_identity(Decision& decision, const Request& request, const Origin& origin) const;
  void evaluate(Decision& decision, const Request& request, const Origin& origin) const;
  // Asks the plan what is missing until nothing is; false to stop early.
  using Stage = std::function<bool(std::span<const config::SignalId>)>;
  bool evaluate_needed(const signals::Values& values, const Stage& evaluate) const;
  void find_winner(Decision& decision) const;
  // True if the algorithm compares meanings, so that fit_models() has to follow.
  bool select(Decision& decision) const;
  // The text of the prompt may have to be encoded first.
  void fit_models(Decision& decision, std::string_view prompt, signals::Encoding encoding) const;
  // False with what is missing in `out`.
  bool evaluate_again(const Known& known, Again& out) const;
  bool fit_again(const Known& known, Again& out) const;
  void finish(Decision& decision, bool dry_run, const EndpointHealth& endpoint_healthy) const;
  // `origins`: of each item of provider state in the request.
  void learn(Decision& decision, bool dry_run, std::vector<learning::Origin>& origins) const;
  void settle_model(Decision& decision) const;
  void settle_state(Decision& decision, std::span<const learning::Origin> origins,
                    const EndpointHealth& endpoint_healthy) const;
  learning::Origin origin_of(const Decision& decision, uint64_t item, UnixMillis now,
                             uint64_t endpoint) const;
  void settle_reasoning(Decision& decision) const;
  void note_matches(Decision& decision, const Request& request) const;
  static void note_private_values(Decision& decision, const Request& request);
  learning::Facts learning_facts(const Decision& decision) const;

  const std::shared_ptr<const config::Config> config_;
  const policy::Plan plan_;
  const std::shared_ptr<const signals::Engine> engine_;
  const std::shared_ptr<nn::Vectors> vectors_;
  const ModelFit model_fit_;
  const std::shared_ptr<const learning::Tables> tables_;
  const std::shared_ptr<LearningState> learning_;
  const Clock& clock_;
  std::vector<config::SignalId> private_signals_;  // pii rules
  std::vector<config::ModelId> candidates_;        // that a decision or the default may choose
  uint64_t context_tokens_max_ = 0;                // of the largest of them
};

}  // namespace vsr::router
