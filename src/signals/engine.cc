#include "signals/engine.h"

#include "signals/evaluation.h"

namespace vsr::signals {

using config::SignalId;
using config::SignalType;

std::string_view reason_of(const SignalError& error) {
  std::string_view why = error.message;
  if (why.starts_with(kByNgrams)) why.remove_prefix(kByNgrams.size());
  if (why == kEncoderBusy) return "timeout";
  if (why == kNoEncoder || why == kNoWeights) return "unavailable";
  return why == kUnread ? "unread" : "failed";
}

void Values::clear(size_t signal_count) {
  signals.assign(signal_count, {});
  evidence.clear();
  errors.clear();
  entities.clear();
  language = {};
  language_confidence = 0;
  context_tokens = 0;
  texts_to_encode.clear();
  microseconds.fill(0);
  messages_cached = messages_read = 0;
}

Scratch::Scratch() : state_(std::make_unique<State>()) {}
Scratch::~Scratch() = default;
Scratch::Scratch(Scratch&&) noexcept = default;
Scratch& Scratch::operator=(Scratch&&) noexcept = default;

void Engine::start(const Input& input, Scratch& scratch, Values& values) const {
  values.clear(compiled_->config->signals.size());
  values.context_tokens = input.context_tokens;
  Scratch::State& s = *scratch.state_;
  s.patterns.reset(compiled_->patterns, input.prompt);
  s.views_done = s.words_done = s.phrases_done = s.entities_done = s.failed = false;
  s.heads_by_ngrams = s.attack_by_ngrams = false;
  s.vector_state = s.heads_state = s.attack_state = s.history_attack_state = VectorState::kUnknown;
  s.similarities_done = false;
  s.kb_scores.clear();
  s.history_vectors_state = VectorState::kUnknown;
  s.history_words_done = s.history_entities_done = false;
  s.nanoseconds.fill(0);
  s.results.assign(input.messages.size(), nullptr);
  s.looked_up.assign(input.messages.size(), 0);
  s.read.assign(input.messages.size(), 0);
  s.texts.assign(input.messages.size(), {});
}

void Engine::evaluate(const Input& input, std::span<const SignalId> wanted, Scratch& scratch,
                      Values& values) const {
  Evaluation evaluation(*compiled_, input, *scratch.state_, values);
  const Clock* clock = compiled_->parts.clock;
  MonoTime before = clock != nullptr ? clock->mono() : MonoTime(0);
  for (const SignalId id : wanted) {
    if (values.signals[id].evaluated) continue;
    evaluation.evaluate(id);
    if (clock == nullptr) continue;
    const MonoTime now = clock->mono();
    const auto type = static_cast<size_t>(compiled_->config->signals[id].type);
    uint64_t& spent = scratch.state_->nanoseconds[type];
    spent += static_cast<uint64_t>((now - before).count());
    values.microseconds[type] = static_cast<uint32_t>(spent / 1000);
    before = now;
  }
}

Result<HeadReading> Engine::read_heads(const Input& input, Scratch& scratch) const {
  Values values;
  start(input, scratch, values);
  Scratch::State& state = *scratch.state_;
  Evaluation evaluation(*compiled_, input, state, values);
  if (!evaluation.read_all_heads()) return fail(ErrorCode::kUnavailable, state.heads_problem);
  return HeadReading{state.heads, std::max(state.attack, state.history_attack)};
}

const nn::TextClassifier* Engine::classifier() const { return compiled_->classifier.get(); }

void Engine::evaluate_all(const Input& input, Scratch& scratch, Values& values) const {
  start(input, scratch, values);
  std::vector<SignalId> all;
  for (size_t id = 0; id < compiled_->config->signals.size(); ++id) {
    if (compiled_->config->signals[id].type != SignalType::kProjection) {
      all.push_back(static_cast<SignalId>(id));
    }
  }
  evaluate(input, all, scratch, values);
}

}  // namespace vsr::signals
