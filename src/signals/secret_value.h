#pragma once

// The value beside a secret word: where it begins and ends, and how sure it is that it is a
// password or a key. Views into the text; pure.

#include <cstddef>
#include <optional>
#include <string_view>

namespace vsr::signals {

struct Value {
  size_t start = 0;
  size_t end = 0;
  bool quoted = false;
  bool prose = false;  // said in a sentence, not assigned
};

struct Kinds {
  int digits = 0, lower = 0, upper = 0, symbols = 0, spaces = 0, dashes = 0;
  int letters() const { return lower + upper; }
};
Kinds kinds_of(std::string_view value);

size_t skip_blanks(std::string_view text, size_t at);
// Past a literal at `at`, npos if it is not there. ASCII case is ignored.
size_t past(std::string_view text, size_t at, std::string_view literal);
bool is_quote(char c);

// The value at `at`, with or without quotes; a token ends at '&' as well.
std::optional<Value> value_at(std::string_view text, size_t at, bool prose, bool token);

// Confidence that `text` is a password or a key; 0 if it is none.
double password_confidence(std::string_view text, const Value& value);
double token_confidence(std::string_view text, const Value& value, bool unknown_kind);
// A chosen secret rather than a generated one: JWT_SECRET=Blue-Horse-92.
double chosen_secret_confidence(std::string_view text, const Value& value);

// Stands out in a sentence as nothing but a password: letters, digits and signs, or both cases.
bool is_obvious_password(std::string_view text);
// Letters and digits that may be a password if the sentence says so ("hunter22"), and no name of
// an algorithm or a product ("sha256").
bool is_likely_password(std::string_view text);

// Base64 of "user:password".
bool is_basic_credential(std::string_view value);

}  // namespace vsr::signals
