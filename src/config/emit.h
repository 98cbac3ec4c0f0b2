#pragma once

// Writes a tree of nodes as YAML: block style, lists of plain words on one line, texts quoted where
// YAML would read them as something else. Pure.

#include <string>
#include <unordered_map>

#include "config/yaml.h"

namespace vsr::config {

// Comments to put behind a value, by node.
using Comments = std::unordered_map<const Node*, std::string>;

// Reads back as the same tree.
std::string emit_yaml(const Node& root, const Comments& comments = {});

// The text as a YAML scalar. `plain`: it stood without quotes, so a number or true may stay one.
std::string yaml_scalar(std::string_view text, bool plain);

}  // namespace vsr::config
