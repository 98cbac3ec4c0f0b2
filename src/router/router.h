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
#include "signals/engine.h"
#include "signals/message_cache.h"

namespace vsr::router {

// What learning knows, across recipes and reloads.
struct LearningState {
  explicit LearningState(double ttl_seconds) : sessions(ttl_seconds) {}
  learning::SessionMap sessions;
  std::mutex shared_mutex;
  learning::SharedCounts shared;  // of the recipe with `shared_tables`
  uint64_t shared_tables = 0;
};

// Where a request comes from and what the backends look like now.
struct Origin {
  std::function<std::string_view(std::string_view)> header;  // "" if absent
  uint64_t api_key_hash = 0;
  std::string_view api_key_name;
  UnixMillis unix_ms = 0;
  std::vector<policy::ModelState> models;  // by ModelId
  bool evaluate_all = false;               // every signal, not only those that matter
  bool dry_run = false;                    // no state changes: for /api/v1/eval
  // kKnown gives a Decision that is not finished when it wants_encoding(): encode() takes
  // milliseconds, so do it on a compute pool, and then decide again.
  signals::Encoding encoding = signals::Encoding::kNow;
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

  // The first byte of a good answer arrived: the conversation moves.
  void commit(const Decision& decision, UnixMillis now) const;
  // The answer is complete; 0 prompt tokens: the backend did not say.
  void done(const Decision& decision, uint64_t prompt_tokens, uint64_t completion_tokens,
            UnixMillis now) const;
  // The answer made a tool call, or carries an opaque item.
  void add_tool_call(const Decision& decision, std::string_view id, UnixMillis now) const;
  void add_opaque(const Decision& decision, const wire::OpaqueItem& item, UnixMillis now) const;

  // Everything about a decision's signals and rules, computed again from its values.
  policy::Explanation explain(const Decision& decision) const;

  const config::Config& config() const { return *config_; }
  const learning::Tables& tables() const { return *tables_; }

 private:
  Router(std::shared_ptr<const config::Config> config,
         std::shared_ptr<const signals::Engine> engine, std::shared_ptr<nn::Vectors> vectors,
         ModelFit model_fit, std::shared_ptr<LearningState> learning, const Clock& clock);

  bool resolve_model(Decision& decision, std::string_view requested, const Origin& origin) const;
  bool refuse_too_long(Decision& decision) const;
  void find_identity(Decision& decision, const Request& request, const Origin& origin) const;
  void evaluate(Decision& decision, const Request& request, const Origin& origin) const;
  void select(Decision& decision, const Request& request, const Origin& origin) const;
  // Where the algorithm compares meanings; the text of the prompt may have to be encoded first.
  void fit_models(Decision& decision, const Request& request, const Origin& origin) const;
  void learn(Decision& decision, const Request& request, const Origin& origin) const;
  void settle_model(Decision& decision, const Request& request, const Origin& origin) const;
  void settle_reasoning(Decision& decision) const;
  void note_matches(Decision& decision, const Request& request) const;
  static void note_private_values(Decision& decision, const Request& request);
  learning::Facts facts_of(const Decision& decision, const Request& request, const Origin& origin,
                           std::vector<uint64_t>& calls,
                           std::vector<wire::OpaqueItem>& items) const;

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
