#pragma once

// The rules of a recipe in the form that evaluation reads: names resolved, patterns and indexes
// built. Internal to the room; immutable after compile().

#include <memory>
#include <string_view>
#include <vector>

#include "nn/text_classifier.h"
#include "signals/bm25.h"
#include "signals/engine.h"
#include "signals/entity.h"
#include "signals/patterns.h"
#include "signals/similar_words.h"

namespace vsr::signals {

// How the keywords of a rule are looked for.
enum class KeywordKind : uint8_t { kPattern, kBm25, kSimilar };

struct KeywordPlan {
  KeywordKind kind = KeywordKind::kPattern;
  double threshold = 1;  // scores from here on count as found
  uint32_t first = 0;    // of its keywords in Engine::Compiled::keywords
  uint32_t count = 0;
};

// One keyword of one rule.
struct KeywordSlot {
  std::string_view text;  // in the Config
  uint32_t index = 0;     // PatternId, phrase of the Bm25Index, or entry of `similar`
};

struct StructurePlan {
  std::vector<PatternId> patterns;
  std::vector<std::vector<std::string>> sequences;  // normalised words
};

// Texts that a rule compares the prompt with, as rows of one vector each.
struct CandidateSet {
  std::vector<float> rows;
  size_t dims = 0;
  size_t size() const { return dims == 0 ? 0 : rows.size() / dims; }
};

// Examples of one class: those of a preference, or those that are built in.
struct ExampleSet {
  config::SignalType type = config::SignalType::kPreference;
  std::string_view name;
  CandidateSet texts;
};

struct Engine::Compiled {
  std::shared_ptr<const config::Config> config;
  Parts parts;
  std::shared_ptr<const nn::TextClassifier> classifier;  // null without weights

  PatternSet patterns;
  Bm25Index phrases;
  std::vector<SimilarKeyword> similar;
  std::vector<KeywordSlot> keywords;
  std::vector<KeywordPlan> keyword_rules;                   // by rule
  std::vector<uint16_t> history_rules;                      // keyword rules with include_history
  std::vector<StructurePlan> structure_rules;               // by rule
  std::vector<std::vector<size_t>> domain_labels;           // by rule: indexes of nn::kDomainLabels
  std::vector<std::array<bool, kEntityTypes>> pii_allowed;  // by rule
  bool history_similar = false;                             // some history rule compares words
  bool history_phrases = false;
  bool history_safety = false;                // some history keyword rule has `on_error: match`
  std::vector<CandidateSet> embedding_rules;  // by rule
  bool embedding_history = false;             // some embedding rule has include_history
  std::vector<CandidateSet> hard;             // by complexity rule
  std::vector<CandidateSet> easy;
  std::vector<CandidateSet> attacks;  // by jailbreak rule
  std::vector<CandidateSet> benign;
  std::vector<ExampleSet> examples;
  std::vector<std::vector<CandidateSet>> kb_labels;  // by knowledge base and label
  std::vector<CandidateSet> classifier_examples;     // by classifier rule
  std::vector<CandidateSet> classifier_counter_examples;
  uint64_t version = 0;
  std::vector<uint64_t> fingerprints;  // by SignalId
};

}  // namespace vsr::signals
