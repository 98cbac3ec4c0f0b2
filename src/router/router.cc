#include "router/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/strings.h"
#include "nn/vectors.h"
#include "router/refusal.h"
#include "signals/detect.h"
#include "wire/hash.h"

namespace vsr::router {

namespace {

// Memory of one evaluation; a thread serves one decision at a time.
struct ThreadScratch {
  signals::Scratch signals;
  policy::Scratch policy;
  std::vector<config::SignalId> needed;
  std::vector<config::SignalId> stage;
};
ThreadScratch& thread_scratch() {
  thread_local ThreadScratch scratch;
  return scratch;
}

class Stopwatch {
 public:
  Stopwatch(const Clock& clock, uint32_t& out) : clock_(clock), out_(out), start_(clock.mono()) {}
  ~Stopwatch() {
    out_ = static_cast<uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(clock_.mono() - start_).count());
  }

 private:
  const Clock& clock_;
  uint32_t& out_;
  const MonoTime start_;
};

RequestFacts facts_of(const Request& request, const Origin& origin) {
  const wire::Conversation& conversation = request.conversation();
  RequestFacts out;
  out.unix_ms = origin.unix_ms;
  out.requested_model = request.chat().model;
  out.needs.context_tokens = request.context_tokens();
  out.needs.tools = request.tools().count > 0;
  out.needs.images = conversation.modalities.image;
  out.needs.audio = conversation.modalities.audio || request.chat().asks_for_audio;
  out.user_tokens = at_most_32_bits(request.prompt_tokens());
  out.shape = request.input().conversation;
  out.tool_loop = conversation.tool_loop;
  out.auxiliary_class = origin.header && learning::is_auxiliary_class(origin.header);
  out.tool_count = request.tools().count;
  out.system_messages = conversation.system_messages;
  out.answered_messages = conversation.answered_messages;
  out.lineage_hash = conversation.lineage_hash;
  out.system_hash = conversation.system_hash;
  out.prefix_hashes.assign(conversation.prefix_hashes.begin(), conversation.prefix_hashes.end());
  for (const std::string_view id : conversation.pending_tool_call_ids) {
    out.pending_calls.push_back(learning::id_hash(id));
  }
  out.provider_state.assign(conversation.provider_state.begin(), conversation.provider_state.end());
  out.models = origin.models;
  return out;
}

}  // namespace

std::string_view to_string(SessionPhase phase) {
  switch (phase) {
    case SessionPhase::kNewSession:
      return "new_session";
    case SessionPhase::kUserTurn:
      return "user_turn";
    case SessionPhase::kToolLoop:
      return "tool_loop";
    case SessionPhase::kProviderState:
      return "provider_state";
  }
  return "user_turn";
}

Result<std::shared_ptr<const Router>> Router::make(std::shared_ptr<const config::Config> config,
                                                   signals::Parts parts,
                                                   std::shared_ptr<LearningState> learning,
                                                   const Clock& clock) {
  parts.clock = &clock;
  std::shared_ptr<nn::Vectors> vectors = parts.vectors;
  auto engine = signals::Engine::compile(config, std::move(parts));
  if (!engine) return std::unexpected(engine.error());
  auto model_fit = ModelFit::make(*config, vectors.get());
  if (!model_fit) return std::unexpected(model_fit.error());
  return std::shared_ptr<const Router>(new Router(std::move(config), std::move(*engine),
                                                  std::move(vectors), std::move(*model_fit),
                                                  std::move(learning), clock));
}

