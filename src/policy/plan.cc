#include "policy/plan.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"

namespace vsr::policy {

using config::RuleNode;
using config::RuleOp;
using config::SignalId;
using config::SignalType;
using config::SignalValue;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Whether `bounds` hold for every, no or some point of the interval. Bounds are convex, so the
// ends decide "every"; "no" needs the interval to lie beyond one of them.
Tri holds(const config::Predicate& bounds, const Interval& x) {
  if (bounds.holds(x.lo) && bounds.holds(x.hi)) return Tri::kTrue;
  const bool below = (bounds.gt && x.hi <= *bounds.gt) || (bounds.gte && x.hi < *bounds.gte);
  const bool above = (bounds.lt && x.lo >= *bounds.lt) || (bounds.lte && x.lo > *bounds.lte);
  return below || above ? Tri::kFalse : Tri::kUnknown;
}

Interval scaled(const Interval& x, double weight) {
  if (weight == 0) return {0, 0};
  return weight > 0 ? Interval{x.lo * weight, x.hi * weight}
                    : Interval{x.hi * weight, x.lo * weight};
}

Interval input_interval(const config::ScoreInput& input, const Bound& bound,
                        const SignalValue& value, bool raw_known) {
  switch (input.source) {
    case config::ValueSource::kBinary:
      if (bound.match == Tri::kTrue) return {input.match, input.match};
      if (bound.match == Tri::kFalse) return {input.miss, input.miss};
      return {std::min(input.match, input.miss), std::max(input.match, input.miss)};
    case config::ValueSource::kConfidence:
      if (bound.match == Tri::kTrue) return bound.confidence;
      if (bound.match == Tri::kFalse) return {0, 0};
      return {0, bound.confidence.hi};
    case config::ValueSource::kRaw:
      if (raw_known) return {value.raw, value.raw};
      return {-kInfinity, kInfinity};
  }
  return {0, 0};
}

Bound bound_and(const RuleNode& rule, std::span<const Bound> signals) {
  Tri match = Tri::kTrue;
  Interval sum;
  for (const RuleNode& child : rule.children) {
    const Bound bound = bound_rule(child, signals);
    if (bound.match == Tri::kFalse) return {};
    if (bound.match == Tri::kUnknown) match = Tri::kUnknown;
    sum.lo += bound.confidence.lo;
    sum.hi += bound.confidence.hi;
  }
  const double count = std::max<double>(1, static_cast<double>(rule.children.size()));
  return {match, {sum.lo / count, sum.hi / count}};
}

Bound bound_or(const RuleNode& rule, std::span<const Bound> signals) {
  Bound out;
  for (const RuleNode& child : rule.children) {
    const Bound bound = bound_rule(child, signals);
    if (!bound.possible()) continue;
    out.confidence.hi = std::max(out.confidence.hi, bound.confidence.hi);
    if (bound.match == Tri::kTrue) {
      out.confidence.lo = std::max(out.confidence.lo, bound.confidence.lo);
      out.match = Tri::kTrue;
    } else if (out.match == Tri::kFalse) {
      out.match = Tri::kUnknown;
    }
  }
  return out;
}

}  // namespace

double band_confidence(const config::Predicate& bounds, double score, double slope) {
  double distance = kInfinity;
  for (const auto& bound : {bounds.gt, bounds.gte, bounds.lt, bounds.lte}) {
    if (bound) distance = std::min(distance, std::abs(score - *bound));
  }
  if (distance == kInfinity) return 1;
  return 1 / (1 + std::exp(-slope * distance));
}

Bound bound_rule(const RuleNode& rule, std::span<const Bound> signals) {
  switch (rule.op) {
    case RuleOp::kLeaf:
      return signals[rule.signal];
    case RuleOp::kAnd:
      return bound_and(rule, signals);
    case RuleOp::kOr:
      return bound_or(rule, signals);
    case RuleOp::kNot:
      break;
  }
  const Bound child = bound_rule(rule.children.front(), signals);
  if (child.match == Tri::kTrue) return {};
  return {child.match == Tri::kFalse ? Tri::kTrue : Tri::kUnknown, {1, 1}};
}

Plan::Plan(std::shared_ptr<const config::Config> config) : config_(std::move(config)) {
  partition_of_.assign(config_->signals.size(), -1);
  for (size_t p = 0; p < config_->partitions.size(); ++p) {
    const config::Partition& partition = config_->partitions[p];
    for (const SignalId id : partition.members) partition_of_[id] = static_cast<int>(p);
    if (partition.fallback != config::kNoSignal) {
      partition_of_[partition.fallback] = static_cast<int>(p);
    }
  }
  std::vector<uint16_t> order(config_->decisions.size());
  std::iota(order.begin(), order.end(), uint16_t{0});
  std::sort(order.begin(), order.end(), [&](uint16_t a, uint16_t b) {
    return config_->decisions[a].name < config_->decisions[b].name;
  });
  name_rank_.resize(order.size());
  for (size_t i = 0; i < order.size(); ++i) name_rank_[order[i]] = static_cast<uint16_t>(i);
}

