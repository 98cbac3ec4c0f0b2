// Knowledge bases, and classifiers that a recipe asks for by name.

#include <algorithm>

#include "nn/vectors.h"
#include "signals/evaluation.h"
#include "signals/similarity.h"

namespace vsr::signals {

using config::SignalId;

namespace {

template <typename Probabilities, typename Labels>
double sum_of(const std::vector<std::string>& wanted, const Labels& labels,
              const Probabilities& probabilities) {
  double sum = 0;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (std::ranges::find(wanted, labels[i]) != wanted.end()) sum += probabilities[i];
  }
  return std::min(sum, 1.0);
}

// Of a head with two classes, whose labels are the positive one and "benign".
double binary(const config::ClassifierRule& rule, std::string_view positive, double probability) {
  const std::array<std::string_view, 2> labels = {positive, "benign"};
  const std::array<double, 2> probabilities = {probability, 1 - probability};
  return sum_of(rule.labels, labels, probabilities);
}

double head_probability(const config::ClassifierRule& rule, const nn::HeadScores& scores) {
  switch (rule.model) {
    case config::ClassifierModel::kDomain:
      return sum_of(rule.labels, nn::kDomainLabels, scores.domain);
    case config::ClassifierModel::kDifficulty:
      return sum_of(rule.labels, nn::kTierLabels, scores.tier);
    case config::ClassifierModel::kHarmful:
      return binary(rule, "harmful", scores.harmful);
    case config::ClassifierModel::kJailbreak:
      return binary(rule, "attack", scores.jailbreak);
    case config::ClassifierModel::kExamples:
    case config::ClassifierModel::kExternal:
      break;
  }
  return 0;
}

}  // namespace

// Null if the vector of the prompt is not there; `id` then has its error, or waits.
const KbScores* Evaluation::kb_scores(SignalId id, size_t kb, const config::RuleBase& rule) {
  const config::KnowledgeBase& base = c_.config->rules.knowledge_bases[kb];
  if (!base.problem.empty()) {
    error(id, rule, base.problem);
    return nullptr;
  }
  if (!need_vector(id, rule)) return nullptr;
  s_.kb_scores.resize(c_.kb_labels.size());
  KbScores& out = s_.kb_scores[kb];
  if (!out.labels.empty()) return &out;
  const nn::SimilarityCurve curve = c_.parts.vectors->similarity_curve();
  for (size_t l = 0; l < base.labels.size(); ++l) {
    const double cosine =
        similarity(c_.kb_labels[kb][l].rows, s_.vector, config::Aggregation::kMax);
    const double score =
        std::clamp(c_.config->embedding.calibrated ? calibrated(curve, cosine) : cosine, 0.0, 1.0);
    out.labels.push_back(score);
    out.best = std::max(out.best, score);
    if (score >= base.labels[l].threshold) out.best_matched = std::max(out.best_matched, score);
  }
  for (const config::KbGroup& group : base.groups) {
    double best = 0;
    for (const uint16_t label : group.labels) best = std::max(best, out.labels[label]);
    out.groups.push_back(best);
  }
  return &out;
}

// `match: best` asks that nothing in the knowledge base is nearer, `threshold` only that the label,
// or one of the group, reaches its threshold.
void Evaluation::kb_rule(SignalId id, const config::KbRule& rule) {
  const KbScores* const scores = kb_scores(id, rule.kb, rule);
  if (scores == nullptr) return;
  const config::KnowledgeBase& base = c_.config->rules.knowledge_bases[rule.kb];
  std::span<const uint16_t> labels(&rule.target, 1);
  if (rule.is_group) labels = base.groups[rule.target].labels;
  double score = 0;
  double matched_score = -1;
  const config::KbLabel* nearest = nullptr;
  for (const uint16_t label : labels) {
    const double own = scores->labels[label];
    score = std::max(score, own);
    if (own < base.labels[label].threshold || own <= matched_score) continue;
    matched_score = own;
    nearest = &base.labels[label];
  }
  const bool matched = nearest != nullptr && (!rule.best || matched_score >= scores->best_matched);
  if (matched) values_.evidence.push_back({id, nearest->name});
  set(id, matched, matched_score, score);
}

// The metric is the raw value of its signal, which projections add up.
void Evaluation::kb_metric(SignalId id, size_t kb, const config::KbMetric& metric) {
  const KbScores* const scores = kb_scores(id, kb, config::RuleBase{});
  if (scores == nullptr) return;
  double value = 0;
  switch (metric.type) {
    case config::KbMetricType::kBestScore:
      value = scores->best;
      break;
    case config::KbMetricType::kBestMatchedScore:
      value = scores->best_matched;
      break;
    case config::KbMetricType::kGroupMargin:
      value = scores->groups[metric.positive] - scores->groups[metric.negative];
      break;
  }
  set(id, value > 0, std::clamp(value, 0.0, 1.0), value);
}

void Evaluation::classifier(SignalId id, const config::ClassifierRule& rule) {
  if (rule.model == config::ClassifierModel::kExternal) return error(id, rule, rule.missing);
  double score = 0;
  bool nearer = true;
  if (rule.model == config::ClassifierModel::kExamples) {
    if (!need_vector(id, rule)) return;
    const size_t index = c_.config->signals[id].rule;
    const auto nearest = [&](const CandidateSet& texts) {
      return similarity(texts.rows, s_.vector, config::Aggregation::kMax);
    };
    const double own = nearest(c_.classifier_examples[index]);
    const CandidateSet& others = c_.classifier_counter_examples[index];
    nearer = others.size() == 0 || own >= nearest(others);
    score = calibrated(c_.parts.vectors->similarity_curve(), own);
  } else {
    if (!need_heads(id, rule)) return;
    score = head_probability(rule, s_.heads);
  }
  set(id, nearer && score > 0 && score >= rule.threshold, score, score);
}

}  // namespace vsr::signals
