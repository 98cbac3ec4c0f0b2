// From rules to Engine::Compiled.

#include <fmt/format.h>

#include <algorithm>

#include "nn/head_bank.h"
#include "nn/vectors.h"
#include "signals/compiled.h"
#include "signals/examples.h"
#include "text/hash.h"
#include "text/normalize.h"

namespace vsr::signals {
namespace {

KeywordKind kind_of(const config::KeywordRule& rule) {
  switch (rule.method) {
    case config::KeywordMethod::kRegex:
      return KeywordKind::kPattern;
    case config::KeywordMethod::kBm25:
      return KeywordKind::kBm25;
    case config::KeywordMethod::kNgram:
      return KeywordKind::kSimilar;
    case config::KeywordMethod::kLiteral:
      return rule.fuzzy_match ? KeywordKind::kSimilar : KeywordKind::kPattern;
  }
  return KeywordKind::kPattern;
}

double threshold_of(const config::KeywordRule& rule) {
  if (rule.method == config::KeywordMethod::kBm25) return rule.bm25_threshold;
  if (rule.method == config::KeywordMethod::kNgram) return rule.ngram_threshold;
  return 1;
}

}  // namespace

bool needs_vectors(const config::SignalRules& rules) {
  const auto compares = [](const config::OtherRule& rule) {
    return rule.type == config::SignalType::kReask ||
           rule.type == config::SignalType::kPreference || is_built_in(rule.type);
  };
  const auto is_local = [](const config::ClassifierRule& rule) {
    return rule.model != config::ClassifierModel::kExternal;
  };
  return !rules.embeddings.empty() || !rules.domains.empty() || !rules.complexity.empty() ||
         !rules.jailbreak.empty() || !rules.knowledge_bases.empty() ||
         std::ranges::any_of(rules.classifiers, is_local) ||
         std::ranges::any_of(rules.others, compares);
}

namespace {

void compile_keywords(Engine::Compiled& c) {
  for (size_t r = 0; r < c.config->rules.keywords.size(); ++r) {
    const config::KeywordRule& rule = c.config->rules.keywords[r];
    KeywordPlan plan;
    plan.kind = kind_of(rule);
    plan.threshold = threshold_of(rule);
    plan.first = static_cast<uint32_t>(c.keywords.size());
    plan.count = static_cast<uint32_t>(rule.keywords.size());
    uint32_t phrase = plan.kind == KeywordKind::kBm25 ? c.phrases.add_rule(rule.keywords) : 0;
    for (const std::string& keyword : rule.keywords) {
      KeywordSlot slot{.text = keyword};
      if (plan.kind == KeywordKind::kBm25) {
        slot.index = phrase++;
      } else if (plan.kind == KeywordKind::kSimilar) {
        slot.index = static_cast<uint32_t>(c.similar.size());
        c.similar.push_back(
            rule.method == config::KeywordMethod::kNgram
                ? SimilarKeyword::with_ngrams(keyword,
                                              static_cast<size_t>(std::max(1, rule.ngram_arity)))
                : SimilarKeyword::with_edits(
                      keyword, static_cast<size_t>(std::max(0, rule.fuzzy_threshold))));
      } else if (rule.method == config::KeywordMethod::kRegex) {
        slot.index = c.patterns.add_regex(keyword, rule.case_sensitive, false);
      } else {
        slot.index = c.patterns.add_literal(keyword, rule.case_sensitive);
      }
      c.keywords.push_back(slot);
    }
    c.keyword_rules.push_back(plan);
    if (!rule.include_history) continue;
    c.history_rules.push_back(static_cast<uint16_t>(r));
    c.history_similar |= plan.kind == KeywordKind::kSimilar;
    c.history_phrases |= plan.kind == KeywordKind::kBm25;
    c.history_safety |= rule.on_error_match;
  }
}

void compile_structure(Engine::Compiled& c) {
  for (const config::StructureRule& rule : c.config->rules.structure) {
    StructurePlan plan;
    if (rule.source == config::StructureSource::kRegex) {
      const bool counted = rule.feature != config::StructureFeature::kExists;
      plan.patterns.push_back(c.patterns.add_regex(rule.pattern, rule.case_sensitive, counted));
    }
    for (const std::string& keyword : rule.keywords) {
      plan.patterns.push_back(c.patterns.add_literal(keyword, rule.case_sensitive));
    }
    for (const std::vector<std::string>& sequence : rule.sequences) {
      auto& words = plan.sequences.emplace_back();
      for (const std::string& word : sequence) words.push_back(text::normalized(word));
    }
    c.structure_rules.push_back(std::move(plan));
  }
}

void compile_labels(Engine::Compiled& c) {
  for (const config::DomainRule& rule : c.config->rules.domains) {
    auto& labels = c.domain_labels.emplace_back();
    for (const std::string& label : rule.labels) {
      const auto found = std::ranges::find(nn::kDomainLabels, label);
      if (found == nn::kDomainLabels.end()) continue;
      const auto index = static_cast<size_t>(found - nn::kDomainLabels.begin());
      if (std::ranges::find(labels, index) == labels.end()) labels.push_back(index);
    }
  }
  for (const config::PiiRule& rule : c.config->rules.pii) {
    auto& allowed = c.pii_allowed.emplace_back();
    for (const std::string& name : rule.types_allowed) {
      // Types of other products that nothing here detects are allowed by not being found.
      EntityType type;
      if (parse_entity_type(name, type)) allowed[static_cast<size_t>(type)] = true;
    }
  }
}

Status compile_candidates(Engine::Compiled& c) {
  nn::Vectors* const vectors = c.parts.vectors.get();
  if (vectors == nullptr) return {};
  Status status;
  const auto rows = [&](const std::vector<std::string>& texts) {
    CandidateSet out;
    out.dims = vectors->dims();
    if (!status || texts.empty()) return out;
    auto encoded = vectors->candidates(texts);
    if (encoded) {
      out.rows = std::move(*encoded);
    } else {
      status = std::unexpected(encoded.error());
    }
    return out;
  };
  const config::SignalRules& rules = c.config->rules;
  for (const auto& rule : rules.embeddings) {
    c.embedding_rules.push_back(rows(rule.candidates));
    c.embedding_history |= rule.include_history;
  }
  for (const auto& rule : rules.complexity) {
    c.hard.push_back(rows(rule.hard_candidates));
    c.easy.push_back(rows(rule.easy_candidates));
  }
  for (const auto& rule : rules.jailbreak) {
    c.attacks.push_back(rows(rule.jailbreak_patterns));
    c.benign.push_back(rows(rule.benign_patterns));
  }
  for (const config::KnowledgeBase& kb : rules.knowledge_bases) {
    auto& labels = c.kb_labels.emplace_back();
    for (const config::KbLabel& label : kb.labels) labels.push_back(rows(label.exemplars));
  }
  for (const config::ClassifierRule& rule : rules.classifiers) {
    c.classifier_examples.push_back(rows(rule.examples));
    c.classifier_counter_examples.push_back(rows(rule.counter_examples));
  }
  for (const config::OtherRule& rule : rules.others) {
    if (rule.type == config::SignalType::kPreference) {
      c.examples.push_back({rule.type, rule.name, rows(rule.examples)});
    }
  }
  // A class is told from the others of its type, whether the recipe names them or not.
  for (const BuiltInClass& one : built_in_classes()) {
    const bool used = std::ranges::any_of(
        rules.others, [&](const config::OtherRule& rule) { return rule.type == one.type; });
    if (!used) continue;
    const std::vector<std::string> texts(one.examples.begin(), one.examples.end());
    c.examples.push_back({one.type, one.name, rows(texts)});
  }
  return status;
}

// Of all that a MessageResult depends on beside the message.
uint64_t version_of(const Engine::Compiled& c) {
  std::string described;
  for (const uint16_t r : c.history_rules) {
    const config::KeywordRule& rule = c.config->rules.keywords[r];
    // The position among all keywords is what a cached score refers to.
    described += fmt::format("{} {} {} {} {} {} {}\n", c.keyword_rules[r].first,
                             static_cast<int>(rule.method), rule.case_sensitive, rule.fuzzy_match,
                             rule.fuzzy_threshold, rule.ngram_arity, rule.keywords.size());
    for (const std::string& keyword : rule.keywords) {
      described += fmt::format("{} {}\n", keyword.size(), keyword);
    }
  }
  if (c.classifier) described += c.classifier->version();
  if (c.parts.vectors) described += c.parts.vectors->version();
  return text::hash64(described);
}

bool reads_weights(config::SignalType type) {
  using enum config::SignalType;
  switch (type) {
    case kKeyword:
    case kPii:
    case kContext:
    case kConversation:
    case kStructure:
    case kLanguage:
    case kAuthz:
    case kEvent:
    case kMetadata:
    case kProjection:
      return false;
    default:
      return true;
  }
}

std::vector<uint64_t> fingerprints_of(const Engine::Compiled& c) {
  std::string weights = "weights:";
  if (c.classifier) weights += c.classifier->version();
  weights += '/';
  if (c.parts.vectors) weights += c.parts.vectors->version();
  const uint64_t of_weights = text::hash64(weights);
  std::vector<uint64_t> out = c.config->rule_hashes;
  for (size_t id = 0; id < out.size(); ++id) {
    if (!reads_weights(c.config->signals[id].type)) continue;
    out[id] = text::hash64({reinterpret_cast<const char*>(&out[id]), sizeof(out[id])}, of_weights);
  }
  return out;
}

}  // namespace

Result<std::shared_ptr<const Engine>> Engine::compile(std::shared_ptr<const config::Config> config,
                                                      Parts parts) {
  for (const RuleProblem& problem : check_rules(*config)) {
    if (problem.severity != config::Severity::kError) continue;
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}:{}:{}: error: {}: {}", config->file, problem.position.line,
                            problem.position.column, problem.path, problem.message));
  }
  auto compiled = std::make_unique<Compiled>();
  compiled->config = std::move(config);
  compiled->parts = std::move(parts);
  if (compiled->parts.heads) {
    auto classifier = nn::TextClassifier::make(compiled->parts.heads, compiled->parts.vectors);
    if (!classifier) return std::unexpected(classifier.error());
    compiled->classifier = std::move(*classifier);
  }
  compile_keywords(*compiled);
  compile_structure(*compiled);
  compile_labels(*compiled);
  compiled->patterns.build();
  if (const Status status = compile_candidates(*compiled); !status) {
    return std::unexpected(status.error());
  }
  compiled->version = version_of(*compiled);
  compiled->fingerprints = fingerprints_of(*compiled);
  return std::shared_ptr<const Engine>(new Engine(std::move(compiled)));
}

