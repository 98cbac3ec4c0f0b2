// Any bytes through unmask: the limits hold, every map covers its view and stays inside the text,
// and each range of a view has a range of the text.
#include <cstdint>

#include "base/check.h"
#include "text/unmask.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vsr::text;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::vector<View> views = unmask(text);
  VSR_CHECK(views.size() <= kViewsMax);
  size_t bytes = 0;
  for (size_t i = 0; i < views.size(); ++i) {
    const View& view = views[i];
    VSR_CHECK(view.text != text && view.text.size() <= kViewBytesMax);
    VSR_CHECK(view.map.size() <= kViewPiecesMax && view.depth >= 1 &&
              view.depth <= kUnmaskDepthMax);
    for (size_t j = 0; j < i; ++j) VSR_CHECK(views[j].text != view.text, "two equal views");
    size_t at = 0;
    for (const Piece& piece : view.map) {
      VSR_CHECK(piece.view_begin == at && piece.view_end > at, "a gap at {}", at);
      VSR_CHECK(piece.begin <= piece.end && piece.end <= size);
      VSR_CHECK(!piece.is_exact || piece.end - piece.begin == piece.view_end - piece.view_begin);
      at = piece.view_end;
    }
    VSR_CHECK(at == view.text.size());
    VSR_CHECK(view.changed.begin <= view.changed.end && view.changed.end <= at);
    for (size_t begin = 0; begin < at; begin += 1 + at / 64) {
      const size_t end = begin + (at - begin + 1) / 2;
      const Range range = original_range(view, begin, end);
      VSR_CHECK(range.begin <= range.end && range.end <= size);
    }
    bytes += at;
  }
  VSR_CHECK(bytes <= kViewBytesTotalMax);
  return 0;
}