Router::Router(std::shared_ptr<const config::Config> config,
               std::shared_ptr<const signals::Engine> engine, std::shared_ptr<nn::Vectors> vectors,
               ModelFit model_fit, std::shared_ptr<LearningState> learning, const Clock& clock)
    : config_(std::move(config)),
      plan_(config_),
      engine_(std::move(engine)),
      vectors_(std::move(vectors)),
      model_fit_(std::move(model_fit)),
      tables_(learning::make_tables(*config_)),
      learning_(config_->learning.enabled && config_->learning.session_aware ? std::move(learning)
                                                                             : nullptr),
      clock_(clock) {
  for (size_t id = 0; id < config_->signals.size(); ++id) {
    if (config_->signals[id].type == config::SignalType::kPii) {
      private_signals_.push_back(static_cast<config::SignalId>(id));
    }
  }
  std::vector<char> is_candidate(config_->models.size(), 0);
  if (config_->default_model != config::kNoModel) is_candidate[config_->default_model] = 1;
  for (const config::Decision& decision : config_->decisions) {
    for (const config::ModelRef& ref : decision.refs) is_candidate[ref.model] = 1;
  }
  for (config::ModelId model = 0; model < is_candidate.size(); ++model) {
    if (is_candidate[model] == 0) continue;
    candidates_.push_back(model);
    const uint64_t window = config_->models[model].context_window_size;
    context_tokens_max_ = std::max(context_tokens_max_, window == 0 ? UINT64_MAX : window);
  }
  if (candidates_.empty()) context_tokens_max_ = UINT64_MAX;
}

bool Router::resolve_model(Decision& decision) const {
  const std::string_view requested = decision.facts.requested_model;
  decision.config = config_;
  decision.values.clear(config_->signals.size());
  if (requested.empty()) {
    decision.error =
        wire::ApiError{400, "missing_required_parameter", "model",
                       "the body names no model; use \"auto\" to let the recipe choose"};
    return false;
  }
  if (config_->is_auto(requested)) return true;
  const config::ModelId model = config_->find_model(requested);
  if (model == config::kNoModel) {
    decision.error = unknown_model(*config_, requested);
    return false;
  }
  decision.explicit_model = true;
  decision.proposal = decision.model = model;
  decision.selection.status = policy::SelectionStatus::kSelected;
  decision.selection.model = model;
  decision.selection.candidates = {{0, model, 1}};
  if (!decision.facts.models[model].healthy) {
    decision.selection.dropped = {{model, policy::DropReason::kUnhealthy}};
    decision.selection.status = policy::SelectionStatus::kUnavailable;
    decision.error = cannot_serve(decision);
  }
  return true;
}

Decision Router::decide_passthrough(Request& request, const Origin& origin) const {
  Decision decision;
  decision.facts = facts_of(request, origin);
  if (!resolve_model(decision) || decision.explicit_model) return decision;
  decision.selection = policy::select_default(*config_, {}, origin.models);
  decision.proposal = decision.model = decision.selection.model;
  if (decision.model == config::kNoModel) decision.error = cannot_serve(decision);
  return decision;
}

Decision Router::decide(Request& request, const Origin& origin) const {
  Decision decision;
  decision.facts = facts_of(request, origin);
  if (!resolve_model(decision)) return decision;
  find_identity(decision, request, origin);
  if (!origin.evaluate_all && refuse_too_long(decision)) return decision;
  evaluate(decision, request, origin);
  if (decision.wants_encoding()) return decision;
  if (!decision.error && select(decision)) {
    fit_models(decision, request.prompt(), origin.encoding);
    if (decision.wants_encoding()) return decision;
  }
  finish(decision, origin.dry_run, origin.endpoint_healthy);
  note_matches(decision, request);
  return decision;
}

// From a selection to the model that serves.
void Router::finish(Decision& decision, bool dry_run,
                    const EndpointHealth& endpoint_healthy) const {
  if (!decision.error && !decision.explicit_model) {
    decision.proposal = decision.selection.model;
    if (decision.proposal == config::kNoModel) decision.error = cannot_serve(decision);
  }
  std::vector<learning::Origin> origins;
  if (!decision.error && learning_) {
    const Stopwatch stopwatch(clock_, decision.timings.learning_us);
    learn(decision, dry_run, origins);
  } else if (!decision.error) {
    decision.model = decision.proposal;
  }
  if (decision.affinity == 0) decision.affinity = decision.facts.lineage_hash;
  settle_model(decision);
  settle_state(decision, origins, endpoint_healthy);
  settle_reasoning(decision);
}

