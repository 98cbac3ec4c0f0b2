#include "router/router.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "base/strings.h"
#include "nn/vectors.h"
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

double seconds(UnixMillis time) { return static_cast<double>(time) * 1e-3; }

wire::ApiError unknown_model(const config::Config& config, std::string_view requested) {
  std::vector<std::string_view> known(config.auto_names.begin(), config.auto_names.end());
  for (const config::Model& model : config.models) known.push_back(model.name);
  const std::string_view near = nearest(requested, known);
  return {400, "model_not_found", "model",
          fmt::format("there is no model {}{}; /v1/models lists what there is", requested,
                      near.empty() ? "" : fmt::format(" (did you mean {}?)", near))};
}

wire::ApiError cannot_serve(const Decision& decision) {
  const policy::Selection& selection = decision.selection;
  std::string why;
  for (const policy::Dropped& dropped : selection.dropped) {
    if (!why.empty()) why += ", ";
    why += fmt::format("{}: {}", decision.config->models[dropped.model].name,
                       policy::to_string(dropped.reason));
  }
  if (selection.status == policy::SelectionStatus::kTooLong) {
    return {400, "context_length_exceeded", "messages",
            fmt::format("the request has about {} tokens, more than any model that may serve it "
                        "takes ({})",
                        decision.facts.needs.context_tokens, why)};
  }
  return {503, "no_healthy_endpoint", "",
          fmt::format("no model that may serve this request can be used now ({}); try again", why)};
}

uint32_t at_most_32_bits(uint64_t value) {
  return static_cast<uint32_t>(std::min<uint64_t>(value, UINT32_MAX));
}

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

