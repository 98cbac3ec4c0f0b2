#pragma once

// Personal data and secrets in a text, with validated exact spans. One pass over the text finds the
// places worth a look (digits, an @, a key prefix, a secret word); only those are read closely.
// Pure and thread-safe; time linear in the text. Limit: kEntitiesMax per text.

#include <string_view>
#include <vector>

#include "signals/entity.h"

namespace vsr::signals {

// A text with more entities than this is reported with the first ones; it matches all the same.
constexpr size_t kEntitiesMax = 1024;

struct DetectOptions {
  bool personal = true;
  bool secrets = true;
};

// Appends to `out`, in order of start, without overlaps. `text` is UTF-8; bytes that are not are
// skipped.
void detect(std::string_view text, DetectOptions options, std::vector<Entity>& out);

// Both kinds.
std::vector<Entity> detect_pii(std::string_view text, DetectOptions options = {});

}  // namespace vsr::signals
