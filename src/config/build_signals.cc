#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/strings.h"
#include "config/build_rules.h"
#include "config/load.h"

namespace vsr::config {
namespace {

constexpr std::string_view kDomainLabels[] = {
    "biology",   "business",    "chemistry", "computer science",
    "economics", "engineering", "health",    "history",
    "law",       "math",        "other",     "philosophy",
    "physics",   "psychology",
};

// "Computer_Science" is the label "computer science"; "" if it is none of the 14.
std::string_view domain_label(std::string_view name) {
  std::string normal = to_lower(name);
  std::ranges::replace(normal, '_', ' ');
  const auto found = std::ranges::find(kDomainLabels, normal);
  return found == std::end(kDomainLabels) ? std::string_view() : *found;
}

void add_signal(Build& build, SignalType type, size_t rule, size_t part, std::string name) {
  build.config.signals.push_back(
      {type, static_cast<uint16_t>(rule), static_cast<uint16_t>(part), std::move(name)});
}

bool too_many(Build& build, const View& at) {
  if (build.config.signals.size() + 3 <= kSignalsMax) return false;
  build.error(at, fmt::format("more than {} signals", kSignalsMax));
  return true;
}

// "\b" in double quotes is a backspace, which no request has.
void check_typed(Build& build, const View& view) {
  for (const char c : view.text().value_or("")) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= ' ' || c == '\n' || c == '\t' || c == '\r') continue;
    build.error(view,
                fmt::format("it has the control character 0x{:02x}, so it cannot match; in double "
                            "quotes \\b is a backspace: write patterns in single quotes",
                            byte),
                "", "a text without control characters");
    return;
  }
}

void some_texts(Build& build, const View& view, std::vector<std::string>& into,
                std::string_view what) {
  read(view, into);
  for (const View& item : view.items()) check_typed(build, item);
  if (std::erase(into, "") > 0) build.warn(view, "empty texts in it are ignored");
  if (into.empty()) {
    build.error(view, fmt::format("a rule needs at least one {}", what), "",
                "a list of texts that is not empty");
  }
}

// ---- one function for each type: what it has besides name, description and on_error -------------

void fill(Build& build, const View& view, KeywordRule& rule) {
  read_choice(view["operator"], rule.op);
  read_choice(view["method"], rule.method);
  some_texts(build, view["keywords"], rule.keywords, "keyword");
  read(view["case_sensitive"], rule.case_sensitive);
  read(view["fuzzy_match"], rule.fuzzy_match);
  read(view["fuzzy_threshold"], rule.fuzzy_threshold);
  read(view["bm25_threshold"], rule.bm25_threshold);
  read(view["ngram_threshold"], rule.ngram_threshold);
  read(view["ngram_arity"], rule.ngram_arity);
  if (rule.ngram_arity < 1 || rule.ngram_arity > 8) {
    build.error(view["ngram_arity"],
                fmt::format("expected a number from 1 to 8, found {}", rule.ngram_arity),
                std::to_string(rule.ngram_arity), "a number from 1 to 8");
  }
}

void fill(Build& build, const View& view, EmbeddingRule& rule) {
  some_texts(build, view["candidates"], rule.candidates, "candidate");
  read(view["threshold"], rule.threshold);
  read_choice(view["aggregation_method"], rule.aggregation);
  read(view["query_modality"], rule.query_modality);
}

void fill(Build& build, const View& view, DomainRule& rule) {
  const std::vector<std::string_view> known(std::begin(kDomainLabels), std::end(kDomainLabels));
  const View list = view["mmlu_categories"];
  for (const std::string& name : list.texts()) {
    const std::string_view label = domain_label(name);
    if (label.empty()) {
      build.warn(list,
                 fmt::format("{} is none of the 14 labels and is ignored; they are: {}",
                             quote(name), fmt::join(known, ", ")),
                 name, std::string(nearest(name, known)));
    } else {
      rule.labels.emplace_back(label);
    }
  }
  if (!rule.labels.empty()) return;
  const std::string_view own = domain_label(rule.name);
  if (!own.empty()) {
    rule.labels.emplace_back(own);
  } else if (!rule.name.empty()) {
    build.error(list,
                fmt::format("domain {} takes none of the 14 labels; list some of: {}",
                            quote(rule.name), fmt::join(known, ", ")),
                rule.name, fmt::format("{}", fmt::join(known, ", ")));
  }
}

