#pragma once

// Checks a document against the key table: unknown keys, wrong types, values out of range, keys
// that nothing acts on. Says nothing about names that refer to each other; that is the builder's
// part. Pure.

#include "config/keys.h"
#include "config/yaml.h"

namespace vsr::config {

// True if a scalar's text is a value of that row's type.
bool is_valid_scalar(const KeyRow& row, std::string_view text);

void check_document(const Node& root, const KeyTree& keys, Diagnostics& diagnostics);

}  // namespace vsr::config