// Signals of a request that no model can hold are never read: they take seconds, and whatever they
// say the answer is the same.
bool Router::refuse_too_long(Decision& decision) const {
  if (decision.explicit_model || decision.facts.needs.context_tokens <= context_tokens_max_)
    return false;
  decision.selection.status = policy::SelectionStatus::kTooLong;
  for (const config::ModelId model : candidates_) {
    decision.selection.dropped.push_back({model, policy::DropReason::kContextTooSmall});
  }
  decision.error = cannot_serve(decision);
  decision.is_private = true;  // nobody has looked
  return true;
}

void Router::find_identity(Decision& decision, const Request& request, const Origin& origin) const {
  learning::IdentityInput input;
  input.header = origin.header;
  input.api_key_hash = origin.api_key_hash;
  input.prompt_cache_key = request.chat().prompt_cache_key;
  input.metadata_user_id = request.chat().metadata_user_id;
  input.system_hash = request.conversation().system_hash;
  input.first_user_hash = request.conversation().first_user_hash;
  input.user = request.chat().user;
  input.last_real_user_index = request.conversation().last_real_user;
  decision.identity = learning::find_identity(config_->learning, input);
  decision.affinity = decision.identity.conversation_key;
  decision.facts.session_key = decision.identity.session_key;
  decision.facts.conversation_key = decision.identity.conversation_key;
}

// Cheapest first, and only what can still change the winner or its confidence. Rules about privacy
// are always evaluated: they decide what may be stored.
void Router::evaluate(Decision& decision, const Request& request, const Origin& origin) const {
  ThreadScratch& scratch = thread_scratch();
  signals::Input input = request.input();
  input.encoding = origin.encoding;
  input.header = origin.header ? &origin.header : nullptr;
  input.api_key_name = origin.api_key_name;
  {
    const Stopwatch stopwatch(clock_, decision.timings.signals_us);
    engine_->start(input, scratch.signals, decision.values);
    if (origin.evaluate_all) {
      engine_->evaluate_all(input, scratch.signals, decision.values);
      decision.complete = true;
    } else if (!decision.explicit_model) {
      const auto evaluate_stage = [&](std::span<const config::SignalId> stage) {
        engine_->evaluate(input, stage, scratch.signals, decision.values);
        return !decision.wants_encoding();
      };
      // By reference: a std::function of its own would take memory from the heap.
      if (!evaluate_needed(decision.values, std::cref(evaluate_stage))) return;
    }
    engine_->evaluate(input, private_signals_, scratch.signals, decision.values);
  }
  if (decision.explicit_model) return;
  const Stopwatch stopwatch(clock_, decision.timings.decision_us);
  find_winner(decision);
}

bool Router::evaluate_needed(const signals::Values& values, const Stage& evaluate) const {
  ThreadScratch& scratch = thread_scratch();
  for (;;) {
    plan_.needed(values.signals, scratch.policy, scratch.needed);
    if (scratch.needed.empty()) return true;
    signals::CostClass cheapest = signals::kCostClasses;
    for (const config::SignalId id : scratch.needed) {
      cheapest = std::min(cheapest, engine_->cost_class(id));
    }
    scratch.stage.clear();
    for (const config::SignalId id : scratch.needed) {
      if (engine_->cost_class(id) == cheapest) scratch.stage.push_back(id);
    }
    if (!evaluate(scratch.stage)) return false;
  }
}

void Router::find_winner(Decision& decision) const {
  policy::Scratch& scratch = thread_scratch().policy;
  const policy::Winner winner = plan_.winner(decision.values.signals, scratch);
  decision.decision = winner.decision;
  decision.confidence = winner.confidence;
  for (size_t id = 0; id < config_->signals.size(); ++id) {
    if (config_->signals[id].type != config::SignalType::kProjection) continue;
    const policy::Bound& bound = scratch.signals[id];
    config::SignalValue& value = decision.values.signals[id];
    value.matched = bound.match == policy::Tri::kTrue;
    value.confidence = bound.confidence.lo;
  }
}