void fill(Build& build, const View& view, ComplexityRule& rule) {
  read(view["threshold"], rule.threshold);
  read(view["hard"]["candidates"], rule.hard_candidates);
  read(view["easy"]["candidates"], rule.easy_candidates);
  const bool has_candidates = !rule.hard_candidates.empty() || !rule.easy_candidates.empty();
  rule.method = has_candidates ? ComplexityMethod::kContrastive : ComplexityMethod::kClassifier;
  read_choice(view["method"], rule.method);
  if (rule.method == ComplexityMethod::kContrastive &&
      (rule.hard_candidates.empty() || rule.easy_candidates.empty())) {
    build.error(rule.hard_candidates.empty() ? view["hard"] : view["easy"],
                "a contrastive rule needs candidates on both sides, hard and easy", "",
                "hard.candidates and easy.candidates");
  }
}

void fill(Build& build, const View& view, PiiRule& rule) {
  rule.threshold = build.config.classifier.pii_threshold;
  read(view["threshold"], rule.threshold);
  const View allowed = view["pii_types_allowed"];
  read(allowed, rule.types_allowed);
  const std::vector<View> items = allowed.items();
  for (size_t i = 0; i < rule.types_allowed.size(); ++i) {
    rule.types_allowed_at.push_back(i < items.size() ? items[i].position() : allowed.position());
  }
}

void fill(Build& build, const View& view, JailbreakRule& rule) {
  rule.threshold = build.config.classifier.jailbreak_threshold;
  read(view["threshold"], rule.threshold);
  read_choice(view["method"], rule.method);
  read(view["jailbreak_patterns"], rule.jailbreak_patterns);
  read(view["benign_patterns"], rule.benign_patterns);
  if (rule.method != JailbreakMethod::kClassifier && rule.jailbreak_patterns.empty()) {
    build.error(view["jailbreak_patterns"],
                "a contrastive or hybrid rule needs patterns to compare with", "",
                "a list of texts that is not empty");
  }
}

void fill(Build& build, const View& view, ContextRule& rule) {
  read_tokens(view["min_tokens"], rule.min_tokens);
  read_tokens(view["max_tokens"], rule.max_tokens);
  if (rule.min_tokens > rule.max_tokens) {
    build.error(
        view["max_tokens"],
        fmt::format("max_tokens {} is below min_tokens {}", rule.max_tokens, rule.min_tokens),
        std::to_string(rule.max_tokens), fmt::format("at least {}", rule.min_tokens));
  }
}

void fill(Build& build, const View& view, ConversationRule& rule) {
  const View feature = view["feature"];
  rule.count = feature["type"].choice().value_or(0) == 0;
  read_choice(feature["source"]["type"], rule.source);
  read(feature["source"]["role"], rule.role);
  rule.predicate = read_rule_predicate(build, view["predicate"]);
}

void fill(Build& build, const View& view, StructureRule& rule) {
  const View feature = view["feature"];
  const View source = feature["source"];
  read_choice(feature["type"], rule.feature);
  if (rule.feature == StructureFeature::kSequence) rule.source = StructureSource::kSequence;
  read_choice(source["type"], rule.source);
  read(source["pattern"], rule.pattern);
  read(source["keywords"], rule.keywords);
  read(source["case_sensitive"], rule.case_sensitive);
  for (const View& sequence : source["sequences"].items()) {
    rule.sequences.push_back(sequence.texts());
  }
  rule.predicate = read_rule_predicate(build, view["predicate"]);
  switch (rule.source) {
    case StructureSource::kRegex:
      if (rule.pattern.empty()) build.required(source["pattern"]);
      check_typed(build, source["pattern"]);
      break;
    case StructureSource::kKeywordSet:
      some_texts(build, source["keywords"], rule.keywords, "keyword");
      break;
    case StructureSource::kSequence:
      std::erase_if(rule.sequences, [](const auto& sequence) { return sequence.empty(); });
      if (rule.sequences.empty()) {
        build.error(source["sequences"], "a rule needs at least one sequence of words", "",
                    "a list of lists of words");
      }
      break;
  }
}

void fill(Build& build, const View& view, LanguageRule& rule) {
  read(view["threshold"], rule.threshold);
  rule.code = to_lower(rule.name);
  const bool letters = std::ranges::all_of(rule.code, [](char c) { return c >= 'a' && c <= 'z'; });
  if (!rule.name.empty() && (rule.code.size() != 2 || !letters)) {
    build.error(
        view["name"],
        fmt::format("expected an ISO 639-1 code such as en or zh, found {}", quote(rule.name)),
        rule.name, "an ISO 639-1 code");
  }
}

// The keys that only some types have.
template <typename Rule>
constexpr bool kHasHistory =
    std::is_same_v<Rule, KeywordRule> || std::is_same_v<Rule, EmbeddingRule> ||
    std::is_same_v<Rule, PiiRule> || std::is_same_v<Rule, JailbreakRule>;

