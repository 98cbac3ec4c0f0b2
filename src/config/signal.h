#pragma once

// The names that decisions speak: every addressable signal of a recipe has an index into
// Config::signals (a SignalId), and its value at run time is a SignalValue at that index. Signals
// produces the values, policy reads them; neither knows the other. Values; no thread.

#include <cstdint>
#include <string>
#include <string_view>

namespace vsr::config {

enum class SignalType : uint8_t {
  kKeyword,
  kEmbedding,
  kDomain,
  kComplexity,
  kPii,
  kJailbreak,
  kContext,
  kConversation,
  kStructure,
  kLanguage,
  kReask,
  kUserFeedback,
  kFactCheck,
  kPreference,
  kModality,
  kAuthz,
  kEvent,
  kKb,
  kMetadata,
  kClassifier,
  kProjection,
};
constexpr size_t kSignalTypes = static_cast<size_t>(SignalType::kProjection) + 1;

// The word in a rule's leaf: "keyword", "domain", …, "projection".
std::string_view leaf_name(SignalType type);
// The YAML list under routing.signals and the family in eval output: "keywords", "pii", …
std::string_view family_name(SignalType type);
// False if `leaf` is not the name of a type.
bool parse_leaf_name(std::string_view leaf, SignalType& out);

using SignalId = uint16_t;
constexpr SignalId kNoSignal = 0xffff;

// Levels of a complexity rule; each is a signal of its own, named `rule:level`.
enum class ComplexityLevel : uint8_t { kEasy, kMedium, kHard };
std::string_view to_string(ComplexityLevel level);

struct SignalInfo {
  SignalType type = SignalType::kKeyword;
  // Index of the rule in its list of SignalRules (`others` for the types that share it); for a
  // projection, of the mapping; for a metric of a knowledge base, of that.
  uint16_t rule = 0;
  // For complexity the level, for a projection the index of the output within its mapping, for a
  // metric 1 + its index; 0 otherwise.
  uint16_t part = 0;
  // What a leaf writes: "pii_any", "task:hard", "privacy_high".
  std::string name;
};

struct SignalValue {
  bool evaluated = false;
  bool matched = false;
  double confidence = 0;  // 0..1
  double raw = 0;         // unit depends on the type, see docs of the rule
};

}  // namespace vsr::config
