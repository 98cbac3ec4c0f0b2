#pragma once

// Other readings of a text in which an attack may stand that the plain text hides: without
// invisible characters, with look-alike letters replaced, decoded, joined, turned round. For the
// safety checks only; what the text says to a model is the text itself. A text to which nothing
// applies costs one scan and gives no view. Pure, thread-safe, bounded by the limits below.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vsr::text {

// In the order in which views are made.
enum class Technique : uint8_t {
  kInvisible,    // NFKC without invisible characters and struck-out letters
  kHidden,       // tag characters and runs of variation selectors read as the bytes they carry
  kConfusables,  // look-alike and stylised letters as Latin ones
  kSpaced,       // i g n o r e, i.g.n.o.r.e, ig-nore
  kSplit,        // ig nore pre vious
  kLeet,         // 1gn0r3
  kBase64,       // standard and url-safe
  kHex,          // 69676e6f7265, 69 67 6e
  kPercent,      // %69%67
  kEntities,     // &#105;
  kEscapes,      // \u0069 \x69
  kMarkup,       // Markdown and HTML without their marks
  kRot13,
  kReversed,
};
std::string_view name_of(Technique technique);

struct Range {
  size_t begin = 0;
  size_t end = 0;
  bool operator==(const Range&) const = default;
};

// Bytes of a view and the bytes of the original text they came from. Pieces are in the order of
// the view and cover it; original bytes that no piece names were dropped.
struct Piece {
  uint32_t view_begin;
  uint32_t view_end;
  uint32_t begin;
  uint32_t end;
  bool is_exact;  // byte for byte: as long as the original; otherwise whole stands for whole
};

struct View {
  std::string text;     // UTF-8, apart from bytes that the original has wrong already
  Technique technique;  // the last one applied
  uint8_t depth = 1;    // how many were applied
  std::vector<Piece> map;
  // From the first to the last change, in bytes of `text`; outside of it the view is what it was
  // made from. Empty where there is one change and it dropped something.
  Range changed;
};

// A longer text is looked at in its first and its last half of this.
inline constexpr size_t kUnmaskBytesMax = 64 << 10;
inline constexpr size_t kViewsMax = 8;
inline constexpr size_t kViewBytesMax = 96 << 10;
// Of all views of a text together.
inline constexpr size_t kViewBytesTotalMax = 512 << 10;
// Of one view; what comes behind is one coarse piece.
inline constexpr size_t kViewPiecesMax = 16384;
inline constexpr int kUnmaskDepthMax = 2;

// Views in the order of depth, then of technique. No two are equal and none equals the text.
// `text` must be shorter than 4 GiB; what is behind that is not looked at.
std::vector<View> unmask(std::string_view text);

// The smallest known range of the original behind [begin, end) of the view, by binary search. An
// empty range gives an empty one. Needs begin ≤ end ≤ view.text.size().
Range original_range(const View& view, size_t begin, size_t end);

}  // namespace vsr::text