wire::ApiError lock_unavailable(const Decision& decision, std::string_view where) {
  return {
      503, "no_healthy_endpoint", "",
      fmt::format("this turn belongs to {}, which cannot be used now{} ({}); try again",
                  decision.config->models[decision.model].name, where, decision.verdict.reason)};
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

learning::Facts Router::learning_facts(const Decision& decision) const {
  const RequestFacts& request = decision.facts;
  const config::Decision* rule = decision.rule();
  const config::Scope scope = rule != nullptr ? rule->adaptation.scope : config_->learning.scope;
  learning::Facts facts;
  facts.has_identity =
      scope == config::Scope::kSession ? request.session_key != 0 : request.conversation_key != 0;
  facts.tool_loop = request.tool_loop;
  facts.pending_call_hashes = request.pending_calls;
  facts.provider_state = request.provider_state;
  facts.auxiliary_class = request.auxiliary_class;
  facts.lineage_hash = request.lineage_hash;
  facts.system_hash = request.system_hash;
  facts.tool_count = request.tool_count;
  facts.step.t = seconds(request.unix_ms);
  facts.step.length = at_most_32_bits(request.needs.context_tokens);
  facts.step.user_tokens = request.user_tokens;
  facts.step.tool = request.tool_loop;
  facts.step.prefix_hashes = request.prefix_hashes;
  facts.step.shared_messages = request.system_messages;
  return facts;
}

void Router::learn(Decision& decision, bool dry_run, std::vector<learning::Origin>& origins) const {
  using Reading = learning::SessionMap::Reading;
  const learning::Facts facts = learning_facts(decision);
  origins.resize(facts.provider_state.size());
  const uint64_t session = decision.facts.session_key;
  const uint64_t conversation = decision.facts.conversation_key;
  decision.handle = {.session_key = session != 0 ? session : conversation,
                     .conversation_key = conversation,
                     .lineage_hash = facts.lineage_hash,
                     .system_hash = facts.system_hash,
                     .tables_id = tables_->id};

  learning::Proposal proposal;
  std::vector<config::ModelId> candidates;
  std::vector<double> scores;
  for (const policy::Candidate& candidate : decision.selection.candidates) {
    candidates.push_back(candidate.model);
    scores.push_back(candidate.score);
  }
  proposal.model = decision.proposal;
  proposal.candidates = candidates;
  proposal.scores = scores;
  proposal.scope = config_->learning.scope;
  proposal.tuning = config_->learning.tuning;
  proposal.explicit_model = decision.explicit_model;
  if (const config::Decision* rule = decision.rule()) {
    proposal.mode = rule->adaptation.mode;
    proposal.scope = rule->adaptation.scope;
    proposal.tuning = rule->adaptation.tuning;
    proposal.pinned = rule->pin;
  }
  learning::Snapshot snapshot;
  {
    // The snapshot too, so that operations have one order over sessions and shared counts.
    const std::lock_guard lock(learning_->shared_mutex);
    snapshot =
        learning_->sessions.snapshot(*tables_, decision.handle, facts, facts.step.t,
                                     dry_run ? Reading::kDryRun : Reading::kNumbered, origins);
    learning::SharedCounts& shared = learning_->counts_of(tables_->id);
    if (decision.handle.order % kCheckpointEvery == 1) {
      decision.shared_before = std::make_shared<const learning::SharedCounts>(shared);
    }
    learning::SharedCounts scratch;
    if (dry_run) scratch = shared;
    decision.verdict = learning::decide(*tables_, config_->learning, dry_run ? scratch : shared,
                                        snapshot, facts, proposal);
  }
  decision.step = facts.step;
  decision.model = decision.verdict.model;
  decision.previous = decision.verdict.previous;
  if (facts.tool_loop) {
    decision.phase = SessionPhase::kToolLoop;
  } else if (std::ranges::any_of(facts.provider_state, &wire::ProviderState::binds)) {
    decision.phase = SessionPhase::kProviderState;
  } else if (snapshot.known) {
    decision.phase = SessionPhase::kUserTurn;
  }
}

// Learning may name a model that cannot serve this request: one that is down, or one that is held
// and too small for it. Of a lock the recipe says what then; otherwise the proposal serves.
void Router::settle_model(Decision& decision) const {
  const RequestFacts& facts = decision.facts;
  if (decision.error || decision.model == config::kNoModel) return;
  learning::Verdict& verdict = decision.verdict;
  if (verdict.provider_state_unavailable) {
    decision.error = wire::ApiError{
        400, "provider_state_unavailable", "messages",
        "the request carries state of a model that is not in the recipe any more; start a new "
        "conversation, or send it without that state"};
    return;
  }
  if (decision.explicit_model) return;
  const bool healthy = facts.models[decision.model].healthy;
  // A tool call or opaque state cannot be moved because of an estimate: its backend says so if it
  // is too long.
  const bool owned = verdict.locked && (decision.phase == SessionPhase::kToolLoop ||
                                        decision.phase == SessionPhase::kProviderState);
  if (healthy &&
      (owned || policy::cannot_serve(config_->models[decision.model], facts.needs,
                                     facts.models[decision.model]) == policy::DropReason::kNone)) {
    return;
  }
  if (owned && config_->learning.on_lock_unavailable != config::OnLockUnavailable::kPortable) {
    decision.error = lock_unavailable(decision, "");
    return;
  }
  if (decision.proposal == config::kNoModel || !facts.models[decision.proposal].healthy) {
    decision.error = cannot_serve(decision);
    return;
  }
  decision.model = verdict.model = decision.proposal;
  verdict.next.cur = tables_->tier_of[decision.proposal];
  if (decision.previous == config::kNoModel || decision.previous == decision.proposal) return;
  if (verdict.action != learning::Action::kSwitch) verdict.next.switches += 1;
  verdict.action = learning::Action::kSwitch;
  verdict.reason = owned ? "switch_allowed:owner_unavailable" : "switch_allowed";
  verdict.locked = false;
}

// What of the provider state goes along, and which endpoint it lies at. An item that another model
// made is of no use to the one that serves and goes out as a whole block; of one that nobody
// remembers the lineage's model is taken for the maker. A request for a named model is sent as it
// came.
void Router::settle_state(Decision& decision, std::span<const learning::Origin> origins,
                          const EndpointHealth& endpoint_healthy) const {
  if (decision.error || decision.model == config::kNoModel || decision.explicit_model ||
      origins.empty()) {
    return;
  }
  const uint64_t served = learning::model_name_hash(config_->models[decision.model].name);
  const bool moved = decision.verdict.bypass ||
                     (decision.previous != config::kNoModel && decision.previous != decision.model);
  const learning::Origin* home = nullptr;
  const std::vector<wire::ProviderState>& state = decision.facts.provider_state;
  for (size_t i = 0; i < state.size(); ++i) {
    const bool known = origins[i].id_hash != 0;
    if (known ? origins[i].model_hash != served : moved) {
      decision.dropped_state.push_back(state[i]);
      continue;
    }
    if (!known) decision.unowned_state.push_back(state[i].item.hash);
    if (known && state[i].binds() && (home == nullptr || origins[i].t > home->t)) {
      home = &origins[i];
    }
  }
  if (home == nullptr || home->endpoint_hash == 0 || !endpoint_healthy) return;
  using enum config::OnLockUnavailable;
  const config::OnLockUnavailable otherwise = config_->learning.on_lock_unavailable;
  if (endpoint_healthy(decision.model, home->endpoint_hash)) {
    decision.endpoint = home->endpoint_hash;
  } else if (otherwise == kFail) {
    decision.error = lock_unavailable(decision, " at the endpoint that holds its state");
  } else if (otherwise == kPortable) {
    for (size_t i = 0; i < state.size(); ++i) {
      if (origins[i].id_hash == 0 || origins[i].endpoint_hash != home->endpoint_hash ||
          origins[i].model_hash != served) {
        continue;
      }
      decision.dropped_state.push_back(state[i]);
    }
  }
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

uint64_t Router::commit(const Decision& decision, UnixMillis now, uint64_t endpoint) const {
  if (!learning_ || decision.verdict.action == learning::Action::kNone) return 0;
  std::vector<learning::Origin> claimed;
  for (const uint64_t item : decision.unowned_state) {
    claimed.push_back(origin_of(decision, item, now, endpoint));
  }
  return learning_->sessions.commit(*tables_, decision.handle, decision.verdict, seconds(now),
                                    claimed);
}

uint64_t Router::done(const Decision& decision, uint64_t prompt_tokens, uint64_t completion_tokens,
                      UnixMillis now) const {
  if (!learning_ || decision.verdict.action == learning::Action::kNone) return 0;
  learning::Step step = decision.step;
  step.t = seconds(now);
  step.prefix_hashes = decision.facts.prefix_hashes;
  const std::lock_guard lock(learning_->shared_mutex);
  if (learning_->shared_tables != tables_->id) return 0;
  return learning_->sessions.done(*tables_, learning_->shared, decision.handle, decision.verdict,
                                  step, at_most_32_bits(prompt_tokens),
                                  at_most_32_bits(completion_tokens));
}

uint64_t Router::add_tool_call(const Decision& decision, std::string_view id,
                               UnixMillis now) const {
  return id.empty() ? 0 : add_tool_call(decision, learning::id_hash(id), now);
}

uint64_t Router::add_tool_call(const Decision& decision, uint64_t id_hash, UnixMillis now) const {
  if (!learning_ || decision.model == config::kNoModel) return 0;
  return learning_->sessions.add_owner(
      decision.handle, id_hash, learning::model_name_hash(config_->models[decision.model].name),
      seconds(now));
}

uint64_t Router::add_opaque(const Decision& decision, const wire::OpaqueItem& item, UnixMillis now,
                            uint64_t endpoint) const {
  if (!learning_ || decision.model == config::kNoModel) return 0;
  return learning_->sessions.add_origin(decision.handle,
                                        origin_of(decision, item.hash, now, endpoint));
}

learning::Origin Router::origin_of(const Decision& decision, uint64_t item, UnixMillis now,
                                   uint64_t endpoint) const {
  return {.id_hash = item,
          .model_hash = learning::model_name_hash(config_->models[decision.model].name),
          .endpoint_hash = endpoint,
          .t = seconds(now),
          .binds = !decision.verdict.bypass};
}

policy::Explanation Router::explain(const Decision& decision) const {
  policy::Scratch scratch;
  return plan_.explain(decision.values.signals, scratch);
}

}  // namespace vsr::router
