#pragma once

// The schema of a recipe as data: one row for every key that v0.3 knows, with the type of its
// value, its default, and whether anything acts on it. Checking, the nearest-key hints, `config
// show`, the hash of the policy and the fixture test all read these rows; code that builds the
// Config can read only keys that have one. Constant; no thread.

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vsr::config {

enum class ValueType : uint8_t {
  kMap,      // of known keys
  kNamed,    // a mapping from names that the recipe chooses; "*" is the row of its values
  kList,     // "[]" is the row of its items
  kStrings,  // a list of texts, or one text
  kAny,      // whatever; not looked into
  kLink,     // the same as another path (KeyRow::choices)
  kText,
  kTextOrMap,  // a text that stands for one key of the mapping
  kBool,
  kInteger,  // of either sign
  kCount,    // a whole number from 0
  kNumber,
  kAmount,    // a number from 0
  kPositive,  // a number above 0
  kUnit,      // a number from 0 to 1
  kPort,      // 1 to 65535
  kDuration,  // 1200s, 5m, 100ms; a bare number is seconds
  kTokens,    // 8K = 8000, 1M
  kBytes,     // 64M, 64MiB
  kChoice,    // one of KeyRow::choices
};

enum class Use : uint8_t {
  kUsed,
  kAccepted,  // part of the schema, nothing acts on it yet: one warning that says so
  kNeedless,  // accepted in silence: what it asks for is always or never so here
  kBuiltIn,   // about models that are built in here: one note for all of them
};

enum KeyFlag : uint8_t {
  kSecret = 1,     // never shown
  kStrict = 2,     // from here down, unknown keys are errors
  kLenient = 4,    // from here down, unknown keys count as kBuiltIn
  kOperator = 8,   // from here down, not part of the policy that the hash covers
  kOptional = 16,  // a mapping whose absence says something: no defaults below it then
  kTypos = 32,     // from here down, unknown keys that look like a known one are errors
};

struct KeyRow {
  std::string_view
      path;  // "listeners[].api_keys[].name", "providers.models[].external_model_ids.*"
  ValueType type = ValueType::kMap;
  std::string_view initial;  // the default as YAML, "" = none
  std::string_view choices;  // "a|b|c"
  Use use = Use::kUsed;
  uint8_t flags = 0;
};

std::span<const KeyRow> provider_keys();  // top level, listeners, providers
std::span<const KeyRow> routing_keys();   // routing but decisions
std::span<const KeyRow> decision_keys();
std::span<const KeyRow> global_keys();

// A row with its place in the tree. Flags of the rows above are included.
struct Key {
  std::string_view name;  // the last segment; "[]" and "*" for items and named values
  const KeyRow* row = nullptr;
  uint8_t flags = 0;
  std::vector<Key*> children;  // of a mapping, in the order of the table
  Key* item = nullptr;         // of kList and kNamed

  const Key* find(std::string_view key) const;
  std::vector<std::string_view> child_names() const;
};

class KeyTree {
 public:
  KeyTree();
  KeyTree(const KeyTree&) = delete;
  KeyTree& operator=(const KeyTree&) = delete;

  const Key& root() const { return *root_; }
  const std::deque<Key>& keys() const { return keys_; }

 private:
  void insert(const KeyRow& row);
  Key* walk(std::string_view path);

  std::deque<Key> keys_;
  Key* root_ = nullptr;
};

// What a value of that row may be: "a number from 0 to 1", "apply, observe or bypass".
std::string describe(const KeyRow& row);

}  // namespace vsr::config
