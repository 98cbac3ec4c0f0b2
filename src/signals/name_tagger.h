#pragma once

// Names of people and street addresses in running text, by a linear-chain model over the words that
// may be part of one (capitals, the numbers beside them, Chinese surnames). Pure and thread-safe;
// time linear in the text, memory one block of it.

#include <string_view>
#include <vector>

#include "signals/entity.h"
#include "signals/name_model.h"

namespace vsr::signals {

// Appends to `out` in order of start. The confidence is the least probability of a word's tag.
void tag_names(std::string_view text, const NameModel& model, std::vector<Entity>& out);

}  // namespace vsr::signals