bool Plan::ranks_before(uint16_t a, double ca, uint16_t b, double cb) const {
  const config::Decision& da = config_->decisions[a];
  const config::Decision& db = config_->decisions[b];
  const auto tier = [](const config::Decision& d) { return d.tier > 0 ? d.tier : INT32_MAX; };
  if (config_->strategy != config::Strategy::kConfidence && tier(da) != tier(db)) {
    return tier(da) < tier(db);
  }
  if (config_->strategy == config::Strategy::kPriority) {
    if (da.priority != db.priority) return da.priority > db.priority;
    if (ca != cb) return ca > cb;
  } else {
    if (ca != cb) return ca > cb;
    if (da.priority != db.priority) return da.priority > db.priority;
  }
  return name_rank_[a] < name_rank_[b];
}

// Among matched members only the best stays (earliest on a tie); with none the default matches
// with confidence 0. Nothing is known of a member until all are evaluated, except that one which
// did not match and is not the default never will.
void Plan::bound_partitions(std::span<const SignalValue> values, Scratch& scratch) const {
  for (const config::Partition& partition : config_->partitions) {
    const bool settled =
        std::all_of(partition.members.begin(), partition.members.end(),
                    [&](SignalId id) { return scratch.signals[id].match != Tri::kUnknown; });
    if (!settled) {
      for (const SignalId id : partition.members) {
        if (scratch.signals[id].possible() || id == partition.fallback) {
          scratch.signals[id] = unknown();
        }
      }
      if (partition.fallback != config::kNoSignal) scratch.signals[partition.fallback] = unknown();
      continue;
    }
    SignalId best = config::kNoSignal;
    double total = 0;
    for (const SignalId id : partition.members) {
      if (!scratch.signals[id].possible()) continue;
      const double confidence = values[id].confidence;
      total += std::exp(confidence / partition.temperature);
      if (best == config::kNoSignal || confidence > values[best].confidence) best = id;
    }
    for (const SignalId id : partition.members) {
      if (id != best) scratch.signals[id] = known(false, 0);
    }
    if (best == config::kNoSignal) {
      if (partition.fallback != config::kNoSignal) {
        scratch.signals[partition.fallback] = known(true, 0);
      }
    } else if (partition.softmax) {
      scratch.signals[best] =
          known(true, std::exp(values[best].confidence / partition.temperature) / total);
    }
  }
}

void Plan::bound_projections(std::span<const SignalValue> values, Missing missing,
                             Scratch& scratch) const {
  for (size_t s = 0; s < config_->scores.size(); ++s) {
    Interval sum;
    for (const config::ScoreInput& input : config_->scores[s].inputs) {
      Interval x;
      if (input.signal == config::kNoSignal) {
        x = scratch.scores[input.score];
      } else {
        const SignalValue& value = values[input.signal];
        x = input_interval(input, scratch.signals[input.signal], value,
                           value.evaluated || missing == Missing::kFalse);
      }
      const Interval part = scaled(x, input.weight);
      sum.lo += part.lo;
      sum.hi += part.hi;
    }
    scratch.scores[s] = sum;
  }
  for (const config::Mapping& mapping : config_->mappings) {
    const Interval& score = scratch.scores[mapping.score];
    Tri earlier = Tri::kFalse;  // has an output before this one been emitted?
    for (const config::MappingOutput& output : mapping.outputs) {
      Tri match = holds(output.bounds, score);
      if (!mapping.multi_emit && match != Tri::kFalse) {
        if (earlier == Tri::kTrue) match = Tri::kFalse;
        if (earlier == Tri::kUnknown) match = Tri::kUnknown;
      }
      if (match == Tri::kTrue || (match == Tri::kUnknown && earlier == Tri::kFalse)) {
        earlier = match;
      }
      Bound& bound = scratch.signals[output.signal];
      if (match == Tri::kFalse) {
        bound = {};
      } else if (score.exact()) {
        bound = known(true, band_confidence(output.bounds, score.lo, mapping.slope));
      } else {
        bound = {match, {0, 1}};
      }
    }
  }
}

