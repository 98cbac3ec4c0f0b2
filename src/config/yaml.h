#pragma once

// A YAML file as a tree of nodes with positions. Scanning is libfyaml's; the tree is ours, so that
// duplicate keys, aliases, merge keys and limits are all reported with their place. A Document owns
// its nodes; an alias is a second pointer to the same node. Foreign bytes: every limit is named
// here, and a file over one is refused. Pure.

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.h"

namespace vsr::config {

constexpr size_t kYamlBytesMax = 4ULL << 20;
constexpr size_t kYamlDepthMax = 64;
// Of the tree after aliases are followed: what a reader has to walk.
constexpr size_t kYamlNodesMax = 500'000;

enum class NodeKind : uint8_t { kScalar, kSequence, kMapping };

struct Node;

struct Entry {
  std::string key;
  Position position;  // of the key
  Node* value = nullptr;
  bool merged = false;  // came in by `<<`
};

struct Node {
  NodeKind kind = NodeKind::kScalar;
  Position position;
  bool plain = true;         // a scalar without quotes
  bool block = false;        // a scalar in | or > style: its place is that of its lines
  bool substituted = false;  // ${VAR} stood in it
  size_t begin = 0;          // byte offsets of a scalar in the file, quotes included
  size_t end = 0;
  std::string text;            // scalar
  std::vector<Node*> items;    // sequence
  std::vector<Entry> entries;  // mapping, in the order of the file; keys are unique

  // ~, null or nothing: the same as if the key were absent.
  bool is_null() const;
  Node* find(std::string_view key) const;  // null if there is none
};

class Document {
 public:
  Node* root() { return root_; }
  const Node* root() const { return root_; }
  std::deque<Node>& nodes() { return nodes_; }
  Node* make(NodeKind kind, Position position);
  void set_root(Node* root) { root_ = root; }

 private:
  std::deque<Node> nodes_;
  Node* root_ = nullptr;
};

// Reads one YAML document. The root is null after an error in its syntax or over a limit; duplicate
// keys are reported and the first one stays.
Document parse_yaml(std::string_view text, Diagnostics& diagnostics);

}  // namespace vsr::config
