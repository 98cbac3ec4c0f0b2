#pragma once

// The natural language of a text: by script where the script decides, by function words and
// letters among the languages written in Latin script. Fenced code is skipped. Reads at most
// kLanguageBytesMax bytes. Pure, thread-safe.

#include <cstddef>
#include <string_view>

namespace vsr::text {

inline constexpr size_t kLanguageBytesMax = 4096;

struct Language {
  std::string_view code;  // ISO 639-1; "" when the text has no letters
  float confidence = 0;   // 0..1
};

// Codes: en zh de fr es pt it nl ja ko ru uk ar fa hi el he th. A Latin-script text without any
// known word is "en" at .5: most short prompts and code identifiers are.
Language detect_language(std::string_view text);

}  // namespace vsr::text