void Plan::bound_all(std::span<const SignalValue> values, Missing missing, Scratch& scratch) const {
  VSR_CHECK(values.size() == config_->signals.size(), "{} values for {} signals", values.size(),
            config_->signals.size());
  scratch.signals.resize(values.size());
  scratch.scores.resize(config_->scores.size());
  scratch.decisions.resize(config_->decisions.size());
  for (size_t id = 0; id < values.size(); ++id) {
    const bool is_known = values[id].evaluated || missing == Missing::kFalse;
    scratch.signals[id] =
        is_known ? known(values[id].evaluated && values[id].matched, values[id].confidence)
                 : unknown();
  }
  bound_partitions(values, scratch);
  bound_projections(values, missing, scratch);
  for (size_t d = 0; d < config_->decisions.size(); ++d) {
    scratch.decisions[d] = bound_rule(config_->decisions[d].rules, scratch.signals);
  }
}

void Plan::want_score(std::span<const SignalValue> values, uint16_t score, Scratch& scratch) const {
  for (const config::ScoreInput& input : config_->scores[score].inputs) {
    if (input.weight == 0) continue;
    if (input.signal == config::kNoSignal) {
      want_score(values, input.score, scratch);
    } else {
      want_signal(values, input.signal, scratch);
    }
  }
}

void Plan::want_signal(std::span<const SignalValue> values, SignalId id, Scratch& scratch) const {
  if (scratch.wanted[id]) return;
  scratch.wanted[id] = 1;
  if (config_->signals[id].type == SignalType::kProjection) {
    want_score(values, config_->mappings[config_->signals[id].rule].score, scratch);
    return;
  }
  if (partition_of_[id] >= 0) {
    const config::Partition& partition = config_->partitions[partition_of_[id]];
    for (const SignalId member : partition.members) want_signal(values, member, scratch);
  }
}

// Marks the signals below `rule` that can still change it. Under NOT only whether the child
// matches counts, not how confidently.
void Plan::want_rule(std::span<const SignalValue> values, const RuleNode& rule, bool match_only,
                     Scratch& scratch) const {
  const Bound bound = bound_rule(rule, scratch.signals);
  if (match_only ? bound.match != Tri::kUnknown : bound.exact()) return;
  if (rule.op == RuleOp::kLeaf) return want_signal(values, rule.signal, scratch);
  for (const RuleNode& child : rule.children) {
    if (rule.op == RuleOp::kOr && bound.match == Tri::kTrue &&
        bound_rule(child, scratch.signals).confidence.hi <= bound.confidence.lo) {
      continue;  // cannot raise the maximum
    }
    want_rule(values, child, match_only || rule.op == RuleOp::kNot, scratch);
  }
}

void Plan::needed(std::span<const SignalValue> values, Scratch& scratch,
                  std::vector<SignalId>& out) const {
  out.clear();
  bound_all(values, Missing::kUnknown, scratch);
  // The decision that certainly matches and ranks first at its lowest confidence.
  uint16_t sure = kNoDecision;
  const auto count = static_cast<uint16_t>(scratch.decisions.size());
  for (uint16_t d = 0; d < count; ++d) {
    const Bound& bound = scratch.decisions[d];
    if (bound.match != Tri::kTrue) continue;
    if (sure == kNoDecision ||
        ranks_before(d, bound.confidence.lo, sure, scratch.decisions[sure].confidence.lo)) {
      sure = d;
    }
  }
  scratch.wanted.assign(values.size(), 0);
  bool contested = false;
  for (uint16_t d = 0; d < count; ++d) {
    const Bound& bound = scratch.decisions[d];
    if (!bound.possible()) continue;
    if (d != sure && sure != kNoDecision &&
        ranks_before(sure, scratch.decisions[sure].confidence.lo, d, bound.confidence.hi)) {
      continue;
    }
    if (!bound.exact()) {
      want_rule(values, config_->decisions[d].rules, false, scratch);
      contested = true;
    }
  }
  if (!contested) return;
  for (size_t id = 0; id < values.size(); ++id) {
    if (scratch.wanted[id] && !values[id].evaluated &&
        config_->signals[id].type != SignalType::kProjection) {
      out.push_back(static_cast<SignalId>(id));
    }
  }
}

Winner Plan::winner(std::span<const SignalValue> values, Scratch& scratch) const {
  bound_all(values, Missing::kFalse, scratch);
  Winner best;
  for (uint16_t d = 0; d < scratch.decisions.size(); ++d) {
    const Bound& bound = scratch.decisions[d];
    if (!bound.possible()) continue;
    if (best.decision == kNoDecision ||
        ranks_before(d, bound.confidence.lo, best.decision, best.confidence)) {
      best = {d, bound.confidence.lo};
    }
  }
  return best;
}

}  // namespace vsr::policy
