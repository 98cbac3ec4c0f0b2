#pragma once

// A text without what hides a number or a key from a reader of bytes: full-width characters become
// ASCII, invisible characters inside of words go, and hyphens and blanks of other kinds between
// digits become plain ones. So do the escapes of texts within texts: "\n" and \u0041 of JSON,
// however often it was escaped again, and &quot; of HTML; colours of a terminal go. Keeps where
// each byte came from. Ordinary texts need none of this. Values; pure.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vsr::signals {

class PlainText {
 public:
  // False if the text is plain already: a search for a few bytes.
  static bool needed(std::string_view text);
  // `original` must be shorter than 4 GiB.
  explicit PlainText(std::string_view original);

  std::string_view text() const { return text_; }
  uint32_t original_start(uint32_t at) const { return starts_[at]; }
  // Behind the original of the byte before `end`; `end` is not 0.
  uint32_t original_end(uint32_t end) const { return ends_[end - 1]; }

 private:
  std::string text_;
  std::vector<uint32_t> starts_;  // of each byte in the original
  std::vector<uint32_t> ends_;
};

// Runs of letters, digits and underscores from here on may be encoded text.
constexpr size_t kEncodedRunMin = 12;
// True of base64 of text in ASCII, by what its first kEncodedRunMin letters decode to: of names and
// random keys one in ten thousand does. Needs a run of so many.
bool is_encoded_text(std::string_view run);

}  // namespace vsr::signals
