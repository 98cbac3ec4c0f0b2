// Rules that compare the meaning of the prompt with texts of the recipe.
#include <algorithm>

#include "base/strings.h"
#include "nn/vectors.h"
#include "signals/evaluation.h"
#include "signals/similarity.h"
#include "text/utf8.h"

namespace vsr::signals {

using config::SignalId;

VectorState Evaluation::vector_of(std::string_view text, std::vector<float>& out) {
  nn::Vectors* const vectors = c_.parts.vectors.get();
  if (vectors == nullptr) {
    s_.vector_problem = kNoEncoder;
    return VectorState::kFailed;
  }
  out.resize(vectors->dims());
  if (vectors->find(text, out)) return VectorState::kThere;
  switch (input_.encoding) {
    case Encoding::kOff:
      s_.vector_problem = kEncoderBusy;
      return VectorState::kFailed;
    case Encoding::kKnown:
      ask_for(text, &TextToEncode::vector);
      return VectorState::kWanted;
    case Encoding::kNow:
      break;
  }
  if (const Status done = vectors->encode(text, out); !done) {
    s_.vector_problem = done.error().message;
    return VectorState::kFailed;
  }
  return VectorState::kThere;
}

void Evaluation::ask_for(std::string_view text, bool TextToEncode::* part) {
  for (TextToEncode& asked : values_.texts_to_encode) {
    if (asked.text != text) continue;
    asked.*part = true;
    return;
  }
  values_.texts_to_encode.push_back({std::string(text)});
  values_.texts_to_encode.back().*part = true;
}

// Tries once per request; later calls give the same answer.
bool Evaluation::prompt_vector() {
  if (s_.vector_state == VectorState::kUnknown) {
    s_.vector_state = vector_of(input_.prompt, s_.vector);
  }
  return s_.vector_state == VectorState::kThere;
}

bool Evaluation::need_vector(SignalId id, const config::RuleBase& rule, bool history) {
  prompt_vector();
  VectorState state = s_.vector_state;
  if (history && state != VectorState::kFailed) state = std::max(state, history_vectors());
  if (state == VectorState::kFailed) error(id, rule, s_.vector_problem);
  return state == VectorState::kThere;
}

VectorState Evaluation::message_vector(size_t m, std::vector<float>& out) {
  const MessageResult* const known = find_message(static_cast<int64_t>(m));
  if (known != nullptr && known->vector) {
    out = *known->vector;
    return out.empty() ? VectorState::kUnknown : VectorState::kThere;
  }
  const MessageText* const message = text_of(m);
  if (message == nullptr) {
    s_.vector_problem = kUnread;
    return VectorState::kFailed;
  }
  const std::string_view text =
      message->text.substr(0, text::floor_code_point(message->text, kMeaningBytesMax));
  const bool has_text = !trim(text).empty();
  const VectorState state = has_text ? vector_of(text, out) : VectorState::kUnknown;
  if (has_text && state != VectorState::kThere) return state;
  auto fresh = known != nullptr ? std::make_shared<MessageResult>(*known)
                                : std::make_shared<MessageResult>();
  fresh->vector = std::make_shared<const std::vector<float>>(has_text ? out : std::vector<float>());
  remember(m, std::move(fresh));
  return state;
}

// All are looked up, so that all that are missing are asked for at once. Operator's texts are not
// compared, and the prompt has its own vector.
VectorState Evaluation::history_vectors() {
  if (s_.history_vectors_state != VectorState::kUnknown) return s_.history_vectors_state;
  s_.history_rows.clear();
  s_.history_roles.clear();
  VectorState state = VectorState::kThere;
  size_t count = 0;
  for (size_t m = input_.messages.size(); m-- > 0 && count < kMeaningMessagesMax;) {
    const Role role = input_.messages[m].role;
    if (is_operator(role) || !is_message(role) || is_prompt(m)) continue;
    const VectorState one = message_vector(m, s_.earlier);
    if (one == VectorState::kUnknown) continue;
    ++count;
    state = std::max(state, one);
    if (one == VectorState::kFailed) break;
    if (one != VectorState::kThere) continue;
    s_.history_rows.insert(s_.history_rows.end(), s_.earlier.begin(), s_.earlier.end());
    s_.history_roles.push_back(role);
  }
  s_.history_vectors_state = state;
  return state;
}

// Soft matching and top_k look at all embedding rules together.
void Evaluation::compare_all() {
  if (s_.similarities_done) return;
  s_.similarities_done = true;
  const std::vector<config::EmbeddingRule>& rules = c_.config->rules.embeddings;
  const nn::SimilarityCurve curve = c_.parts.vectors->similarity_curve();
  s_.similarities.assign(rules.size(), 0);
  for (size_t r = 0; r < rules.size(); ++r) {
    const std::span<const float> rows = c_.embedding_rules[r].rows;
    double cosine = similarity(rows, s_.vector, rules[r].aggregation);
    const size_t texts = rules[r].include_history ? s_.history_roles.size() : 0;
    const size_t dims = s_.vector.size();
    for (size_t t = 0; t < texts; ++t) {
      const auto row = std::span<const float>(s_.history_rows).subspan(t * dims, dims);
      cosine = std::max(cosine, similarity(rows, row, rules[r].aggregation));
    }
    s_.similarities[r] = c_.config->embedding.calibrated ? calibrated(curve, cosine) : cosine;
  }
  choose_matches(s_.similarities, rules, c_.config->embedding, s_.similar_matches);
}

// The vectors that one rule needs decide about the others too.
void Evaluation::embedding(SignalId id, const config::EmbeddingRule& rule) {
  if (!need_vector(id, rule, c_.embedding_history)) return;
  compare_all();
  const size_t index = c_.config->signals[id].rule;
  const double score = std::clamp(s_.similarities[index], 0.0, 1.0);
  set(id, s_.similar_matches[index] != 0, score, score);
}

void Evaluation::contrastive_complexity(SignalId id, const config::ComplexityRule& rule,
                                        config::ComplexityLevel level) {
  if (!need_vector(id, rule)) return;
  const size_t index = c_.config->signals[id].rule;
  const double hard = similarity(c_.hard[index].rows, s_.vector, config::Aggregation::kMax);
  const double easy = similarity(c_.easy[index].rows, s_.vector, config::Aggregation::kMax);
  set_complexity(id, rule, level, hard - easy);
}

double Evaluation::contrastive_attack(size_t rule, bool history) {
  const nn::SimilarityCurve curve = c_.parts.vectors->similarity_curve();
  const auto attack_of_vector = [&](std::span<const float> vector) {
    const double attack = similarity(c_.attacks[rule].rows, vector, config::Aggregation::kMax);
    const double harmless = similarity(c_.benign[rule].rows, vector, config::Aggregation::kMax);
    return contrastive_probability(curve, attack, harmless);
  };
  double highest = attack_of_vector(s_.vector);
  const size_t dims = s_.vector.size();
  for (size_t t = 0; history && t < s_.history_roles.size(); ++t) {
    // The model's own words attack nobody.
    if (s_.history_roles[t] == Role::kAssistant) continue;
    highest = std::max(
        highest, attack_of_vector(std::span<const float>(s_.history_rows).subspan(t * dims, dims)));
  }
  return highest;
}

// The prompt says again what one of the last prompts said.
void Evaluation::reask(SignalId id, const config::OtherRule& rule) {
  // What has to be encoded is asked for at once, the earlier prompts with this one.
  bool waits = !need_vector(id, rule);
  if (s_.vector_state == VectorState::kFailed) return;
  const nn::SimilarityCurve curve = c_.parts.vectors->similarity_curve();
  double best = 0;
  uint32_t turns = 0;
  for (int32_t m = input_.prompt_message - 1; m >= 0 && turns < rule.lookback_turns; --m) {
    if (input_.messages[static_cast<size_t>(m)].role != Role::kUser) continue;
    const MessageText* const message = text_of(static_cast<size_t>(m));
    if (message == nullptr) return error(id, rule, kUnread);
    if (message->text.empty()) continue;
    ++turns;
    const VectorState state = vector_of(message->text, s_.earlier);
    if (state == VectorState::kFailed) return error(id, rule, s_.vector_problem);
    if (state == VectorState::kThere && !waits) {
      const double cosine = nn::dot(s_.vector, s_.earlier);
      best = std::max(best, calibrated(curve, cosine));
    }
    waits = waits || state == VectorState::kWanted;
  }
  if (!waits) set(id, turns > 0 && best >= rule.threshold, best, best);
}

void Evaluation::told_feedback(SignalId id, const config::OtherRule& rule) {
  const VectorState state = prompt_heads();
  if (state == VectorState::kWanted) return;
  if (!s_.heads.feedback) return error(id, rule, s_.heads_problem);
  const auto& labels = nn::kFeedbackLabels;
  const auto own = static_cast<size_t>(std::ranges::find(labels, rule.name) - labels.begin());
  if (own == labels.size()) return set(id, false, 0, 0);
  const std::array<float, nn::kFeedbacks>& told = *s_.heads.feedback;
  const double p = told[own];
  set(id, p >= rule.threshold && std::ranges::max(told) == told[own], p, p);
}

void Evaluation::by_examples(SignalId id, const config::OtherRule& rule) {
  // Feedback is about an answer: without one there is none.
  const auto& by_role = input_.conversation.messages_by_role;
  const bool answered = by_role[static_cast<size_t>(Role::kAssistant)] > 0;
  const bool feedback = rule.type == config::SignalType::kUserFeedback;
  if (feedback && !answered) return set(id, false, 0, 0);
  if (feedback && c_.classifier && c_.classifier->uses_encoder()) return told_feedback(id, rule);
  if (!need_vector(id, rule)) return;
  double own = 0;
  double best = -1;
  for (const ExampleSet& one : c_.examples) {
    if (one.type != rule.type) continue;
    const double cosine = similarity(one.texts.rows, s_.vector, config::Aggregation::kMax);
    best = std::max(best, cosine);
    if (one.name == rule.name) own = cosine;
  }
  const double score = calibrated(c_.parts.vectors->similarity_curve(), own);
  set(id, own >= best && score >= rule.threshold, score, score);
}

}  // namespace vsr::signals
