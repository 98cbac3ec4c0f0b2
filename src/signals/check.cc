// What is wrong with rules beyond their keys and types.

#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "signals/compiled.h"
#include "text/language.h"

namespace vsr::signals {
namespace {

using config::Severity;

void check_regex(std::vector<RuleProblem>& problems, const config::RuleBase& rule,
                 const std::string& pattern) {
  const std::string problem = regex_problem(pattern);
  if (problem.empty()) return;
  problems.push_back({rule.position, fmt::format("{}: {} is no regular expression: {}", rule.name,
                                                 pattern, problem)});
}

void check_patterns(const config::SignalRules& rules, std::vector<RuleProblem>& problems) {
  size_t patterns = 0;
  for (const config::KeywordRule& rule : rules.keywords) {
    if (rule.keywords.empty()) problems.push_back({rule.position, rule.name + ": has no keyword"});
    for (const std::string& keyword : rule.keywords) {
      if (keyword.empty())
        problems.push_back({rule.position, rule.name + ": has an empty keyword"});
      if (rule.method == config::KeywordMethod::kRegex) check_regex(problems, rule, keyword);
    }
    patterns += rule.keywords.size();
  }
  for (const config::StructureRule& rule : rules.structure) {
    if (rule.source == config::StructureSource::kRegex) check_regex(problems, rule, rule.pattern);
    patterns += rule.keywords.size() + 1;
  }
  if (patterns > kPatternsMax) {
    problems.push_back({{},
                        fmt::format("keyword and structure rules have {} patterns, more than {}",
                                    patterns, kPatternsMax)});
  }
}

void check_entity_types(const config::SignalRules& rules, std::vector<RuleProblem>& problems) {
  for (const config::PiiRule& rule : rules.pii) {
    for (size_t i = 0; i < rule.types_allowed.size(); ++i) {
      const std::string& name = rule.types_allowed[i];
      EntityType type;
      if (parse_entity_type(name, type) || is_foreign_entity_type(name)) continue;
      std::string upper = name;
      std::ranges::transform(upper, upper.begin(),
                             [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
      const std::string_view close = nearest(upper, entity_type_names());
      problems.push_back(
          {i < rule.types_allowed_at.size() ? rule.types_allowed_at[i] : rule.position,
           fmt::format("{}: pii_types_allowed: no type is named {}{}", rule.name,
                       config::quote(name),
                       close.empty() ? "" : fmt::format("; did you mean {}?", close))});
    }
  }
}

// Below this the detection of a language is a guess.
constexpr float kSureLanguage = 0.7F;

// The shipped encoder gives two texts in another language a score near 1 whatever they say.
void check_language(const config::RuleBase& rule,
                    std::initializer_list<const std::vector<std::string>*> lists,
                    std::vector<RuleProblem>& problems, std::string_view path) {
  size_t foreign = 0;
  std::string_view first;
  std::string_view code;
  for (const std::vector<std::string>* const list : lists) {
    for (const std::string& text : *list) {
      const text::Language found = text::detect_language(text);
      if (found.code.empty() || found.code == "en" || found.confidence < kSureLanguage) continue;
      if (foreign++ > 0) continue;
      first = text;
      code = found.code;
    }
  }
  if (foreign == 0) return;
  problems.push_back(
      {rule.position,
       fmt::format("{}: {} not in English ({} in language {}); the encoder knows English only and "
                   "takes such texts for alike whatever they say; use keywords for them",
                   rule.name,
                   foreign == 1 ? std::string("one text is") : fmt::format("{} texts are", foreign),
                   config::quote(first), code),
       Severity::kWarning, path});
}

void check_languages(const config::SignalRules& rules, std::vector<RuleProblem>& problems) {
  for (const auto& rule : rules.embeddings) {
    check_language(rule, {&rule.candidates}, problems, "routing.signals.embeddings");
  }
  for (const auto& rule : rules.complexity) {
    if (rule.method != config::ComplexityMethod::kContrastive) continue;
    check_language(rule, {&rule.hard_candidates, &rule.easy_candidates}, problems,
                   "routing.signals.complexity");
  }
  for (const auto& rule : rules.jailbreak) {
    if (rule.method == config::JailbreakMethod::kClassifier) continue;
    check_language(rule, {&rule.jailbreak_patterns, &rule.benign_patterns}, problems,
                   "routing.signals.jailbreak");
  }
  for (const auto& rule : rules.others) {
    check_language(rule, {&rule.examples}, problems, "routing.signals.preferences");
  }
  for (const auto& rule : rules.classifiers) {
    if (rule.model != config::ClassifierModel::kExamples) continue;
    check_language(rule, {&rule.examples, &rule.counter_examples}, problems,
                   "routing.signals.classifiers");
  }
  for (const config::KnowledgeBase& kb : rules.knowledge_bases) {
    std::vector<std::string> texts;
    for (const config::KbLabel& label : kb.labels) {
      texts.insert(texts.end(), label.exemplars.begin(), label.exemplars.end());
    }
    config::RuleBase named;
    named.name = kb.name;
    named.position = kb.position;
    check_language(named, {&texts}, problems, "global.model_catalog.kbs");
  }
}

}  // namespace

std::vector<RuleProblem> check_rules(const config::Config& config) {
  std::vector<RuleProblem> problems;
  check_patterns(config.rules, problems);
  check_entity_types(config.rules, problems);
  check_languages(config.rules, problems);
  return problems;
}

}  // namespace vsr::signals
