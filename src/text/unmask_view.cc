#include "text/unmask_view.h"

#include <algorithm>

#include "base/check.h"
#include "text/utf8.h"

namespace vsr::text {
namespace {

// The piece that has byte `at` of the view.
size_t piece_at(const View& view, size_t at) {
  const auto piece = std::upper_bound(
      view.map.begin(), view.map.end(), at,
      [](size_t value, const Piece& candidate) { return value < candidate.view_end; });
  VSR_CHECK(piece != view.map.end() && piece->view_begin <= at, "byte {} is in no piece", at);
  return static_cast<size_t>(piece - view.map.begin());
}

// What of the original stands behind the part [begin, end) of one piece.
Range part_of(const Piece& piece, size_t begin, size_t end) {
  if (!piece.is_exact) return {piece.begin, piece.end};
  return {piece.begin + (begin - piece.view_begin), piece.begin + (end - piece.view_begin)};
}

void append_piece(std::vector<Piece>& map, const Piece& piece) {
  if (!map.empty()) {
    Piece& last = map.back();
    if (last.is_exact && piece.is_exact && last.end == piece.begin) {
      last.view_end = piece.view_end;
      last.end = piece.end;
      return;
    }
    if (map.size() == kViewPiecesMax) {
      last.is_exact = false;
      last.view_end = piece.view_end;
      last.begin = std::min(last.begin, piece.begin);
      last.end = std::max(last.end, piece.end);
      return;
    }
  }
  map.push_back(piece);
}

}  // namespace

void ViewBuilder::keep(size_t begin, size_t end) {
  if (begin < end) append(begin, end, source_.substr(begin, end - begin), true);
  at_ = end;
}

void ViewBuilder::replace(size_t begin, size_t end, std::string_view text, bool is_exact) {
  keep_until(begin);
  put(begin, end, text, is_exact);
  at_ = end;
}

void ViewBuilder::drop(size_t begin, size_t end) { replace(begin, end, {}); }

void ViewBuilder::put(size_t begin, size_t end, std::string_view text, bool is_exact) {
  if (!is_changed_) view_.changed.begin = view_.text.size();
  is_changed_ = true;
  append(begin, end, text, is_exact);
  view_.changed.end = view_.text.size();
}

void ViewBuilder::append(size_t begin, size_t end, std::string_view text, bool is_exact) {
  const size_t room = is_full_ ? 0 : kViewBytesMax - view_.text.size();
  if (text.size() > room) {
    is_full_ = true;
    if (!is_exact) return;
    text = text.substr(0, floor_code_point(text, room));
    end = begin + text.size();
  }
  if (text.empty()) return;
  const size_t at = view_.text.size();
  view_.text.append(text);
  append_piece(view_.map, {.view_begin = static_cast<uint32_t>(at),
                           .view_end = static_cast<uint32_t>(at + text.size()),
                           .begin = static_cast<uint32_t>(begin),
                           .end = static_cast<uint32_t>(end),
                           .is_exact = is_exact});
}

std::optional<View> ViewBuilder::finish(Technique technique) && {
  if (!is_changed_) return std::nullopt;
  keep_until(source_.size());
  view_.technique = technique;
  return std::move(view_);
}

Range original_range(const View& view, size_t begin, size_t end) {
  VSR_CHECK(begin <= end && end <= view.text.size(), "[{}, {}) of {}", begin, end,
            view.text.size());
  if (view.map.empty()) return {};
  if (begin == end) {
    if (begin == view.text.size()) return {view.map.back().end, view.map.back().end};
    const Piece& piece = view.map[piece_at(view, begin)];
    const size_t at = part_of(piece, begin, begin).begin;
    return {at, at};
  }
  const Piece& first = view.map[piece_at(view, begin)];
  const Piece& last = view.map[piece_at(view, end - 1)];
  const Range head = part_of(first, begin, std::min<size_t>(end, first.view_end));
  const Range tail = part_of(last, std::max<size_t>(begin, last.view_begin), end);
  // A view runs forwards or, turned round, backwards.
  return {std::min(head.begin, tail.begin), std::max(head.end, tail.end)};
}

void rebase(View& outer, const View& inner) {
  std::vector<Piece> map;
  for (const Piece& piece : outer.map) {
    // What was changed before is still there, if only in part.
    if (inner.depth > 0 && piece.end >= inner.changed.begin && piece.begin <= inner.changed.end) {
      size_t begin = piece.view_begin;
      size_t end = piece.view_end;
      if (piece.is_exact) {
        begin += std::max<size_t>(piece.begin, inner.changed.begin) - piece.begin;
        end -= piece.end - std::min<size_t>(piece.end, inner.changed.end);
      }
      outer.changed.begin = std::min(outer.changed.begin, begin);
      outer.changed.end = std::max(outer.changed.end, end);
    }
    if (!piece.is_exact) {
      const Range range = original_range(inner, piece.begin, piece.end);
      append_piece(map, {piece.view_begin, piece.view_end, static_cast<uint32_t>(range.begin),
                         static_cast<uint32_t>(range.end), false});
      continue;
    }
    // One piece for each piece of the inner map that it crosses.
    const uint32_t shift = piece.view_begin - piece.begin;
    for (size_t i = piece_at(inner, piece.begin);
         i < inner.map.size() && inner.map[i].view_begin < piece.end; ++i) {
      const Piece& below = inner.map[i];
      const uint32_t begin = std::max(piece.begin, below.view_begin);
      const uint32_t end = std::min(piece.end, below.view_end);
      const Range range = part_of(below, begin, end);
      append_piece(map, {begin + shift, end + shift, static_cast<uint32_t>(range.begin),
                         static_cast<uint32_t>(range.end), below.is_exact});
    }
  }
  outer.map = std::move(map);
  outer.depth = static_cast<uint8_t>(inner.depth + 1);
}

}  // namespace vsr::text
