#pragma once

// The recipe as it takes effect: what the file says, with the defaults of the key table merged in
// field by field and what the loader worked out, each value with its origin. `config show` prints
// it; the hash of the policy is taken over it, so neither comments nor layout nor a default that is
// written out change the hash. Values; no thread.

#include <string>
#include <vector>

#include "config/config.h"
#include "config/keys.h"
#include "config/yaml.h"

namespace vsr::config {

enum class Origin : uint8_t {
  kFile,
  kEnvironment,  // in the file as ${VAR}
  kDefault,
  kComputed,  // from the rest of the recipe
};

struct Effective {
  NodeKind kind = NodeKind::kMapping;
  std::string name;             // of a key; "" for items of a list
  const KeyRow* row = nullptr;  // null below a key that takes anything
  uint8_t flags = 0;
  std::string value;  // of a scalar
  bool plain = true;  // written without quotes
  Origin origin = Origin::kFile;
  int line = 0;
  std::vector<Effective> children;
};

Effective effective_recipe(const Node& root, const KeyTree& keys, const Config& config);

// By SignalId, see Config::rule_hashes; 0 for projections. What else a rule depends on, such as the
// rules that it is ranked against, is part of its hash.
std::vector<uint64_t> rule_hashes(const Effective& recipe, const Config& config);

// 16 hex digits over what decides about requests: listeners, backends, stores and texts for people
// are left out. `more`: what the recipe takes from other files.
std::string policy_hash(const Effective& recipe, std::string_view more = {});

}  // namespace vsr::config
