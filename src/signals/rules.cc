// One function per type of signal: what it reads and when it matches.

#include <algorithm>
#include <cmath>

#include "signals/evaluation.h"
#include "text/language.h"
#include "text/unmask.h"
#include "text/utf8.h"
#include "text/words.h"

namespace vsr::signals {

using config::SignalId;
using config::SignalType;

namespace {

std::string_view role_name(Role role) {
  switch (role) {
    case Role::kSystem:
      return "system";
    case Role::kDeveloper:
      return "developer";
    case Role::kUser:
      return "user";
    case Role::kAssistant:
      return "assistant";
    case Role::kTool:
      return "tool";
    case Role::kOther:
    case Role::kFields:
    case Role::kToolSchemas:
      return "";
  }
  return "";
}

// CJK characters plus runs of other words.
size_t word_units(std::string_view text) {
  size_t units = 0;
  text::for_each_word(text, [&](const text::Word& word) {
    if (!word.cjk) {
      ++units;
      return;
    }
    for (size_t at = 0; at < word.text.size(); ++units) text::next_code_point(word.text, at);
  });
  return units;
}

}  // namespace

double Evaluation::prompt_score(const KeywordPlan& plan, const KeywordSlot& slot) {
  switch (plan.kind) {
    case KeywordKind::kPattern:
      return s_.patterns.matches(static_cast<PatternId>(slot.index)) ? 1 : 0;
    case KeywordKind::kBm25:
      if (!s_.phrases_done) {
        s_.phrases_done = true;
        c_.phrases.score(s_.patterns.normalized(), s_.stemmer, s_.phrase_scores);
      }
      return s_.phrase_scores[slot.index];
    case KeywordKind::kSimilar:
      if (!s_.words_done) {
        s_.words_done = true;
        split_words(s_.patterns.normalized(), s_.words);
      }
      return c_.similar[slot.index].best(s_.words);
  }
  return 0;
}

// A pattern in another reading of the prompt.
double Evaluation::view_score(const KeywordPlan& plan, const KeywordSlot& slot) {
  if (plan.kind != KeywordKind::kPattern) return 0;
  const std::vector<text::View>& views = prompt_views();
  if (s_.view_patterns.size() != views.size()) {
    s_.view_patterns.resize(views.size());
    for (size_t v = 0; v < views.size(); ++v) s_.view_patterns[v].reset(c_.patterns, views[v].text);
  }
  for (TextPatterns& patterns : s_.view_patterns) {
    if (patterns.matches(static_cast<PatternId>(slot.index))) return 1;
  }
  return 0;
}

void Evaluation::keyword(SignalId id, const config::KeywordRule& rule, const KeywordPlan& plan) {
  if (rule.include_history) {
    history_words();
    if (s_.failed) return error(id, rule, kUnread);
  }
  uint32_t found = 0;
  double best = 0;
  for (uint32_t k = plan.first; k < plan.first + plan.count; ++k) {
    const KeywordSlot& slot = c_.keywords[k];
    double score = rule.include_history ? s_.history_words[k] : prompt_score(plan, slot);
    if (score <= 0 && rule.on_error_match && !rule.include_history) score = view_score(plan, slot);
    best = std::max(best, score);
    if (score <= 0 || score < plan.threshold) continue;
    ++found;
    values_.evidence.push_back({id, slot.text});
  }
  const bool matched = rule.op == config::KeywordOperator::kAnd   ? found == plan.count
                       : rule.op == config::KeywordOperator::kNor ? found == 0
                                                                  : found > 0;
  set(id, matched, 1, plan.kind == KeywordKind::kPattern ? found : best);
}

double Evaluation::structure_value(const config::StructureRule& rule, const StructurePlan& plan) {
  size_t occurrences = 0;
  const bool exists = rule.feature == config::StructureFeature::kExists;
  for (const PatternId pattern : plan.patterns) {
    occurrences += exists ? s_.patterns.matches(pattern) : s_.patterns.count(pattern);
  }
  for (const std::vector<std::string>& sequence : plan.sequences) {
    const std::string_view text = s_.patterns.normalized();
    size_t at = 0;
    for (const std::string& word : sequence) {
      at = find_word(text, word, at);
      if (at == std::string_view::npos) break;
      at += word.size();
    }
    occurrences += !sequence.empty() && at != std::string_view::npos ? 1 : 0;
  }
  if (exists) return occurrences > 0 ? 1 : 0;
  if (rule.feature != config::StructureFeature::kDensity) return static_cast<double>(occurrences);
  const size_t units = word_units(input_.prompt);
  return units == 0 ? 0 : static_cast<double>(occurrences) / static_cast<double>(units);
}

void Evaluation::structure(SignalId id, const config::StructureRule& rule,
                           const StructurePlan& plan) {
  const double value = structure_value(rule, plan);
  const config::Predicate& bounds = rule.predicate;
  const bool bounded = bounds.gt || bounds.gte || bounds.lt || bounds.lte;
  set(id, bounded ? bounds.holds(value) : value > 0, 1, value);
}

void Evaluation::conversation(SignalId id, const config::ConversationRule& rule) {
  const ConversationFacts& facts = input_.conversation;
  double count = 0;
  switch (rule.source) {
    case config::ConversationSource::kMessage:
      for (const Message& message : input_.messages) {
        if (!is_message(message.role)) continue;
        std::string_view name = rule.role;
        if (name == "function") name = "tool";
        const bool counts = name.empty() || name == role_name(message.role) ||
                            (name == "non_user" && message.role != Role::kUser);
        count += counts ? 1 : 0;
      }
      break;
    case config::ConversationSource::kToolDefinition:
      count = facts.tool_definitions;
      break;
    case config::ConversationSource::kAssistantToolCall:
      count = facts.assistant_tool_calls;
      break;
    case config::ConversationSource::kAssistantToolCycle:
      count = facts.assistant_tool_cycles;
      break;
    case config::ConversationSource::kActiveToolLoop:
      count = facts.active_tool_loop ? 1 : 0;
      break;
  }
  const double value = rule.count ? count : count > 0 ? 1 : 0;
  const config::Predicate& bounds = rule.predicate;
  const bool bounded = bounds.gt || bounds.gte || bounds.lt || bounds.lte;
  set(id, bounded ? bounds.holds(value) : value > 0, 1, count);
}

void Evaluation::language(SignalId id, const config::LanguageRule& rule) {
  if (values_.language.data() == nullptr) {
    const text::Language found = text::detect_language(input_.prompt);
    values_.language = found.code.data() == nullptr ? std::string_view("") : found.code;
    values_.language_confidence = found.confidence;
  }
  const double confidence = values_.language == rule.code ? values_.language_confidence : 0;
  set(id, confidence > 0 && confidence >= rule.threshold, confidence, confidence);
}

void Evaluation::pii(SignalId id, const config::PiiRule& rule,
                     const std::array<bool, kEntityTypes>& allowed) {
  if (rule.include_history) {
    history_entities();
    if (s_.failed) return error(id, rule, kUnread);
  } else {
    prompt_entities();
  }
  double best = 0;
  std::array<bool, kEntityTypes> shown{};
  const auto look_at = [&](const Entity& entity) {
    const auto type = static_cast<size_t>(entity.type);
    if (allowed[type]) return;
    best = std::max(best, static_cast<double>(entity.confidence));
    if (entity.confidence < rule.threshold || shown[type]) return;
    shown[type] = true;
    values_.evidence.push_back({id, to_string(entity.type)});
  };
  if (rule.include_history) {
    for (const FoundEntity& found : values_.entities) look_at(found.entity);
  } else {
    for (const Entity& entity : s_.entities) look_at(entity);
  }
  set(id, best > 0 && best >= rule.threshold, best, best);
}

void Evaluation::domain(SignalId id, const config::DomainRule& rule,
                        const std::vector<size_t>& labels) {
  constexpr double kMargin = 0.2;
  if (!need_heads(id, rule)) return;
  size_t top = 0;
  double second = 0;
  for (size_t label = 1; label < nn::kDomains; ++label) {
    const double p = s_.heads.domain[label];
    if (p > s_.heads.domain[top]) {
      second = s_.heads.domain[top];
      top = label;
    } else {
      second = std::max(second, p);
    }
  }
  double sum = 0;
  bool has_top = false;
  for (const size_t label : labels) {
    sum += s_.heads.domain[label];
    has_top |= label == top;
  }
  sum = std::min(sum, 1.0);
  const bool matched = sum >= c_.config->classifier.domain_threshold ||
                       (has_top && s_.heads.domain[top] - second >= kMargin);
  set(id, matched, sum, sum);
}

void Evaluation::complexity(SignalId id, const config::ComplexityRule& rule,
                            config::ComplexityLevel level) {
  if (rule.method == config::ComplexityMethod::kContrastive) {
    return contrastive_complexity(id, rule, level);
  }
  if (!need_heads(id, rule)) return;
  set_complexity(id, rule, level, 2 * static_cast<double>(s_.heads.hard()) - 1);
}

void Evaluation::set_complexity(SignalId id, const config::ComplexityRule& rule,
                                config::ComplexityLevel level, double margin) {
  using enum config::ComplexityLevel;
  const double t = rule.threshold;
  const config::ComplexityLevel actual = margin > t ? kHard : margin < -t ? kEasy : kMedium;
  double confidence = 1;
  if (t > 0) {
    confidence =
        actual == kMedium ? 1 - std::abs(margin) / t : std::min(1.0, std::abs(margin) / (2 * t));
  }
  set(id, level == actual, confidence, margin);
}

void Evaluation::jailbreak(SignalId id, const config::JailbreakRule& rule) {
  const size_t index = c_.config->signals[id].rule;
  double attack = 0;
  // Everything is looked at before the answer, so that all that is missing is asked for at once.
  bool is_known = true;
  if (rule.method != config::JailbreakMethod::kClassifier) {
    is_known = need_vector(id, rule, rule.include_history);
    if (is_known) attack = contrastive_attack(index, rule.include_history);
  }
  if (rule.method != config::JailbreakMethod::kContrastive) {
    VectorState state = prompt_attack();
    if (rule.include_history) state = std::max(state, history_attack());
    if (s_.failed && rule.include_history) return error(id, rule, kUnread);
    if (state == VectorState::kFailed) return error(id, rule, s_.heads_problem);
    if (s_.attack_by_ngrams && state == VectorState::kThere) {
      if (!is_clear_of_attack(rule)) return error(id, rule, s_.heads_problem);
      note_ngrams(id);
    }
    is_known = is_known && state == VectorState::kThere;
    attack = std::max(attack, s_.attack);
    if (rule.include_history) attack = std::max(attack, s_.history_attack);
  }
  if (!is_known) return;
  set(id, attack > 0 && attack >= rule.threshold, attack, attack);
}

void Evaluation::evaluate(SignalId id) {
  const config::SignalInfo& info = c_.config->signals[id];
  const config::SignalRules& rules = c_.config->rules;
  switch (info.type) {
    case SignalType::kKeyword:
      return keyword(id, rules.keywords[info.rule], c_.keyword_rules[info.rule]);
    case SignalType::kStructure:
      return structure(id, rules.structure[info.rule], c_.structure_rules[info.rule]);
    case SignalType::kContext: {
      const config::ContextRule& rule = rules.context[info.rule];
      const uint64_t tokens = input_.context_tokens;
      return set(id, tokens >= rule.min_tokens && tokens <= rule.max_tokens, 1,
                 static_cast<double>(tokens));
    }
    case SignalType::kConversation:
      return conversation(id, rules.conversation[info.rule]);
    case SignalType::kLanguage:
      return language(id, rules.language[info.rule]);
    case SignalType::kPii:
      return pii(id, rules.pii[info.rule], c_.pii_allowed[info.rule]);
    case SignalType::kDomain:
      return domain(id, rules.domains[info.rule], c_.domain_labels[info.rule]);
    case SignalType::kComplexity:
      return complexity(id, rules.complexity[info.rule],
                        static_cast<config::ComplexityLevel>(info.part));
    case SignalType::kJailbreak:
      return jailbreak(id, rules.jailbreak[info.rule]);
    case SignalType::kEmbedding:
      return embedding(id, rules.embeddings[info.rule]);
    case SignalType::kReask:
      return reask(id, rules.others[info.rule]);
    case SignalType::kUserFeedback:
    case SignalType::kFactCheck:
    case SignalType::kPreference:
    case SignalType::kModality:
      return by_examples(id, rules.others[info.rule]);
    case SignalType::kAuthz:
      return role(id, rules.roles[info.rule]);
    case SignalType::kEvent:
      return event(id, rules.events[info.rule]);
    case SignalType::kMetadata:
      return metadata(id, rules.metadata[info.rule]);
    case SignalType::kClassifier:
      return classifier(id, rules.classifiers[info.rule]);
    case SignalType::kKb:
      if (info.part == 0) return kb_rule(id, rules.kb[info.rule]);
      return kb_metric(id, info.rule,
                       rules.knowledge_bases[info.rule].metrics[size_t{info.part} - 1]);
    case SignalType::kProjection:
      return;
  }
}

}  // namespace vsr::signals