template <typename Rule>
void build_list(Build& build, const View& list, SignalType type, std::vector<Rule>& rules) {
  Names names(fmt::format("{} rule", leaf_name(type)));
  for (const View& view : list.items()) {
    if (too_many(build, view)) return;
    Rule rule;
    rule.name = names.take(build, view);
    rule.position = view["name"].position();
    read(view["description"], rule.description);
    rule.on_error_match = view["on_error"].choice().value_or(1) == 0;
    if constexpr (kHasHistory<Rule>) read(view["include_history"], rule.include_history);
    fill(build, view, rule);
    if (rule.name.empty()) continue;
    const size_t index = rules.size();
    if (type == SignalType::kComplexity) {
      for (const ComplexityLevel level :
           {ComplexityLevel::kEasy, ComplexityLevel::kMedium, ComplexityLevel::kHard}) {
        add_signal(build, type, index, static_cast<size_t>(level),
                   fmt::format("{}:{}", rule.name, to_string(level)));
      }
    } else {
      add_signal(build, type, index, 0, rule.name);
    }
    rules.push_back(std::move(rule));
  }
}

// Names that rules of a type with fixed classes may have; none: any name.
std::vector<std::string_view> class_names(SignalType type) {
  switch (type) {
    case SignalType::kUserFeedback:
      return {"satisfied", "need_clarification", "want_different", "wrong_answer"};
    case SignalType::kFactCheck:
      return {"needs_fact_check", "no_fact_check_needed"};
    case SignalType::kModality:
      return {"AR", "DIFFUSION", "BOTH"};
    default:
      return {};
  }
}

void fill(Build& build, const View& view, OtherRule& rule) {
  const std::vector<std::string_view> classes = class_names(rule.type);
  if (!classes.empty() && std::ranges::find(classes, rule.name) == classes.end()) {
    build.error(view["name"],
                fmt::format("there is no {} class of that name; there are {}", leaf_name(rule.type),
                            fmt::join(classes, ", ")),
                rule.name, fmt::format("one of {}", fmt::join(classes, ", ")));
  }
  read(view["threshold"], rule.threshold);
  if (rule.type == SignalType::kReask) {
    rule.lookback_turns = static_cast<uint32_t>(
        std::clamp<int64_t>(view["lookback_turns"].integer().value_or(3), 1, kLookbackTurnsMax));
  }
  if (rule.type != SignalType::kPreference) return;
  read(view["examples"], rule.examples);
  if (const auto description = view["description"].text()) rule.examples.push_back(*description);
  if (rule.examples.empty()) {
    build.error(view, "a preference needs a description or examples to compare with", "",
                "description or examples");
  }
}

void build_other(Build& build, const View& list, SignalType type) {
  Names names(fmt::format("{} rule", leaf_name(type)));
  for (const View& view : list.items()) {
    if (too_many(build, view)) return;
    OtherRule rule;
    rule.type = type;
    rule.name = names.take(build, view);
    rule.position = view["name"].position();
    if (rule.name.empty()) continue;
    rule.on_error_match = view["on_error"].choice().value_or(1) == 0;
    fill(build, view, rule);
    add_signal(build, type, build.config.rules.others.size(), 0, rule.name);
    build.config.rules.others.push_back(std::move(rule));
  }
}

}  // namespace

void build_signals(Build& build, const View& view) {
  SignalRules& rules = build.config.rules;
  build_list(build, view["keywords"], SignalType::kKeyword, rules.keywords);
  build_list(build, view["embeddings"], SignalType::kEmbedding, rules.embeddings);
  build_list(build, view["domains"], SignalType::kDomain, rules.domains);
  build_list(build, view["complexity"], SignalType::kComplexity, rules.complexity);
  build_list(build, view["pii"], SignalType::kPii, rules.pii);
  build_list(build, view["jailbreak"], SignalType::kJailbreak, rules.jailbreak);
  build_list(build, view["context"], SignalType::kContext, rules.context);
  build_list(build, view["conversation"], SignalType::kConversation, rules.conversation);
  build_list(build, view["structure"], SignalType::kStructure, rules.structure);
  build_list(build, view["language"], SignalType::kLanguage, rules.language);
  for (const SignalType type :
       {SignalType::kReask, SignalType::kUserFeedback, SignalType::kFactCheck,
        SignalType::kPreference, SignalType::kModality}) {
    build_other(build, view[family_name(type)], type);
  }
  build_other(build, view["preferences"], SignalType::kPreference);
  build_roles(build, view["role_bindings"]);
  build_list(build, view["events"], SignalType::kEvent, rules.events);
  build_list(build, view["kb"], SignalType::kKb, rules.kb);
  build_list(build, view["metadata"], SignalType::kMetadata, rules.metadata);
  build_list(build, view["classifiers"], SignalType::kClassifier, rules.classifiers);
}

}  // namespace vsr::config
