#pragma once

// Inside of unmask: the builder of views, and one function per technique. Each reads a whole text
// and returns a view of it, or nothing if the technique does not apply. Pure.

#include <optional>
#include <span>
#include <string_view>

#include "text/unmask.h"

namespace vsr::text {

constexpr bool is_letter(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'z';
}
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
// What parts the two halves of one word.
constexpr bool is_split(char c) { return c == ' ' || c == '\n'; }
inline constexpr size_t kSplitLettersMin = 6;
// So many words that can only be halves are no accident.
inline constexpr int kSplitsMin = 2;
constexpr bool is_vowel(char c) {
  return std::string_view("aeiouAEIOU").find(c) != std::string_view::npos;
}

// Bounded: at kViewBytesMax it stops taking text, at kViewPiecesMax the map becomes coarse.
class ViewBuilder {
 public:
  // `source` must outlive the builder.
  explicit ViewBuilder(std::string_view source) : source_(source) {}

  // Takes [begin, end) of the source as it is.
  void keep(size_t begin, size_t end);
  // Takes the source from the end of the last keep or replace up to `end`.
  void keep_until(size_t end) { keep(at_, end); }
  // Puts `text` where the source has [begin, end); what stands before it and was not yet taken is
  // kept. `is_exact` if text and range are equally long and correspond byte by byte.
  void replace(size_t begin, size_t end, std::string_view text, bool is_exact = false);
  void drop(size_t begin, size_t end);
  // Like replace, but for text that does not follow the order of the source.
  void put(size_t begin, size_t end, std::string_view text, bool is_exact);
  void skip_to(size_t at) { at_ = at; }

  // Keeps the rest of the source. Nothing if nothing was replaced or dropped.
  std::optional<View> finish(Technique technique) &&;

 private:
  void append(size_t begin, size_t end, std::string_view text, bool is_exact);

  std::string_view source_;
  size_t at_ = 0;
  bool is_changed_ = false;
  bool is_full_ = false;
  View view_{};
};

// Makes `outer`, a view of `inner.text`, a view of the original of `inner`.
void rebase(View& outer, const View& inner);

std::optional<View> without_invisible(std::string_view text);
std::optional<View> hidden_decoded(std::string_view text);
std::optional<View> confusables_replaced(std::string_view text);
std::optional<View> letters_joined(std::string_view text);
std::optional<View> splits_joined(std::string_view text);
std::optional<View> leet_replaced(std::string_view text);
std::optional<View> base64_decoded(std::string_view text);
std::optional<View> hex_decoded(std::string_view text);
std::optional<View> percent_decoded(std::string_view text);
std::optional<View> entities_decoded(std::string_view text);
std::optional<View> escapes_decoded(std::string_view text);
std::optional<View> markup_stripped(std::string_view text);
std::optional<View> rot13_decoded(std::string_view text);
std::optional<View> reversed(std::string_view text);

}  // namespace vsr::text