Status Router::encode(std::span<const signals::TextToEncode> texts) const {
  if (!vectors_) return fail(ErrorCode::kUnavailable, "there is no encoder");
  std::vector<float> vector(vectors_->dims());
  nn::EncoderColumns columns;
  for (const auto& [text, wants_vector, wants_window] : texts) {
    const Status done = !wants_window  ? vectors_->encode(text, vector)
                        : wants_vector ? vectors_->read_both(text)
                                       : vectors_->read_window(text, columns);
    if (!done) return done;
  }
  return {};
}

bool Router::select(Decision& decision) const {
  if (decision.explicit_model) return false;
  const RequestFacts& facts = decision.facts;
  const config::Decision* rule = decision.rule();
  decision.selection = rule != nullptr
                           ? policy::select_model(*config_, *rule, facts.needs, facts.models)
                           : policy::select_default(*config_, facts.needs, facts.models);
  return rule != nullptr && policy::compares_meanings(*rule, decision.selection);
}

void Router::fit_models(Decision& decision, std::string_view prompt,
                        signals::Encoding encoding) const {
  policy::Selection& selection = decision.selection;
  if (!vectors_) {
    selection.note = "no encoder";
    return;
  }
  std::vector<float> vector(vectors_->dims());
  if (!vectors_->find(prompt, vector)) {
    if (encoding == signals::Encoding::kKnown) {
      decision.values.texts_to_encode.push_back({std::string(prompt), true, false});
      return;
    }
    if (encoding == signals::Encoding::kOff) {
      selection.note = "the encoder did not answer in time";
      return;
    }
    if (const Status done = vectors_->encode(prompt, vector); !done) {
      selection.note = done.error().message;
      return;
    }
  }
  const config::Decision& rule = *decision.rule();
  policy::choose_by_fit(model_fit_.of(rule, decision.decision, vector),
                        rule.algorithm.min_similarity, selection);
}

void Router::settle_reasoning(Decision& decision) const {
  const config::Decision* rule = decision.rule();
  if (rule == nullptr || decision.model == config::kNoModel) return;
  const config::ModelRef* ref = &rule->refs.front();
  for (const config::ModelRef& other : rule->refs) {
    if (other.model == decision.proposal) ref = &other;
  }
  // A held model that is not among the refs takes the settings of the one proposed.
  for (const config::ModelRef& other : rule->refs) {
    if (other.model == decision.model) ref = &other;
  }
  decision.reasoning = ref->use_reasoning;
  decision.effort = ref->reasoning_effort.value_or(config_->default_effort);
}

void Router::note_matches(Decision& decision, const Request& request) const {
  double best = -1;
  bool private_match = false;
  for (size_t id = 0; id < decision.values.signals.size(); ++id) {
    const config::SignalValue& value = decision.values.signals[id];
    if (!value.matched) continue;
    const config::SignalInfo& info = config_->signals[id];
    if (info.type == config::SignalType::kDomain && value.confidence > best) {
      best = value.confidence;
      decision.category = info.name;
    }
    private_match |= info.type == config::SignalType::kPii;
  }
  const config::Decision* rule = decision.rule();
  if (rule != nullptr && rule->capture_raw) return;
  decision.is_private =
      private_match ||
      (rule != nullptr &&
       (rule->replay_redact || rule->adaptation.mode == config::AdaptationMode::kBypass));
  if (decision.is_private) note_private_values(decision, request);
}

void Router::note_private_values(Decision& decision, const Request& request) {
  const std::string_view prompt = request.prompt();
  std::unordered_set<std::string_view> seen;
  size_t count = 0;
  for (const signals::FoundEntity& found : decision.values.entities) {
    if (found.part != 0 || found.message != request.input().prompt_message) continue;
    if (found.entity.end > prompt.size() || found.entity.start >= found.entity.end) continue;
    ++count;
    const std::string_view value =
        prompt.substr(found.entity.start, found.entity.end - found.entity.start);
    if (!seen.insert(value).second) continue;
    decision.private_values.emplace_back(signals::to_string(found.entity.type), value);
  }
  // Behind the last one that is reported there may be more.
  if (count >= signals::kEntitiesMax) decision.private_values.clear();
}

policy::Explanation Router::explain(const Decision& decision) const {
  policy::Scratch scratch;
  return plan_.explain(decision.values.signals, scratch);
}

}  // namespace vsr::router