Engine::Engine(std::unique_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
Engine::~Engine() = default;
uint64_t Engine::rules_version() const { return compiled_->version; }
std::span<const uint64_t> Engine::fingerprints() const { return compiled_->fingerprints; }

Reads Engine::reads(config::SignalId signal) const {
  using enum config::SignalType;
  const config::SignalInfo& info = compiled_->config->signals[signal];
  const config::SignalRules& rules = compiled_->config->rules;
  const auto of_text = [&](const config::RuleBase& rule) {
    return rule.include_history ? Reads::kMessages : Reads::kPrompt;
  };
  switch (info.type) {
    case kContext:
    case kConversation:
      return Reads::kShape;
    case kKeyword:
      return of_text(rules.keywords[info.rule]);
    case kEmbedding:
      // They are ranked together.
      return compiled_->embedding_history ? Reads::kMessages : Reads::kPrompt;
    case kDomain:
      return of_text(rules.domains[info.rule]);
    case kComplexity:
      return of_text(rules.complexity[info.rule]);
    case kJailbreak:
      return of_text(rules.jailbreak[info.rule]);
    case kStructure:
    case kLanguage:
    case kUserFeedback:
    case kFactCheck:
    case kPreference:
    case kModality:
      return Reads::kPrompt;
    case kMetadata:
      return rules.metadata[info.rule].header ? Reads::kRequest : Reads::kMessages;
    case kAuthz:
    case kEvent:
      return Reads::kRequest;
    default:
      return Reads::kMessages;
  }
}

CostClass Engine::cost_class(config::SignalId signal) const {
  using config::SignalType;
  const config::SignalInfo& info = compiled_->config->signals[signal];
  const CostClass heads = compiled_->classifier && compiled_->classifier->uses_encoder() ? 4 : 3;
  switch (info.type) {
    case SignalType::kKeyword:
      return compiled_->keyword_rules[info.rule].kind == KeywordKind::kPattern ? 0 : 1;
    case SignalType::kContext:
    case SignalType::kConversation:
    case SignalType::kStructure:
    case SignalType::kAuthz:
    case SignalType::kEvent:
    case SignalType::kMetadata:
      return 0;
    case SignalType::kLanguage:
      return 1;
    case SignalType::kPii:
      return 2;
    case SignalType::kDomain:
      return heads;
    case SignalType::kComplexity:
      return compiled_->config->rules.complexity[info.rule].method ==
                     config::ComplexityMethod::kContrastive
                 ? 4
                 : heads;
    case SignalType::kJailbreak:
      return compiled_->config->rules.jailbreak[info.rule].method ==
                     config::JailbreakMethod::kClassifier
                 ? heads
                 : 4;
    case SignalType::kClassifier:
      return compiled_->config->rules.classifiers[info.rule].model ==
                     config::ClassifierModel::kExamples
                 ? 4
                 : heads;
    default:
      return 4;
  }
}

}  // namespace vsr::signals
