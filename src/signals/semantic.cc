// Rules that compare the meaning of the prompt with texts of the recipe.
#include <algorithm>

#include "nn/vectors.h"
#include "signals/evaluation.h"
#include "signals/similarity.h"

namespace vsr::signals {

using config::SignalId;
using VectorState = Scratch::State::VectorState;

// Tries once per request; later calls give the same answer.
bool Evaluation::prompt_vector() {
  if (s_.vector_state != VectorState::kUnknown) return s_.vector_state == VectorState::kThere;
  nn::Vectors* const vectors = c_.parts.vectors.get();
  s_.vector_state = VectorState::kFailed;
  if (vectors == nullptr) {
    s_.vector_problem = kNoEncoder;
    return false;
  }
  s_.vector.resize(vectors->dims());
  if (vectors->find(input_.prompt, s_.vector)) {
    s_.vector_state = VectorState::kThere;
    return true;
  }
  switch (input_.encoding) {
    case Encoding::kOff:
      s_.vector_problem = kEncoderBusy;
      return false;
    case Encoding::kKnown:
      s_.vector_state = VectorState::kWanted;
      return false;
    case Encoding::kNow:
      break;
  }
  if (const Status done = vectors->encode(input_.prompt, s_.vector); !done) {
    s_.vector_problem = done.error().message;
    return false;
  }
  s_.vector_state = VectorState::kThere;
  return true;
}

bool Evaluation::need_vector(SignalId id, const config::RuleBase& rule) {
  if (prompt_vector()) return true;
  if (s_.vector_state == VectorState::kWanted) {
    values_.wants_encoding = true;
  } else {
    error(id, rule, s_.vector_problem);
  }
  return false;
}

// Soft matching and top_k look at all embedding rules together.
void Evaluation::compare_all() {
  if (s_.similarities_done) return;
  s_.similarities_done = true;
  const std::vector<config::EmbeddingRule>& rules = c_.config->rules.embeddings;
  const nn::SimilarityCurve curve = c_.parts.vectors->similarity_curve();
  s_.similarities.assign(rules.size(), 0);
  for (size_t r = 0; r < rules.size(); ++r) {
    const double cosine = similarity(c_.embedding_rules[r].rows, s_.vector, rules[r].aggregation);
    s_.similarities[r] = c_.config->embedding.calibrated ? calibrated(curve, cosine) : cosine;
  }
  choose_matches(s_.similarities, rules, c_.config->embedding, s_.similar_matches);
}

void Evaluation::embedding(SignalId id, const config::EmbeddingRule& rule) {
  if (!need_vector(id, rule)) return;
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

double Evaluation::contrastive_attack(size_t rule) {
  const double attack = similarity(c_.attacks[rule].rows, s_.vector, config::Aggregation::kMax);
  const double harmless = similarity(c_.benign[rule].rows, s_.vector, config::Aggregation::kMax);
  return contrastive_probability(c_.parts.vectors->similarity_curve(), attack, harmless);
}

}  // namespace vsr::signals
