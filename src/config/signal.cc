#include "config/signal.h"

#include <array>

namespace vsr::config {
namespace {

struct TypeNames {
  std::string_view leaf;
  std::string_view family;
};

// By SignalType.
constexpr std::array<TypeNames, kSignalTypes> kTypeNames = {{
    {"keyword", "keywords"},
    {"embedding", "embeddings"},
    {"domain", "domains"},
    {"complexity", "complexity"},
    {"pii", "pii"},
    {"jailbreak", "jailbreak"},
    {"context", "context"},
    {"conversation", "conversation"},
    {"structure", "structure"},
    {"language", "language"},
    {"reask", "reasks"},
    {"user_feedback", "user_feedbacks"},
    {"fact_check", "fact_check"},
    {"preference", "preference"},
    {"modality", "modality"},
    {"authz", "role_bindings"},
    {"event", "events"},
    {"kb", "kb"},
    {"metadata", "metadata"},
    {"classifier", "classifiers"},
    {"projection", "projections"},
}};

}  // namespace

std::string_view leaf_name(SignalType type) { return kTypeNames[static_cast<size_t>(type)].leaf; }

std::string_view family_name(SignalType type) {
  return kTypeNames[static_cast<size_t>(type)].family;
}

bool parse_leaf_name(std::string_view leaf, SignalType& out) {
  for (size_t type = 0; type < kSignalTypes; ++type) {
    if (kTypeNames[type].leaf == leaf) {
      out = static_cast<SignalType>(type);
      return true;
    }
  }
  return false;
}

std::string_view to_string(ComplexityLevel level) {
  constexpr std::array<std::string_view, 3> kNames = {"easy", "medium", "hard"};
  return kNames[static_cast<size_t>(level)];
}

}  // namespace vsr::config
